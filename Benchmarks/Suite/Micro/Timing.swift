// SPDX-License-Identifier: Apache-2.0

import Reactor

/// Nanoseconds of processor time that one call takes.
///
/// Processor time rather than the clock's: others on the machine then disturb the caches alone.
struct Timing {
    private static let runs = 11
    private static let runNanoseconds: UInt64 = 10_000_000

    let median: Double
    let fastest: Double
    /// In each run.
    let calls: Int

    static func measure(_ microCase: MicroCase) throws(BenchmarkFault) -> Timing {
        var timing: Timing?
        try microCase.measure { calls in
            var count = 1
            while try nanoseconds(calls, count) < runNanoseconds { count *= 2 }
            var results: [Double] = []
            for _ in 0..<runs {
                results.append(Double(try nanoseconds(calls, count)) / Double(count))
            }
            results.sort()
            timing = Timing(median: results[runs / 2], fastest: results[0], calls: count)
        }
        guard let timing else { throw .failed("\(microCase.name) measured nothing") }
        return timing
    }

    private static func nanoseconds(_ calls: Calls, _ count: Int) throws -> UInt64 {
        let start = Clock.processorNanoseconds()
        Sink.take(try calls(count))
        return Clock.processorNanoseconds() - start
    }
}
