// SPDX-License-Identifier: Apache-2.0

/// Base 16 of RFC 4648 §8, in lower case.
@usableFromInline
package enum Hex {
    @inlinable
    package static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") &+ value : UInt8(ascii: "a") &+ (value &- 10)
    }

    /// The value of one digit in either case, or `nil`.
    @inlinable
    package static func value(_ digit: UInt8) -> UInt8? {
        if digit.isDigit { return digit &- UInt8(ascii: "0") }
        let lower = digit | 0x20
        guard lower >= UInt8(ascii: "a"), lower <= UInt8(ascii: "f") else { return nil }
        return lower &- UInt8(ascii: "a") &+ 10
    }

    package static func encode(_ bytes: borrowing Span<UInt8>) -> String {
        var text = ""
        for index in bytes.indices {
            text.unicodeScalars.append(Unicode.Scalar(digit(bytes[index] >> 4)))
            text.unicodeScalars.append(Unicode.Scalar(digit(bytes[index] & 15)))
        }
        return text
    }

    package static func decode(_ text: borrowing Span<UInt8>) -> [UInt8]? {
        guard text.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: text.count, by: 2) {
            guard let high = value(text[index]), let low = value(text[index + 1]) else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        return bytes
    }
}
