// SPDX-License-Identifier: Apache-2.0

import Bytes
import Filters
import Policy
import Testing

@Suite("The chain")
struct ChainTests {
    private static let narrow = RateLimit(
        requests: 1, periodNanoseconds: 1_000_000_000, burst: 1)

    @Test func itRunsInTheOrderOfThePolicy() throws {
        let early =
            #"[{"use":"ip_rate_limit"},{"use":"identity"},{"use":"agent_rate_limit"},"#
            + #"{"use":"totp"},{"use":"jwt"}]"#
        let late =
            #"[{"use":"ip_rate_limit"},{"use":"identity"},{"use":"totp"},"#
            + #"{"use":"agent_rate_limit"},{"use":"jwt"}]"#
        let rate = #"{ "requests": 1, "per": "10s", "burst": 1 }"#
        for (filters, problem, position) in [
            (early, Problem.rateLimited, 2), (late, .totpInvalid, 2),
        ] {
            let gate = try Gate(Rules(agentRate: rate, filters: filters))
            #expect(try gate.ask(gate.bearer(try gate.code())).position == 5)
            let answer = try gate.ask(gate.bearer(try gate.wrongCode()))
            #expect(answer.problem == problem)
            #expect(answer.position == position)
        }
    }

    @Test func theLimitOfAddressesComesBeforeAnythingCostly() throws {
        let gate = try Gate(ipLimit: Self.narrow)
        #expect(try gate.ask([]).problem == .credentialsMissing)
        let code = try gate.code()
        let limited = try gate.ask(gate.bearer(code))
        #expect(limited.problem == .rateLimited)
        #expect(limited.facts.retryAfterSeconds == 1)
        #expect(limited.facts.quota?.requests == Self.narrow.requests)
        #expect(limited.facts.agent == -1)
        #expect(gate.configuration.filters[limited.position].name == "ip_rate_limit")
        gate.elapsed += 1000
        #expect(try gate.ask(gate.bearer(code)).verdict == .pass)
        // It holds for public routes too.
        #expect(try gate.ask([], isPublic: true).problem == .rateLimited)
    }

    @Test func oneAgentsLimitIsNoOthers() throws {
        let gate = try Gate(
            Rules(
                totp: #"{ "one_time": false }"#,
                agentRate: #"{ "requests": 2, "per": "1s", "burst": 2 }"#))
        let code = try gate.code()
        for _ in 0..<2 { #expect(try gate.ask(gate.bearer(code)).verdict == .pass) }
        gate.client = IPAddress(bits: 99)
        let limited = try gate.ask(gate.bearer(code))
        #expect(limited.problem == .rateLimited)
        #expect(limited.facts.quota?.requests == 2)
        #expect(limited.token == "")
        #expect(try gate.ask(gate.bearer(try gate.code(1), key: Rules.keys[1])).verdict == .pass)
        gate.elapsed += 500
        #expect(try gate.ask(gate.bearer(code)).verdict == .pass)
        #expect(try gate.ask(gate.bearer(code)).problem == .rateLimited)
    }

    /// A chain that stood still goes on where it stood, and does nothing twice.
    @Test func itGoesOnFromAPosition() throws {
        let gate = try Gate(ipLimit: Self.narrow)
        // Behind the limit of addresses.
        _ = try gate.ask([], from: 3)
        let answer = try gate.ask(gate.bearer(try gate.code()), from: 3)
        #expect(answer.verdict == .pass)
        #expect(answer.position == gate.configuration.filters.count)
        let atEnd = try gate.ask([], from: gate.configuration.filters.count)
        #expect(atEnd.verdict == .pass)
    }

    @Test func everyProblemHasItsCodeAndStatus() {
        var codes: Set<String> = []
        for problem in Problem.allCases {
            codes.insert("\(problem.code)")
            #expect(problem == .none || (400...599).contains(problem.status))
            #expect(problem == .none || "\(problem.title)" != "")
        }
        #expect(codes.count == Problem.allCases.count)
    }
}
