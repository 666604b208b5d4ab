// SPDX-License-Identifier: Apache-2.0

import Bytes
import JSON

/// The section `upstreams`.
extension ConfigurationDraft {
    private static let notBuiltUpstream = [
        "health_check", "tls", "profile", "set_headers", "eject_after",
    ]

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
        let faultsBefore = faults.count
        configuration.upstreams = []
        for item in items { readUpstream(item) }
        places.upstreamsAreWhole = faults.count == faultsBefore
        note(.upstreams, from: .policy, at: place(of: node))
        note(.upstreamEndpoint, from: .policy, at: place(of: node))
    }

    /// One that cannot be read whole is kept, so that its name is known to the routes.
    private mutating func readUpstream(_ node: PolicyNode) {
        let known = [
            "name", "endpoints", "balance", "connect_timeout", "first_byte_timeout",
            "max_connections", "max_pending", "audience", "shared_audience",
        ]
        var upstream = Configuration.Upstream(
            name: "", endpoints: [Configuration.Upstream.loopback])
        var endpointNode: PolicyNode?
        defer {
            configuration.upstreams.append(upstream)
            places.upstreams.append(node)
            places.endpoints.append(endpointNode)
        }
        guard let object = object(node, known: known, notBuilt: Self.notBuiltUpstream) else {
            return
        }
        requireInert(object["balance"], "balance", unless: "`\"least_request\"`") {
            $0.string == "least_request"
        }
        if let name = required(object, "name").flatMap({ self.name($0) }) {
            if let other = configuration.upstreams.firstIndex(where: { $0.name == name }) {
                fault(node, "the name `\(name)` is that of upstream \(other) already")
            }
            upstream.name = name
        }
        if let endpoints = required(object, "endpoints"), let (url, item) = endpoint(endpoints) {
            upstream.endpoints = [url]
            endpointNode = item
        }
        if let node = object["connect_timeout"], let value = duration(node, in: Bounds.timeout) {
            upstream.connectTimeoutMilliseconds = value
        }
        if let node = object["first_byte_timeout"], let value = duration(node, in: Bounds.timeout) {
            upstream.firstByteTimeoutMilliseconds = value
        }
        if let node = object["max_connections"],
            let value = integer(node, in: Bounds.upstreamConnections)
        {
            upstream.maxConnections = value
        }
        if let node = object["max_pending"], let value = integer(node, in: Bounds.upstreamPending) {
            upstream.maxPending = value
        }
        upstream.audience = object["audience"].flatMap { claim($0) }
        upstream.sharedAudience = object["shared_audience"].flatMap { bool($0) } ?? false
    }

    private mutating func endpoint(_ node: PolicyNode) -> (UpstreamURL, PolicyNode)? {
        guard let items = items(node, max: .max) else { return nil }
        guard let first = items.first else {
            fault(node, "one endpoint is needed")
            return nil
        }
        guard items.count == 1 else {
            fault(node, Self.notBuilt("more than one endpoint"))
            return nil
        }
        guard let text = string(first) else { return nil }
        do {
            return (try UpstreamURL(text), first)
        } catch {
            fault(first, error.reason)
            return nil
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
