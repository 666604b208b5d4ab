// SPDX-License-Identifier: Apache-2.0

/// What `/metrics` tells beyond the workers' counters, gathered by whoever may call the system.
package struct ProcessFacts: Sendable {
    package var cpuNanoseconds: UInt64 = 0
    package var residentBytes: UInt64 = 0
    package var openDescriptors = 0
    package var maxDescriptors = 0
    /// Since the epoch.
    package var startTimeNanoseconds: UInt64 = 0
    package var sessions = 0
    /// The earliest end among the certificates in use, in seconds since the epoch.
    package var certificateExpirySeconds: Int64?
    package var seedRotations: UInt64 = 0
    package var reloadsSucceeded: UInt64 = 0
    package var reloadsFailed: UInt64 = 0
    package var endpoints: [EndpointFact] = []
    /// From the cgroup; `nil` where there is none.
    package var cpuThrottledNanoseconds: UInt64?

    package init() {}
}

/// What is known of an upstream's endpoint.
package struct EndpointFact: Sendable {
    package let upstream: String
    /// `host:port`, or `unix:/path`.
    package let endpoint: String
    package let isHealthy: Bool

    package init(upstream: String, endpoint: String, isHealthy: Bool) {
        self.upstream = upstream
        self.endpoint = endpoint
        self.isHealthy = isHealthy
    }
}
