// SPDX-License-Identifier: Apache-2.0

import Bytes
import Policy
import Reactor

/// An upstream as the configuration has it, with what all workers share of it.
package final class Upstream: Sendable {
    package let rules: Configuration.Upstream
    /// In the order of the policy.
    package let endpoints: [Endpoint]
    let share: UpstreamShare
    /// As `Host` names it where the client named none.
    let authority: [UInt8]

    /// - Parameter previous: the upstream of that name until now; its permits go on.
    package init(
        _ rules: Configuration.Upstream, endpoints: [Endpoint], workers: Int, troubles: Troubles,
        after previous: Upstream? = nil
    ) {
        precondition(!endpoints.isEmpty && endpoints.count <= UInt64.bitWidth)
        self.rules = rules
        self.endpoints = endpoints
        share =
            previous?.share
            ?? UpstreamShare(
                connections: rules.maxConnections, pending: rules.maxPending, workers: workers,
                troubles: troubles)
        share.update(connections: rules.maxConnections, pending: rules.maxPending)
        authority = Array(rules.endpoints[0].authority.utf8)
    }

    /// Whether any endpoint is worth a try.
    package func isHealthy(now: UInt64) -> Bool {
        endpoints.contains { $0.addressCount > 0 && $0.isHealthy(now: now) }
    }

    /// Counts a failure, and ejects the endpoint where it was one too many and there is another.
    ///
    /// - Returns: for how many milliseconds it was ejected, if it was.
    func noteFailure(of endpoint: Endpoint, now: UInt64) -> UInt64? {
        let failures = endpoint.noteFailure()
        // After an ejection the count goes on, so that the next failure ejects again.
        guard failures >= rules.ejectAfter else { return nil }
        let hasAnother = endpoints.contains {
            $0 !== endpoint && $0.addressCount > 0 && $0.isHealthy(now: now)
        }
        return hasAnother ? endpoint.eject(now: now) : nil
    }
}
