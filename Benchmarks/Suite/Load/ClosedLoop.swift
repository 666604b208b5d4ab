// SPDX-License-Identifier: Apache-2.0

import Reactor

/// On each connection the next request follows the answer at once: how much can be done at all.
struct ClosedLoop {
    private static let warmUpNanoseconds: UInt64 = 400_000_000

    let seconds: Double
    let connections: Int

    func run(
        _ target: LoadTarget, _ maker: RequestMaker, _ watch: ProcessorWatch
    ) throws(BenchmarkFault) -> LoadResult {
        var lane = try Lane(target, maker, connections: connections)
        defer { lane.close() }
        try lane.connect()
        let windowStart = Clock.monotonicNanoseconds() + Self.warmUpNanoseconds
        let window = windowStart..<windowStart + UInt64(seconds * 1e9)
        var watch = watch
        while true {
            let now = Clock.monotonicNanoseconds()
            if !watch.isRunning, window.contains(now) { lane.begin(&watch) }
            if now >= window.upperBound {
                lane.end(&watch)
                return lane.result
            }
            try lane.prepare()
            while try lane.send(dueAt: now) {}
            try lane.turn(until: window.contains(now) ? window.upperBound : windowStart) {
                window.contains($0)
            }
        }
    }
}
