// SPDX-License-Identifier: Apache-2.0

import JSON

/// The section `filters`.
extension ConfigurationDraft {
    private static let filterNames = [
        "tls_inspector", "client_pins", "ip_rate_limit", "identity", "totp", "agent_rate_limit",
        "inspect", "jwt",
    ]

    /// Left out, it is the whole chain, or what a public route passes where there is no other.
    mutating func readFilters(_ node: PolicyNode?) {
        guard let node else {
            if configuration.routes.allSatisfy(\.isPublic) {
                configuration.filters = [.tlsInspector]
            }
            return
        }
        guard let items = items(node, max: Bounds.filtersMax) else {
            places.chainIsWhole = false
            return
        }
        configuration.filters = []
        for item in items {
            guard let filter = filter(item) else {
                places.chainIsWhole = false
                continue
            }
            if configuration.filters.contains(where: { $0.name == filter.name }) {
                fault(item, "`\(filter.name)` stands in the chain already")
                places.chainIsWhole = false
                continue
            }
            if case .ipRateLimit = filter { note(.ipRate, from: .policy, at: place(of: item)) }
            configuration.filters.append(filter)
            places.filters.append(item)
        }
        note(.filters, from: .policy, at: place(of: node))
    }

    private mutating func filter(_ node: PolicyNode) -> Configuration.FilterUse? {
        guard node.value.object != nil else {
            _ = object(node, known: [])
            return nil
        }
        guard let nameNode = required(PolicyObject(node: node), "use"), let name = string(nameNode)
        else { return nil }
        switch name {
        case "tls_inspector": return plain(node, .tlsInspector)
        case "client_pins": return plain(node, .clientPins)
        case "identity": return plain(node, .identity)
        case "totp": return plain(node, .totp)
        case "jwt": return plain(node, .jwt)
        case "agent_rate_limit":
            return object(node, known: ["use", "mode"]).flatMap { filter in
                mode(filter).map { .agentRateLimit($0) }
            }
        case "ip_rate_limit": return ipRateLimit(node)
        case "inspect":
            fault(nameNode, Self.notBuilt("`\(name)`"))
        default:
            let nearest = NearestName.of(name, in: Self.filterNames)
            fault(
                nameNode,
                "unknown filter \(Printable.quoted(name))"
                    + (nearest.map { "; did you mean `\($0)`?" } ?? ""))
        }
        return nil
    }

    /// A filter that is told nothing.
    private mutating func plain(
        _ node: PolicyNode, _ filter: Configuration.FilterUse
    ) -> Configuration.FilterUse? {
        object(node, known: ["use"]).map { _ in filter }
    }

    private mutating func mode(_ filter: PolicyObject) -> Configuration.FilterMode? {
        guard let node = filter["mode"] else { return .enforce }
        return choice(node, of: Configuration.FilterMode.self)
    }

    private mutating func ipRateLimit(_ node: PolicyNode) -> Configuration.FilterUse? {
        let known = ["use", "requests", "per", "burst", "mode"]
        guard let filter = object(node, known: known) else { return nil }
        let isBare = filter["requests"] == nil && filter["per"] == nil && filter["burst"] == nil
        let rate = isBare ? .standard : rate(of: filter)
        guard let mode = mode(filter), let rate else { return nil }
        return .ipRateLimit(rate, mode)
    }

    /// Refuses an order that cannot be safe.
    mutating func checkChain() {
        guard places.chainIsWhole else { return }
        let names = configuration.filters.map(\.name)
        func index(_ name: String) -> Int? { names.firstIndex(of: name) }
        func mustFollow(_ later: String, _ earlier: String) {
            guard let late = index(later), let early = index(earlier), late < early else { return }
            fault(filterPlace(late), "`\(later)` must come after `\(earlier)`")
        }
        if configuration.routes.contains(where: { !$0.isPublic }) {
            for name in ["identity", "totp", "jwt"] where index(name) == nil {
                fault(
                    filterPlace(nil),
                    "`\(name)` is missing: every route that is not public "
                        + "passes `identity`, `totp` and `jwt`")
            }
        }
        mustFollow("totp", "identity")
        mustFollow("agent_rate_limit", "identity")
        mustFollow("identity", "client_pins")
        mustFollow("identity", "ip_rate_limit")
        if let jwt = index("jwt"), jwt != names.count - 1 {
            fault(filterPlace(jwt), "`jwt` must be the last filter")
        }
    }

    private func filterPlace(_ index: Int?) -> ConfigurationFault.Place {
        if let index, places.filters.indices.contains(index) {
            return place(of: places.filters[index])
        }
        // The chain of the defaults is safe, so it is the policy's list that is at fault.
        guard let place = place(of: .filters) else {
            preconditionFailure("an unsafe default chain")
        }
        return place
    }
}
