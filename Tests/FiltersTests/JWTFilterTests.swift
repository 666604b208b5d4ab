// SPDX-License-Identifier: Apache-2.0

import Bytes
import Filters
import Identity
import Policy
import Testing

@Suite("Signed tokens")
struct JWTFilterTests {
    @Test func aTokenSaysWhoAsked() throws {
        let gate = try Gate()
        let answer = try gate.ask(gate.bearer(try gate.code()))
        #expect(answer.hasSigned)
        let claims = try gate.claims(answer.token)
        #expect(claims.subject == "ops@example.com")
        #expect(claims.agent == "weather")
        #expect(claims.scope == "read write")
        #expect(claims.methods == ["pwd", "otp"])
        #expect(claims.authTime == gate.wallSeconds)
        #expect(claims.issued == gate.wallSeconds)
        #expect(claims.expires == gate.wallSeconds + 60)
        #expect(claims.session == nil)
    }

    @Test func eachCodeGetsATokenOfItsOwn() throws {
        let gate = try Gate(Rules(totp: #"{ "one_time": false }"#))
        let code = try gate.code()
        var names: Set<String> = []
        for _ in 0..<20 {
            let answer = try gate.ask(gate.bearer(code))
            #expect(answer.hasSigned)
            names.insert(try gate.claims(answer.token).id)
        }
        #expect(names.count == 20)
    }

    @Test func aSessionSharesOneUntilHalfItsLifeIsOver() throws {
        let gate = try Gate()
        let opened = try gate.ask(gate.bearer(try gate.code()))
        let session = try #require(opened.sessionToken)
        gate.elapsed += 1000
        let first = try gate.ask(gate.withSession(session))
        #expect(first.hasSigned)
        #expect(first.token != opened.token)
        let claims = try gate.claims(first.token)
        #expect(claims.session != nil)
        #expect(claims.authTime == claims.issued - 1)
        gate.elapsed += 29_999
        let shared = try gate.ask(gate.withSession(session))
        #expect(shared.token == first.token)
        #expect(!shared.hasSigned)
        gate.elapsed += 1
        let next = try gate.ask(gate.withSession(session))
        #expect(next.hasSigned)
        #expect(next.token != first.token)
        let nextClaims = try gate.claims(next.token)
        #expect(nextClaims.session == claims.session)
        #expect(nextClaims.authTime == claims.authTime)
        #expect(nextClaims.id != claims.id)
    }

    @Test func anotherUpstreamOrSessionGetsAnother() throws {
        let gate = try Gate(Rules(totp: #"{ "one_time": false }"#))
        let (one, other) = (try gate.openSession(), try gate.openSession())
        let first = try gate.ask(gate.withSession(one))
        #expect(try gate.ask(gate.withSession(other)).token != first.token)
        let elsewhere = try gate.ask(gate.withSession(one), upstream: 1)
        #expect(throws: JWTFault.audience) { try gate.claims(elsewhere.token) }
        #expect(try gate.ask(gate.withSession(one)).token == first.token)
        #expect(try gate.ask(gate.withSession(one), upstream: 1).token == elsewhere.token)
    }

    @Test func noneOutlivesItsSession() throws {
        let gate = try Gate(
            Rules(sessions: #"{ "lifetime": "100s" }"#))
        let session = try gate.openSession()
        let end = gate.wallSeconds + 100
        var last = ""
        var signatures = 0
        while gate.elapsed < 100_000 {
            let answer = try gate.ask(gate.withSession(session))
            #expect(answer.verdict == .pass)
            let claims = try gate.claims(answer.token)
            #expect(claims.expires <= end)
            #expect(claims.expires > gate.wallSeconds)
            if answer.token != last { signatures += 1 }
            last = answer.token
            gate.elapsed += 500
        }
        #expect(try gate.ask(gate.withSession(session)).problem == .sessionInvalid)
        // At 0 s and 30 s, then with half of what is left each time.
        #expect((3...14).contains(signatures))
    }

    @Test func withoutReuseEachRequestIsSigned() throws {
        let gate = try Gate(
            Rules(issuer: #"{ "name": "agentport", "audience": "claw", "reuse": false }"#))
        let session = try gate.openSession()
        var names: Set<String> = []
        for _ in 0..<5 {
            let answer = try gate.ask(gate.withSession(session))
            #expect(answer.hasSigned)
            names.insert(try gate.claims(answer.token).id)
        }
        #expect(names.count == 5)
    }

    @Test func workersShareASessionsToken() throws {
        let gate = try Gate()
        let session = try gate.openSession()
        let first = try gate.ask(gate.withSession(session))
        let other = try Gate(sharing: gate)
        let second = try other.ask(other.withSession(session))
        #expect(second.token == first.token)
        #expect(!second.hasSigned)
    }

    @Test func aRefusalLeavesNoToken() throws {
        let gate = try Gate()
        #expect(try gate.ask(gate.bearer(try gate.code())).token != "")
        let refused = try gate.ask([])
        #expect(refused.token == "")
        #expect(!refused.hasSigned)
    }
}
