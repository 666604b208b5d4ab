// SPDX-License-Identifier: Apache-2.0

/// The section `listen`.
struct ListenKeys: PolicyKeys {
    let address = PolicyKey("address", .binding, "Where clients connect, by TLS.")
    let tls = PolicyKey(
        "tls", .object(ListenTLSKeys()), "The certificate, and what is asked of clients'.")
    let publicURL = PolicyKey(
        "public_url", .nullable(.publicURL),
        "How people reach the listener; `null` where that is not known.")
    let portalHost = PolicyKey(
        "portal_host", .onlyNull("portal_host"), "Not built yet: only `null` is allowed.")
    let plaintextJWKS = PolicyKey(
        "plaintext_jwks", PolicyForm<Configuration.PlaintextJWKS>.choice,
        "Who may fetch the key set in the clear: `private` is loopback, RFC 1918 and ULA peers.")
    let trustedProxies = PolicyKey(
        "trusted_proxies", .list(of: .block, max: Bounds.trustedProxiesMax, isUnique: true),
        "Whose `X-Forwarded-For` counts.")
    let limits = PolicyKey(
        "limits", .object(ListenLimitKeys()), "How much a client may send, and how slowly.")

    var all: [any AnyPolicyKey] {
        [address, tls, publicURL, portalHost, plaintextJWKS, trustedProxies, limits]
    }
}

struct ListenTLSKeys: PolicyKeys {
    let certificate = PolicyKey(
        "certificate", .path, "The file with the certificate and its chain, in PEM.")
    let key = PolicyKey("key", .path, "The file with the certificate's key, in PEM.")
    let clientAuthority = PolicyKey(
        "client_ca", .nullable(.path),
        "The file with the authorities that vouch for clients, in PEM; `null` for none.")
    let clientCertificate = PolicyKey(
        "client_certificate", PolicyForm<Configuration.ClientCertificateDemand>.choice,
        "Whether clients are asked for a certificate, and may do without.")
    let clientPins = PolicyKey(
        "client_pins_sha256",
        .list(of: .pin, max: Bounds.clientPinsMax, isUnique: true),
        "Keys that a client's certificate may have, besides those of agents.")

    var all: [any AnyPolicyKey] {
        [certificate, key, clientAuthority, clientCertificate, clientPins]
    }
}

struct ListenLimitKeys: PolicyKeys {
    let headerBytes = PolicyKey(
        "header_bytes", .size(Bounds.headerBytes), "The size of a request's head.")
    let headerFields = PolicyKey(
        "header_fields", .integer(Bounds.headerFields), "The number of a head's fields.")
    let requestLine = PolicyKey(
        "request_line", .size(Bounds.requestLine), "The size of a head's first line.")
    let body = PolicyKey("body", .largeSize(Bounds.body), "The size of a request's body.")
    let connections = PolicyKey(
        "connections", .integer(Bounds.connections), "Connections of all clients together.")
    let connectionsPerIP = PolicyKey(
        "connections_per_ip", .integer(Bounds.connections), "Connections of one address.")
    let headerTimeout = PolicyKey(
        "header_timeout", .duration(Bounds.timeout), "How long a head may take to come.")
    let bodyTimeout = PolicyKey(
        "body_timeout", .duration(Bounds.timeout), "How long a body may pause.")
    let keepaliveTimeout = PolicyKey(
        "keepalive_timeout", .duration(Bounds.timeout),
        "How long a connection may be idle between two requests.")

    var all: [any AnyPolicyKey] {
        [
            headerBytes, headerFields, requestLine, body, connections, connectionsPerIP,
            headerTimeout, bodyTimeout, keepaliveTimeout,
        ]
    }

    let notBuilt = ["buffered"]
}
