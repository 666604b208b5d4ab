// SPDX-License-Identifier: Apache-2.0
import Bytes

/// Host and port, as in the Host field and in absolute-form targets (RFC 9110 §7.2).
package enum Authority {
    /// Whether this is `uri-host [":" port]` as names and addresses are written in practice.
    ///
    /// RFC 3986 would also allow percent-encoding, sub-delimiters, IPvFuture, and an empty host or
    /// port. No resolvable host has these, and parsers disagree about them.
    package static func isValid(_ text: Span<UInt8>) -> Bool {
        guard text.count > 0 else { return false }
        var end = 0
        if text[0] == UInt8(ascii: "[") {
            guard let close = addressEnd(text) else { return false }
            end = close
        } else {
            while end <= text.count &- 8, areNameBytes(text.word(at: end)) { end &+= 8 }
            while end < text.count, isNameByte(text[end]) { end &+= 1 }
            guard end > 0 else { return false }
        }
        if end == text.count { return true }
        guard text[end] == .colon else { return false }
        return isPort(text.extracting((end &+ 1)..<text.count))
    }

    /// Whether a word is eight letters, digits, `-` and `.`: the usual host, quickly. Exact but for
    /// `_`, which is left to ``isNameByte(_:)``.
    @inline(__always)
    private static func areNameBytes(_ word: UInt64) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let high = ones &* 0x80
        let plain = word & ~high
        let folded = plain | (ones &* 0x20)
        // Bit 7 of each byte, without a borrow or carry between bytes: at least the one bound, and
        // not at least the other.
        let letter = (folded &+ ones &* 0x1F) & ~(folded &+ ones &* 0x05)
        let dashToNine = (plain &+ ones &* 0x53) & ~(plain &+ ones &* 0x46)
        let slash = plain ^ (ones &* 0x2F)
        let notSlash = slash &+ ones &* 0x7F
        return (letter | (dashToNine & notSlash)) & ~word & high == high
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        // `-` `.` and digits, then letters and `_`, as bits of two words.
        if byte < 64 { return 0x03FF_6000_0000_0000 &>> UInt64(byte) & 1 == 1 }
        if byte < 128 { return 0x07FF_FFFE_87FF_FFFE &>> UInt64(byte &- 64) & 1 == 1 }
        return false
    }

    /// After the bracket that closes an IPv6 address without zone; its digits are not judged.
    private static func addressEnd(_ text: Span<UInt8>) -> Int? {
        var colons = 0
        for index in 1..<text.count {
            let byte = text[index]
            if byte == UInt8(ascii: "]") { return colons >= 2 ? index &+ 1 : nil }
            if byte == .colon {
                colons &+= 1
            } else if Hex.value(byte) == nil, byte != UInt8(ascii: ".") {
                return nil
            }
            if index > 45 { return nil }
        }
        return nil
    }

    private static func isPort(_ text: Span<UInt8>) -> Bool {
        guard text.count <= 5, let port = text.decimal else { return false }
        return port > 0 && port <= 65535
    }
}
