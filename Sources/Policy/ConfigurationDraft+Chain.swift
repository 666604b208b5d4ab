// SPDX-License-Identifier: Apache-2.0

import JSON

/// The section `filters`.
extension ConfigurationDraft {
    private static let plain = PolicyForm.object(PlainFilterKeys())
    private static let agentRateLimit = PolicyForm.object(AgentRateLimitKeys())
    private static let ipRateLimit = PolicyForm.object(IPRateLimitKeys())

    /// Left out, it is the whole chain, or what a public route passes where there is no other.
    mutating func readFilters(_ filters: PolicyField<[PolicyNode]>) {
        guard let node = filters.node else {
            if configuration.routes.allSatisfy(\.isPublic) {
                configuration.filters = [.tlsInspector]
            }
            return
        }
        guard let items = read(filters) else {
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
            _ = Self.plain.read(&self, node)
            return nil
        }
        let use = PolicyField(object: node, key: PlainFilterKeys().use)
        guard let name = read(use), let nameNode = use.node else { return nil }
        switch FilterName(rawValue: name) {
        case .tlsInspector: return plain(node, .tlsInspector)
        case .clientPins: return plain(node, .clientPins)
        case .identity: return plain(node, .identity)
        case .totp: return plain(node, .totp)
        case .jwt: return plain(node, .jwt)
        case .agentRateLimit:
            return Self.agentRateLimit.read(&self, node).flatMap { filter in
                read(filter.mode, or: .enforce).map { .agentRateLimit($0) }
            }
        case .ipRateLimit:
            return Self.ipRateLimit.read(&self, node).flatMap { ipRateLimit($0) }
        case .inspect:
            fault(nameNode, Self.notBuilt("`\(name)`"))
        case nil:
            let nearest = NearestName.of(name, in: FilterName.allCases.map(\.rawValue))
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
        Self.plain.read(&self, node).map { _ in filter }
    }

    private mutating func ipRateLimit(
        _ filter: PolicyObject<IPRateLimitKeys>
    ) -> Configuration.FilterUse? {
        let (requests, per, burst) = (filter.requests, filter.per, filter.burst)
        let isBare = requests.node == nil && per.node == nil && burst.node == nil
        let rate = isBare ? .standard : rate(requests, per, burst)
        guard let mode = read(filter.mode, or: .enforce), let rate else { return nil }
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
