// SPDX-License-Identifier: Apache-2.0

import Bytes
import Filters
import Identity
import Policy
import Reactor
import Telemetry

/// Lines that somebody should hear of. They are never dropped, so what strangers can cause is
/// bounded here, by the second.
extension WorkerContext {
    static let auditsPerSecondMax = 10

    /// A key or token that came in the clear is known to others now.
    mutating func auditExposedSecret(_ client: IPAddress) {
        guard mayAudit() else { return }
        var line = SystemLine(
            .warn, "credentials were sent in plaintext to the TLS port", at: now.wallNanoseconds,
            audit: true)
        line.add("client", client.description)
        gateway.write(line)
    }

    mutating func auditLockout(_ outcome: FailureOutcome, agent: Int, _ client: IPAddress) {
        guard mayAudit() else { return }
        var line = SystemLine(
            .warn,
            outcome == .exhausted
                ? "the agent's seed is disabled after too many wrong codes"
                : "locked out after wrong codes",
            at: now.wallNanoseconds, audit: true)
        line.add("agent", String(decoding: generation.state.roster.names[agent], as: UTF8.self))
        line.add("client", client.description)
        gateway.write(line)
    }

    /// The upstream's endpoint is left out for a while.
    mutating func tellEjection(upstream: String, endpoint: String, milliseconds: UInt64) {
        guard mayAudit() else { return }
        var line = SystemLine(.warn, "upstream endpoint ejected", at: now.wallNanoseconds)
        line.add("upstream", upstream)
        line.add("endpoint", endpoint)
        line.add("milliseconds", "\(milliseconds)")
        gateway.write(line)
    }

    /// A connection could not be made; told once a second at most.
    mutating func tellUnreachable(upstream: String, endpoint: String, _ reason: String) {
        guard now.wallSeconds != unreachableSecond else { return }
        unreachableSecond = now.wallSeconds
        var line = SystemLine(.warn, "upstream not reached", at: now.wallNanoseconds)
        line.add("upstream", upstream)
        line.add("endpoint", endpoint)
        line.add("reason", reason)
        gateway.write(line)
    }

    /// Memory is short, and slow peers were cut off; told once a second at most.
    mutating func tellEvictions(_ count: Int) {
        evicted += count
        guard now.wallSeconds != evictionSecond else { return }
        evictionSecond = now.wallSeconds
        var line = SystemLine(
            .warn, "memory or connections are short: slow clients were cut off",
            at: now.wallNanoseconds)
        line.add("connections", "\(evicted)")
        gateway.write(line)
        evicted = 0
    }

    /// A worker could not go on with what the others have: an operator must know.
    func tellNotAdopted(_ reason: String) {
        var line = SystemLine(
            .error, "a worker keeps the old configuration", at: now.wallNanoseconds, audit: true)
        line.add("worker", "\(number)")
        line.add("reason", reason)
        gateway.write(line)
    }

    private mutating func mayAudit() -> Bool {
        if auditSecond != now.wallSeconds {
            auditSecond = now.wallSeconds
            auditCount = 0
        }
        auditCount += 1
        return auditCount <= Self.auditsPerSecondMax
    }
}
