// SPDX-License-Identifier: Apache-2.0

/// What a route says over the listener's limits and the upstream's timeouts.
extension ConfigurationDraft {
    mutating func routeLimits(
        _ object: PolicyObject<RouteLimitKeys>
    ) -> Configuration.RouteLimits {
        var limits = Configuration.RouteLimits()
        assign(object.requestLine, to: &limits.requestLineBytes)
        assign(object.headerBytes, to: &limits.headerBytes)
        assign(object.headerFields, to: &limits.headerFields)
        assign(object.body, to: &limits.bodyBytes)
        assign(object.bodyTimeout, to: &limits.bodyTimeoutMilliseconds)
        return limits
    }

    mutating func routeTimeouts(
        _ object: PolicyObject<RouteTimeoutKeys>
    ) -> Configuration.RouteTimeouts {
        var timeouts = Configuration.RouteTimeouts()
        assign(object.firstByte, to: &timeouts.firstByteMilliseconds)
        assign(object.idle, to: &timeouts.idleMilliseconds)
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
