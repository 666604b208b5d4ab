// SPDX-License-Identifier: Apache-2.0
import Bytes

extension FieldName {
    /// Which of the names we know this is, whatever its case.
    ///
    /// - Parameter name: a token of at most ``HeadLimits/fieldNameBytesMax`` bytes.
    package static func classify(_ name: Span<UInt8>) -> FieldName {
        guard name.count > 0 else { return .other }
        if name.firstOffset(of: UInt8(ascii: "_")) != nil { return classifyUnderscored(name) }
        return classify(name, at: 0, count: name.count)
    }

    /// A name with `_` in it: ``shadow`` if it would be a name of ours with `-` in its place.
    static func classifyUnderscored(_ name: Span<UInt8>) -> FieldName {
        // What counts is decided within the longest name or prefix that we know.
        var dashed = InlineArray<32, UInt8>(repeating: 0)
        let count = min(name.count, 32)
        for index in 0..<count {
            dashed[index] = name[index] == UInt8(ascii: "_") ? UInt8(ascii: "-") : name[index]
        }
        let real = classify(dashed.span, at: 0, count: count)
        return real.castsShadow ? .shadow : .other
    }

    /// - Parameter bytes: hold the name, a token without `_`, at `offset`.
    static func classify(_ bytes: Span<UInt8>, at offset: Int, count: Int) -> FieldName {
        // Setting bit 5 folds case. Among token characters it makes `^` and `_` look like others,
        // but never like a letter, a digit or `-`, which is all that our names are made of.
        let fold: UInt64 = 0x2020_2020_2020_2020
        if count < 8 {
            let mask = UInt64.max &>> UInt64(64 &- 8 &* max(count, 1))
            return short((bytes.word(at: offset, count: count) | fold) & mask, count)
        }
        let name = Folded(
            first: bytes.word(at: offset) | fold,
            last: bytes.word(at: offset &+ count &- 8) | fold,
            count: count)
        if name.first & 0xFFFF == 0x2D78 { return extensionName(name, bytes, offset) }
        if count <= 16 { return medium(name) }
        return long(name, bytes, offset)
    }

    /// A name of eight bytes or more in lower case, by its ends; with up to 16, that is all of it.
    struct Folded {
        let first: UInt64
        let last: UInt64
        let count: Int

        @inline(__always)
        func ends(as text: StaticString) -> Bool {
            first == text.firstWord && last == text.lastWord
        }
    }

    private static func short(_ word: UInt64, _ count: Int) -> FieldName {
        switch count {
        case 2 where word == ("te" as StaticString).firstWord: .te
        case 4 where word == ("host" as StaticString).firstWord: .host
        case 4 where word == ("date" as StaticString).firstWord: .date
        case 6 where word == ("cookie" as StaticString).firstWord: .cookie
        case 6 where word == ("expect" as StaticString).firstWord: .expect
        case 6 where word == ("origin" as StaticString).firstWord: .origin
        case 6 where word == ("server" as StaticString).firstWord: .server
        case 7 where word == ("upgrade" as StaticString).firstWord: .upgrade
        case 7 where word == ("trailer" as StaticString).firstWord: .trailer
        default: .other
        }
    }

    private static func medium(_ name: Folded) -> FieldName {
        switch name.count {
        case 9 where name.ends(as: "forwarded"): .forwarded
        case 10 where name.ends(as: "connection"): .connection
        case 10 where name.ends(as: "keep-alive"): .keepAlive
        case 10 where name.ends(as: "set-cookie"): .setCookie
        case 10 where name.ends(as: "tracestate"): .tracestate
        case 11 where name.ends(as: "traceparent"): .traceparent
        case 11 where name.ends(as: "remote-user"): .identity
        case 12 where name.ends(as: "content-type"): .contentType
        case 13 where name.ends(as: "authorization"): .authorization
        case 13 where name.ends(as: "cache-control"): .cacheControl
        case 12 where name.ends(as: "max-forwards"): .maxForwards
        case 14 where name.ends(as: "content-length"): .contentLength
        case 14 where name.ends(as: "http2-settings"): .http2Settings
        case 16 where name.ends(as: "content-encoding"): .contentEncoding
        case 16 where name.ends(as: "proxy-connection"): .proxyConnection
        default: .other
        }
    }

