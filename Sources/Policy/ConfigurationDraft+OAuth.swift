// SPDX-License-Identifier: Apache-2.0

/// The section `oauth`, and agents' bindings to it.
extension ConfigurationDraft {
    mutating func readOAuth(_ oauth: PolicyField<[PolicyItem<PolicyObject<OAuthKeys>>]>) {
        guard let node = oauth.node else { return }
        guard let items = read(oauth) else {
            places.oauthIsWhole = false
            return
        }
        for item in items {
            guard let issuer = read(item).flatMap({ oauthIssuer($0) }) else {
                places.oauthIsWhole = false
                continue
            }
            if configuration.oauth.contains(where: { $0.issuer == issuer.issuer }) {
                fault(item.node, "the issuer `\(issuer.issuer)` stands in the list already")
            }
            configuration.oauth.append(issuer)
            places.oauth.append(item.node)
        }
        note(.oauth, from: .policy, at: place(of: node))
    }

    private mutating func oauthIssuer(
        _ object: PolicyObject<OAuthKeys>
    ) -> Configuration.OAuthIssuer? {
        let issuer = read(object.issuer)
        let audience = read(object.audience)
        let keySet = read(object.keySetURL)
        let agentClaim = read(object.agentClaim, or: "client_id")
        let userClaim = read(object.userClaim, or: "sub")
        guard let issuer, let audience, let keySet, let agentClaim, let userClaim else {
            return nil
        }
        return Configuration.OAuthIssuer(
            issuer: issuer, audience: audience, keySet: keySet, agentClaim: agentClaim,
            userClaim: userClaim)
    }

    // MARK: Of agents

    /// Those that can be read.
    mutating func oauthBindings(
        _ items: [PolicyItem<PolicyObject<OAuthBindingKeys>>]
    ) -> [Configuration.OAuthBinding] {
        var bindings: [Configuration.OAuthBinding] = []
        for item in items {
            guard let binding = read(item).flatMap({ oauthBinding($0) }) else { continue }
            if bindings.contains(binding) {
                fault(item.node, "the same binding twice")
            } else if let owner = places.bindingOwners[binding] {
                fault(item.node, "the same tokens are agent `\(owner)`'s already")
            }
            bindings.append(binding)
        }
        return bindings
    }

    private mutating func oauthBinding(
        _ object: PolicyObject<OAuthBindingKeys>
    ) -> Configuration.OAuthBinding? {
        let client = read(object.client)
        guard let name = read(object.issuer), let place = object.issuer.node else { return nil }
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
        if object.client.node != nil, client == nil { return nil }
        return Configuration.OAuthBinding(issuerIndex: index, client: client)
    }
}
