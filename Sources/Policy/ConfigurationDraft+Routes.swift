// SPDX-License-Identifier: Apache-2.0

import Bytes

/// The section `routes`.
extension ConfigurationDraft {
    private static let notBuiltRoute = ["calls", "body", "websocket", "tools_default"]

    /// Left out, it is one route for everything.
    mutating func readRoutes(_ node: PolicyNode?, _ root: PolicyNode) {
        guard let node else {
            if configuration.upstreams.count > 1 {
                fault(
                    root, "`routes` is missing: with several upstreams it must say which is whose")
            }
            return
        }
        guard let items = items(node, max: Bounds.routesMax) else {
            places.chainIsWhole = false
            return
        }
        guard !items.isEmpty else {
            fault(node, "no request could match: leave `routes` out for one route `/`")
            return
        }
        configuration.routes = []
        for item in items {
            guard let route = route(item) else {
                places.chainIsWhole = false
                continue
            }
            if let other = configuration.routes.firstIndex(where: { $0.path == route.path }) {
                fault(
                    item,
                    "this route can never match: its path is that of "
                        + "\(places.routes[other].pointer)")
            }
            configuration.routes.append(route)
            places.routes.append(item)
        }
        note(.routes, from: .policy, at: place(of: node))
    }

    private mutating func route(_ node: PolicyNode) -> Configuration.Route? {
        let known = ["path", "methods", "public", "upstream", "limits", "timeouts"]
        guard let object = object(node, known: known, notBuilt: Self.notBuiltRoute) else {
            return nil
        }
        let path = required(object, "path").flatMap { routePath($0) }
        let methods = object["methods"].map { self.methods($0) } ?? []
        let isPublic = object["public"].map { bool($0) } ?? false
        let upstream = upstreamIndex(object)
        let limits = object["limits"].flatMap { routeLimits($0) }
        let timeouts = object["timeouts"].flatMap { routeTimeouts($0) }
        guard let path, let methods, let isPublic, let upstream else { return nil }
        var route = Configuration.Route(
            path: path, methods: methods, isPublic: isPublic, upstreamIndex: upstream)
        if let limits { route.limits = limits }
        if let timeouts { route.timeouts = timeouts }
        return route
    }

    private mutating func upstreamIndex(_ route: PolicyObject) -> Int? {
        guard let node = route["upstream"] else {
            if configuration.upstreams.count == 1 { return 0 }
            fault(route.node, "`upstream` is missing: there are several")
            return nil
        }
        guard let name = string(node) else { return nil }
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

    private mutating func methods(_ node: PolicyNode) -> [String]? {
        guard let items = items(node, max: Bounds.methodsMax) else { return nil }
        guard !items.isEmpty else {
            fault(node, "this route can never match: leave `methods` out to allow every method")
            return nil
        }
        var methods: [String] = []
        for item in items {
            guard let text = string(item) else { continue }
            guard (1...32).contains(text.utf8.count), text.utf8.allSatisfy(\.isTokenCharacter)
            else {
                fault(item, "must be a method, as in `POST`")
                continue
            }
            // RFC 9110 §9.1: methods are case-sensitive, so `post` would never match.
            guard text.utf8.allSatisfy({ !$0.isLetter || $0.isUpper }) else {
                fault(item, "methods are case-sensitive; did you mean `\(text.uppercased())`?")
                continue
            }
            if methods.contains(text) { fault(item, "the same method twice") }
            methods.append(text)
        }
        return methods.count == items.count ? methods : nil
    }

    /// A path is compared with the normalised one of a request, so one that is not normal itself
    /// could never match.
    private mutating func routePath(_ node: PolicyNode) -> String? {
        guard let text = string(node) else { return nil }
        guard let reason = Self.routePathFault(text) else { return text }
        fault(node, reason)
        return nil
    }

    private static func routePathFault(_ path: String) -> String? {
        guard path.utf8.first == UInt8(ascii: "/") else { return "a path begins with `/`" }
        guard path.utf8.count <= 1024 else { return "a path is at most 1024 bytes long" }
        // `pchar` of RFC 3986 §3.3 without percent-encoding.
        let isPathCharacter = { (byte: UInt8) in
            byte.isLetter || byte.isDigit || "/-._~!$&'()*+,;=:@".utf8.contains(byte)
        }
        if let bad = path.unicodeScalars.first(where: {
            !$0.isASCII || !isPathCharacter(UInt8($0.value))
        }) {
            return "\(Printable.quoted(String(Character(bad)))) is not allowed in a route's path"
        }
        let segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        if segments.dropLast().contains("") || segments.contains(".") || segments.contains("..") {
            return "this route can never match: requests are normalised, so write the path "
                + "without `//`, `.` and `..`"
        }
        if path == "/.well-known/jwks.json" || path.hasPrefix("/.agentport/") {
            return "this route can never match: the gateway answers here itself"
        }
        return nil
    }
}
