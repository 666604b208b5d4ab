// SPDX-License-Identifier: Apache-2.0

/// The section `listen`.
extension ConfigurationDraft {
    mutating func readListen(_ listen: PolicyObject<ListenKeys>) {
        _ = read(listen.portalHost)
        take(listen.address, .listenAddress, \.listen.address)
        take(listen.publicURL, .publicURL, \.listen.publicURL)
        take(listen.plaintextJWKS, .plaintextJWKS, \.listen.plaintextJWKS)
        if let items = read(listen.trustedProxies), let node = listen.trustedProxies.node {
            let blocks = distinct(items, "block").map(\.value)
            set(
                .trustedProxies, \.listen.trustedProxies, to: blocks, from: .policy,
                at: place(of: node))
        }
        if let tls = read(listen.tls) {
            take(tls.certificate, .certificate, \.listen.certificatePath)
            take(tls.key, .key, \.listen.keyPath)
            readClientCertificates(tls)
        }
        if let limits = read(listen.limits) { readLimits(limits) }
    }

    private mutating func readLimits(_ limits: PolicyObject<ListenLimitKeys>) {
        take(limits.headerBytes, .headerBytes, \.listen.limits.headerBytes)
        take(limits.requestLine, .requestLine, \.listen.limits.requestLineBytes)
        take(limits.headerFields, .headerFields, \.listen.limits.headerFields)
        take(limits.body, .body, \.listen.limits.bodyBytes)
        take(limits.connections, .connections, \.listen.limits.connections)
        take(limits.connectionsPerIP, .connectionsPerIP, \.listen.limits.connectionsPerIP)
        take(limits.headerTimeout, .headerTimeout, \.listen.limits.headerTimeoutMilliseconds)
        take(limits.bodyTimeout, .bodyTimeout, \.listen.limits.bodyTimeoutMilliseconds)
        take(
            limits.keepaliveTimeout, .keepaliveTimeout,
            \.listen.limits.keepaliveTimeoutMilliseconds)
    }
}
