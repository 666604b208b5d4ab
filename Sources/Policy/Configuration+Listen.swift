// SPDX-License-Identifier: Apache-2.0

import Bytes

extension Configuration {
    package struct Listen: Sendable, Equatable {
        package var address = SocketAddressText(address: IPAddress(ipv4: 0), port: 8443)
        package var certificatePath = "/run/secrets/tls_cert"
        package var keyPath = "/run/secrets/tls_key"
        package var clientCertificates = ClientCertificates()
        package var plaintextJWKS = PlaintextJWKS.private
        package var limits: Limits
        /// Whose `X-Forwarded-For` counts.
        package var trustedProxies: [CIDRBlock] = []
        /// `https://host[:port]` as people reach the listener, without a slash at its end.
        package var publicURL: String?

        package init(connections: Int) {
            limits = Limits(connections: connections)
        }
    }

    /// Who may fetch the key set over plaintext on the TLS port.
    package enum PlaintextJWKS: String, Sendable, CaseIterable {
        /// Loopback, RFC 1918 and ULA peers.
        case `private`
        case off
    }

    package struct Limits: Sendable, Equatable {
        package var requestLineBytes = 8 << 10
        package var headerBytes = 32 << 10
        package var headerFields = 100
        package var bodyBytes: UInt64 = 2 << 20
        package var connections: Int
        package var connectionsPerIP = 256
        package var headerTimeoutMilliseconds = 10_000
        package var bodyTimeoutMilliseconds = 15_000
        package var keepaliveTimeoutMilliseconds = 60_000

        package init(connections: Int = 20_000) {
            self.connections = connections
        }
    }
}

extension Configuration {
    /// Descriptors that are neither clients' nor upstreams': listeners, loops, files, the admin
    /// listener's connections.
    private static let descriptorsKept = 128

    /// The same with no more client connections than there are descriptors for, one for each
    /// client and one for its upstream; so that health and metrics always have some left.
    package func fitted(toDescriptors limit: Int) -> Configuration {
        let upstreams = self.upstreams.reduce(0) { $0 + $1.maxConnections }
        let room = max(2, limit - Self.descriptorsKept)
        let most = max(room / 2, room - upstreams)
        guard listen.limits.connections > most else { return self }
        var fitted = self
        fitted.listen.limits.connections = most
        return fitted
    }
}
