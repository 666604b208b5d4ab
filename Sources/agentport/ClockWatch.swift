// SPDX-License-Identifier: Apache-2.0

import Admin
import Gateway
import Reactor
import Telemetry

/// Notices a clock that is wrong: codes are good for half a minute, and tokens for one. Used by the
/// control thread alone.
final class ClockWatch {
    /// A date has whole seconds and may have been long on its way; codes bear half a minute.
    private static let offsetMax = 10
    private static let stepMaxMilliseconds = 2000

    private let gateway: Gateway
    private let started = Instant.read()
    /// How far the clock is from where it would be had it not been set since the start.
    private var setByMilliseconds = 0
    /// What the server that was heard last says: how far ahead of ours its clock is.
    private var offset: (seconds: Int, host: String)?
    private var isFarOff = false

    init(_ gateway: Gateway) {
        self.gateway = gateway
    }

    /// To be called once the log can be written.
    func begin() {
        guard Clock.isSynchronised == false else { return }
        gateway.log(
            .warn, "nobody keeps the clock right, says the kernel: one-time codes depend on it")
    }

    /// Called once a second.
    func tick() {
        let now = Instant.read()
        let elapsed = now.nanoseconds - started.nanoseconds
        let expected = Int64(bitPattern: started.wallNanoseconds &+ elapsed)
        let setBy = Int((Int64(bitPattern: now.wallNanoseconds) - expected) / 1_000_000)
        guard abs(setBy - setByMilliseconds) > Self.stepMaxMilliseconds else { return }
        gateway.audit(
            .warn, "the clock was set",
            [("by_seconds", "\((setBy - setByMilliseconds) / 1000)")])
        setByMilliseconds = setBy
    }

    /// - Parameter date: by the clock of that server, in seconds since the epoch.
    func hear(_ host: String, _ date: UInt64) {
        let seconds = Int(clamping: date) - Int(clamping: Instant.read().wallSeconds)
        offset = (seconds, host)
        let isFar = abs(seconds) > Self.offsetMax
        defer { isFarOff = isFar }
        guard isFar != isFarOff else { return }
        let facts = [("server", host), ("ahead_seconds", "\(seconds)")]
        if isFar {
            gateway.audit(.warn, "the clock is far from that of a server", facts)
        } else {
            gateway.audit(.info, "the clock is near that of a server again", facts)
        }
    }

    var status: AdminStatus.Clock {
        var clock = AdminStatus.Clock()
        clock.now = Instant.read().wallMilliseconds
        clock.isSynchronised = Clock.isSynchronised
        clock.setByMilliseconds = setByMilliseconds
        clock.offset = offset
        return clock
    }
}
