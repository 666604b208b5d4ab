// SPDX-License-Identifier: Apache-2.0

/// One of `routes`.
struct RouteKeys: PolicyKeys {
    let path = PolicyKey(
        required: "path", .routePath,
        "The path of requests; one that ends in `/` holds for everything below it.")
    let methods = PolicyKey(
        "methods",
        .list(
            of: .method, max: Bounds.methodsMax,
            lack: "this route can never match: leave `methods` out to allow every method",
            isUnique: true),
        "The methods of requests, in capitals. Left out, every method is allowed.")
    let isPublic = PolicyKey(
        "public", .bool, "Whether requests need no agent. They get no token, then.")
    let upstream = PolicyKey(
        "upstream", .reference,
        "The upstream it leads to. It may be left out where there is only one.")
    let limits = PolicyKey(
        "limits", .object(RouteLimitKeys()), "What holds in place of the listener's limits.")
    let timeouts = PolicyKey(
        "timeouts", .object(RouteTimeoutKeys()), "What holds in place of the upstream's.")

    var all: [any AnyPolicyKey] { [path, methods, isPublic, upstream, limits, timeouts] }

    let notBuilt = ["calls", "body", "websocket", "tools_default"]
}

/// Of the listener's limits those that are not decided before a route is known.
struct RouteLimitKeys: PolicyKeys {
    let headerBytes = PolicyKey(
        "header_bytes", .size(Bounds.headerBytes),
        "The size of a request's head, not beyond the listener's.")
    let headerFields = PolicyKey(
        "header_fields", .integer(Bounds.headerFields),
        "The number of a head's fields, not beyond the listener's.")
    let requestLine = PolicyKey(
        "request_line", .size(Bounds.requestLine),
        "The size of a head's first line, not beyond the listener's.")
    let body = PolicyKey("body", .largeSize(Bounds.body), "The size of a request's body.")
    let bodyTimeout = PolicyKey(
        "body_timeout", .duration(Bounds.timeout), "How long a body may pause.")

    var all: [any AnyPolicyKey] { [headerBytes, headerFields, requestLine, body, bodyTimeout] }

    let notBuilt = ListenLimitKeys().notBuilt

    var misplaced: (names: [String], reason: String) {
        let own = all.map(\.name)
        return (
            ListenLimitKeys().all.map(\.name).filter { !own.contains($0) },
            "belongs to `listen.limits`: it is decided before a route is known"
        )
    }
}

struct RouteTimeoutKeys: PolicyKeys {
    let firstByte = PolicyKey(
        "first_byte", .duration(Bounds.timeout), "How long an answer may take to begin.")
    let idle = PolicyKey(
        "idle", .duration(Bounds.timeout),
        "How long an answer that has begun may pause. Left out, as long as it likes.")

    var all: [any AnyPolicyKey] { [firstByte, idle] }
}
