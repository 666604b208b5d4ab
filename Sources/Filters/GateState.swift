// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import Identity
import Policy

/// What the filters of all workers share: who the agents are, and what must be counted once for
/// the whole process.
package final class GateState: Sendable {
    package let agents: [Configuration.Agent]
    /// By agent, as bytes for comparing and logging.
    package let names: [[UInt8]]
    package let users: [[UInt8]]
    package let keys: APIKeys
    package let seeds: [TOTPSeed]
    /// By agent: its record among the accepted steps.
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
    /// By agent, then upstream.
    package let claims: [Claims]

    package static let sessionsMax = 100_000

    /// - Parameters:
    ///   - keys: of all agents, hashed.
    ///   - seeds: one for each agent, in the order of the configuration.
    ///   - steps: the replay memory, on disk or not.
    /// - Throws: `IdentityError` where the replay memory is full.
    package init(
        _ configuration: Configuration, keys: APIKeys, seeds: [TOTPSeed], signingKey: SigningKey,
        steps: AcceptedSteps
    ) throws(StateFault) {
        agents = configuration.agents
        names = agents.map { Array($0.name.utf8) }
        users = agents.map { Array($0.user.utf8) }
        self.keys = keys
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
            agents: configuration.agents.count,
            limits: TOTPLimits(
                failuresMax: rules.maxFailures,
                lockoutMilliseconds: UInt64(rules.lockoutMilliseconds),
                disableAfter: rules.disableAfter))
        sessions = SessionTable(capacity: Self.sessionsMax)
        sessionRules = configuration.sessions
        issuer = configuration.issuer
        self.signingKey = signingKey
        agentLimiter = AgentRateLimiter(
            limits: configuration.agents.map { RateLimit($0.rate) })
        upstreamCount = configuration.upstreams.count
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
        self.claims = claims
    }
}

package enum StateFault: Error, Equatable {
    /// No room for a seed's last accepted step.
    case stepsFull
}
