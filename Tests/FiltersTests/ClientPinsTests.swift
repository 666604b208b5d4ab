// SPDX-License-Identifier: Apache-2.0

import Crypto
import Filters
import Policy
import Testing

@Suite("Pins of clients")
struct ClientPinsTests {
    private static let zeros = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    private static let ones = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="
    private static let zero = SHA256Digest(0, 0, 0, 0)
    private static let one = SHA256Digest(
        0x0101_0101_0101_0101, 0x0101_0101_0101_0101, 0x0101_0101_0101_0101,
        0x0101_0101_0101_0101)
    private static let other = SHA256Digest(0, 0, 0, 1)

    /// - Parameter demand: with the listener's pin of zeros, and an agent's of ones.
    private func gate(_ demand: String) throws -> Gate {
        var rules = Rules()
        rules.tls =
            "{\"client_certificate\":\"\(demand)\",\"client_pins_sha256\":[\"\(Self.zeros)\"]}"
        rules.weather = "\"client_pins_sha256\":[\"\(Self.ones)\"],"
        return try Gate(rules)
    }

    @Test func aPinnedOnePasses() throws {
        for demand in ["optional", "required"] {
            let gate = try gate(demand)
            gate.clientPin = Self.zero
            #expect(try gate.ask([]).problem == .credentialsMissing)
            // An agent's own, which stands for its key.
            gate.clientPin = Self.one
            #expect(try gate.ask([]).problem == .totpRequired)
        }
    }

    @Test func anotherOneIsRefusedBeforeAnythingIsAsked() throws {
        let gate = try gate("optional")
        gate.clientPin = Self.other
        let code = try gate.code()
        let answer = try gate.ask(gate.bearer(code))
        #expect(answer.problem == .certificateNotPinned)
        #expect(gate.configuration.filters[answer.position].name == "client_pins")
        #expect(answer.facts.agent == -1)
        #expect(try gate.ask([], isPublic: true).problem == .certificateNotPinned)
        // And the code was not used up.
        gate.clientPin = Self.zero
        #expect(try gate.ask(gate.bearer(code)).verdict == .pass)
    }

    @Test func noneIsRefusedWhereOneIsRequired() throws {
        #expect(try gate("optional").ask([]).problem == .credentialsMissing)
        #expect(try gate("required").ask([]).problem == .certificateNotPinned)
    }

    @Test func withoutPinsAnyPasses() throws {
        let gate = try Gate()
        gate.clientPin = Self.other
        #expect(try gate.ask([]).problem == .credentialsMissing)
    }
}
