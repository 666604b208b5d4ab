// SPDX-License-Identifier: Apache-2.0

import Crypto

/// Which seeds count for whom, and which never will again: the memory behind rotations.
///
/// A seed goes one way only: it comes into force, is superseded by another, ends, and leaves its
/// fingerprint, so that no file, reload or restart brings it back. At most two of an agent are
/// alive. Times are milliseconds since the epoch.
package struct SeedLedger: Sendable {
    /// Fingerprints of superseded seeds; beyond them the oldest is forgotten.
    package static let supersededMax = 65_536
    /// Agents; beyond them those are forgotten that the configuration has no more.
    package static let agentsMax = 20_000

    /// What a seed that a file holds turned out to be.
    package enum Meeting: Equatable, Sendable {
        /// The agent had none.
        case first
        /// The one in force.
        case same
        /// A new one, in force from now on; the one before it ends then.
        case rotated(oldEndsAt: UInt64)
        /// One that is over: it stays so, and the agent keeps what it has.
        case superseded
        /// Another agent's.
        case taken(by: String)
    }

    package private(set) var agents: [String: LiveSeeds] = [:]
    /// The oldest first.
    package private(set) var superseded: [SHA256Digest] = []

    package init() {}

    /// As it was kept.
    init(agents: [String: LiveSeeds], superseded: [SHA256Digest]) {
        self.agents = agents
        self.superseded = superseded
    }

    package func isSuperseded(_ fingerprint: SHA256Digest) -> Bool {
        superseded.contains(fingerprint)
    }

    /// Whose seed this is at present, current or previous.
    package func owner(of fingerprint: SHA256Digest) -> String? {
        agents.first { _, seeds in
            seeds.current.fingerprint == fingerprint || seeds.previous?.fingerprint == fingerprint
        }?.key
    }

    // MARK: Files

    /// Takes note of the seed that an agent's file holds.
    ///
    /// - Parameters:
    ///   - configured: all agents there are. A seed of one that is gone may be another's now: the
    ///     same agent under a new name.
    ///   - grace: for how long the seed before it goes on.
    package mutating func meet(
        _ seed: TOTPSeed, of agent: String, among configured: Set<String>, now: UInt64,
        grace: UInt64
    ) -> Meeting {
        let known = agents[agent]
        if known?.current.fingerprint == seed.fingerprint { return .same }
        if known?.previous?.fingerprint == seed.fingerprint || isSuperseded(seed.fingerprint) {
            return .superseded
        }
        if let owner = owner(of: seed.fingerprint) {
            guard !configured.contains(owner) else { return .taken(by: owner) }
            agents[owner] = nil
        }
        guard known != nil else {
            makeRoom(keeping: configured)
            agents[agent] = LiveSeeds(current: KeptSeed(seed, since: now, origin: .file))
            return .first
        }
        rotate(agent, to: KeptSeed(seed, since: now, origin: .file), oldEndsAt: now + grace, now)
        return .rotated(oldEndsAt: now + grace)
    }

    private mutating func makeRoom(keeping configured: Set<String>) {
        guard agents.count >= Self.agentsMax else { return }
        for name in agents.keys where !configured.contains(name) { agents[name] = nil }
    }

    // MARK: Calls

    /// Puts a seed in force that ``objection(to:for:)`` has nothing against.
    ///
    /// - Parameter oldEndsAt: of the one in force until now; one that has passed ends it at once.
    package mutating func rotate(
        _ agent: String, to seed: KeptSeed, oldEndsAt: UInt64, _ now: UInt64
    ) {
        guard var live = agents[agent] else {
            agents[agent] = LiveSeeds(current: seed)
            return
        }
        if let oldest = live.previous { supersede(oldest.fingerprint) }
        if oldEndsAt > now {
            live.previous = live.current
            live.previousEndsAt = oldEndsAt
        } else {
            supersede(live.current.fingerprint)
            live.previous = nil
            live.previousEndsAt = 0
        }
        live.current = seed
        agents[agent] = live
    }

    /// Why a seed cannot come into force.
    package enum Objection: Equatable, Sendable {
        /// It is in force for this agent already.
        case inForce
        /// It was once, for whomever.
        case superseded
        case taken(by: String)
    }

    package func objection(to seed: TOTPSeed, for agent: String) -> Objection? {
        let known = agents[agent]
        if known?.current.fingerprint == seed.fingerprint { return .inForce }
        if known?.previous?.fingerprint == seed.fingerprint || isSuperseded(seed.fingerprint) {
            return .superseded
        }
        return owner(of: seed.fingerprint).map { .taken(by: $0) }
    }

    // MARK: Time

    /// Ends what is over, for good.
    ///
    /// - Returns: the agents whose previous seed that was.
    package mutating func purge(now: UInt64) -> [String] {
        var ended: [String] = []
        for (name, seeds) in agents {
            guard let previous = seeds.previous, seeds.previousEndsAt <= now else { continue }
            supersede(previous.fingerprint)
            agents[name]?.previous = nil
            agents[name]?.previousEndsAt = 0
            ended.append(name)
        }
        return ended.sorted()
    }

    /// When the next seed ends; `nil` where none does.
    package var nextEnd: UInt64? {
        agents.values.compactMap { $0.previous == nil ? nil : $0.previousEndsAt }.min()
    }

    private mutating func supersede(_ fingerprint: SHA256Digest) {
        if superseded.count >= Self.supersededMax { superseded.removeFirst() }
        superseded.append(fingerprint)
    }
}
