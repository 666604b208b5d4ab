// SPDX-License-Identifier: Apache-2.0

/// What a route says over the listener's limits and the upstream's timeouts.
extension ConfigurationDraft {
    mutating func routeLimits(_ node: PolicyNode) -> Configuration.RouteLimits? {
        let known = ["body", "body_timeout", "header_bytes", "header_fields", "request_line"]
        let misplaced = [
            "connections", "connections_per_ip", "header_timeout", "keepalive_timeout",
        ]
        let object = object(
            node, known: known, notBuilt: ["buffered"], misplaced: misplaced,
            reason: "belongs to `listen.limits`: it is decided before a route is known")
        guard let object else { return nil }
        var limits = Configuration.RouteLimits()
        assign(object["request_line"], to: &limits.requestLineBytes) {
            $0.size($1, in: Bounds.requestLine)
        }
        assign(object["header_bytes"], to: &limits.headerBytes) {
            $0.size($1, in: Bounds.headerBytes)
        }
        assign(object["header_fields"], to: &limits.headerFields) {
            $0.integer($1, in: Bounds.headerFields)
        }
        assign(object["body"], to: &limits.bodyBytes) {
            $0.size($1, in: Bounds.body).map(UInt64.init)
        }
        assign(object["body_timeout"], to: &limits.bodyTimeoutMilliseconds) {
            $0.duration($1, in: Bounds.timeout)
        }
        return limits
    }

    mutating func routeTimeouts(_ node: PolicyNode) -> Configuration.RouteTimeouts? {
        guard let object = object(node, known: ["first_byte", "idle"]) else { return nil }
        var timeouts = Configuration.RouteTimeouts()
        assign(object["first_byte"], to: &timeouts.firstByteMilliseconds) {
            $0.duration($1, in: Bounds.timeout)
        }
        assign(object["idle"], to: &timeouts.idleMilliseconds) {
            $0.duration($1, in: Bounds.timeout)
        }
        return timeouts
    }

    /// The listener judges a head before its route is known, so a route cannot allow more of it.
    mutating func checkRouteLimits() {
        let listener = configuration.listen.limits
        for (route, node) in zip(configuration.routes, places.routes) {
            let limits = route.limits
            check(
                limits.requestLineBytes, of: node, "request_line", .requestLine,
                against: listener.requestLineBytes, SizeText.text)
            check(
                limits.headerBytes, of: node, "header_bytes", .headerBytes,
                against: listener.headerBytes, SizeText.text)
            check(
                limits.headerFields, of: node, "header_fields", .headerFields,
                against: listener.headerFields, { "\($0)" })
            if let line = limits.requestLineBytes, let head = limits.headerBytes, line > head,
                let place = node.member("limits", "request_line")
            {
                fault(place, "must not be larger than `header_bytes`, \(SizeText.text(head))")
            }
        }
    }

    private mutating func check(
        _ limit: Int?, of route: PolicyNode, _ name: String, _ setting: ConfigurationSetting,
        against listener: Int, _ text: (Int) -> String
    ) {
        guard let limit, limit > listener, let place = route.member("limits", name) else { return }
        // Where the listener's own value could not be read, its default says nothing.
        let isGiven = places.root?.member("listen", "limits", name) != nil
        guard self.place(of: setting) != nil || !isGiven else { return }
        fault(place, "can never apply: the listener's is \(text(listener))")
    }
}
