// SPDX-License-Identifier: Apache-2.0

import Bytes

/// Reads the value of `Authorization` (RFC 9110 §11.6.2).
package enum AuthorizationHeader {
    /// A longer value is malformed: the largest token we accept is 8 KiB.
    package static let valueCountMax = 9 * 1024

    /// Without allocation, but for the `Basic` scheme.
    package static func parse(_ value: Span<UInt8>) -> AuthorizationForm {
        guard value.count <= valueCountMax else { return .malformed }
        var schemeEnd = 0
        while schemeEnd < value.count, value[schemeEnd].isTokenCharacter { schemeEnd += 1 }
        guard schemeEnd > 0 else { return .malformed }
        let scheme = value.extracting(0..<schemeEnd)
        let isBearer = scheme.equalsIgnoringCase("bearer")
        let isAgentPort = scheme.equalsIgnoringCase("agentport")
        let isBasic = scheme.equalsIgnoringCase("basic")
        guard schemeEnd == value.count || value[schemeEnd] == .space else { return .malformed }
        guard isBearer || isAgentPort || isBasic else { return .unsupported }
        // RFC 9110 §11.4: one or more spaces; what ends the line was trimmed as OWS.
        var start = schemeEnd
        while start < value.count, value[start] == .space { start += 1 }
        var end = value.count
        while end > start, value[end - 1] == .space || value[end - 1] == .tab { end -= 1 }
        if isAgentPort { return parameters(value, start..<end) }
        guard isToken68(value, start..<end) else { return .malformed }
        return isBearer ? .bearer(start..<end) : basic(value.extracting(start..<end))
    }

    /// token68 of RFC 9110 §11.2: what RFC 6750 §2.1 calls b64token.
    private static func isToken68(_ value: Span<UInt8>, _ range: Range<Int>) -> Bool {
        var offset = range.lowerBound
        while offset < range.upperBound, isToken68Character(value[offset]) { offset += 1 }
        guard offset > range.lowerBound else { return false }
        while offset < range.upperBound, value[offset] == .equals { offset += 1 }
        return offset == range.upperBound
    }

    private static func isToken68Character(_ byte: UInt8) -> Bool {
        if byte.isLetter || byte.isDigit { return true }
        switch byte {
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"),
            UInt8(ascii: "+"), UInt8(ascii: "/"):
            return true
        default: return false
        }
    }

    // MARK: Basic

    private static func basic(_ text: Span<UInt8>) -> AuthorizationForm {
        guard let decoded = Base64URL.decodeStandard(text) else { return .malformed }
        // RFC 7617 §2: no control characters, and the first colon ends the name.
        for byte in decoded where byte < 0x20 || byte == 0x7F { return .malformed }
        guard let colon = decoded.firstIndex(of: .colon), colon > 0, colon + 1 < decoded.count
        else { return .malformed }
        return .basic(BasicCredentials(decoded: decoded, colon: colon))
    }

    // MARK: AgentPort

    /// `agent`, `key` and optionally `totp`, in any order, each once and no other (RFC 9110
    /// §11.2). Empty list elements and backslashes are refused: none of our values needs an
    /// escape, and two readers could take one differently.
    private static func parameters(_ value: Span<UInt8>, _ range: Range<Int>) -> AuthorizationForm {
        var agent: Range<Int>?
        var key: Range<Int>?
        var totp: Range<Int>?
        var offset = range.lowerBound
        while true {
            guard let (name, content, next) = parameter(value, at: offset, end: range.upperBound)
            else { return .malformed }
            let text = value.extracting(name)
            if text.equalsIgnoringCase("agent"), agent == nil {
                agent = content
            } else if text.equalsIgnoringCase("key"), key == nil {
                key = content
            } else if text.equalsIgnoringCase("totp"), totp == nil {
                totp = content
            } else {
                return .malformed
            }
            offset = skipSpace(value, from: next, end: range.upperBound)
            if offset == range.upperBound { break }
            guard value[offset] == .comma else { return .malformed }
            offset = skipSpace(value, from: offset + 1, end: range.upperBound)
        }
        guard let agent, let key, !agent.isEmpty, !key.isEmpty else { return .malformed }
        return .agentPort(agent: agent, key: key, totp: totp)
    }

    /// `token BWS "=" BWS ( token / quoted-string )`.
    private static func parameter(
        _ value: Span<UInt8>, at start: Int, end: Int
    ) -> (name: Range<Int>, content: Range<Int>, next: Int)? {
        var offset = start
        while offset < end, value[offset].isTokenCharacter { offset += 1 }
        let name = start..<offset
        offset = skipSpace(value, from: offset, end: end)
        guard !name.isEmpty, offset < end, value[offset] == .equals else { return nil }
        offset = skipSpace(value, from: offset + 1, end: end)
        guard offset < end else { return nil }
        guard value[offset] == .quote else {
            let first = offset
            while offset < end, value[offset].isTokenCharacter { offset += 1 }
            return offset > first ? (name, first..<offset, offset) : nil
        }
        let first = offset + 1
        offset = first
        while offset < end, value[offset] != .quote {
            let byte = value[offset]
            guard byte >= 0x20, byte < 0x7F, byte != .backslash else { return nil }
            offset += 1
        }
        return offset < end ? (name, first..<offset, offset + 1) : nil
    }

    private static func skipSpace(_ value: Span<UInt8>, from start: Int, end: Int) -> Int {
        var offset = start
        while offset < end, value[offset] == .space || value[offset] == .tab { offset += 1 }
        return offset
    }
}
