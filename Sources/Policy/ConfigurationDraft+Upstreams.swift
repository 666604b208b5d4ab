// SPDX-License-Identifier: Apache-2.0

import Bytes

/// The section `upstreams`.
extension ConfigurationDraft {
    /// Left out, it is the one upstream that the specification shows.
    mutating func readUpstreams(_ node: PolicyNode?) {
        guard let node else {
            configuration.upstreams[0].name = "openclaw"
            return
        }
        guard let items = items(node, max: Bounds.upstreamsMax) else { return }
        guard !items.isEmpty else {
            fault(node, "at least one upstream is needed")
            return
        }
        configuration.upstreams = []
        for item in items { readUpstream(item) }
        note(.upstreams, from: .policy, at: place(of: node))
        note(.upstreamEndpoint, from: .policy, at: place(of: node))
    }

    /// One that cannot be read whole is kept, so that its name is known to the routes.
    private mutating func readUpstream(_ node: PolicyNode) {
        let known = [
            "name", "endpoints", "balance", "connect_timeout", "first_byte_timeout",
            "max_connections", "max_pending", "eject_after", "health_check", "tls", "audience",
            "shared_audience",
        ]
        var upstream = Configuration.Upstream(
            name: "", endpoints: [Configuration.Upstream.loopback])
        var endpointPlaces = EndpointPlaces()
        defer {
            configuration.upstreams.append(upstream)
            places.upstreams.append(node)
            places.endpoints.append(endpointPlaces)
        }
        guard let object = object(node, known: known, notBuilt: ["profile", "set_headers"]) else {
            places.upstreamsAreWhole = false
            return
        }
        readOwner(object, into: &upstream)
        if let list = required(object, "endpoints") {
            let endpoints: [UpstreamURL]
            (endpoints, endpointPlaces) = self.endpoints(list)
            if !endpoints.isEmpty { upstream.endpoints = endpoints }
        }
        assign(object["balance"], to: &upstream.balance) {
            $0.choice($1, of: Configuration.Balance.self)
        }
        readBounds(object, into: &upstream)
        assign(object["health_check"], to: &upstream.healthCheck) { $0.healthCheck($1) }
        assign(object["tls"], to: &upstream.tls) { $0.upstreamTLS($1) }
    }

    /// Name and audience: whose the upstream is, and whose tokens it gets.
    private mutating func readOwner(
        _ object: PolicyObject, into upstream: inout Configuration.Upstream
    ) {
        let faultsBefore = faults.count
        if let name = required(object, "name").flatMap({ self.name($0) }) {
            if let other = configuration.upstreams.firstIndex(where: { $0.name == name }) {
                fault(object.node, "the name `\(name)` is that of upstream \(other) already")
            }
            upstream.name = name
        }
        upstream.audience = object["audience"].flatMap { claim($0) }
        assign(object["shared_audience"], to: &upstream.sharedAudience) { $0.bool($1) }
        if faults.count > faultsBefore { places.upstreamsAreWhole = false }
    }

    private mutating func readBounds(
        _ object: PolicyObject, into upstream: inout Configuration.Upstream
    ) {
        assign(object["connect_timeout"], to: &upstream.connectTimeoutMilliseconds) {
            $0.duration($1, in: Bounds.timeout)
        }
        assign(object["first_byte_timeout"], to: &upstream.firstByteTimeoutMilliseconds) {
            $0.duration($1, in: Bounds.timeout)
        }
        assign(object["max_connections"], to: &upstream.maxConnections) {
            $0.integer($1, in: Bounds.upstreamConnections)
        }
        assign(object["max_pending"], to: &upstream.maxPending) {
            $0.integer($1, in: Bounds.upstreamPending)
        }
        assign(object["eject_after"], to: &upstream.ejectAfter) {
            $0.integer($1, in: Bounds.ejectAfter)
        }
    }

    /// A member that must be there.
    mutating func required(_ object: PolicyObject, _ name: String) -> PolicyNode? {
        guard let node = object[name] else {
            fault(object.node, "`\(name)` is missing")
            return nil
        }
        return node
    }

    /// A name of an agent or an upstream: `[A-Za-z0-9][A-Za-z0-9._@-]{0,63}`.
    mutating func name(_ node: PolicyNode) -> String? {
        guard let text = string(node) else { return nil }
        let isName =
            (1...64).contains(text.utf8.count)
            && text.utf8.enumerated().allSatisfy {
                $1.isLetter || $1.isDigit || $0 > 0 && "._@-".utf8.contains($1)
            }
        guard isName else {
            fault(
                node,
                "must be 1 to 64 letters, digits, `.`, `_`, `@` and `-`, "
                    + "the first a letter or a digit")
            return nil
        }
        return text
    }
}
