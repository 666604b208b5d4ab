// SPDX-License-Identifier: Apache-2.0

import Bytes

/// The one validated, immutable value that every worker gets.
///
/// Only ``ConfigurationLoader`` makes one, so whoever holds it need not check it again. Durations
/// are milliseconds, sizes bytes; paths are absolute or relative to the working directory.
package struct Configuration: Sendable {
    package internal(set) var mode: Mode
    /// `nil`: one a core that affinity and the cgroup's quota allow.
    package internal(set) var workers: Int?
    package internal(set) var listen: Listen
    package internal(set) var admin = Admin.tcp(
        SocketAddressText(
            address: IPAddress(ipv4: 0x7F00_0001), port: 9901))
    /// Holds the token that admin calls need; `nil` where none is given: then one is made and kept
    /// in the state directory.
    package internal(set) var adminTokenPath: String?
    /// Where state survives a restart; `nil` where nothing can be written.
    package internal(set) var stateDirectory: String?
    package internal(set) var secretsDirectory = "/run/secrets"
    /// At least one.
    package internal(set) var upstreams: [Upstream]
    package internal(set) var issuer = Issuer()
    /// Whose access tokens are believed.
    package internal(set) var oauth: [OAuthIssuer] = []
    package internal(set) var agents: [Agent] = []
    package internal(set) var totp = TOTPRules()
    package internal(set) var sessions = Sessions()
    /// In the order they run.
    package internal(set) var filters: [FilterUse] = FilterUse.standardChain
    /// In the order of the file; which one a path takes is decided by the longest match.
    package internal(set) var routes: [Route]
    package internal(set) var drain = Drain()
    package internal(set) var logLevel = LogLevel.info
    /// The file this was read from; `nil` for environment and secrets alone.
    package internal(set) var policy: PolicyFile?
    package internal(set) var sources = ConfigurationSources()

    /// What holds where nothing is said: one upstream, one route to it, the whole chain.
    init(defaultsFor mode: Mode) {
        self.mode = mode
        workers = mode == .sidecar ? 1 : nil
        listen = Listen(connections: mode == .sidecar ? 2000 : 20_000)
        upstreams = [Upstream(name: "upstream", endpoints: [Upstream.loopback])]
        routes = [Route(path: "/", upstreamIndex: 0)]
    }

    package enum Mode: String, Sendable, CaseIterable {
        case standalone, sidecar
    }

    package enum LogLevel: String, Sendable, CaseIterable {
        case debug, info, warn, error
    }

    package enum Admin: Sendable, Equatable {
        case off
        case tcp(SocketAddressText)
        case unix(path: String)
    }

    package struct Drain: Sendable, Equatable {
        /// How long listeners go on accepting.
        package var graceMilliseconds = 0
        /// When the process exits regardless, counted from the signal.
        package var deadlineMilliseconds = 15_000
    }

    package struct PolicyFile: Sendable, Equatable {
        package let path: String
        package let bytes: [UInt8]
    }
}

extension Configuration {
    /// What a token for this upstream says in `aud`.
    package func audience(of upstream: Upstream) -> String {
        upstream.audience ?? issuer.audience
    }

    /// What lets through that it would refuse, by name.
    package var inShadow: [String] { filters.filter { $0.mode == .shadow }.map(\.name) }

    /// The filters a request on this route runs through: a public route skips those that need to
    /// know an agent.
    package func filters(on route: Route) -> [FilterUse] {
        route.isPublic ? filters.filter { !$0.needsAgent } : filters
    }
}