    /// Names over 16 bytes have a middle that their ends do not tell.
    private static func long(_ name: Folded, _ bytes: Span<UInt8>, _ offset: Int) -> FieldName {
        let whole = bytes.extracting(offset..<(offset &+ name.count))
        let isWebSocket = name.first == ("sec-webs" as StaticString).firstWord
        switch name.count {
        case 17 where name.ends(as: "transfer-encoding"):
            return whole.equalsIgnoringCase("transfer-encoding") ? .transferEncoding : .other
        case 18 where name.ends(as: "proxy-authenticate"):
            return whole.equalsIgnoringCase("proxy-authenticate") ? .proxyAuthenticate : .other
        case 19 where name.ends(as: "proxy-authorization"):
            return whole.equalsIgnoringCase("proxy-authorization") ? .proxyAuthorization : .other
        case 17 where isWebSocket:
            return whole.equalsIgnoringCase("sec-websocket-key") ? .secWebSocketKey : .other
        case 20 where isWebSocket:
            return whole.equalsIgnoringCase("sec-websocket-accept") ? .secWebSocketAccept : .other
        case 21 where isWebSocket:
            return whole.equalsIgnoringCase("sec-websocket-version") ? .secWebSocketVersion : .other
        case 22 where isWebSocket:
            return whole.equalsIgnoringCase("sec-websocket-protocol")
                ? .secWebSocketProtocol : .other
        case 24 where isWebSocket:
            return whole.equalsIgnoringCase("sec-websocket-extensions")
                ? .secWebSocketExtensions : .other
        default:
            return .other
        }
    }

    /// Names that begin with `x-`.
    private static func extensionName(
        _ name: Folded, _ bytes: Span<UInt8>, _ offset: Int
    ) -> FieldName {
        let whole = bytes.extracting(offset..<(offset &+ name.count))
        if name.first == ("x-agentport-" as StaticString).firstWord {
            return agentPort(whole)
        }
        if name.first == ("x-forwarded-" as StaticString).firstWord {
            return xForwarded(whole)
        }
        if name.first == ("x-openclaw-" as StaticString).firstWord {
            return whole.hasPrefixIgnoringCase("x-openclaw-") ? .openclaw : .other
        }
        if name.first == ("x-auth-request-" as StaticString).firstWord {
            return whole.hasPrefixIgnoringCase("x-auth-request-") ? .identity : .other
        }
        switch name.count {
        case 9 where name.ends(as: "x-real-ip"): return .identity
        case 12 where name.ends(as: "x-request-id"): return .xRequestID
        case 13 where name.ends(as: "x-remote-user"): return .identity
        case 13 where name.ends(as: "x-rewrite-url"): return .identity
        case 14 where name.ends(as: "x-original-url"): return .identity
        case 22 where name.ends(as: "x-http-method-override"):
            return whole.equalsIgnoringCase("x-http-method-override") ? .identity : .other
        default: return .other
        }
    }

    private static func agentPort(_ name: Span<UInt8>) -> FieldName {
        guard name.hasPrefixIgnoringCase("x-agentport-") else { return .other }
        if name.equalsIgnoringCase("x-agentport-totp") { return .agentPortTOTP }
        if name.equalsIgnoringCase("x-agentport-session") { return .agentPortSession }
        return .agentPortOther
    }

    private static func xForwarded(_ name: Span<UInt8>) -> FieldName {
        guard name.hasPrefixIgnoringCase("x-forwarded-") else { return .other }
        let rest = name.extracting(12..<name.count)
        if rest.equalsIgnoringCase("for") { return .xForwardedFor }
        if rest.equalsIgnoringCase("proto") { return .xForwardedProto }
        if rest.equalsIgnoringCase("host") { return .xForwardedHost }
        if rest.equalsIgnoringCase("token") { return .xForwardedToken }
        if rest.equalsIgnoringCase("user") || rest.equalsIgnoringCase("email")
            || rest.equalsIgnoringCase("groups") || rest.equalsIgnoringCase("preferred-username")
        {
            return .identity
        }
        return .xForwardedOther
    }
}

extension Span where Element == UInt8 {
    /// Whether the span begins with `text` but for ASCII case; `text` in lower case.
    func hasPrefixIgnoringCase(_ text: StaticString) -> Bool {
        count >= text.utf8CodeUnitCount
            && extracting(0..<text.utf8CodeUnitCount).equalsIgnoringCase(text)
    }

    /// Equal but for ASCII case; for field names and hosts.
    package func equalsIgnoringCase(_ other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        for index in indices where self[index].lowercased != other[index].lowercased {
            return false
        }
        return true
    }

    /// Whether two field names are one to an upstream that ignores case and reads `_` as `-`.
    package func isSameField(as other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        for index in indices where self[index].dashed != other[index].dashed { return false }
        return true
    }
}

extension UInt8 {
    fileprivate var dashed: UInt8 { self == UInt8(ascii: "_") ? UInt8(ascii: "-") : lowercased }
}
