// SPDX-License-Identifier: Apache-2.0

import Bytes

/// Steps once over the JSON of a token, holds it to RFC 8259, and marks where the members of the
/// outermost object lie; nothing is copied, so that a stranger's token costs little.
///
/// Strict: what two parsers may read differently is refused, above all a name that stands twice in
/// one object, at whatever depth and however it is spelled. The text is handed to each call.
package struct ClaimScanner {
    package static let depthMax = 16
    /// Of all objects together.
    package static let membersMax = 256

    private var offset: Int
    private var depth = 0
    private var memberCount = 0
    /// FNV-1a of the names in the objects that are open, those of the innermost last. Names that
    /// are equal have equal hashes; where others collide a token is refused that was made for it.
    private var names: [UInt64] = []

    init(at offset: Int = 0) {
        self.offset = offset
    }

    /// - Returns: `nil` unless the text is one object and nothing else.
    static func members(of json: Span<UInt8>) -> [ClaimSet.Member]? {
        guard (try? UTF8Span(validating: json)) != nil else { return nil }
        var scanner = ClaimScanner()
        var members: [ClaimSet.Member] = []
        members.reserveCapacity(24)
        scanner.skipSpace(json)
        guard scanner.skipObject(json, { members.append($0) }) else { return nil }
        scanner.skipSpace(json)
        return scanner.offset == json.count ? members : nil
    }

    // MARK: Values

    private mutating func skipValue(_ json: Span<UInt8>) -> ClaimSet.Kind? {
        guard offset < json.count else { return nil }
        switch json[offset] {
        case .quote: return skipString(json).map { $0.isEscaped ? .escapedText : .text }
        case UInt8(ascii: "{"): return skipObject(json, { _ in }) ? .other : nil
        case UInt8(ascii: "["): return skipArray(json, { _, _ in }) ? .list : nil
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            return skipNumber(json) ? .number : nil
        default:
            return skip(json, "true") || skip(json, "false") || skip(json, "null") ? .other : nil
        }
    }

    private mutating func skipObject(
        _ json: Span<UInt8>, _ found: (ClaimSet.Member) -> Void
    ) -> Bool {
        guard enter(json, UInt8(ascii: "{")) else { return false }
        let first = names.count
        if !skip(json, UInt8(ascii: "}")) {
            repeat {
                skipSpace(json)
                guard memberCount < Self.membersMax, let name = skipString(json),
                    !names[first...].contains(name.hash), skip(json, .colon)
                else { return false }
                memberCount += 1
                names.append(name.hash)
                skipSpace(json)
                let start = offset
                guard let kind = skipValue(json) else { return false }
                found(
                    ClaimSet.Member(
                        name: name.range, isNameEscaped: name.isEscaped, kind: kind,
                        value: start..<offset))
            } while skip(json, .comma)
            guard skip(json, UInt8(ascii: "}")) else { return false }
        }
        names.removeLast(names.count - first)
        depth -= 1
        return true
    }

    /// - Parameter found: gets each item's kind and place.
    mutating func skipArray(
        _ json: Span<UInt8>, _ found: (ClaimSet.Kind, Range<Int>) -> Void
    ) -> Bool {
        guard enter(json, UInt8(ascii: "[")) else { return false }
        if !skip(json, UInt8(ascii: "]")) {
            repeat {
                skipSpace(json)
                let start = offset
                guard let kind = skipValue(json) else { return false }
                found(kind, start..<offset)
            } while skip(json, .comma)
            guard skip(json, UInt8(ascii: "]")) else { return false }
        }
        depth -= 1
        return true
    }

    private mutating func enter(_ json: Span<UInt8>, _ opening: UInt8) -> Bool {
        guard depth < Self.depthMax, offset < json.count, json[offset] == opening else {
            return false
        }
        depth += 1
        offset += 1
        return true
    }

    private mutating func skipNumber(_ json: Span<UInt8>) -> Bool {
        if json[offset] == UInt8(ascii: "-") { offset += 1 }
        let start = offset
        guard skipDigits(json), json[start] != UInt8(ascii: "0") || offset == start + 1 else {
            return false
        }
        if offset < json.count, json[offset] == UInt8(ascii: ".") {
            offset += 1
            guard skipDigits(json) else { return false }
        }
        if offset < json.count, json[offset] | 0x20 == UInt8(ascii: "e") {
            offset += 1
            if offset < json.count,
                json[offset] == UInt8(ascii: "+") || json[offset] == UInt8(ascii: "-")
            {
                offset += 1
            }
            guard skipDigits(json) else { return false }
        }
        return true
    }

    /// At least one.
    private mutating func skipDigits(_ json: Span<UInt8>) -> Bool {
        let start = offset
        while offset < json.count, json[offset].isDigit { offset += 1 }
        return offset > start
    }

    // MARK: Strings

    /// A string that was stepped over: what lies between its quotes.
    private struct Text {
        var range: Range<Int>
        var isEscaped: Bool
        /// Of its bytes once the escapes are read.
        var hash: UInt64
    }

    private mutating func skipString(_ json: Span<UInt8>) -> Text? {
        guard offset < json.count, json[offset] == .quote else { return nil }
        offset += 1
        var text = Text(range: offset..<offset, isEscaped: false, hash: 0xCBF2_9CE4_8422_2325)
        while offset < json.count {
            let byte = json[offset]
            offset += 1
            if byte == .quote {
                text.range = text.range.lowerBound..<offset - 1
                return text
            }
            guard byte >= 0x20 else { return nil }
            if byte == .backslash {
                text.isEscaped = true
                guard let scalar = JSONEscape.read(json, &offset) else { return nil }
                for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter {
                    text.hash = Self.hash(text.hash, byte)
                }
            } else {
                text.hash = Self.hash(text.hash, byte)
            }
        }
        return nil
    }

    @inline(__always)
    private static func hash(_ hash: UInt64, _ byte: UInt8) -> UInt64 {
        (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
    }

    // MARK: Space and signs

    private mutating func skipSpace(_ json: Span<UInt8>) {
        while offset < json.count {
            switch json[offset] {
            case .space, .tab, .lineFeed, .carriageReturn: offset += 1
            default: return
            }
        }
    }

    /// Steps over one byte, if it is the next after white space.
    private mutating func skip(_ json: Span<UInt8>, _ byte: UInt8) -> Bool {
        skipSpace(json)
        guard offset < json.count, json[offset] == byte else { return false }
        offset += 1
        return true
    }

    private mutating func skip(_ json: Span<UInt8>, _ literal: StaticString) -> Bool {
        guard json.extracting(offset..<json.count).hasPrefix(literal) else { return false }
        offset += literal.utf8CodeUnitCount
        return true
    }
}
