// SPDX-License-Identifier: Apache-2.0

import Crypto

/// Which seeds count for whom, and which never will again: the memory behind rotations.
///
/// A seed goes one way only: it comes into force, is superseded by another, ends, and leaves its
/// fingerprint, so that no file, reload or restart brings it back. At most two of an agent are
/// alive.
package struct SeedLedger: Sendable {
    /// Fingerprints of superseded seeds; beyond them the oldest is forgotten.
    package static let supersededMax = 65_536
    /// Agents; beyond them those are forgotten that the configuration has no more.
    package static let agentsMax = 20_000

    /// How long a seed may go on once another is in force, in milliseconds.
    package static let graceMax: UInt64 = 24 * 60 * 60 * 1000

    /// What a seed that a file holds turned out to be.
    package enum Meeting: Equatable, Sendable {
        /// The agent had none.
        case first
        /// The one in force.
        case same
        /// The one in force, of an agent that had another name.
        case renamed
        /// A new one, in force from now on; the one before it ends then.
        case rotated(oldEnds: Deadline)
        /// One that is over: it stays so, and the agent keeps what it has.
        case superseded
        /// Another agent's.
        case taken(by: String)
    }

    package private(set) var agents: [String: LiveSeeds] = [:]
    /// The oldest first.
    package private(set) var superseded: [SHA256Digest] = []
    /// Whose seed each is or was: of an agent's, current, previous or superseded.
    private var owners: [SHA256Digest: String] = [:]

    package init() {}

    /// As it was kept.
    ///
    /// - Parameter superseded: the oldest first, each with its agent.
    init(agents: [String: LiveSeeds], superseded: [(SHA256Digest, String)]) {
        self.agents = agents
        self.superseded = superseded.map(\.0)
        for (fingerprint, agent) in superseded { owners[fingerprint] = agent }
        for (agent, seeds) in agents {
            for fingerprint in seeds.fingerprints { owners[fingerprint] = agent }
        }
    }

    package func isSuperseded(_ fingerprint: SHA256Digest) -> Bool {
        guard let agent = owners[fingerprint] else { return false }
        return agents[agent]?.has(fingerprint) != true
    }

    /// Whose seed this is at present, current or previous.
    package func owner(of fingerprint: SHA256Digest) -> String? {
        owners[fingerprint].flatMap { agents[$0]?.has(fingerprint) == true ? $0 : nil }
    }

    /// Whose seed this is, or was once.
    func agent(of fingerprint: SHA256Digest) -> String? { owners[fingerprint] }

    // MARK: Files

    /// Takes note of the seed that an agent's file holds.
    ///
    /// - Parameters:
    ///   - configured: all agents there are. Where a seed is one's that is gone, this is the same
    ///     agent under a new name, and all that is known of it stays known.
    ///   - grace: for how many milliseconds the seed before it goes on.
    package mutating func meet(
        _ seed: TOTPSeed, of agent: String, among configured: Set<String>, now: Moment,
        grace: UInt64
    ) -> Meeting {
        if let owner = owner(of: seed.fingerprint), owner != agent, configured.contains(owner) {
            return .taken(by: owner)
        }
        if let owner = owners[seed.fingerprint], owner != agent, !configured.contains(owner),
            rename(owner, to: agent, with: seed),
            agents[agent]?.current.fingerprint == seed.fingerprint
        {
            return .renamed
        }
        let known = agents[agent]
        if known?.current.fingerprint == seed.fingerprint { return .same }
        if known?.has(seed.fingerprint) == true || isSuperseded(seed.fingerprint) {
            return .superseded
        }
        let kept = KeptSeed(seed, since: now.wall, origin: .file)
        guard known != nil else {
            makeRoom(keeping: configured)
            agents[agent] = LiveSeeds(kept)
            owners[seed.fingerprint] = agent
            return .first
        }
        let end = Deadline(in: grace, from: now)
        rotate(agent, to: kept, oldEnds: end, now)
        return .rotated(oldEnds: end)
    }

    /// - Returns: false where the new name has seeds of its own: then the seed of its file can
    ///   come into force there, where it still does, and the others are over.
    private mutating func rename(
        _ owner: String, to agent: String, with seed: TOTPSeed
    ) -> Bool {
        guard let lineage = agents.removeValue(forKey: owner) else { return false }
        let isNew = agents[agent] == nil
        for (fingerprint, name) in owners where name == owner { owners[fingerprint] = agent }
        if isNew {
            agents[agent] = lineage
            return true
        }
        for fingerprint in lineage.fingerprints.reversed() {
            if fingerprint == seed.fingerprint, fingerprint == lineage.current.fingerprint {
                owners[fingerprint] = nil
            } else {
                supersede(fingerprint, of: agent)
            }
        }
        return false
    }

    private mutating func makeRoom(keeping configured: Set<String>) {
        guard agents.count >= Self.agentsMax else { return }
        for (name, seeds) in agents where !configured.contains(name) {
            agents[name] = nil
            for fingerprint in seeds.fingerprints.reversed() { supersede(fingerprint, of: name) }
        }
    }

    // MARK: Calls

    /// Puts a seed in force that ``objection(to:for:)`` has nothing against.
    ///
    /// - Parameter oldEnds: of the one in force until now; one that has passed ends it at once.
    package mutating func rotate(
        _ agent: String, to seed: KeptSeed, oldEnds: Deadline, _ now: Moment
    ) {
        owners[seed.fingerprint] = agent
        guard var live = agents[agent] else {
            agents[agent] = LiveSeeds(seed)
            return
        }
        if let oldest = live.previous { supersede(oldest.seed.fingerprint, of: agent) }
        if oldEnds.hasPassed(at: now) {
            supersede(live.current.fingerprint, of: agent)
            live.previous = nil
        } else {
            live.previous = LiveSeeds.Ending(seed: live.current, end: oldEnds)
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
        if known?.has(seed.fingerprint) == true || isSuperseded(seed.fingerprint) {
            return .superseded
        }
        return owner(of: seed.fingerprint).map { .taken(by: $0) }
    }

    // MARK: Disabled agents

    /// - Returns: whether that was not known.
    package mutating func note(_ agent: String, isDisabled: Bool) -> Bool {
        guard agents[agent]?.isDisabled == !isDisabled else { return false }
        agents[agent]?.isDisabled = isDisabled
        return true
    }

    // MARK: Time

    /// Ends what is over, for good.
    ///
    /// - Returns: the agents whose previous seed that was.
    package mutating func purge(now: Moment) -> [String] {
        var ended: [String] = []
        for (name, seeds) in agents {
            guard let previous = seeds.previous, previous.end.hasPassed(at: now) else { continue }
            supersede(previous.seed.fingerprint, of: name)
            agents[name]?.previous = nil
            ended.append(name)
        }
        return ended.sorted()
    }

    /// Says of every end what it is by the clock of now: it was set by one that may have been
    /// wrong.
    mutating func tellEnds(at now: Moment) {
        for (name, seeds) in agents {
            guard let previous = seeds.previous else { continue }
            agents[name]?.previous = LiveSeeds.Ending(
                seed: previous.seed, end: previous.end.told(at: now))
        }
    }

    private mutating func supersede(_ fingerprint: SHA256Digest, of agent: String) {
        if superseded.count >= Self.supersededMax { owners[superseded.removeFirst()] = nil }
        superseded.append(fingerprint)
        owners[fingerprint] = agent
    }
}
