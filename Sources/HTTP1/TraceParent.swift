// SPDX-License-Identifier: Apache-2.0

import Bytes

/// A valid `traceparent` (W3C Trace Context §3.2.2): `00-<32 hex>-<16 hex>-<2 hex>`.
package struct TraceParent {
    package static let traceID = 3..<35
    package static let count = 55

    /// Bit 0: the caller records this trace.
    package let flags: UInt8

    /// Only version 00 is read; another one starts a new trace.
    package init?(_ text: Span<UInt8>) {
        guard text.count == Self.count, text.hasPrefix("00-"), text[35] == UInt8(ascii: "-"),
            text[52] == UInt8(ascii: "-"), Self.isIdentifier(text.extracting(Self.traceID)),
            Self.isIdentifier(text.extracting(36..<52)),
            Self.isLowerHex(text[53]), Self.isLowerHex(text[54]),
            let high = Hex.value(text[53]), let low = Hex.value(text[54])
        else { return nil }
        flags = high << 4 | low
    }

    /// Lower-case hexadecimal, not all zeros.
    private static func isIdentifier(_ text: Span<UInt8>) -> Bool {
        var hasValue = false
        for index in text.indices {
            guard isLowerHex(text[index]) else { return false }
            if text[index] != UInt8(ascii: "0") { hasValue = true }
        }
        return hasValue
    }

    private static func isLowerHex(_ byte: UInt8) -> Bool {
        byte.isDigit || (byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "f"))
    }
}
