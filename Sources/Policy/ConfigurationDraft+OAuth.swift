// SPDX-License-Identifier: Apache-2.0

/// The section `oauth`, and agents' bindings to it.
extension ConfigurationDraft {
    mutating func readOAuth(_ node: PolicyNode) {
        guard let items = items(node, max: Bounds.oauthIssuersMax) else {
            places.oauthIsWhole = false
            return
        }
        for item in items {
            guard let issuer = oauthIssuer(item) else {
                places.oauthIsWhole = false
                continue
            }
            if configuration.oauth.contains(where: { $0.issuer == issuer.issuer }) {
                fault(item, "the issuer `\(issuer.issuer)` stands in the list already")
            }
            configuration.oauth.append(issuer)
            places.oauth.append(item)
        }
        note(.oauth, from: .policy, at: place(of: node))
    }

    private mutating func oauthIssuer(_ node: PolicyNode) -> Configuration.OAuthIssuer? {
        let known = ["issuer", "audience", "jwks_url", "agent_claim", "user_claim"]
        guard let object = object(node, known: known) else { return nil }
        let issuer = required(object, "issuer").flatMap { claim($0) }
        let audience = required(object, "audience").flatMap { claim($0) }
        let keySet = required(object, "jwks_url").flatMap { keySetURL($0) }
        let agentClaim = object["agent_claim"].map { claim($0) } ?? "client_id"
        let userClaim = object["user_claim"].map { claim($0) } ?? "sub"
        guard let issuer, let audience, let keySet, let agentClaim, let userClaim else {
            return nil
        }
        return Configuration.OAuthIssuer(
            issuer: issuer, audience: audience, keySet: keySet, agentClaim: agentClaim,
            userClaim: userClaim)
    }

    private mutating func keySetURL(_ node: PolicyNode) -> KeySetURL? {
        guard let text = string(node) else { return nil }
        do throws(UpstreamURL.Fault) {
            return try KeySetURL(text)
        } catch {
            fault(node, error.reason)
            return nil
        }
    }

    // MARK: Of agents

    /// Those that can be read.
    mutating func oauthBindings(_ node: PolicyNode) -> [Configuration.OAuthBinding] {
        var bindings: [Configuration.OAuthBinding] = []
        for item in items(node, max: Bounds.oauthBindingsMax) ?? [] {
            guard let binding = oauthBinding(item) else { continue }
            if bindings.contains(binding) {
                fault(item, "the same binding twice")
            } else if let owner = places.bindingOwners[binding] {
                fault(item, "the same tokens are agent `\(owner)`'s already")
            }
            bindings.append(binding)
        }
        return bindings
    }

    private mutating func oauthBinding(_ node: PolicyNode) -> Configuration.OAuthBinding? {
        guard let object = object(node, known: ["issuer", "client"]) else { return nil }
        let client = object["client"].map { claim($0) }
        guard let place = required(object, "issuer"), let name = string(place) else { return nil }
        let issuers = configuration.oauth.map(\.issuer)
        guard let index = issuers.firstIndex(of: name) else {
            guard places.oauthIsWhole else { return nil }
            let nearest = NearestName.of(name, in: issuers)
            fault(
                place,
                "`oauth` has no issuer \(Printable.quoted(name))"
                    + (nearest.map { "; did you mean `\($0)`?" } ?? ""))
            return nil
        }
        // One that is there and cannot be read is a fault by now.
        if let client, client == nil { return nil }
        return Configuration.OAuthBinding(issuerIndex: index, client: client ?? nil)
    }
}
