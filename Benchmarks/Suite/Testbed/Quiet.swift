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
    /// How often what was disturbed is measured, in all.
    var triesMax = 3

    /// Measures in a quiet moment, and again where it did not stay quiet.
    ///
    /// - Returns: what others disturbed least.
    mutating func measure<Outcome>(
        _ body: () throws(BenchmarkFault) -> (outcome: Outcome, use: ProcessorUse)
    ) throws(BenchmarkFault) -> Outcome {
        wait()
        var best = try body()
        var tries = 1
        while best.use.isNoisy, tries < triesMax {
            tries += 1
            Console.progress("others used \(best.use.othersText) cores: once more")
            wait()
            let next = try body()
            if next.use.othersShare < best.use.othersShare { best = next }
        }
        return best.outcome
    }

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
