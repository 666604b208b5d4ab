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
    package let seeds: [TOTPSeed]
    /// By place: the seed's record among the accepted steps.
    package let stepRecords: [Int]
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
    ///   - seeds: one for each agent, in the order of the configuration.
    ///   - steps: the replay memory, on disk or not.
    ///   - previous: whose sessions, failures and limits go on.
    /// - Throws: `StateFault.stepsFull` where the replay memory is full.
    package init(
        _ configuration: Configuration, keys: APIKeys, seeds: [TOTPSeed], signingKey: SigningKey,
        steps: AcceptedSteps, after previous: GateState? = nil
    ) throws(StateFault) {
        agents = configuration.agents
        clientPins = ClientPinsFilter(configuration)
        var roster = previous?.roster ?? AgentRoster()
        roster.seat(agents)
        self.keys = keys.map { entry in
            APIKeys.Entry(
                digest: entry.digest, agent: roster.number(of: configuration.agents[entry.agent]),
                credential: roster.credential(entry.digest))
        }
        self.roster = roster
        self.seeds = seeds
        self.steps = steps
        var records: [Int] = []
        for seed in seeds {
            guard let record = steps.record(for: seed.fingerprint) else { throw .stepsFull }
            records.append(record)
        }
        stepRecords = records
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
            let stays =
                now >= 0 && roster.users[number] == previous.roster.users[number]
                && seeds[now].fingerprint == previous.seeds[place].fingerprint
            if !stays { ended += sessions.revoke(.agent(number)) }
        }
        let kept = Set(keys.entries.map(\.credential))
        for entry in previous.keys.entries where !kept.contains(entry.credential) {
            ended += sessions.revoke(.credential(agent: entry.agent, credential: entry.credential))
        }
        return ended
    }
}

package enum StateFault: Error, Equatable {
    /// No room for a seed's last accepted step.
    case stepsFull
}
