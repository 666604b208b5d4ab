// SPDX-License-Identifier: Apache-2.0

import Bytes

/// A flat JSON object, which is all that a token's header or payload of ours may be: members
/// whose values are strings, non-negative integers or arrays of strings.
///
/// Strict (RFC 8259): no other value, no duplicate name, valid UTF-8, nothing behind the object.
struct ClaimSet {
    enum Value: Equatable {
        case text(String)
        case integer(UInt64)
        case list([String])
    }

    static let countMax = 64
    private(set) var values: [String: Value] = [:]

    init?(_ json: Span<UInt8>) {
        var reader = ClaimReader()
        guard reader.skip(json, .init(ascii: "{")) else { return nil }
        if !reader.skip(json, .init(ascii: "}")) {
            repeat {
                guard values.count < Self.countMax, let name = reader.text(json),
                    values[name] == nil, reader.skip(json, .colon), let value = reader.value(json)
                else { return nil }
                values[name] = value
            } while reader.skip(json, .comma)
            guard reader.skip(json, .init(ascii: "}")) else { return nil }
        }
        guard reader.isAtEnd(json) else { return nil }
    }

    func text(_ name: String) -> String? {
        guard case .text(let text)? = values[name] else { return nil }
        return text
    }

    func integer(_ name: String) -> UInt64? {
        guard case .integer(let value)? = values[name] else { return nil }
        return value
    }

    func list(_ name: String) -> [String]? {
        guard case .list(let list)? = values[name] else { return nil }
        return list
    }
}

/// Where reading has come to in a text that is handed to each call.
private struct ClaimReader {
    private var offset = 0

    mutating func skipSpace(_ json: Span<UInt8>) {
        while offset < json.count {
            switch json[offset] {
            case .space, .tab, .lineFeed, .carriageReturn: offset += 1
            default: return
            }
        }
    }

    /// Steps over one byte, if it is the next after white space.
    mutating func skip(_ json: Span<UInt8>, _ byte: UInt8) -> Bool {
        skipSpace(json)
        guard offset < json.count, json[offset] == byte else { return false }
        offset += 1
        return true
    }

    mutating func isAtEnd(_ json: Span<UInt8>) -> Bool {
        skipSpace(json)
        return offset == json.count
    }

    mutating func value(_ json: Span<UInt8>) -> ClaimSet.Value? {
        skipSpace(json)
        guard offset < json.count else { return nil }
        if json[offset] == .quote { return text(json).map { .text($0) } }
        if json[offset].isDigit { return integer(json).map { .integer($0) } }
        guard skip(json, .init(ascii: "[")) else { return nil }
        var list: [String] = []
        if skip(json, .init(ascii: "]")) { return .list(list) }
        repeat {
            guard list.count < ClaimSet.countMax, let text = text(json) else { return nil }
            list.append(text)
        } while skip(json, .comma)
        return skip(json, .init(ascii: "]")) ? .list(list) : nil
    }

    private mutating func integer(_ json: Span<UInt8>) -> UInt64? {
        let start = offset
        while offset < json.count, json[offset].isDigit { offset += 1 }
        if json[start] == UInt8(ascii: "0"), offset > start + 1 { return nil }
        return json.extracting(start..<offset).decimal
    }

    mutating func text(_ json: Span<UInt8>) -> String? {
        guard skip(json, .quote) else { return nil }
        var bytes: [UInt8] = []
        while offset < json.count {
            let byte = json[offset]
            offset += 1
            if byte == .quote { return String(validating: bytes, as: UTF8.self) }
            if byte < 0x20 { return nil }
            guard byte == .backslash else {
                bytes.append(byte)
                continue
            }
            guard let scalar = escape(json) else { return nil }
            bytes.append(contentsOf: String(scalar).utf8)
        }
        return nil
    }

    /// What follows a backslash (RFC 8259 §7); a lone surrogate is refused.
    private mutating func escape(_ json: Span<UInt8>) -> Unicode.Scalar? {
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
        guard let high = unit(json) else { return nil }
        guard high & 0xFC00 == 0xD800 else { return Unicode.Scalar(high) }
        guard offset + 1 < json.count, json[offset] == .backslash,
            json[offset + 1] == UInt8(ascii: "u")
        else { return nil }
        offset += 2
        guard let low = unit(json), low & 0xFC00 == 0xDC00 else { return nil }
        return Unicode.Scalar(0x10000 + (high & 0x3FF) << 10 + low & 0x3FF)
    }

    private mutating func unit(_ json: Span<UInt8>) -> UInt32? {
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
