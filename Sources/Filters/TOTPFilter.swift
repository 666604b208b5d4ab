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
        let checker = try TOTPChecker(seeds: state.seeds.flatMap(\.all))
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
        if state.isDisabled(place: state.roster.places[facts.agent]) {
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
        // They are taken out of the table a moment after their seed has ended.
        let places = state.seedPlaces[state.roster.places[facts.agent]]
        guard places.counts(record: session.seed, at: facts.moment) else {
            return .refuse(.sessionInvalid)
        }
        facts.openSession = session
        facts.authenticatedAt = session.authTimeMilliseconds
        return .pass
    }

    private mutating func judgeCode(_ facts: inout RequestFacts) -> Verdict {
        let agent = facts.agent
        let places = state.seedPlaces[state.roster.places[agent]]
        guard checker.parameters(of: places.current.number).isWellFormed(facts.code.text) else {
            lastAttempt = .malformed
            return .refuse(.totpInvalid)
        }
        let address = facts.client.bits
        let now = facts.steadyMilliseconds
        let admission = state.failures.begin(agent: agent, address: address, now: now)
        if case .locked(let seconds) = admission {
            lastAttempt = .locked
            facts.retryAfterSeconds = seconds
            facts.quota = Quota(
                guesses: state.rules.maxFailures,
                lockoutMilliseconds: state.rules.lockoutMilliseconds)
            return .refuse(.totpLocked)
        }
        guard let (record, step) = match(places, &facts) else {
            lastFailure = state.failures.failed(agent: agent, address: address, now: now)
            if lastFailure == .exhausted, !state.disable(agent: agent) { lastFailure = .counted }
            lastAttempt = .wrong
            return .refuse(.totpInvalid)
        }
        let period = checker.parameters(of: places.current.number).periodSeconds
        guard mayCount(step, period, record: record) else {
            state.failures.neutral(agent: agent, address: address, now: now)
            lastAttempt = .reused
            return .refuse(.totpInvalid)
        }
        state.failures.succeeded(agent: agent, address: address, now: now)
        lastAttempt = .accepted
        facts.seedRecord = record
        facts.authenticatedAt = facts.steadyMilliseconds
        openSession(&facts)
        return .pass
    }

    /// The seed, by its record, and the step whose code this is. Both seeds are asked whichever
    /// matches, so that time tells nothing; where both match, it is the new one's.
    private mutating func match(
        _ places: SeedPlaces, _ facts: inout RequestFacts
    ) -> (record: Int, step: UInt64)? {
        let skew = state.rules.skew
        let now = checker.parameters(of: places.current.number).step(atSeconds: facts.wallSeconds)
        let step = checker.match(
            seed: places.current.number, code: facts.code.text, step: now, skew: skew)
        var earlier: UInt64?
        let previous = places.previous(at: facts.moment)
        if let previous {
            earlier = checker.match(
                seed: previous.number, code: facts.code.text, step: now, skew: skew)
        }
        if let step { return (places.current.record, step) }
        guard let previous, let earlier else { return nil }
        return (previous.record, earlier)
    }

    /// Whether a right code counts. Its step is in the kernel's hands before the request goes on:
    /// a kill now costs the caller a code, and never lets one pass twice.
    private func mayCount(_ step: UInt64, _ period: UInt64, record: Int) -> Bool {
        let time = step * period
        guard !state.rules.oneTime else { return state.steps.accept(record: record, time: time) }
        return state.steps.admit(
            record: record, time: time, window: UInt64(2 * state.rules.skew) * period)
    }

    private mutating func openSession(_ facts: inout RequestFacts) {
        guard state.sessionRules.enabled else { return }
        let binding = SessionBinding(
            agent: facts.agent, credential: facts.credential, seed: facts.seedRecord,
            issuer: facts.tokenRules,
            address: state.sessionRules.bindAddress ? facts.client.bindingKey : nil)
        var lifetime = UInt64(state.sessionRules.lifetimeMilliseconds)
        if let token = facts.token {
            // A session ends with the credential that it began with.
            let left = (token.expires - min(facts.wallSeconds, token.expires)) * 1000
            lifetime = min(lifetime, left)
        }
        facts.grant = state.sessions.issue(
            binding, now: facts.steadyMilliseconds, lifetime: lifetime, random: &random,
            hasher: &hasher)
    }
}
