// SPDX-License-Identifier: Apache-2.0

/// Base 32 of RFC 4648 §6: how TOTP seeds are written.
package enum Base32 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)

    /// Without padding, as authenticator apps expect.
    package static func encode(_ bytes: borrowing Span<UInt8>) -> String {
        var text = ""
        var bits: UInt32 = 0
        var bitCount = 0
        for index in bytes.indices {
            bits = bits << 8 | UInt32(bytes[index])
            bitCount += 8
            while bitCount >= 5 {
                bitCount -= 5
                let digit = alphabet[Int(bits >> UInt32(bitCount) & 31)]
                text.unicodeScalars.append(Unicode.Scalar(digit))
            }
        }
        if bitCount > 0 {
            let digit = alphabet[Int(bits << UInt32(5 - bitCount) & 31)]
            text.unicodeScalars.append(Unicode.Scalar(digit))
        }
        return text
    }

    /// Either case; white space and trailing padding are ignored, as people paste them.
    ///
    /// A number of digits that no encoder writes is refused: a digit was lost. Unused bits of the
    /// last digit may be set (RFC 4648 §3.5 leaves that open): seeds that were drawn digit by
    /// digit have them, and other verifiers take those.
    package static func decode(_ text: borrowing Span<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        return decode(text, { bytes.append($0) }) ? bytes : nil
    }

    /// As above, byte by byte, so that a secret is written only where it will stay.
    ///
    /// - Returns: false at the first character that is no digit; some bytes may have been emitted.
    package static func decode(_ text: borrowing Span<UInt8>, _ emit: (UInt8) -> Void) -> Bool {
        var bits: UInt32 = 0
        var bitCount = 0
        var padded = false
        for index in text.indices {
            let digit = text[index]
            if digit == .space || (digit >= 0x09 && digit <= 0x0D) { continue }
            if digit == .equals {
                padded = true
                continue
            }
            guard !padded else { return false }
            let value: UInt8
            switch digit {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = digit - UInt8(ascii: "A")
            case UInt8(ascii: "a")...UInt8(ascii: "z"): value = digit - UInt8(ascii: "a")
            case UInt8(ascii: "2")...UInt8(ascii: "7"): value = digit - UInt8(ascii: "2") + 26
            default: return false
            }
            bits = bits << 5 | UInt32(value)
            bitCount += 5
            if bitCount >= 8 {
                bitCount -= 8
                emit(UInt8(truncatingIfNeeded: bits >> UInt32(bitCount)))
            }
        }
        // Five bits or more left over are a whole digit too many: 1, 3 or 6 of a group of 8.
        return bitCount < 5
    }
}
