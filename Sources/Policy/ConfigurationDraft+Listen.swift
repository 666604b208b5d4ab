// SPDX-License-Identifier: Apache-2.0

import JSON

/// The section `listen`.
extension ConfigurationDraft {
    mutating func readListen(_ node: PolicyNode) {
        let known = [
            "address", "tls", "public_url", "portal_host", "plaintext_jwks", "trusted_proxies",
            "limits",
        ]
        guard let listen = object(node, known: known) else { return }
        requireInert(listen["portal_host"], "portal_host", unless: "`null`") { $0.isNull }
        take(listen["address"], .listenAddress, \.listen.address) { draft, node in
            guard let text = draft.string(node) else { return nil }
            guard let address = SocketAddressText(binding: text) else {
                draft.fault(node, Expected.address)
                return nil
            }
            return address
        }
        take(listen["public_url"], .publicURL, \.listen.publicURL) { $0.publicURL($1) }
        take(listen["plaintext_jwks"], .plaintextJWKS, \.listen.plaintextJWKS) {
            $0.choice($1, of: Configuration.PlaintextJWKS.self)
        }
        take(listen["trusted_proxies"], .trustedProxies, \.listen.trustedProxies) {
            $0.trustedProxies($1)
        }
        if let node = listen["tls"] { readTLS(node) }
        if let node = listen["limits"] { readLimits(node) }
    }

    private mutating func readTLS(_ node: PolicyNode) {
        let known = ["certificate", "key", "client_ca", "client_certificate", "client_pins_sha256"]
        guard let tls = object(node, known: known) else { return }
        take(tls["certificate"], .certificate, \.listen.certificatePath) { $0.path($1) }
        take(tls["key"], .key, \.listen.keyPath) { $0.path($1) }
        readClientCertificates(tls)
    }

    private mutating func readLimits(_ node: PolicyNode) {
        let known = [
            "header_bytes", "header_fields", "request_line", "body", "connections",
            "connections_per_ip", "header_timeout", "body_timeout", "keepalive_timeout",
        ]
        guard let limits = object(node, known: known, notBuilt: ["buffered"]) else { return }
        take(limits["header_bytes"], .headerBytes, \.listen.limits.headerBytes) {
            $0.size($1, in: Bounds.headerBytes)
        }
        take(limits["request_line"], .requestLine, \.listen.limits.requestLineBytes) {
            $0.size($1, in: Bounds.requestLine)
        }
        take(limits["header_fields"], .headerFields, \.listen.limits.headerFields) {
            $0.integer($1, in: Bounds.headerFields)
        }
        take(limits["body"], .body, \.listen.limits.bodyBytes) {
            $0.size($1, in: Bounds.body).map(UInt64.init)
        }
        take(limits["connections"], .connections, \.listen.limits.connections) {
            $0.integer($1, in: Bounds.connections)
        }
        take(limits["connections_per_ip"], .connectionsPerIP, \.listen.limits.connectionsPerIP) {
            $0.integer($1, in: Bounds.connections)
        }
        take(limits["header_timeout"], .headerTimeout, \.listen.limits.headerTimeoutMilliseconds) {
            $0.duration($1, in: Bounds.timeout)
        }
        take(limits["body_timeout"], .bodyTimeout, \.listen.limits.bodyTimeoutMilliseconds) {
            $0.duration($1, in: Bounds.timeout)
        }
        take(
            limits["keepalive_timeout"], .keepaliveTimeout,
            \.listen.limits.keepaliveTimeoutMilliseconds
        ) {
            $0.duration($1, in: Bounds.timeout)
        }
    }

    /// `.some(nil)` for `null`, which says that there is none.
    private mutating func publicURL(_ node: PolicyNode) -> String?? {
        if node.value.isNull { return .some(nil) }
        guard let text = string(node) else { return nil }
        do {
            _ = try OriginText.parse(text, scheme: "https://", defaultPort: 443)
            return text.hasSuffix("/") ? String(text.dropLast()) : text
        } catch {
            fault(node, error.reason)
            return nil
        }
    }

    private mutating func trustedProxies(_ node: PolicyNode) -> [CIDRBlock]? {
        guard let items = items(node, max: Bounds.trustedProxiesMax) else { return nil }
        var blocks: [CIDRBlock] = []
        for item in items {
            guard let text = string(item) else { continue }
            do {
                let block = try CIDRBlock(text)
                if blocks.contains(block) { fault(item, "the same block twice") }
                blocks.append(block)
            } catch .hostBits(let meant) {
                fault(item, "bits beyond the prefix are set; did you mean `\(meant)`?")
            } catch {
                fault(item, "must be an address or a block, as in `10.0.0.0/8`")
            }
        }
        return blocks
    }
}
