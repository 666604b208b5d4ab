// SPDX-License-Identifier: Apache-2.0

/// One of `upstreams`.
struct UpstreamKeys: PolicyKeys {
    let name = PolicyKey(required: "name", .name, "What routes call it.")
    let endpoints = PolicyKey(
        required: "endpoints",
        .list(
            of: .endpoint, max: Bounds.endpointsMax, lack: "at least one endpoint is needed",
            isUnique: true),
        "Where it is reached.")
    let balance = PolicyKey(
        "balance", PolicyForm<Configuration.Balance>.choice,
        "How one of several endpoints is chosen.")
    let connectTimeout = PolicyKey(
        "connect_timeout", .duration(Bounds.timeout), "How long a connection may take to be made.")
    let firstByteTimeout = PolicyKey(
        "first_byte_timeout", .duration(Bounds.timeout), "How long an answer may take to begin.")
    let maxConnections = PolicyKey(
        "max_connections", .integer(Bounds.upstreamConnections),
        "Connections of all workers to all endpoints.")
    let maxPending = PolicyKey(
        "max_pending", .integer(Bounds.upstreamPending),
        "Requests that may wait for a connection.")
    let ejectAfter = PolicyKey(
        "eject_after", .integer(Bounds.ejectAfter),
        "Failures in a row after which an endpoint is left out for a while.")
    let healthCheck = PolicyKey(
        "health_check", .nullable(.object(HealthCheckKeys())),
        "How each endpoint is asked whether it is well; `null` where it is not asked.")
    let tls = PolicyKey(
        "tls", .object(UpstreamTLSKeys()),
        "Whom TLS believes, for endpoints that begin with `https://`.")
    let audience = PolicyKey(
        "audience", .claim, "What its tokens say in `aud`. Left out, it is the issuer's audience.")
    let sharedAudience = PolicyKey(
        "shared_audience", .bool,
        "That a token for this upstream may be good at another one that says so, too.")

    var all: [any AnyPolicyKey] {
        [
            name, endpoints, balance, connectTimeout, firstByteTimeout, maxConnections, maxPending,
            ejectAfter, healthCheck, tls, audience, sharedAudience,
        ]
    }

    let notBuilt = ["profile", "set_headers"]
}

struct HealthCheckKeys: PolicyKeys {
    let path = PolicyKey(required: "path", .healthPath, "What is asked for, by GET.")
    let interval = PolicyKey(
        "interval", .duration(Bounds.healthInterval), "The time between two checks.")
    let unhealthyAfter = PolicyKey(
        "unhealthy_after", .integer(Bounds.unhealthyAfter),
        "Failures in a row after which an endpoint counts as unhealthy.")

    var all: [any AnyPolicyKey] { [path, interval, unhealthyAfter] }
}

struct UpstreamTLSKeys: PolicyKeys {
    let authority = PolicyKey(
        "ca", .nullable(.path),
        "The file with the authorities that vouch for it, in PEM; `null` for the system's.")
    let serverName = PolicyKey(
        "server_name", .nullable(.hostName),
        "Whose certificate it has to show; `null` for the endpoint's host.")
    let pins = PolicyKey(
        "pins_sha256", .list(of: .pin, max: Bounds.pinsMax, isUnique: true),
        "Keys that its certificate may have. Empty: any.")

    var all: [any AnyPolicyKey] { [authority, serverName, pins] }
}
