// SPDX-License-Identifier: Apache-2.0

extension Span where Element == UInt8 {
    /// The first offset at or after `start` whose byte may not stand as it is in a log's JSON
    /// string, or the end: a control character, a quote, a backslash, DEL, or anything not ASCII.
    @inlinable
    package func firstOffsetToEscape(from start: Int) -> Int {
        precondition(start >= 0 && start <= count)
        let ones: UInt64 = 0x0101_0101_0101_0101
        var offset = start
        while offset &+ 8 <= count {
            // SAFETY: offset + 8 ≤ count; any eight bytes are a valid UInt64.
            let raw = unsafe bytes.unsafeLoadUnaligned(
                fromUncheckedByteOffset: offset, as: UInt64.self)
            let word = UInt64(littleEndian: raw)
            // As in firstOffsetOfControl: borrows mark only above a true hit.
            let low = (word &- 0x20 &* ones) & ~word
            let quote = word ^ 0x22 &* ones
            let backslash = word ^ 0x5C &* ones
            let delete = word ^ 0x7F &* ones
            let equal = (quote &- ones) & ~quote | (backslash &- ones) & ~backslash
                | (delete &- ones) & ~delete
            let hits = (low | equal | word) & (0x80 &* ones)
            if hits != 0 { return offset &+ hits.trailingZeroBitCount >> 3 }
            offset &+= 8
        }
        while offset < count {
            let byte = self[offset]
            if byte < 0x20 || byte >= 0x7F || byte == .quote || byte == .backslash {
                return offset
            }
            offset &+= 1
        }
        return count
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
