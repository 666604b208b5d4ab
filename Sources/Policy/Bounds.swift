// SPDX-License-Identifier: Apache-2.0

/// What each setting may be, whoever sets it. Durations in milliseconds, sizes in bytes.
enum Bounds {
    static let policyBytesMax = 1 << 20

    static let workers = 1...256
    static let connections = 1...1_000_000
    /// The largest head that a slab holds with room for what the gateway adds.
    static let headerBytes = (1 << 10)...(32 << 10)
    static let requestLine = 128...(32 << 10)
    /// What a head's field table holds at most.
    static let headerFields = 8...128
    static let body = 0...(64 << 30)
    static let timeout = 100...3_600_000
    static let upstreamConnections = 1...65_536
    static let upstreamPending = 0...65_536
    static let ejectAfter = 1...1000
    static let healthInterval = 100...3_600_000
    static let unhealthyAfter = 1...100
    static let tokenLifetime = 1000...3_600_000
    /// Verifiers must have seen the next key before the one after it: the key set may be cached for
    /// five minutes.
    static let rotateEvery = 600_000...(366 * 24 * 3_600_000)
    static let rotationGrace = 0...86_400_000
    static let sessionLifetime = 1000...86_400_000
    static let drainGrace = 0...3_600_000
    static let drainDeadline = 0...3_600_000

    static let skew = 0...4
    static let maxFailures = 1...1000
    static let lockout = 1000...900_000
    static let disableAfter = 1...1_000_000
    static let digits = 6...8
    static let period = 1000...300_000

    static let upstreamsMax = 64
    /// Of one upstream.
    static let endpointsMax = 64
    /// Of one upstream, or one agent.
    static let pinsMax = 16
    /// Of the listener, for all clients that are no agent's.
    static let clientPinsMax = 1000
    static let healthPathBytesMax = 1024
    static let agentsMax = 10_000
    static let keysMax = 16
    static let oauthIssuersMax = 32
    /// Of one agent.
    static let oauthBindingsMax = 32
    static let urlBytesMax = 2048
    static let scopesMax = 64
    static let routesMax = 1000
    static let methodsMax = 32
    static let filtersMax = 16
    static let trustedProxiesMax = 256
}
