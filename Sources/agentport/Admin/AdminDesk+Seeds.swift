// SPDX-License-Identifier: Apache-2.0

import Admin
import Bytes
import Crypto
import Filters
import Gateway
import Identity
import Policy
import Reactor

/// Seeds: what there is, and putting a new one in force.
extension AdminDesk {
    private static let idempotencyKeyBytesMax = 256

    var seeds: [AgentSeedFacts] {
        let state = gateway.generation.state
        let ledger = succession.state.seeds
        return state.agents.map { agent in
            var seeds: [AgentSeedFacts.Seed] = []
            if let live = ledger.agents[agent.name] {
                seeds.append(AgentSeedFacts.Seed(live.current, endsAt: nil))
                if let previous = live.previous {
                    seeds.append(AgentSeedFacts.Seed(previous.seed, endsAt: previous.end.wall))
                }
            }
            let number = state.roster.number(named: agent.name)
            return AgentSeedFacts(
                agent: agent.name, isDisabled: number.map { state.isDisabled(agent: $0) } ?? false,
                seeds: seeds)
        }
    }

    func rotateSeed(_ rotation: SeedRotation) -> Result<SeedRotated, AdminProblem> {
        do throws(AdminProblem) {
            return .success(try rotate(rotation))
        } catch {
            return .failure(error)
        }
    }

    private func rotate(_ rotation: SeedRotation) throws(AdminProblem) -> SeedRotated {
        let now = succession.now
        let seed = try seed(rotation)
        let repeated = try repetition(of: rotation, seed)
        if let answer = repeated.answer {
            return SeedRotated(
                rotationID: answer.rotationID, traceID: answer.traceID, agent: answer.agent,
                oldEndsAt: answer.oldEndsAt)
        }
        guard succession.custody.isDurable else { throw .notDurable }
        let end = try end(rotation, now)
        try object(to: seed, rotation.agent)
        let done = SeedRotated(
            rotationID: UUIDv7.text(milliseconds: now.wall, random: &random),
            traceID: rotation.traceID, agent: rotation.agent, oldEndsAt: end.wall)
        var next = succession.state
        next.seeds.rotate(
            rotation.agent, to: KeptSeed(seed, since: now.wall, origin: .call), oldEnds: end, now)
        if let key = repeated.key {
            next.keep(
                KeptAnswer(
                    key: key, request: repeated.request, at: now.wall, rotationID: done.rotationID,
                    traceID: done.traceID, agent: done.agent, oldEndsAt: end.wall))
        }
        do {
            try succession.rotateSeed(keeping: next, done, fingerprint: seed.fingerprint)
        } catch {
            throw .notKept("\(error)")
        }
        return done
    }

    private func seed(_ rotation: SeedRotation) throws(AdminProblem) -> TOTPSeed {
        let agents = gateway.generation.state.agents
        guard let agent = agents.first(where: { $0.name == rotation.agent }) else {
            throw .unknownAgent(rotation.agent)
        }
        do throws(IdentityError) {
            return try TOTPSeed(
                base32: rotation.seed.span, parameters: TOTPParameters(agent.totp))
        } catch {
            throw AdminProblem(
                422, "seed_invalid", "The seed cannot be used", detail: "\(error).",
                pointer: "/seed")
        }
    }

    private func end(_ rotation: SeedRotation, _ now: Moment) throws(AdminProblem) -> Deadline {
        guard let end = rotation.oldEndsAt else {
            let grace = gateway.generation.configuration.totp.rotationGraceMilliseconds
            return Deadline(in: UInt64(grace), from: now)
        }
        guard end <= now.wall + SeedLedger.graceMax else {
            throw AdminProblem(
                422, "expiry_invalid", "The old seed would count for too long",
                detail: "`expires_at` is at most 24 hours ahead.", pointer: "/expires_at")
        }
        return Deadline(wall: end, from: now)
    }

    private func object(to seed: TOTPSeed, _ agent: String) throws(AdminProblem) {
        let reason: String
        switch succession.state.seeds.objection(to: seed, for: agent) {
        case nil: return
        case .inForce: reason = "It is the agent's seed already."
        case .superseded: reason = "It was superseded once, and never counts again."
        case .taken: reason = "It is in use elsewhere: each agent needs its own."
        }
        throw AdminProblem(
            422, "seed_in_use", "The seed cannot be used", detail: reason, pointer: "/seed")
    }

    // MARK: Calls made again

    private struct Repetition {
        var key: SHA256Digest?
        var request = SHA256Digest(0, 0, 0, 0)
        /// What the first such call was answered with.
        var answer: KeptAnswer?
    }

    private func repetition(
        of rotation: SeedRotation, _ seed: TOTPSeed
    ) throws(AdminProblem) -> Repetition {
        guard let text = rotation.idempotencyKey else { return Repetition() }
        guard (1...Self.idempotencyKeyBytesMax).contains(text.utf8.count) else {
            throw AdminProblem(
                400, "idempotency_key_invalid", "The idempotency key cannot be used",
                detail: "It has 1 to \(Self.idempotencyKeyBytesMax) bytes.")
        }
        var found = Repetition()
        do throws(CryptoError) {
            var hasher = try Hasher256()
            found.key = hasher.digest(Array(text.utf8).span)
            let rest = "\0\(rotation.agent)\0\(rotation.oldEndsAt.map { "\($0)" } ?? "")"
            found.request = hasher.digest(seed.fingerprint.bytes.span, Array(rest.utf8).span)
        } catch {
            throw .notKept("the cryptographic library refused")
        }
        let now = succession.now.wall
        let known = succession.state.answers.last { $0.key == found.key && $0.counts(at: now) }
        guard let answer = known else { return found }
        guard answer.request == found.request else {
            throw AdminProblem(
                422, "idempotency_key_reused", "The idempotency key was used for another call")
        }
        found.answer = answer
        return found
    }
}
