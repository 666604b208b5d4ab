// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import Identity
import Policy

/// Checks the second factor: a code that was not used before, or the session that one opened.
struct TOTPFilter: ~Copyable {
    private let state: GateState
    private var checker: TOTPChecker
    private var hasher: Hasher256
    private var random = RandomSource()
    /// How the last attempt went, for the counters.
    var lastAttempt = Attempt.none

    /// What the last attempt led to, where it was a wrong code.
    var lastFailure: FailureOutcome?

    enum Attempt: Equatable {
        case none, accepted, session, wrong, reused, locked, disabled, missing, malformed
    }

    init(_ state: GateState) throws(IdentityError) {
        let checker = try TOTPChecker(seeds: state.seeds)
        let hasher: Hasher256
        do throws(CryptoError) {
            hasher = try Hasher256()
        } catch {
            throw .cryptography
        }
        self.state = state
        self.checker = checker
        self.hasher = hasher
    }

    mutating func judge(
        _ facts: inout RequestFacts, _ bytes: Span<UInt8>, hasSession: Bool
    ) -> Verdict {
        if state.failures.isDisabled(agent: facts.agent) {
            lastAttempt = .disabled
            return .refuse(.agentDisabled)
        }
        if hasSession { return judgeSession(&facts, bytes) }
        guard facts.code.isSent else {
            lastAttempt = .missing
            return .refuse(.totpRequired)
        }
        return judgeCode(&facts)
    }

    private mutating func judgeSession(
        _ facts: inout RequestFacts, _ bytes: Span<UInt8>
    ) -> Verdict {
        lastAttempt = .session
        let token = bytes.extracting(facts.session)
        guard token.count == SessionToken.count,
            let session = state.sessions.check(
                hasher.digest(token), agent: facts.agent, credential: facts.credential,
                address: facts.client.bindingKey, now: facts.steadyMilliseconds)
        else { return .refuse(.sessionInvalid) }
        facts.openSession = session
        facts.authenticatedAt = session.authTimeMilliseconds
        return .pass
    }

    private mutating func judgeCode(_ facts: inout RequestFacts) -> Verdict {
        let agent = facts.agent
        let place = state.roster.places[agent]
        let parameters = checker.parameters(of: place)
        guard parameters.isWellFormed(facts.code.text) else {
            lastAttempt = .malformed
            return .refuse(.totpInvalid)
        }
        let address = facts.client.bits
        let now = facts.steadyMilliseconds
        let admission = state.failures.begin(agent: agent, address: address, now: now)
        if case .locked(let seconds) = admission {
            lastAttempt = .locked
            facts.retryAfterSeconds = seconds
            return .refuse(.totpLocked)
        }
        let step = checker.match(
            seed: place, code: facts.code.text, step: parameters.step(atSeconds: facts.wallSeconds),
            skew: state.rules.skew)
        guard let step else {
            lastFailure = state.failures.failed(agent: agent, address: address, now: now)
            lastAttempt = .wrong
            return .refuse(.totpInvalid)
        }
        // The step is in the kernel's hands before the request goes on: a kill now costs the
        // caller a code, and never lets one pass twice.
        let record = state.stepRecords[place]
        guard !state.rules.oneTime || state.steps.accept(record: record, step: step) else {
            state.failures.neutral(agent: agent, address: address, now: now)
            lastAttempt = .reused
            return .refuse(.totpInvalid)
        }
        state.failures.succeeded(agent: agent, address: address, now: now)
        lastAttempt = .accepted
        facts.authenticatedAt = facts.steadyMilliseconds
        openSession(&facts)
        return .pass
    }

    private mutating func openSession(_ facts: inout RequestFacts) {
        guard state.sessionRules.enabled else { return }
        facts.grant = state.sessions.issue(
            agent: facts.agent, credential: facts.credential,
            address: state.sessionRules.bindAddress ? facts.client.bindingKey : nil,
            now: facts.steadyMilliseconds,
            lifetime: UInt64(state.sessionRules.lifetimeMilliseconds), random: &random,
            hasher: &hasher)
    }
}
