// SPDX-License-Identifier: Apache-2.0

import Reactor

extension MicroCase {
    private static let timers = 4096

    /// A deadline that moves later, as every event of a connection moves it.
    static let timerMove = MicroCase("timer-move") { measure in
        var wheel = TimerWheel(capacity: timers, now: 0)
        for id in 0..<timers { wheel.schedule(id, at: 60_000) }
        var calls: UInt64 = 0
        try measure { count in
            for _ in 0..<count {
                calls += 1
                wheel.schedule(Int(calls % UInt64(timers)), at: 60_000 + calls / 64)
            }
            return wheel.waitMilliseconds(now: 0)
        }
    }

    /// A timer that is armed for a second and fires: a call is one armed and, on average, one
    /// fired.
    static let timerExpiry = MicroCase("timer-expiry", callsCounted: 8192) { measure in
        var wheel = TimerWheel(capacity: timers, now: 0)
        var calls: UInt64 = 0
        try measure { count in
            var fired = 0
            for _ in 0..<count {
                calls += 1
                // Four a millisecond: a timer is armed again 24 ms after it has fired.
                let now = calls / 4
                wheel.schedule(Int(calls % UInt64(timers)), at: now + 1000)
                while wheel.nextExpired(now: now) != nil { fired += 1 }
            }
            return fired
        }
    }
}
