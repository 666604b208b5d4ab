// SPDX-License-Identifier: Apache-2.0

import Bytes
import JSON

/// The section `agents`.
extension ConfigurationDraft {
    mutating func readAgents(_ node: PolicyNode) {
        guard let items = items(node, max: Bounds.agentsMax) else { return }
        var names: Set<String> = []
        for item in items {
            guard let (agent, seed) = readAgent(item) else { continue }
            if !names.insert(agent.name).inserted {
                fault(item, "the name `\(agent.name)` is another agent's already")
            }
            if case .hashes(let hashes) = agent.keys {
                for hash in hashes { places.keyOwners[hash] = agent.name }
            }
            for pin in agent.clientPins { places.pinOwners[pin] = agent.name }
            for binding in agent.oauth { places.bindingOwners[binding] = agent.name }
            configuration.agents.append(agent)
            places.agents.append(item)
            places.seeds.append(seed)
        }
        note(.agents, from: .policy, at: place(of: node))
        note(.agentRate, from: .policy, at: place(of: node))
    }

    private mutating func readAgent(_ node: PolicyNode) -> (Configuration.Agent, PolicyNode?)? {
        let known = [
            "name", "user", "scopes", "api_key_sha256", "client_pins_sha256", "oauth", "totp",
            "rate",
        ]
        guard let object = object(node, known: known) else { return nil }
        // Everything is read before anything gives up, so that one run tells of every fault.
        let name = required(object, "name").flatMap { self.name($0) }
        let user = object["user"].flatMap { claim($0) }
        let scopes = object["scopes"].flatMap { self.scopes($0) } ?? []
        let hashes = keyHashes(object)
        let pins = object["client_pins_sha256"].map { agentPins($0) } ?? []
        let bindings = object["oauth"].map { oauthBindings($0) } ?? []
        let totp = required(object, "totp").flatMap { self.agentTOTP($0) }
        let rate = object["rate"].flatMap { self.rate($0) } ?? .standard
        guard let name, let hashes, let totp else { return nil }
        let agent = Configuration.Agent(
            name: name, user: user, scopes: scopes, keys: .hashes(hashes), clientPins: pins,
            oauth: bindings, totp: totp, rate: rate)
        return (agent, object["totp"].flatMap { PolicyObject(node: $0)["seed_file"] })
    }

    private mutating func keyHashes(_ agent: PolicyObject) -> [[UInt8]]? {
        let isKnownOtherwise = ["client_pins_sha256", "oauth"].contains {
            agent[$0]?.value.array?.isEmpty == false
        }
        let lack = "the agent has no key, pin or OAuth binding"
        guard let node = agent["api_key_sha256"] else {
            if isKnownOtherwise { return [] }
            fault(agent.node, "\(lack): `api_key_sha256` is missing")
            return nil
        }
        guard let items = items(node, max: Bounds.keysMax) else { return nil }
        guard !items.isEmpty || isKnownOtherwise else {
            fault(node, lack)
            return nil
        }
        var hashes: [[UInt8]] = []
        for item in items {
            guard let text = string(item) else { continue }
            guard text.utf8.count == 64, let hash = Hex.decode(Array(text.utf8).span) else {
                fault(item, "must be the 64 hexadecimal digits that `agentport hash-key` prints")
                continue
            }
            if let owner = places.keyOwners[hash] {
                fault(item, "the same key is agent `\(owner)`'s already")
            } else if hashes.contains(hash) {
                fault(item, "the same key twice")
            }
            hashes.append(hash)
        }
        return hashes.count == items.count ? hashes : nil
    }

    /// RFC 6749 §3.3: visible ASCII without `"` and `\`, since a space divides scopes.
    private mutating func scopes(_ node: PolicyNode) -> [String]? {
        guard let items = items(node, max: Bounds.scopesMax) else { return nil }
        var scopes: [String] = []
        for item in items {
            guard let text = string(item) else { continue }
            let isScope =
                (1...128).contains(text.utf8.count)
                && text.utf8.allSatisfy {
                    (0x21...0x7E).contains($0) && $0 != .quote && $0 != .backslash
                }
            guard isScope else {
                fault(item, "must be 1 to 128 characters of visible ASCII without `\"` and `\\`")
                continue
            }
            if scopes.contains(text) { fault(item, "the same scope twice") }
            scopes.append(text)
        }
        return scopes
    }

    private mutating func agentTOTP(_ node: PolicyNode) -> Configuration.AgentTOTP? {
        let known = ["seed_file", "algorithm", "digits", "period"]
        guard let object = object(node, known: known) else { return nil }
        let seed = required(object, "seed_file").flatMap { path($0) }
        var totp = Configuration.AgentTOTP(seedPath: seed ?? "")
        if let node = object["algorithm"],
            let value = choice(node, of: Configuration.TOTPAlgorithm.self)
        {
            totp.algorithm = value
        }
        if let node = object["digits"], let value = integer(node, in: Bounds.digits) {
            totp.digits = value
        }
        if let node = object["period"], let value = wholeSeconds(node, in: Bounds.period) {
            totp.periodMilliseconds = value
        }
        return seed == nil ? nil : totp
    }

    /// `{"requests", "per", "burst"}`; the burst is twice the requests unless given.
    private mutating func rate(_ node: PolicyNode) -> Rate? {
        object(node, known: ["requests", "per", "burst"]).flatMap { rate(of: $0) }
    }

    mutating func rate(of object: PolicyObject) -> Rate? {
        let requests = required(object, "requests").flatMap {
            integer($0, in: 1...Rate.requestsMax)
        }
        let period = required(object, "per").flatMap { duration($0, in: Rate.periodRange) }
        let burst = object["burst"].map { integer($0, in: 1...(2 * Rate.requestsMax)) }
        guard let requests, let period else { return nil }
        return Rate(
            requests: requests, periodMilliseconds: period, burst: (burst ?? nil) ?? 2 * requests)
    }
}
