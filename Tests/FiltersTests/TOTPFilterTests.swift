// SPDX-License-Identifier: Apache-2.0

import Bytes
import Filters
import Identity
import Policy
import Synchronization
import Testing

@Suite("Codes")
struct TOTPFilterTests {
    @Test func aCodeIsGoodOnce() throws {
        let gate = try Gate()
        let code = try gate.code()
        #expect(try gate.ask(gate.bearer(code)).verdict == .pass)
        for _ in 0..<10 {
            #expect(try gate.ask(gate.bearer(code)).problem == .totpInvalid)
            #expect(gate.totpResult == "reused")
        }
        // Used codes are no guesses: nobody is locked out.
        gate.elapsed += 30_000
        #expect(try gate.ask(gate.bearer(try gate.code())).verdict == .pass)
    }

    @Test func anEarlierStepIsUsedUpByALaterOne() throws {
        let gate = try Gate()
        let (earlier, present) = (try gate.code(steps: -1), try gate.code())
        #expect(try gate.ask(gate.bearer(present)).verdict == .pass)
        #expect(try gate.ask(gate.bearer(earlier)).problem == .totpInvalid)
        #expect(gate.totpResult == "reused")
        #expect(try gate.ask(gate.bearer(try gate.code(steps: 1))).verdict == .pass)
    }

    @Test func oneAgentsCodeIsNoOthers() throws {
        let gate = try Gate()
        let other = gate.bearer(try gate.code(1), key: Rules.keys[0])
        #expect(try gate.ask(other).problem == .totpInvalid)
        #expect(try gate.ask(gate.bearer(try gate.code(1), key: Rules.keys[1])).verdict == .pass)
    }

