// SPDX-License-Identifier: Apache-2.0

import Reactor

/// Waits for a moment in which others leave the machine alone, within bounds.
struct Quiet {
    /// In cores.
    private static let busyMax = 0.12
    private static let lookMilliseconds = 250
    /// At one place.
    private static let waitMillisecondsMax = 10_000

    /// What may be waited in all.
    var millisecondsLeft = 60_000

    /// To be called while nothing of ours runs.
    mutating func wait() {
        var waited = 0
        while waited < Self.waitMillisecondsMax, millisecondsLeft > 0 {
            var watch = ProcessorWatch()
            watch.begin()
            Process.pause(milliseconds: Self.lookMilliseconds)
            let others = watch.end().othersShare
            guard others > Self.busyMax else { return }
            if waited == 0 {
                Console.progress("others use \(NumberText.fixed(others, 2)) cores: waiting")
            }
            waited += Self.lookMilliseconds
            millisecondsLeft -= Self.lookMilliseconds
        }
    }
}
