// SPDX-License-Identifier: Apache-2.0

/// The section `routes`.
extension ConfigurationDraft {
    /// Left out, it is one route for everything.
    mutating func readRoutes(_ routes: PolicyField<[PolicyItem<PolicyObject<RouteKeys>>]>) {
        guard let node = routes.node else {
            if configuration.upstreams.count > 1 {
                fault(
                    routes.object,
                    "`routes` is missing: with several upstreams it must say which is whose")
            }
            return
        }
        guard let items = read(routes) else {
            places.chainIsWhole = false
            return
        }
        configuration.routes = []
        for item in items {
            guard let route = read(item).flatMap({ route($0) }) else {
                places.chainIsWhole = false
                continue
            }
            if let other = configuration.routes.firstIndex(where: { $0.path == route.path }) {
                fault(
                    item.node,
                    "this route can never match: its path is that of "
                        + "\(places.routes[other].pointer)")
            }
            configuration.routes.append(route)
            places.routes.append(item.node)
        }
        note(.routes, from: .policy, at: place(of: node))
    }

    private mutating func route(_ object: PolicyObject<RouteKeys>) -> Configuration.Route? {
        let path = read(object.path)
        let methods = object.methods.node == nil ? [] : methods(object.methods)
        let isPublic = read(object.isPublic, or: false)
        let upstream = upstreamIndex(object)
        let limits = read(object.limits).map { routeLimits($0) }
        let timeouts = read(object.timeouts).map { routeTimeouts($0) }
        guard let path, let methods, let isPublic, let upstream else { return nil }
        var route = Configuration.Route(
            path: path, methods: methods, isPublic: isPublic, upstreamIndex: upstream)
        if let limits { route.limits = limits }
        if let timeouts { route.timeouts = timeouts }
        return route
    }

    private mutating func upstreamIndex(_ route: PolicyObject<RouteKeys>) -> Int? {
        guard let node = route.upstream.node else {
            if configuration.upstreams.count == 1 { return 0 }
            fault(route.node, "`upstream` is missing: there are several")
            return nil
        }
        guard let name = read(route.upstream) else { return nil }
        let names = configuration.upstreams.map(\.name)
        if let index = names.firstIndex(of: name) { return index }
        // An upstream whose name could not be read may be the one.
        if names.contains("") { return nil }
        let nearest = NearestName.of(name, in: names)
        fault(
            node,
            "unknown upstream \(Printable.quoted(name))"
                + (nearest.map { "; did you mean `\($0)`?" } ?? ""))
        return nil
    }

    /// `nil` where one cannot be read.
    private mutating func methods(_ list: PolicyField<[PolicyItem<String>]>) -> [String]? {
        guard let items = read(list) else { return nil }
        let methods = distinct(items, "method").map(\.value)
        return methods.count == items.count ? methods : nil
    }
}
