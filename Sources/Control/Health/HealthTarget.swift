// SPDX-License-Identifier: Apache-2.0

import Reactor
import TLS

/// An endpoint that is asked again and again whether it is well.
package struct HealthTarget {
    /// The longest that one check takes, unless it is said otherwise.
    package static let timeoutMillisecondsMax = 5000

    package let id: Int
    /// Where it is now; `nil` while its name is not resolved. Asked at each check, with a number
    /// that is another one after each check that had no answer: a name may have several addresses.
    package let address: (_ attempt: Int) -> SocketAddress?
    /// Whether there is something to check: the resolver has had its first word of the name.
    package let isKnown: () -> Bool
    /// `nil` for plain HTTP.
    package let tls: TLSClientContext?
    /// What the Host field says.
    package let host: String
    package let path: String
    package let intervalMilliseconds: Int
    package let timeoutMilliseconds: Int
    /// Failures in a row.
    package let unhealthyAfter: Int
    /// Called when the endpoint is no longer what it was taken for, with a reason fit for a log
    /// line. Who is given it, takes the endpoint for healthy until told.
    package let report: (_ isHealthy: Bool, _ reason: String) -> Void

    /// - Parameter timeoutMilliseconds: `nil` for the interval, at most five seconds.
    package init(
        id: Int, address: @escaping (_ attempt: Int) -> SocketAddress?,
        isKnown: @escaping () -> Bool = { true },
        tls: TLSClientContext? = nil, host: String, path: String, intervalMilliseconds: Int,
        timeoutMilliseconds: Int? = nil,
        unhealthyAfter: Int, report: @escaping (_ isHealthy: Bool, _ reason: String) -> Void
    ) {
        self.id = id
        self.address = address
        self.isKnown = isKnown
        self.tls = tls
        self.host = host
        self.path = path
        self.intervalMilliseconds = max(1, intervalMilliseconds)
        self.timeoutMilliseconds =
            timeoutMilliseconds ?? min(self.intervalMilliseconds, Self.timeoutMillisecondsMax)
        self.unhealthyAfter = max(1, unhealthyAfter)
        self.report = report
    }

    /// Whether what was found out under the other's settings holds under these. A context is made
    /// anew on each reload, so that there is one counts, not which.
    func hasSettings(of other: HealthTarget) -> Bool {
        host == other.host && path == other.path && (tls == nil) == (other.tls == nil)
            && intervalMilliseconds == other.intervalMilliseconds
            && timeoutMilliseconds == other.timeoutMilliseconds
            && unhealthyAfter == other.unhealthyAfter
    }

    var request: FetchRequest {
        FetchRequest(
            path: path, host: host, userAgent: "agentport-health/1",
            timeoutMilliseconds: timeoutMilliseconds)
    }
}
