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
    package let keys: CredentialTable
    /// Public keys of clients' certificates.
    package let pins: CredentialTable
    /// In the order of the configuration.
    package let issuers: [TokenIssuer]
    package let issuerKeys: [IssuerKeys]
    /// By place: names the issuer together with what is read of its tokens; no name is used again.
    private let issuerNumbers: [Int]
    private let issuerNumbersUsed: Int
    private let bindings: TokenBindings
    /// Before anybody has said who they are, a signature is the costliest thing to check.
    package let tokenLimiter: AddressRateLimiter
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
    /// By place.
    private let claims: [AgentClaims]
    /// By upstream, in the order of the configuration.
    private let audiences: [String]
    /// Changes with whatever a signed token depends on besides its session.
    package let epoch: UInt64

    package static let sessionsMax = 100_000
    /// A token that was verified is remembered, so an honest address needs few.
    private static let tokensPerAddress = RateLimit(
        requests: 100, periodNanoseconds: 1_000_000_000, burst: 200)

    /// - Parameters:
    ///   - keys: of all agents, hashed, the agents named by place.
    ///   - issuers: the keys of each token issuer, in the order of the configuration.
    ///   - seeds: of each agent, in the order of the configuration.
    ///   - steps: the replay memory, on disk or not.
    ///   - previous: whose sessions, failures and limits go on.
    /// - Throws: `StateFault.stepsFull` where the replay memory is full.
    package init(
        _ configuration: Configuration, keys: CredentialTable, seeds: [AgentSeeds],
        issuers: [IssuerKeys] = [], signingKey: SigningKey, steps: AcceptedSteps,
        after previous: GateState? = nil
    ) throws(StateFault) {
        agents = configuration.agents
        clientPins = ClientPinsFilter(configuration)
        var roster = previous?.roster ?? AgentRoster()
        roster.seat(agents)
        self.keys = keys.map { entry in
            CredentialTable.Entry(
                digest: entry.digest, agent: roster.number(of: configuration.agents[entry.agent]))
        }
        pins = try Self.pins(configuration, roster)
        bindings = TokenBindings(configuration, roster)
        self.issuers = configuration.oauth.map { rules in
            TokenIssuer(
                name: rules.issuer, audience: rules.audience, agentClaim: rules.agentClaim,
                userClaim: rules.userClaim)
        }
        issuerKeys = issuers
        var used = previous?.issuerNumbersUsed ?? 0
        issuerNumbers = self.issuers.map { issuer in
            let known = previous?.issuers.firstIndex(of: issuer)
            if let known, let number = previous?.issuerNumbers[known] { return number }
            used += 1
            return used
        }
        issuerNumbersUsed = used
        tokenLimiter = AddressRateLimiter(
            limit: Self.tokensPerAddress, after: previous?.tokenLimiter)
        self.roster = roster
        self.seeds = seeds
        self.steps = steps
        guard let seedPlaces = SeedPlaces.list(of: seeds, in: steps) else { throw .stepsFull }
        self.seedPlaces = seedPlaces
        for (seeds, places) in zip(seeds, seedPlaces) where seeds.isDisabled {
            for record in places.records { _ = steps.disable(record: record) }
        }
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
        claims = configuration.agents.map { AgentClaims($0, configuration) }
        audiences = configuration.upstreams.map { configuration.audience(of: $0) }
        epoch = (previous?.epoch ?? 0) + 1
    }

    private static func pins(
        _ configuration: Configuration, _ roster: AgentRoster
    ) throws(StateFault) -> CredentialTable {
        var entries: [CredentialTable.Entry] = []
        for agent in configuration.agents {
            for pin in agent.clientPins {
                guard let digest = SHA256Digest(bytes: pin.span) else { continue }
                entries.append(
                    CredentialTable.Entry(digest: digest, agent: roster.number(of: agent)))
            }
        }
        do throws(IdentityError) {
            return try CredentialTable(entries)
        } catch {
            throw .pinUsedTwice
        }
    }

    /// What a token for this request's upstream says that is the same for all of its kind.
    func claims(_ facts: inout RequestFacts) -> Claims {
        let place = roster.places[facts.agent]
        guard let token = facts.token else {
            return claims[place].claims(facts.firstFactor, upstream: facts.upstream)
        }
        return Claims(
            issuer: issuer.name, audience: audiences[facts.upstream], user: token.user,
            agent: agents[place].name, scopes: [token.scopes], firstFactor: .password)
    }

    // MARK: First factors

    /// Whose token this is; `nil` where no agent lists its issuer and client.
    func agent(of token: VerifiedToken) -> Int? { bindings.agent(of: token, at: token.issuer) }

    /// By which rules a token was believed.
    func rules(of token: VerifiedToken) -> Int { issuerNumbers[token.issuer] }

    /// Whether a request that was let in by this credential still would be.
    package func isHeld(_ facts: inout RequestFacts) -> Bool {
        if let token = facts.token {
            guard let place = issuerNumbers.firstIndex(of: facts.tokenRules) else { return false }
            return bindings.agent(of: token, at: place) == facts.agent
        }
        let table = facts.firstFactor == .softwareKey ? pins : keys
        return table.find(facts.credential) == facts.agent
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
        let kept = Set(keys.entries + pins.entries)
        for entry in previous.keys.entries + previous.pins.entries where !kept.contains(entry) {
            ended += sessions.revoke(.credential(agent: entry.agent, entry.digest))
        }
        // Which clients the tokens were of that sessions began with, nobody knows.
        for agent in previous.bindings.agentsWithLess(in: bindings) {
            ended += sessions.revoke(.tokens(agent: agent))
        }
        for number in previous.issuerNumbers where !issuerNumbers.contains(number) {
            ended += sessions.revoke(.issuer(number))
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

extension GateState {
    /// Closes every window that is open now, where the last accepted steps were lost.
    package func closeWindows(atSeconds now: UInt64) {
        for (seeds, places) in zip(seeds, seedPlaces) {
            let parameters = seeds.current.parameters
            let last = parameters.step(atSeconds: now) + UInt64(rules.skew)
            for record in places.records {
                _ = steps.accept(record: record, time: last * parameters.periodSeconds)
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
            || (places.previous.map { steps.isDisabled(record: $0.place.record) } ?? false)
    }

    /// Those that workers have disabled, too.
    package var disabledAgents: [Bool] { seedPlaces.indices.map { isDisabled(place: $0) } }

    /// Disables the agents that were under the configuration before, whatever their seeds are.
    package func disableThose(of previous: GateState) {
        for (number, place) in previous.roster.places.enumerated()
        where place >= 0 && roster.places[number] >= 0 && previous.isDisabled(place: place) {
            disable(agent: number)
        }
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
    /// The policy has seen to it that this cannot be.
    case pinUsedTwice
}
