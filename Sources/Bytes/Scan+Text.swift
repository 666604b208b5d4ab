// SPDX-License-Identifier: Apache-2.0

extension Span where Element == UInt8 {
    /// The first offset at or after `start` whose byte may not stand as it is in a log's JSON
    /// string, or the end: a control character, a quote, a backslash, DEL, or anything not ASCII.
    @inlinable
    package func firstOffsetToEscape(from start: Int) -> Int {
        precondition(start >= 0 && start <= count)
        guard count &- start >= 8 else {
            var offset = start
            while offset < count, !self[offset].needsEscape { offset &+= 1 }
            return offset
        }
        let last = count &- 8
        var offset = start
        while offset < last {
            let hits = escapeMarks(at: offset)
            if hits != 0 { return offset &+ hits.trailingZeroBitCount >> 3 }
            offset &+= 8
        }
        // The last eight bytes, some of which may have been seen and are clean.
        let hits = escapeMarks(at: last)
        return hits != 0 ? last &+ hits.trailingZeroBitCount >> 3 : count
    }

    /// Marks in the high bit of each of eight bytes; the lowest mark is a true one.
    @inlinable
    func escapeMarks(at offset: Int) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        // SAFETY: the caller sees to offset + 8 ≤ count; any eight bytes are a valid UInt64.
        let raw = unsafe bytes.unsafeLoadUnaligned(
            fromUncheckedByteOffset: offset, as: UInt64.self)
        let word = UInt64(littleEndian: raw)
        // As in firstOffsetOfControl: borrows mark only above a true hit.
        let low = (word &- 0x20 &* ones) & ~word
        let quote = word ^ 0x22 &* ones
        let backslash = word ^ 0x5C &* ones
        // DEL alone carries into the high bit, and what is not ASCII has it anyway.
        let high = ((word & (0x7F &* ones)) &+ ones) | word
        let equal = (quote &- ones) & ~quote | (backslash &- ones) & ~backslash
        return (low | equal | high) & (0x80 &* ones)
    }

    /// The length of the well-formed UTF-8 sequence that begins at `offset` (Unicode 16.0,
    /// table 3-7), or `nil`.
    @inlinable
    package func utf8SequenceLength(at offset: Int) -> Int? {
        let first = self[offset]
        if first < 0x80 { return 1 }
        guard first >= 0xC2, first <= 0xF4, count - offset >= 2 else { return nil }
        let second = self[offset + 1]
        var low: UInt8 = 0x80
        var high: UInt8 = 0xBF
        switch first {
        case 0xE0: low = 0xA0
        case 0xED: high = 0x9F
        case 0xF0: low = 0x90
        case 0xF4: high = 0x8F
        default: break
        }
        guard second >= low, second <= high else { return nil }
        let length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
        guard count - offset >= length else { return nil }
        for index in 2..<max(length, 2) where self[offset + index] & 0xC0 != 0x80 { return nil }
        return length
    }
}

extension UInt8 {
    @inlinable
    var needsEscape: Bool {
        self < 0x20 || self >= 0x7F || self == .quote || self == .backslash
    }
}
