// SPDX-License-Identifier: Apache-2.0

import Bytes
import Filters
import Identity
import Policy
import Testing

@Suite("Sessions in the chain")
struct SessionTests {
    @Test func aSessionStandsForTheCode() throws {
        let gate = try Gate()
        let opened = try gate.ask(gate.bearer(try gate.code()))
        let token = try #require(opened.sessionToken)
        #expect(token.utf8.count == 43)
        let grant = try #require(opened.facts.grant)
        let now = (Gate.start * 1000) + gate.elapsed
        #expect(grant.session.expiresMilliseconds == now + 300_000)
        gate.elapsed += 10_000
        let answer = try gate.ask(gate.withSession(token))
        #expect(answer.verdict == .pass)
        #expect(answer.facts.grant == nil)
        // When the code was given, not when the session was used.
        #expect(answer.facts.authenticatedAt == now)
    }

    @Test func itEndsOnTimeHoweverOftenItIsUsed() throws {
        let gate = try Gate(Rules(sessions: #"{ "lifetime": "2m" }"#))
        let token = try gate.openSession()
        for _ in 0..<4 {
            gate.elapsed += 29_999
            #expect(try gate.ask(gate.withSession(token)).verdict == .pass)
        }
        gate.elapsed += 3
        #expect(try gate.ask(gate.withSession(token)).verdict == .pass)
        gate.elapsed += 1
        #expect(try gate.ask(gate.withSession(token)).problem == .sessionInvalid)
    }

    @Test func itIsBoundToAgentCredentialAndAddress() throws {
        let gate = try Gate()
        let token = try gate.openSession()
        for key in Rules.keys[1...] {
            #expect(try gate.ask(gate.withSession(token, key: key)).problem == .sessionInvalid)
        }
        gate.client = IPAddress(ipv4: 0x0A00_0002)
        #expect(try gate.ask(gate.withSession(token)).problem == .sessionInvalid)
        gate.client = IPAddress(bits: IPAddress(ipv4: 0x0A00_0001).bits)
        #expect(try gate.ask(gate.withSession(token)).verdict == .pass)
    }

    @Test func withoutTheAddressItIsStillBoundToTheCredential() throws {
        let gate = try Gate(Rules(sessions: #"{ "bind": ["agent"] }"#))
        let token = try gate.openSession()
        gate.client = IPAddress(bits: 1)
        #expect(try gate.ask(gate.withSession(token)).verdict == .pass)
        #expect(
            try gate.ask(gate.withSession(token, key: Rules.keys[2])).problem == .sessionInvalid)
    }

    @Test func whereTheyAreOffNoneIsOpened() throws {
        let gate = try Gate(Rules(sessions: #"{ "enabled": false }"#))
        let answer = try gate.ask(gate.bearer(try gate.code()))
        #expect(answer.verdict == .pass)
        #expect(answer.facts.grant == nil)
        #expect(
            try gate.ask(gate.withSession(String(repeating: "A", count: 43))).problem
                == .sessionInvalid)
    }

    @Test func aRevokedSessionIsOver() throws {
        let gate = try Gate()
        let token = try gate.openSession()
        gate.state.sessions.revoke(.agent(0))
        #expect(try gate.ask(gate.withSession(token)).problem == .sessionInvalid)
    }

    @Test func oneLetterOffIsNoSession() throws {
        let gate = try Gate()
        let token = try gate.openSession()
        for index in [0, 21, 42] {
            var letters = Array(token.utf8)
            letters[index] = letters[index] == 0x41 ? 0x42 : 0x41
            let changed = String(decoding: letters, as: UTF8.self)
            #expect(try gate.ask(gate.withSession(changed)).problem == .sessionInvalid)
        }
        // Guessing at sessions is hopeless, so it locks nobody out.
        #expect(try gate.ask(gate.withSession(token)).verdict == .pass)
    }
}
