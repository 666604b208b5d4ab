// SPDX-License-Identifier: Apache-2.0

import Bytes

extension Configuration {
    package struct Upstream: Sendable, Equatable {
        package var name: String
        package var endpoint: SocketAddressText
        package var connectTimeoutMilliseconds = 5000
        package var firstByteTimeoutMilliseconds = 60_000
        package var maxConnections = 1024
        package var maxPending = 1024
        /// `nil`: the issuer's.
        package var audience: String?
        /// The operator knows that a token for this upstream is good at another one too.
        package var sharedAudience = false

        package init(name: String, endpoint: SocketAddressText) {
            self.name = name
            self.endpoint = endpoint
        }

        static let loopback = SocketAddressText(address: IPAddress(ipv4: 0x7F00_0001), port: 8080)
    }

    package struct Route: Sendable, Equatable {
        /// Normalised, so that it can be compared with a normalised target.
        package var path: String
        /// Empty: any.
        package var methods: [String]
        package var isPublic: Bool
        /// In ``Configuration/upstreams``.
        package var upstreamIndex: Int

        package init(
            path: String, methods: [String] = [], isPublic: Bool = false, upstreamIndex: Int
        ) {
            self.path = path
            self.methods = methods
            self.isPublic = isPublic
            self.upstreamIndex = upstreamIndex
        }

        /// A path that ends in `/` holds for everything below it.
        package var isPrefix: Bool { path.utf8.last == 0x2F }
    }

    /// One step of the chain with what it was told.
    package enum FilterUse: Sendable, Equatable {
        case tlsInspector
        case clientPins
        case ipRateLimit(Rate)
        case identity
        case totp
        case agentRateLimit
        case inspect(InspectMode)
        case jwt

        /// In the order of the specification, without what is not built yet.
        static let standardChain: [FilterUse] = [
            .tlsInspector, .ipRateLimit(.standard), .identity, .totp, .agentRateLimit, .jwt,
        ]

        /// As the policy, metrics and logs call it.
        package var name: String {
            switch self {
            case .tlsInspector: "tls_inspector"
            case .clientPins: "client_pins"
            case .ipRateLimit: "ip_rate_limit"
            case .identity: "identity"
            case .totp: "totp"
            case .agentRateLimit: "agent_rate_limit"
            case .inspect: "inspect"
            case .jwt: "jwt"
            }
        }

        /// Skipped on a public route.
        package var needsAgent: Bool {
            switch self {
            case .identity, .totp, .agentRateLimit, .jwt: true
            case .tlsInspector, .clientPins, .ipRateLimit, .inspect: false
            }
        }
    }

    package enum InspectMode: String, Sendable, CaseIterable {
        case enforce, shadow, off
    }
}
