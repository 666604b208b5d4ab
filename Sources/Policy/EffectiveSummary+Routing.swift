// SPDX-License-Identifier: Apache-2.0

/// Where requests go. A line of its own has only what narrows, widens or guards the way.
extension EffectiveSummary {
    mutating func describeRoutes() {
        add("routes", "\(configuration.routes.count)", .routes)
        for route in configuration.routes {
            let methods =
                route.methods.isEmpty ? "any method" : route.methods.joined(separator: ", ")
            let filters = configuration.filters(on: route)
            let passes = filters == configuration.filters ? "whole chain" : Self.chain(filters)
            let upstream = configuration.upstreams[route.upstreamIndex].name
            add(
                "  \(route.path)\(route.isPrefix ? "*" : "")",
                "\(methods)"
                    + (route.isPublic ? ", PUBLIC" : "") + ", \(passes) > \(upstream)")
            let limits = Self.limits(route.limits)
            if !limits.isEmpty { add("    limits", limits.joined(separator: ", "), .routes) }
            let timeouts = Self.timeouts(route.timeouts)
            if !timeouts.isEmpty { add("    timeouts", timeouts.joined(separator: ", "), .routes) }
        }
    }

    private static func limits(_ limits: Configuration.RouteLimits) -> [String] {
        [
            limits.requestLineBytes.map { "request line \(SizeText.text($0))" },
            limits.headerBytes.map { "header bytes \(SizeText.text($0))" },
            limits.headerFields.map { "header fields \($0)" },
            limits.bodyBytes.map { "body \(SizeText.text(Int(clamping: $0)))" },
            limits.bodyTimeoutMilliseconds.map { "body timeout \(DurationText.text($0))" },
        ].compactMap { $0 }
    }

    private static func timeouts(_ timeouts: Configuration.RouteTimeouts) -> [String] {
        [
            timeouts.firstByteMilliseconds.map { "first byte \(DurationText.text($0))" },
            timeouts.idleMilliseconds.map { "idle \(DurationText.text($0))" },
        ].compactMap { $0 }
    }

    mutating func describeUpstreams() {
        add("upstreams", "\(configuration.upstreams.count)", .upstreams)
        for upstream in configuration.upstreams {
            // The issuer's audience, where an upstream has none of its own, has its line above.
            let audience = upstream.audience.map { "audience \($0), " } ?? ""
            add(
                "  \(upstream.name)",
                upstream.endpoints.map(\.description).joined(separator: " ")
                    + ", \(audience)\(upstream.maxConnections) connections",
                .upstreamEndpoint)
            if upstream.endpoints.count > 1 {
                add("    balance", upstream.balance.rawValue, .upstreams)
            }
            let check = upstream.healthCheck.map {
                "\($0.path) every \(DurationText.text($0.intervalMilliseconds)), "
                    + "unhealthy after \(Self.failures($0.unhealthyAfter))"
            }
            add("    health check", check ?? "none", .upstreams)
            add("    ejected after", Self.failures(upstream.ejectAfter), .upstreams)
            if upstream.endpoints.contains(where: \.isTLS) {
                add("    tls", Self.trust(upstream.tls), .upstreams)
            }
        }
    }

    private static func failures(_ count: Int) -> String {
        count == 1 ? "1 failure" : "\(count) failures in a row"
    }

    private static func trust(_ tls: Configuration.UpstreamTLS) -> String {
        let pins = count(tls.pins, "pin")
        return "ca \(tls.authorityPath ?? "of the system"), "
            + "server name \(tls.serverName ?? "of each endpoint"), \(pins)"
    }
}
