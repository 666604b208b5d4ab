// SPDX-License-Identifier: Apache-2.0

import Bytes

/// The JSON object that a token's header or payload is, its outermost members at hand.
///
/// Names and texts are compared byte by byte: Swift's own comparison of strings holds canonically
/// equivalent ones for equal, JOSE does not (RFC 7515 §5.3).
package struct ClaimSet {
    enum Kind: Equatable {
        case text
        /// A text with escapes in it.
        case escapedText
        case number
        case list
        /// An object, a boolean or null.
        case other
    }

    struct Member {
        /// Between the quotes.
        let name: Range<Int>
        let isNameEscaped: Bool
        let kind: Kind
        /// With quotes or brackets.
        let value: Range<Int>
    }

    /// Of any list that is read.
    package static let itemsMax = 64

    private let json: [UInt8]
    private let members: [Member]

    /// - Returns: `nil` for what is no object in strict JSON; see ``ClaimScanner``.
    package init?(_ json: [UInt8]) {
        guard let members = ClaimScanner.members(of: json.span) else { return nil }
        self.json = json
        self.members = members
    }

    /// - Parameter part: base64url.
    init?(encoded part: Span<UInt8>) {
        guard let json = Base64URL.decode(part) else { return nil }
        self.init(json)
    }

    package func has(_ name: String) -> Bool { member(name) != nil }

    /// The bytes of a text, its escapes read.
    package func bytes(_ name: String) -> [UInt8]? {
        guard let member = member(name) else { return nil }
        return bytes(member.kind, member.value)
    }

    func text(_ name: String) -> String? {
        bytes(name).map { String(decoding: $0, as: UTF8.self) }
    }

    /// A number as it is written.
    package func number(_ name: String) -> ArraySlice<UInt8>? {
        guard let member = member(name), member.kind == .number else { return nil }
        return json[member.value]
    }

    /// A number without sign, fraction or exponent.
    func integer(_ name: String) -> UInt64? {
        guard let number = number(name) else { return nil }
        return number.span.decimal
    }

    /// A list of texts alone.
    package func texts(_ name: String) -> [[UInt8]]? {
        guard let member = member(name), member.kind == .list else { return nil }
        var texts: [[UInt8]] = []
        var isWhole = true
        var scanner = ClaimScanner(at: member.value.lowerBound)
        let isList = scanner.skipArray(json.span) { kind, range in
            guard isWhole, texts.count < Self.itemsMax, let text = bytes(kind, range) else {
                isWhole = false
                return
            }
            texts.append(text)
        }
        return isList && isWhole ? texts : nil
    }

    private func member(_ name: String) -> Member? {
        members.first { member in
            member.isNameEscaped
                ? unescape(member.name).elementsEqual(name.utf8)
                : member.name.count == name.utf8.count
                    && json[member.name].elementsEqual(name.utf8)
        }
    }

    private func bytes(_ kind: Kind, _ value: Range<Int>) -> [UInt8]? {
        guard kind == .text || kind == .escapedText else { return nil }
        let inside = value.lowerBound + 1..<value.upperBound - 1
        return kind == .text ? Array(json[inside]) : unescape(inside)
    }

    /// Escapes that the scanner has seen to be right.
    private func unescape(_ range: Range<Int>) -> [UInt8] {
        var bytes: [UInt8] = []
        var offset = range.lowerBound
        while offset < range.upperBound {
            let byte = json[offset]
            offset += 1
            if byte == .backslash {
                guard let scalar = JSONEscape.read(json.span, &offset) else { break }
                bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            } else {
                bytes.append(byte)
            }
        }
        return bytes
    }
}
