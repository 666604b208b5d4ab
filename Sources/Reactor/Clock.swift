// SPDX-License-Identifier: Apache-2.0

import CLinux

/// The only place where time is read; everything else is handed `now`.
package enum Clock {
    /// Nanoseconds that never step back, from an arbitrary start.
    @inline(always)
    package static func monotonicNanoseconds() -> UInt64 { cl_now(CLOCK_MONOTONIC) }

    /// Nanoseconds since 1970-01-01 UTC.
    @inline(always)
    package static func wallNanoseconds() -> UInt64 { cl_now(CLOCK_REALTIME) }

    /// Whether the kernel is told the time by somebody (adjtimex(2)); `nil` where it does not say.
    package static var isSynchronised: Bool? {
        switch cl_clock_state() {
        case 0: false
        case 1: true
        default: nil
        }
    }

    /// Processor time that this process has used.
    package static func processorNanoseconds() -> UInt64 { cl_now(CLOCK_PROCESS_CPUTIME_ID) }
}

/// The time of one turn of an event loop, read once after the wait.
package struct Instant: Sendable {
    /// Monotonic.
    package let nanoseconds: UInt64
    /// Since 1970-01-01 UTC.
    package let wallNanoseconds: UInt64
    /// Monotonic; divided once, since it is asked for at every step.
    package let milliseconds: UInt64

    package init(nanoseconds: UInt64, wallNanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
        self.wallNanoseconds = wallNanoseconds
        milliseconds = nanoseconds / 1_000_000
    }

    package static func read() -> Instant {
        Instant(
            nanoseconds: Clock.monotonicNanoseconds(), wallNanoseconds: Clock.wallNanoseconds())
    }

    package var wallMilliseconds: UInt64 { wallNanoseconds / 1_000_000 }
    package var wallSeconds: UInt64 { wallNanoseconds / 1_000_000_000 }
}
