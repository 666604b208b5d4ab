// SPDX-License-Identifier: Apache-2.0

/// What of a request the upstream looks at.
extension World {
    func check(_ head: MessageReader.Head, of call: Call, path: Substring) {
        let place = call.credentials == .none ? "open" : "calls"
        let line = "\(call.method.rawValue) /\(place)/\(call.id)?n=\(call.id) HTTP/1.1"
        if head.first != line { fail(.broken, "upstream: \(head.first)", call) }
        if head.values("x-sim-id") != ["\(call.id)"] {
            fail(.foreign, "the fields of \(head.values("x-sim-id"))", call)
        }
        let isFlawFound = call.flaw == .badChunk || call.flaw == .longChunks
        let isTrusted = call.credentials == .none || call.credentials == .code
        if (call.flaw != nil && !isFlawFound) || !isTrusted {
            fail(.broken, "what has to be refused came upstream", call)
        }
        let forbidden = [
            "authorization", "x-agentport-totp", "x-agentport-session", "x-agentport-user",
            "x-real_ip", "x-hop", "connection",
        ]
        for name in forbidden where head[name] != nil { fail(.broken, "\(name) upstream", call) }
        let tokens = head.values("x-agentport-jwt").count
        if tokens != (call.credentials == .code ? 1 : 0) {
            fail(.broken, "\(tokens) tokens upstream", call)
        }
        if head.values("x-request-id").count != 1 { fail(.broken, "request ids upstream", call) }
        if call.expectsContinue, head["expect"] != "100-continue" {
            fail(.broken, "expect: \(head["expect"] ?? "none")", call)
        }
        if let visitor = visitor(of: call) {
            let octets = [24, 16, 8, 0].map { "\(visitor.address >> UInt32($0) & 255)" }
            if head.values("x-forwarded-for") != [octets.joined(separator: ".")] {
                fail(.foreign, "x-forwarded-for \(head.values("x-forwarded-for"))", call)
            }
        }
    }
}
