// SPDX-License-Identifier: Apache-2.0

import Bytes

/// Escapes of JSON's strings (RFC 8259 §7).
enum JSONEscape {
    /// What follows a backslash; a lone surrogate is refused.
    ///
    /// - Parameter offset: of the byte behind the backslash; then of the one behind the escape.
    static func read(_ json: Span<UInt8>, _ offset: inout Int) -> Unicode.Scalar? {
        guard offset < json.count else { return nil }
        let byte = json[offset]
        offset += 1
        switch byte {
        case .quote, .backslash, UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): break
        default: return nil
        }
        guard let high = unit(json, &offset) else { return nil }
        guard high & 0xFC00 == 0xD800 else { return Unicode.Scalar(high) }
        guard offset + 1 < json.count, json[offset] == .backslash,
            json[offset + 1] == UInt8(ascii: "u")
        else { return nil }
        offset += 2
        guard let low = unit(json, &offset), low & 0xFC00 == 0xDC00 else { return nil }
        return Unicode.Scalar(0x10000 + (high & 0x3FF) << 10 + low & 0x3FF)
    }

    private static func unit(_ json: Span<UInt8>, _ offset: inout Int) -> UInt32? {
        guard offset + 4 <= json.count else { return nil }
        var unit: UInt32 = 0
        for index in offset..<offset + 4 {
            guard let value = Hex.value(json[index]) else { return nil }
            unit = unit << 4 | UInt32(value)
        }
        offset += 4
        return unit
    }
}
