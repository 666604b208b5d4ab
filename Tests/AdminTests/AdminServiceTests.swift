// SPDX-License-Identifier: Apache-2.0

import Admin
import JSON
import Testing

@Suite("The admin listener's calls")
struct AdminServiceTests {
    // MARK: Who may call

    @Test func probesNeedNoToken() {
        let service = Desk().service()
        for path in ["/livez", "/readyz", "/metrics"] {
            #expect(service.ask("GET", path, token: nil).status == 200)
        }
        // Off loopback metrics tell strangers too much.
        let open = Desk().service(isLoopback: false)
        #expect(open.ask("GET", "/metrics", token: nil).status == 401)
        #expect(open.ask("GET", "/livez", token: nil).status == 200)
    }

    @Test(arguments: [
        ("GET", "/admin/status"), ("GET", "/admin/secrets"), ("POST", "/admin/secrets"),
        ("POST", "/admin/agents/a/disable"), ("POST", "/admin/agents/a/enable"),
        ("POST", "/admin/sessions/revoke"), ("GET", "/admin/keys"),
        ("POST", "/admin/keys/rotate"), ("POST", "/admin/reload"), ("POST", "/admin/drain"),
    ])
    func everythingElseDoes(method: String, path: String) {
        let desk = Desk()
        let service = desk.service()
        let missing = service.ask(method, path, token: nil)
        #expect(missing.status == 401)
        #expect(missing.json?["code"]?.string == "credentials_missing")
        #expect(missing.challenge == "Bearer realm=\"agentport-admin\"")
        let wrong = service.ask(method, path, token: "other")
        #expect(wrong.json?["code"]?.string == "credentials_invalid")
        desk.hasToken = false
        #expect(service.ask(method, path).status == 503)
        #expect(desk.drains == 0 && desk.switched.isEmpty && desk.rotations.isEmpty)
    }

    @Test func tenWrongTokensAMinuteAreEnough() {
        let desk = Desk()
        let service = desk.service()
        for _ in 0..<10 {
            #expect(service.ask("GET", "/admin/keys", token: "wrong").status == 401)
            desk.now += 1000
        }
        let eleventh = service.ask("GET", "/admin/keys", token: "wrong")
        #expect(eleventh.status == 429)
        #expect(eleventh.retryAfter == 51)
        #expect(service.ask("GET", "/admin/keys").status == 429, "not even the right one")
        #expect(service.ask("GET", "/livez", token: nil).status == 200)
        #expect(service.ask("GET", "/admin/keys", client: "10.0.0.1").status == 200)
        desk.now += 50_000
        #expect(service.ask("GET", "/admin/keys").status == 200, "the first is a minute ago")
        #expect(service.ask("GET", "/admin/keys", token: "wrong").status == 401)
        #expect(service.ask("GET", "/admin/keys", token: "wrong").status == 429)
    }

    @Test(arguments: ["evil.example", "evil.example:9901", "127.0.0.1.evil.example", ""])
    func anotherHostIsRefused(host: String) {
        let service = Desk().service()
        let answer = service.ask("GET", "/livez", token: nil, fields: ["host": host])
        #expect(answer.status == 403)
    }

    @Test func aPageIsRefusedWhateverItsOrigin() {
        let service = Desk().service()
        for origin in ["https://evil.example", "http://localhost:9901", "null"] {
            let answer = service.ask("GET", "/admin/keys", fields: ["origin": origin])
            #expect(answer.json?["code"]?.string == "origin_denied")
        }
        for host in ["localhost", "LOCALHOST:9901", "127.0.0.1:9901", "[::1]:9901"] {
            #expect(service.ask("GET", "/admin/keys", fields: ["host": host]).status == 200)
        }
    }

