// SPDX-License-Identifier: Apache-2.0

import JSON

/// The section `agents`.
extension ConfigurationDraft {
    mutating func readAgents(_ agents: PolicyField<[PolicyItem<PolicyObject<AgentKeys>>]>) {
        guard let items = read(agents), let node = agents.node else { return }
        var names: Set<String> = []
        for item in items {
            guard let object = read(item), let agent = agent(object) else { continue }
            if !names.insert(agent.name).inserted {
                fault(item.node, "the name `\(agent.name)` is another agent's already")
            }
            if case .hashes(let hashes) = agent.keys {
                for hash in hashes { places.keyOwners[hash] = agent.name }
            }
            for pin in agent.clientPins { places.pinOwners[pin] = agent.name }
            for binding in agent.oauth { places.bindingOwners[binding] = agent.name }
            configuration.agents.append(agent)
            places.agents.append(item.node)
            places.seeds.append(item.node.member("totp", "seed_file"))
        }
        note(.agents, from: .policy, at: place(of: node))
        note(.agentRate, from: .policy, at: place(of: node))
    }

    private mutating func agent(_ object: PolicyObject<AgentKeys>) -> Configuration.Agent? {
        // Everything is read before anything gives up, so that one run tells of every fault.
        let name = read(object.name)
        let user = read(object.user)
        let scopes = distinct(read(object.scopes) ?? [], "scope").map(\.value)
        let hashes = keyHashes(object)
        let pins = agentPins(object.clientPins)
        let bindings = oauthBindings(read(object.oauth) ?? [])
        let totp = read(object.totp).flatMap { agentTOTP($0) }
        let rate = read(object.rate).flatMap { self.rate($0.requests, $0.per, $0.burst) }
        guard let name, let hashes, let totp else { return nil }
        return Configuration.Agent(
            name: name, user: user, scopes: scopes, keys: .hashes(hashes), clientPins: pins,
            oauth: bindings, totp: totp, rate: rate ?? .standard)
    }

    /// `nil` where one cannot be read, and where the agent could not be known by anything.
    private mutating func keyHashes(_ agent: PolicyObject<AgentKeys>) -> [[UInt8]]? {
        let isKnownOtherwise = [agent.clientPins.node, agent.oauth.node].contains {
            $0?.value.array?.isEmpty == false
        }
        let lack = "the agent has no key, pin or OAuth binding"
        guard let node = agent.keyHashes.node else {
            if isKnownOtherwise { return [] }
            fault(agent.node, "\(lack): `\(agent.keyHashes.key.name)` is missing")
            return nil
        }
        guard let items = read(agent.keyHashes) else { return nil }
        guard !items.isEmpty || isKnownOtherwise else {
            fault(node, lack)
            return nil
        }
        var hashes: [[UInt8]] = []
        for item in items {
            guard let hash = read(item) else { continue }
            if let owner = places.keyOwners[hash] {
                fault(item.node, "the same key is agent `\(owner)`'s already")
            } else if hashes.contains(hash) {
                fault(item.node, "the same key twice")
            }
            hashes.append(hash)
        }
        return hashes.count == items.count ? hashes : nil
    }

    private mutating func agentTOTP(
        _ object: PolicyObject<AgentTOTPKeys>
    ) -> Configuration.AgentTOTP? {
        let seed = read(object.seedFile)
        var totp = Configuration.AgentTOTP(seedPath: seed ?? "")
        assign(object.algorithm, to: &totp.algorithm)
        assign(object.digits, to: &totp.digits)
        assign(object.period, to: &totp.periodMilliseconds)
        return seed == nil ? nil : totp
    }

    /// The burst is twice the requests unless given.
    mutating func rate(
        _ requests: PolicyField<Int>, _ per: PolicyField<Int>, _ burst: PolicyField<Int>
    ) -> Rate? {
        let requests = required(requests)
        let period = required(per)
        let burst = read(burst)
        guard let requests, let period else { return nil }
        return Rate(
            requests: requests, periodMilliseconds: period, burst: burst ?? 2 * requests)
    }
}
