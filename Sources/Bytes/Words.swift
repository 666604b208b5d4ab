// SPDX-License-Identifier: Apache-2.0

/// Bytes taken eight at a time as a `UInt64`, the first byte lowest, so that codecs outside this
/// module can compare and scan by words without a pointer in sight.
extension Span where Element == UInt8 {
    /// The eight bytes from `offset` on, all of which must lie in the span.
    @inlinable @inline(__always)
    package func word(at offset: Int) -> UInt64 {
        precondition(offset >= 0 && offset <= count &- 8)
        // SAFETY: offset + 8 ≤ count, checked above; any eight bytes are a valid UInt64.
        let raw = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
        return UInt64(littleEndian: raw)
    }

    /// The first `count` (at most eight) bytes from `offset` on, zero in the places above them.
    @inlinable @inline(__always)
    package func word(at offset: Int, count amount: Int) -> UInt64 {
        precondition(amount >= 0 && amount <= 8 && offset >= 0 && offset <= count &- amount)
        if amount == 0 { return 0 }
        if offset <= count &- 8 {
            return word(at: offset) & (UInt64.max &>> UInt64(64 &- 8 &* amount))
        }
        var word: UInt64 = 0
        for index in 0..<amount { word |= UInt64(self[offset &+ index]) &<< UInt64(8 &* index) }
        return word
    }
}

extension StaticString {
    /// The first eight bytes of a literal as a word, zero above its end; a constant once compiled.
    @inlinable @inline(__always)
    package var firstWord: UInt64 {
        word(at: 0, count: min(8, utf8CodeUnitCount))
    }

    /// The last eight bytes of a literal as a word, or the whole of a shorter one.
    @inlinable @inline(__always)
    package var lastWord: UInt64 {
        word(at: max(0, utf8CodeUnitCount - 8), count: min(8, utf8CodeUnitCount))
    }

    @inlinable @inline(__always)
    func word(at offset: Int, count: Int) -> UInt64 {
        var word: UInt64 = 0
        for index in 0..<count {
            // SAFETY: offset + count is at most the literal's length, by the two callers above.
            word |= unsafe UInt64(utf8Start[offset + index]) &<< UInt64(8 &* index)
        }
        return word
    }
}