    @Test func methodsAndPaths() {
        let service = Desk().service()
        #expect(service.ask("PUT", "/admin/secrets").allow == "GET, HEAD, POST")
        #expect(service.ask("GET", "/admin/reload").allow == "POST")
        #expect(service.ask("POST", "/livez").allow == "GET, HEAD")
        for path in ["/nowhere", "/admin", "/admin/agents//disable", "/admin/agents/a/b/disable"] {
            #expect(service.ask("POST", path).status == 404)
        }
        #expect(service.ask("GET", "/admin/decisions").status == 404, "not built yet")
    }

    // MARK: Bodies

    @Test func aRotation() {
        let desk = Desk()
        let answer = desk.service().ask(
            "POST", "/admin/secrets",
            #"{"agent":"a","seed":"MZXW6YTB","expires_at":"2026-06-01T12:00:00Z"}"#,
            fields: ["traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"])
        #expect(answer.status == 200)
        #expect(answer.json?["trace_id"]?.string == "4bf92f3577b34da6a3ce929d0e0e4736")
        #expect(answer.json?["old_expires_at"]?.string == "2026-06-01T12:00:00Z")
        #expect(desk.rotations.count == 1)
        #expect(desk.rotations.first?.seed == Array("MZXW6YTB".utf8))
        #expect(desk.rotations.first?.oldEndsAt == 1_780_315_200_000)
        #expect(desk.audits.map(\.traceID) == ["4bf92f3577b34da6a3ce929d0e0e4736"])
        #expect(desk.audits.map(\.code) == ["ok"])
    }

    @Test(arguments: [
        ("", 400, ""), ("{", 400, ""), ("[]", 422, ""), ("{}", 422, ""),
        (#"{"agent":"a"}"#, 422, ""), (#"{"agent":1,"seed":"x"}"#, 422, "/agent"),
        (#"{"agent":"a","seed":7}"#, 422, "/seed"),
        (#"{"agent":"a","seed":"x","expires_at":5}"#, 422, "/expires_at"),
        (#"{"agent":"a","seed":"x","expires_at":"soon"}"#, 422, "/expires_at"),
        (#"{"agent":"a","seed":"x","Seed":"y"}"#, 422, "/Seed"),
        (#"{"agent":"a","seed":"x","seed":"y"}"#, 400, "/seed"),
        (#"{"agent":"a","seed":"x\ud83d\ude00"}"#, 422, "/seed"),
        (#"{"agent":"a","seed":"x\x"}"#, 422, "/seed"),
        (#"{"agent":"a","seed":"x\u12"}"#, 422, "/seed"),
        (#"{"agent":"a","seed":"x"}}"#, 400, ""),
    ])
    func whatIsNoRotation(body: String, status: Int, pointer: String) {
        let desk = Desk()
        let answer = desk.service().ask("POST", "/admin/secrets", body)
        #expect(answer.status == status)
        #expect(answer.json?["pointer"]?.string == pointer)
        for member in ["type", "title", "code", "detail", "request_id"] {
            #expect(answer.json?[member]?.string != nil, "\(member)")
        }
        #expect(desk.rotations.isEmpty)
        #expect(desk.audits.map(\.status) == [status])
    }

    @Test func sessionsToEnd() {
        let desk = Desk()
        let service = desk.service()
        for body in [#"{"agent":"a"}"#, #"{"sid":"b"}"#, #"{"all":true}"#] {
            #expect(service.ask("POST", "/admin/sessions/revoke", body).status == 200)
        }
        #expect(desk.ended == [.agent("a"), .named("b"), .all])
        for body in ["{}", #"{"all":false}"#, #"{"agent":"a","all":true}"#] {
            #expect(service.ask("POST", "/admin/sessions/revoke", body).status == 422)
        }
        #expect(desk.ended.count == 3)
    }

    @Test func faultsOfAReloadAreListed() {
        let answer = Desk().service().ask("POST", "/admin/reload")
        #expect(answer.status == 422)
        #expect(answer.json?["faults"]?.array?.compactMap(\.string) == ["one", "two"])
    }
}
