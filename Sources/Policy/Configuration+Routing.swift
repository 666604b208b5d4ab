// SPDX-License-Identifier: Apache-2.0

import Bytes

extension Configuration {
    package struct Upstream: Sendable, Equatable {
        package var name: String
        /// At least one, each once.
        package var endpoints: [UpstreamURL]
        package var balance = Balance.leastRequest
        package var connectTimeoutMilliseconds = 5000
        package var firstByteTimeoutMilliseconds = 60_000
        /// Of all workers together, to all endpoints.
        package var maxConnections = 1024
        package var maxPending = 1024
        /// Failures in a row after which an endpoint is left out for a while.
        package var ejectAfter = 5
        /// `nil`: an endpoint counts as healthy until it is ejected.
        package var healthCheck: HealthCheck?
        /// Of the endpoints whose URL says `https`.
        package var tls = UpstreamTLS()
        /// `nil`: the issuer's.
        package var audience: String?
        /// The operator knows that a token for this upstream is good at another one too.
        package var sharedAudience = false

        package init(name: String, endpoints: [UpstreamURL]) {
            self.name = name
            self.endpoints = endpoints
        }

        static let loopback = UpstreamURL(
            plaintext: SocketAddressText(address: IPAddress(ipv4: 0x7F00_0001), port: 8080))
    }

    /// How an endpoint is chosen among those that are healthy.
    package enum Balance: String, Sendable, CaseIterable {
        /// Of two taken at random, the one with fewer requests underway.
        case leastRequest = "least_request"
        case roundRobin = "round_robin"
    }

    package struct HealthCheck: Sendable, Equatable {
        /// With its query, if any.
        package var path: String
        package var intervalMilliseconds = 5000
        /// Failures in a row.
        package var unhealthyAfter = 3

        package init(path: String) {
            self.path = path
        }
    }

    package struct UpstreamTLS: Sendable, Equatable {
        /// PEM; `nil`: the authorities of the system.
        package var authorityPath: String?
        /// Whose certificate it has to be; `nil`: the endpoint's host.
        package var serverName: String?
        /// SHA-256 of the SubjectPublicKeyInfo, 32 bytes each; empty: any key.
        package var pins: [[UInt8]] = []

        package init() {}
    }

    package struct Route: Sendable, Equatable {
        /// Normalised, so that it can be compared with a normalised target.
        package var path: String
        /// Empty: any.
        package var methods: [String]
        package var isPublic: Bool
        /// In ``Configuration/upstreams``.
        package var upstreamIndex: Int
        package var limits = RouteLimits()
        package var timeouts = RouteTimeouts()

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

    /// What a route narrows or widens of the listener's limits; `nil`: as the listener's.
    package struct RouteLimits: Sendable, Equatable {
        /// Not beyond the listener's, which is asked first.
        package var requestLineBytes: Int?
        package var headerBytes: Int?
        package var headerFields: Int?
        package var bodyBytes: UInt64?
        package var bodyTimeoutMilliseconds: Int?

        package init() {}
    }

    package struct RouteTimeouts: Sendable, Equatable {
        /// `nil`: the upstream's.
        package var firstByteMilliseconds: Int?
        /// How long an answer that has begun may pause; `nil`: as long as it likes.
        package var idleMilliseconds: Int?

        package init() {}
    }

    /// One step of the chain with what it was told.
    package enum FilterUse: Sendable, Equatable {
        case tlsInspector
        case clientPins
        case ipRateLimit(Rate, FilterMode = .enforce)
        case identity
        case totp
        case agentRateLimit(FilterMode = .enforce)
        case inspect(FilterMode)
        case jwt

        /// In the order of the specification, without what is not built yet.
        static let standardChain: [FilterUse] = [
            .tlsInspector, .clientPins, .ipRateLimit(.standard), .identity, .totp,
            .agentRateLimit(), .jwt,
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

        package var mode: FilterMode {
            switch self {
            case .ipRateLimit(_, let mode), .agentRateLimit(let mode), .inspect(let mode): mode
            case .tlsInspector, .clientPins, .identity, .totp, .jwt: .enforce
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

    package enum FilterMode: String, Sendable, CaseIterable {
        case enforce
        /// Lets through, counts and logs what would have been refused.
        case shadow
        case off
    }
}
