// SPDX-License-Identifier: Apache-2.0

/// The section `upstreams`.
extension ConfigurationDraft {
    /// Left out, it is the one upstream that the specification shows.
    mutating func readUpstreams(
        _ upstreams: PolicyField<[PolicyItem<PolicyObject<UpstreamKeys>>]>
    ) {
        guard let node = upstreams.node else {
            configuration.upstreams[0].name = "openclaw"
            return
        }
        guard let items = read(upstreams) else { return }
        configuration.upstreams = []
        for item in items { readUpstream(item) }
        note(.upstreams, from: .policy, at: place(of: node))
        note(.upstreamEndpoint, from: .policy, at: place(of: node))
    }

    /// One that cannot be read whole is kept, so that its name is known to the routes.
    private mutating func readUpstream(_ item: PolicyItem<PolicyObject<UpstreamKeys>>) {
        var upstream = Configuration.Upstream(
            name: "", endpoints: [Configuration.Upstream.loopback])
        var endpointPlaces = EndpointPlaces()
        defer {
            configuration.upstreams.append(upstream)
            places.upstreams.append(item.node)
            places.endpoints.append(endpointPlaces)
        }
        guard let object = read(item) else {
            places.upstreamsAreWhole = false
            return
        }
        readOwner(object, into: &upstream)
        if let items = read(object.endpoints) {
            let endpoints: [UpstreamURL]
            (endpoints, endpointPlaces) = self.endpoints(items)
            if !endpoints.isEmpty { upstream.endpoints = endpoints }
        }
        assign(object.balance, to: &upstream.balance)
        assign(object.connectTimeout, to: &upstream.connectTimeoutMilliseconds)
        assign(object.firstByteTimeout, to: &upstream.firstByteTimeoutMilliseconds)
        assign(object.maxConnections, to: &upstream.maxConnections)
        assign(object.maxPending, to: &upstream.maxPending)
        assign(object.ejectAfter, to: &upstream.ejectAfter)
        if let check = read(object.healthCheck) {
            upstream.healthCheck = check.flatMap { healthCheck($0) }
        }
        if let tls = read(object.tls) { upstream.tls = upstreamTLS(tls) }
    }

    /// Name and audience: whose the upstream is, and whose tokens it gets.
    private mutating func readOwner(
        _ object: PolicyObject<UpstreamKeys>, into upstream: inout Configuration.Upstream
    ) {
        let faultsBefore = faults.count
        if let name = read(object.name) {
            if let other = configuration.upstreams.firstIndex(where: { $0.name == name }) {
                fault(object.node, "the name `\(name)` is that of upstream \(other) already")
            }
            upstream.name = name
        }
        upstream.audience = read(object.audience)
        assign(object.sharedAudience, to: &upstream.sharedAudience)
        if faults.count > faultsBefore { places.upstreamsAreWhole = false }
    }
}
