// SPDX-License-Identifier: Apache-2.0

import Bytes

extension TextSink where Self: ~Copyable {
    /// The inside of a JSON string (RFC 8259 §7), whatever the bytes are.
    ///
    /// Control characters are escaped, DEL and C1 too, since a terminal obeys them; each byte
    /// that is not part of well-formed UTF-8 becomes `\ufffd`.
    mutating func append(escaped bytes: borrowing Span<UInt8>) {
        var offset = 0
        while offset < bytes.count {
            let end = bytes.firstOffsetToEscape(from: offset)
            if end > offset { append(bytes.extracting(offset..<end)) }
            guard end < bytes.count else { return }
            offset = end + appendExceptional(bytes, at: end)
        }
    }

    /// Writes what begins at `offset`, which cannot stand as it is.
    ///
    /// - Returns: how many bytes that was.
    private mutating func appendExceptional(
        _ bytes: borrowing Span<UInt8>, at offset: Int
    ) -> Int {
        let byte = bytes[offset]
        switch byte {
        case .quote: append("\\\"")
        case .backslash: append("\\\\")
        case .lineFeed: append("\\n")
        case .carriageReturn: append("\\r")
        case .tab: append("\\t")
        case 0..<0x80: append(unicodeEscape: byte)
        default:
            guard let length = bytes.utf8SequenceLength(at: offset) else {
                append("\\ufffd")
                return 1
            }
            if byte == 0xC2, bytes[offset + 1] < 0xA0 {
                append(unicodeEscape: bytes[offset + 1])
            } else {
                append(bytes.extracting(offset..<(offset + length)))
            }
            return length
        }
        return 1
    }

    private mutating func append(unicodeEscape value: UInt8) {
        append("\\u00")
        append(Hex.digit(value >> 4))
        append(Hex.digit(value & 15))
    }
}
