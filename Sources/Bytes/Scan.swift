// SPDX-License-Identifier: Apache-2.0

/// Looks for bytes eight at a time (SIMD within a register), since Swift's own vector comparisons
/// compile to slow loops.
extension Span where Element == UInt8 {
    /// The first offset at or after `start` that holds `byte`.
    @inlinable
    package func firstOffset(of byte: UInt8, from start: Int = 0) -> Int? {
        precondition(start >= 0 && start <= count)
        let pattern = UInt64(byte) &* 0x0101_0101_0101_0101
        var offset = start
        while offset &+ 8 <= count {
            // SAFETY: offset + 8 ≤ count; any eight bytes are a valid UInt64.
            let word = unsafe bytes.unsafeLoadUnaligned(
                fromUncheckedByteOffset: offset, as: UInt64.self)
            let difference = UInt64(littleEndian: word) ^ pattern
            let zeros = (difference &- 0x0101_0101_0101_0101) & ~difference & 0x8080_8080_8080_8080
            if zeros != 0 { return offset &+ zeros.trailingZeroBitCount >> 3 }
            offset &+= 8
        }
        while offset < count {
            if self[offset] == byte { return offset }
            offset &+= 1
        }
        return nil
    }

    /// The first offset at or after `start` that holds a control character (0–31 or 127); tab
    /// counts as one too.
    @inlinable
    package func firstOffsetOfControl(from start: Int) -> Int {
        precondition(start >= 0 && start <= count)
        var offset = start
        while offset &+ 8 <= count {
            // SAFETY: offset + 8 ≤ count; any eight bytes are a valid UInt64.
            let raw = unsafe bytes.unsafeLoadUnaligned(
                fromUncheckedByteOffset: offset, as: UInt64.self)
            let word = UInt64(littleEndian: raw)
            // Below 0x20: subtracting borrows into the high bit, unless it was set already. A
            // borrow can mark a byte above a true hit falsely, never below it, and the lowest
            // mark is what is taken.
            let low = (word &- 0x2020_2020_2020_2020) & ~word
            let delete = word ^ 0x7F7F_7F7F_7F7F_7F7F
            let isDelete = (delete &- 0x0101_0101_0101_0101) & ~delete
            let hits = (low | isDelete) & 0x8080_8080_8080_8080
            if hits != 0 { return offset &+ hits.trailingZeroBitCount >> 3 }
            offset &+= 8
        }
        while offset < count {
            let byte = self[offset]
            if byte < 0x20 || byte == 0x7F { return offset }
            offset &+= 1
        }
        return count
    }
}