    @Test func withoutOneTimeACodeCanBeUsedInItsWindow() throws {
        let gate = try Gate(Rules(totp: #"{ "one_time": false }"#))
        let code = try gate.code()
        for _ in 0..<5 { #expect(try gate.ask(gate.bearer(code)).verdict == .pass) }
        gate.elapsed += 30_000
        #expect(try gate.ask(gate.bearer(code)).verdict == .pass)
        gate.elapsed += 30_000
        #expect(try gate.ask(gate.bearer(code)).problem == .totpInvalid)
        #expect(gate.totpResult == "invalid")
    }

    @Test(arguments: 0...3)
    func theWindowHasEdges(skew: Int) throws {
        let rules = Rules(totp: #"{ "skew": \#(skew), "max_failures": 100 }"#)
        for steps in -5...5 {
            let gate = try Gate(rules)
            let answer = try gate.ask(gate.bearer(try gate.code(steps: steps)))
            #expect((answer.verdict == .pass) == (abs(steps) <= skew), "\(steps) steps off")
        }
    }

    /// The clock is what counts, to the second.
    @Test func aStepEndsOnTime() throws {
        let gate = try Gate(Rules(totp: #"{ "skew": 0 }"#))
        // The start lies 30 s into a minute, so a step begins there.
        #expect(Gate.start % 30 == 0)
        let code = try gate.code()
        gate.elapsed = 30_000
        #expect(try gate.ask(gate.bearer(code)).problem == .totpInvalid)
        gate.elapsed = 29_999
        #expect(try gate.ask(gate.bearer(code)).verdict == .pass)
    }

    // MARK: Guesses

    @Test func tooManyFailuresLockOutForLonger() throws {
        let gate = try Gate(Rules(totp: #"{ "max_failures": 3, "lockout": "30s" }"#))
        for _ in 0..<3 {
            #expect(try gate.ask(gate.bearer(try gate.wrongCode())).problem == .totpInvalid)
        }
        let locked = try gate.ask(gate.bearer(try gate.code()))
        #expect(locked.problem == .totpLocked)
        #expect(locked.facts.retryAfterSeconds == 30)
        #expect(gate.totpResult == "locked")
        gate.elapsed += 29_001
        let stillLocked = try gate.ask(gate.bearer(try gate.code()))
        #expect(stillLocked.problem == .totpLocked)
        #expect(stillLocked.facts.retryAfterSeconds == 1)
        gate.elapsed += 999
        // One guess, and the next lock-out is twice as long.
        #expect(try gate.ask(gate.bearer(try gate.wrongCode())).problem == .totpInvalid)
        #expect(try gate.ask(gate.bearer(try gate.code())).facts.retryAfterSeconds == 60)
        gate.elapsed += 60_000
        #expect(try gate.ask(gate.bearer(try gate.code())).verdict == .pass)
        gate.elapsed += 30_000
        for _ in 0..<2 {
            #expect(try gate.ask(gate.bearer(try gate.wrongCode())).problem == .totpInvalid)
        }
        #expect(try gate.ask(gate.bearer(try gate.code())).verdict == .pass)
    }

    @Test func aRightCodeIsNotConsumedByALockOut() throws {
        let gate = try Gate(
            Rules(totp: #"{ "max_failures": 1, "lockout": "1s", "one_time": true }"#))
        let code = try gate.code()
        _ = try gate.ask(gate.bearer(try gate.wrongCode()))
        #expect(try gate.ask(gate.bearer(code)).problem == .totpLocked)
        gate.elapsed += 1000
        #expect(try gate.ask(gate.bearer(code)).verdict == .pass)
    }

    @Test func anotherAddressAndASessionAreNotLockedOut() throws {
        let gate = try Gate(Rules(totp: #"{ "max_failures": 1 }"#))
        let session = try gate.openSession()
        gate.elapsed += 30_000
        _ = try gate.ask(gate.bearer(try gate.wrongCode()))
        #expect(try gate.ask(gate.bearer(try gate.code())).problem == .totpLocked)
        #expect(try gate.ask(gate.withSession(session)).verdict == .pass)
        gate.client = IPAddress(ipv4: 0x0A00_0002)
        #expect(try gate.ask(gate.bearer(try gate.code())).verdict == .pass)
    }

    @Test func nothingOfALockOutIsToldWithoutTheKey() throws {
        let gate = try Gate(Rules(totp: #"{ "max_failures": 1 }"#))
        _ = try gate.ask(gate.bearer(try gate.wrongCode()))
        let answer = try gate.ask(gate.bearer(try gate.code(), key: "ap_guess"))
        #expect(answer.problem == .credentialsInvalid)
        #expect(answer.facts.retryAfterSeconds == 0)
    }

    @Test func manyFailuresDisableTheAgent() throws {
        let gate = try Gate(
            Rules(totp: #"{ "max_failures": 2, "lockout": "1s", "disable_after": 4 }"#))
        let session = try gate.openSession()
        for _ in 0..<4 {
            gate.elapsed += 1_000_000
            _ = try gate.ask(gate.bearer(try gate.wrongCode()))
        }
        gate.elapsed += 1_000_000
        #expect(try gate.ask(gate.bearer(try gate.code())).problem == .agentDisabled)
        #expect(try gate.ask(gate.withSession(session)).problem == .agentDisabled)
        #expect(gate.totpResult == "none")
        #expect(
            try gate.ask(["Authorization: Bearer \(Rules.keys[0])"]).problem == .agentDisabled)
        #expect(
            try gate.ask(gate.bearer(try gate.code(1), key: Rules.keys[1])).verdict == .pass)
        // What is disabled is told to who has the key alone.
        #expect(
            try gate.ask(gate.bearer(try gate.code(), key: "x")).problem == .credentialsInvalid)
        gate.state.enable(agent: 0)
        #expect(try gate.ask(gate.bearer(try gate.code())).verdict == .pass)
    }

    /// Several workers with a chain each: of parallel requests with one code exactly one passes.
    @Test func oneCodePassesOnceThroughAllWorkers() throws {
        let gate = try Gate()
        let fields = gate.bearer(try gate.code())
        let workers = try (0..<4).map { _ in Sent(gate: try Gate(sharing: gate)) }
        let passed = Atomic(0)
        let refused = Atomic(0)
        runInParallel(4) { number in
            for _ in 0..<50 {
                guard let answer = try? workers[number].gate.ask(fields) else { continue }
                if answer.verdict == .pass { passed.add(1, ordering: .relaxed) }
                if answer.problem == .totpInvalid { refused.add(1, ordering: .relaxed) }
            }
        }
        #expect(passed.load(ordering: .relaxed) == 1)
        #expect(refused.load(ordering: .relaxed) == 199)
    }
}
