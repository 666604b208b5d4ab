// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import Identity
import Policy

/// What the filters of all workers share under one configuration: who the agents are, and what
/// must be counted once for the whole process. What is counted goes on under the next one.
package final class GateState: Sendable {
    package let roster: AgentRoster
    /// In the order of the configuration: an agent's place.
    package let agents: [Configuration.Agent]
    package let keys: APIKeys
    let clientPins: ClientPinsFilter
    /// By place.
    package let seeds: [AgentSeeds]
    /// By place: where the agent's seeds are found by whoever judges a code.
    let seedPlaces: [SeedPlaces]
    package let steps: AcceptedSteps
    package let failures: TOTPFailures
    package let sessions: SessionTable
    package let rules: Configuration.TOTPRules
    package let sessionRules: Configuration.Sessions
    package let issuer: Configuration.Issuer
    package let signingKey: SigningKey
    package let agentLimiter: AgentRateLimiter
    package let upstreamCount: Int
    /// By place, then upstream in the order of the configuration.
    package let claims: [Claims]
    /// Changes with whatever a signed token depends on besides its session.
    package let epoch: UInt64

    package static let sessionsMax = 100_000

    /// - Parameters:
    ///   - keys: of all agents, hashed, the agents named by place.
    ///   - seeds: of each agent, in the order of the configuration.
    ///   - steps: the replay memory, on disk or not.
    ///   - previous: whose sessions, failures and limits go on.
    /// - Throws: `StateFault.stepsFull` where the replay memory is full.
    package init(
        _ configuration: Configuration, keys: APIKeys, seeds: [AgentSeeds],
        signingKey: SigningKey, steps: AcceptedSteps, after previous: GateState? = nil
    ) throws(StateFault) {
        agents = configuration.agents
        clientPins = ClientPinsFilter(configuration)
        var roster = previous?.roster ?? AgentRoster()
        roster.seat(agents)
        self.keys = keys.map { entry in
            APIKeys.Entry(
                digest: entry.digest, agent: roster.number(of: configuration.agents[entry.agent]))
        }
        self.roster = roster
        self.seeds = seeds
        self.steps = steps
        guard let seedPlaces = SeedPlaces.list(of: seeds, in: steps) else { throw .stepsFull }
        self.seedPlaces = seedPlaces
        rules = configuration.totp
        failures = TOTPFailures(
            agents: roster.count,
            limits: TOTPLimits(
                failuresMax: rules.maxFailures,
                lockoutMilliseconds: UInt64(rules.lockoutMilliseconds),
                disableAfter: rules.disableAfter),
            after: previous?.failures)
        sessions = previous?.sessions ?? SessionTable(capacity: Self.sessionsMax)
        sessionRules = configuration.sessions
        issuer = configuration.issuer
        self.signingKey = signingKey
        agentLimiter = AgentRateLimiter(
            limits: roster.places.map { $0 < 0 ? nil : RateLimit(configuration.agents[$0].rate) },
            after: previous?.agentLimiter)
        upstreamCount = configuration.upstreams.count
        claims = Self.claims(configuration)
        epoch = (previous?.epoch ?? 0) + 1
    }

    private static func claims(_ configuration: Configuration) -> [Claims] {
        var claims: [Claims] = []
        for agent in configuration.agents {
            for upstream in configuration.upstreams {
                claims.append(
                    Claims(
                        issuer: configuration.issuer.name,
                        audience: configuration.audience(of: upstream), user: agent.user,
                        agent: agent.name, scopes: agent.scopes, firstFactor: .password))
            }
        }
        return claims
    }

    /// Ends the sessions whose agent, key, user or seed this configuration has no more.
    ///
    /// - Returns: how many there were.
    package func endSessions(of previous: GateState) -> Int {
        var ended = 0
        for (number, place) in previous.roster.places.enumerated() where place >= 0 {
            let now = roster.places[number]
            guard now >= 0, roster.users[number] == previous.roster.users[number] else {
                ended += sessions.revoke(.agent(number))
                continue
            }
            let kept = seedPlaces[now].records
            for record in previous.seedPlaces[place].records where !kept.contains(record) {
                ended += sessions.revoke(.seed(agent: number, record: record))
            }
        }
        let kept = Set(keys.entries.map(\.digest))
        for entry in previous.keys.entries where !kept.contains(entry.digest) {
            ended += sessions.revoke(.credential(agent: entry.agent, entry.digest))
        }
        return ended
    }
}

extension GateState {
    /// Gives the records of accepted steps back that this configuration has no use for.
    ///
    /// - Parameter isOver: whether a seed of this fingerprint can never come back.
    package func releaseRecords(
        of previous: GateState, where isOver: (SHA256Digest) -> Bool
    ) {
        let kept = Set(seedPlaces.flatMap(\.records))
        for (seeds, places) in zip(previous.seeds, previous.seedPlaces) {
            for (seed, record) in zip(seeds.all, places.records)
            where !kept.contains(record) && isOver(seed.fingerprint) {
                steps.release(record: record)
            }
        }
    }
}

// MARK: Disabled agents

extension GateState {
    /// - Parameter place: of the agent.
    func isDisabled(place: Int) -> Bool {
        let places = seedPlaces[place]
        return steps.isDisabled(record: places.current.record)
            || (places.previous.map { steps.isDisabled(record: $0.record) } ?? false)
    }

    package func isDisabled(agent: Int) -> Bool { isDisabled(place: roster.places[agent]) }

    /// Until an operator enables the agent again, restarts included.
    ///
    /// - Returns: whether it was enabled until now.
    @discardableResult
    package func disable(agent: Int) -> Bool {
        var wasEnabled = true
        for record in seedPlaces[roster.places[agent]].records {
            wasEnabled = steps.disable(record: record) && wasEnabled
        }
        return wasEnabled
    }

    /// The agent's failures are forgotten, too.
    ///
    /// - Returns: whether it was disabled until now.
    @discardableResult
    package func enable(agent: Int) -> Bool {
        var wasDisabled = false
        for record in seedPlaces[roster.places[agent]].records {
            wasDisabled = steps.enable(record: record) || wasDisabled
        }
        failures.forget(agent: agent)
        return wasDisabled
    }
}

package enum StateFault: Error, Equatable {
    /// No room for a seed's last accepted step.
    case stepsFull
}
