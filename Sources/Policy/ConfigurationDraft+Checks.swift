// SPDX-License-Identifier: Apache-2.0

/// What can be judged only once everything is read and merged.
extension ConfigurationDraft {
    mutating func checkWhole() {
        checkChain()
        checkAgents()
        if places.upstreamsAreWhole, places.chainIsWhole { checkAudiences() }
        checkAddresses()
        checkUpstreamTLS()
        checkClientCertificates()
        checkLimits()
        checkRouteLimits()
        if faults.isEmpty { warnOfTheUseless() }
    }

    private mutating func checkAgents() {
        var users: [String: String] = [:]
        var seeds: [String: String] = [:]
        for (agent, node) in zip(configuration.agents, places.agents) {
            if let other = users.updateValue(agent.name, forKey: agent.user), other != agent.name {
                fault(
                    node,
                    "agents `\(other)` and `\(agent.name)` have one upstream user "
                        + "`\(agent.user)`: give each its own `user`")
            }
        }
        for (agent, node) in zip(configuration.agents, places.seeds) {
            guard let node, let other = seeds.updateValue(agent.name, forKey: agent.totp.seedPath)
            else { continue }
            fault(node, "this seed is agent `\(other)`'s already: give each agent its own")
        }
    }

    /// A token for one upstream must not be good at another, which might replay it.
    private mutating func checkAudiences() {
        // One that public routes alone lead to never gets a token.
        let tokenless = Set(configuration.routes.filter(\.isPublic).map(\.upstreamIndex))
            .subtracting(configuration.routes.filter { !$0.isPublic }.map(\.upstreamIndex))
        var owners: [String: Configuration.Upstream] = [:]
        for (index, upstream) in configuration.upstreams.enumerated()
        where !tokenless.contains(index) {
            let audience = configuration.audience(of: upstream)
            guard let other = owners.updateValue(upstream, forKey: audience) else { continue }
            if other.sharedAudience, upstream.sharedAudience { continue }
            // Several upstreams come from a policy alone.
            guard places.upstreams.indices.contains(index) else { continue }
            fault(
                places.endpoints[index].nodes.first ?? places.upstreams[index],
                "upstreams `\(other.name)` and `\(upstream.name)` have one "
                    + "audience `\(audience)`, so a token for one is good at the other: give each "
                    + "its own `audience`, or write `\"shared_audience\": true` in both")
        }
    }

    private mutating func checkLimits() {
        let limits = configuration.listen.limits
        if limits.requestLineBytes > limits.headerBytes {
            if let place = place(of: .requestLine) {
                fault(
                    place,
                    "must not be larger than `header_bytes`, "
                        + SizeText.text(limits.headerBytes))
            } else {
                configuration.listen.limits.requestLineBytes = limits.headerBytes
            }
        }
        let drain = configuration.drain
        if drain.graceMilliseconds > drain.deadlineMilliseconds,
            let place = place(of: .drainGrace) ?? place(of: .drainDeadline)
        {
            fault(
                place,
                "`drain.grace`, \(DurationText.text(drain.graceMilliseconds)), must not be "
                    + "longer than `drain.deadline`, "
                    + DurationText.text(drain.deadlineMilliseconds)
            )
        }
    }

    private mutating func warnOfTheUseless() {
        guard let root = places.root else { return }
        if configuration.agents.isEmpty, configuration.routes.contains(where: { !$0.isPublic }) {
            warn(root, "there are no agents, so only public routes can be used")
        }
        let bound = Set(configuration.agents.flatMap(\.oauth).map(\.issuerIndex))
        for (index, node) in places.oauth.enumerated() where !bound.contains(index) {
            warn(node, "no agent lists issuer `\(configuration.oauth[index].issuer)`")
        }
        let used = Set(configuration.routes.map(\.upstreamIndex))
        for (index, node) in places.upstreams.enumerated() where !used.contains(index) {
            warn(node, "no route leads to upstream `\(configuration.upstreams[index].name)`")
        }
    }
}
