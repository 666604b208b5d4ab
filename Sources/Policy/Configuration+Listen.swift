// SPDX-License-Identifier: Apache-2.0

import Bytes

extension Configuration {
    package struct Listen: Sendable, Equatable {
        package var address = SocketAddressText(address: IPAddress(ipv4: 0), port: 8443)
        package var certificatePath = "/run/secrets/tls_cert"
        package var keyPath = "/run/secrets/tls_key"
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
