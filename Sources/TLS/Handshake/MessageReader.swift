// SPDX-License-Identifier: Apache-2.0

/// Reads numbers and vectors (RFC 8446 §3) from a part of a message, and never beyond its end:
/// what is not there is a decode error.
struct MessageReader {
    private(set) var offset: Int
    let end: Int

    init(_ range: Range<Int>) {
        offset = range.lowerBound
        end = range.upperBound
    }

    var isAtEnd: Bool { offset == end }
    var rest: Range<Int> { offset..<end }

    /// A big-endian number of `size` bytes, three at most.
    mutating func number(_ bytes: Span<UInt8>, size: Int) throws(Alert) -> Int {
        guard size <= end - offset else { throw .decodeError }
        var value = 0
        for _ in 0..<size {
            value = value << 8 | Int(bytes[offset])
            offset += 1
        }
        return value
    }

    mutating func skip(_ count: Int) throws(Alert) {
        guard count <= end - offset else { throw .decodeError }
        offset += count
    }

    /// A vector whose length takes `size` bytes, and what may be its length.
    mutating func vector(
        _ bytes: Span<UInt8>, size: Int, _ bounds: ClosedRange<Int>
    ) throws(Alert) -> MessageReader {
        let count = try number(bytes, size: size)
        let start = offset
        guard bounds.contains(count) else { throw .decodeError }
        try skip(count)
        return MessageReader(start..<start + count)
    }

    /// Nothing may be left.
    func expectEnd() throws(Alert) {
        guard isAtEnd else { throw .decodeError }
    }
}
