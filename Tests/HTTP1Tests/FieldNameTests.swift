// SPDX-License-Identifier: Apache-2.0
import Bytes
import HTTP1
import Testing

@Suite("Field names")
struct FieldNameTests {
    private static let table: [(String, FieldName)] = [
        ("host", .host), ("content-length", .contentLength),
        ("transfer-encoding", .transferEncoding), ("connection", .connection),
        ("keep-alive", .keepAlive), ("proxy-connection", .proxyConnection), ("te", .te),
        ("trailer", .trailer), ("upgrade", .upgrade), ("expect", .expect),
        ("authorization", .authorization), ("proxy-authorization", .proxyAuthorization),
        ("proxy-authenticate", .proxyAuthenticate), ("content-type", .contentType),
        ("content-encoding", .contentEncoding), ("date", .date), ("server", .server),
        ("origin", .origin), ("cookie", .cookie), ("set-cookie", .setCookie),
        ("cache-control", .cacheControl), ("sec-websocket-protocol", .secWebSocketProtocol),
        ("sec-websocket-key", .secWebSocketKey), ("sec-websocket-version", .secWebSocketVersion),
        ("sec-websocket-extensions", .secWebSocketExtensions),
        ("sec-websocket-accept", .secWebSocketAccept), ("x-agentport-totp", .agentPortTOTP),
        ("x-agentport-session", .agentPortSession), ("x-agentport-jwt", .agentPortOther),
        ("x-agentport-", .agentPortOther), ("x-agentport-session-expires", .agentPortOther),
        ("x-agentport-a-name-that-goes-on-beyond-thirty-two-bytes", .agentPortOther),
        ("x-forwarded-token", .xForwardedToken), ("x-forwarded-user", .identity),
        ("x-forwarded-email", .identity), ("x-forwarded-groups", .identity),
        ("x-forwarded-preferred-username", .identity), ("x-auth-request-email", .identity),
        ("x-auth-request-", .identity), ("remote-user", .identity), ("x-remote-user", .identity),
        ("x-real-ip", .identity), ("x-original-url", .identity), ("x-rewrite-url", .identity),
        ("x-http-method-override", .identity), ("x-forwarded-for", .xForwardedFor),
        ("x-forwarded-proto", .xForwardedProto), ("x-forwarded-host", .xForwardedHost),
        ("x-forwarded-port", .xForwardedOther), ("forwarded", .forwarded),
        ("x-request-id", .xRequestID), ("traceparent", .traceparent), ("tracestate", .tracestate),
        ("x-openclaw-scopes", .openclaw),
    ]

    private func classify(_ text: String) -> FieldName {
        FieldName.classify(Array(text.utf8).span)
    }

    @Test("are known in any case", arguments: table)
    func known(_ name: String, _ kind: FieldName) {
        #expect(classify(name) == kind)
        #expect(classify(name.uppercased()) == kind)
        #expect(
            classify(
                name.split(separator: "-", omittingEmptySubsequences: false)
                    .map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined(separator: "-"))
                == kind)
    }

    @Test("are unknown but for one byte", arguments: table)
    func neighbours(_ name: String, _ kind: FieldName) {
        let prefixes = ["x-agentport-", "x-auth-request-", "x-forwarded-", "x-openclaw-"]
        let prefix = prefixes.first { name.hasPrefix($0) }?.utf8.count ?? name.utf8.count
        let bytes = Array(name.utf8)
        for index in 0..<prefix {
            for replacement in UInt8(0x21)..<0x7F {
                var changed = bytes
                changed[index] = replacement
                guard replacement.isTokenCharacter, replacement.lowercased != bytes[index],
                    replacement != UInt8(ascii: "_")
                else { continue }
                let text = String(decoding: changed, as: UTF8.self)
                if classify(text) != .other { Issue.record("\(text) is \(classify(text))") }
            }
        }
        if !prefixes.contains(where: { name.hasPrefix($0) }) {
            #expect(classify(name + "x") == .other)
            #expect(classify(String(name.dropLast())) == .other)
        }
    }

    @Test("with an underscore for a dash are shadows, never the field", arguments: table)
    func shadows(_ name: String, _ kind: FieldName) {
        let harmless: [FieldName] = [.setCookie, .cacheControl]
        for (index, byte) in name.utf8.enumerated() where byte == UInt8(ascii: "-") {
            var changed = Array(name.utf8)
            changed[index] = UInt8(ascii: "_")
            let expected: FieldName = harmless.contains(kind) ? .other : .shadow
            #expect(classify(String(decoding: changed, as: UTF8.self)) == expected)
            #expect(classify(String(decoding: changed, as: UTF8.self).uppercased()) == expected)
        }
    }

    @Test(
        "are the same field to one who reads _ as -",
        arguments: [("x-team", "X_Team", true), ("x-team", "x-tean", false), ("a", "ab", false)])
    func sameField(_ one: String, _ other: String, same: Bool) {
        let isSame = Array(one.utf8).span.isSameField(as: Array(other.utf8).span)
        #expect(isSame == same)
    }

    @Test("classified in a head as by themselves", arguments: table)
    func inHead(_ name: String, _ kind: FieldName) {
        let value =
            ["host": "h", "content-length": "1", "transfer-encoding": "chunked"][name] ?? "x"
        let text =
            "GET / HTTP/1.1\r\n" + (name == "host" ? "" : "Host: h\r\n")
            + "\(name): \(value)\r\n\r\n"
        guard case .complete(let image) = parseRequest(Array(text.utf8)) else {
            Issue.record("refused")
            return
        }
        #expect(image.fields.last?.kind == kind)
    }
}

@Suite("Hosts")
struct AuthorityTests {
    @Test("are letters, digits, dash, dot and underscore, at every place of a word")
    func everyByte() {
        for byte in UInt8.min...UInt8.max {
            let isName =
                byte.isLetter || byte.isDigit || [0x2D, 0x2E, 0x5F].contains(byte)
            for place in 0..<19 {
                var host = Array("gateway.example.com".utf8)
                host[place] = byte
                let isValid = Authority.isValid(host.span)
                // A colon before digits alone would begin a port; there are none here.
                if isValid != isName { Issue.record("\(byte) at \(place)") }
            }
        }
    }
}
