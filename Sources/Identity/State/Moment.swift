// SPDX-License-Identifier: Apache-2.0

/// One moment by two clocks, in milliseconds: the one that people and files mean, and that of the
/// process, which nobody sets.
package struct Moment: Equatable, Sendable {
    /// Since the epoch.
    package let wall: UInt64
    /// Never steps back; says nothing to another process.
    package let steady: UInt64

    package init(wall: UInt64, steady: UInt64) {
        self.wall = wall
        self.steady = steady
    }
}

/// A moment to come, as it is kept and told, and as this process waits for it.
package struct Deadline: Equatable, Sendable {
    /// Milliseconds since the epoch.
    package let wall: UInt64
    /// By the clock of this process.
    package let steady: UInt64

    /// No deadline is further ahead: that is over 30 years.
    static let aheadMax: UInt64 = 1 << 40

    /// - Parameter max: how far ahead it can be; one further ahead was kept by a clock that was.
    package init(wall: UInt64, from now: Moment, max: UInt64 = aheadMax) {
        let ahead = min(wall - min(now.wall, wall), max)
        self.wall = wall
        steady = now.steady + ahead
    }

    package init(in milliseconds: UInt64, from now: Moment) {
        wall = now.wall + milliseconds
        steady = now.steady + milliseconds
    }

    /// The same, with the time of day that it will be then if nobody sets the clock.
    func told(at now: Moment) -> Deadline {
        let left = steady - min(now.steady, steady)
        return Deadline(wall: min(wall, now.wall + left), from: now, max: left)
    }

    /// Whether it has passed so many milliseconds ago, by either clock.
    package func isOver(by milliseconds: UInt64, at now: Moment) -> Bool {
        wall + milliseconds <= now.wall || steady + milliseconds <= now.steady
    }

    /// Whether it has passed by either clock: while a machine is suspended, or before its clock is
    /// set right, only one of them tells.
    package func hasPassed(at now: Moment) -> Bool { wall <= now.wall || steady <= now.steady }
}
