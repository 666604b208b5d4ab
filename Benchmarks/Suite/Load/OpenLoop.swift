// SPDX-License-Identifier: Apache-2.0

import Reactor

/// Requests due at fixed times, whatever becomes of those before them.
///
/// Each is sent on the connection that has been free longest, or as soon as one is. Latency counts
/// from when it was due: a server that stands still is charged with all who would have come.
struct OpenLoop {
    /// How long answers are waited for once the last request has been due.
    private static let patienceNanoseconds: UInt64 = 10_000_000_000
    private static let warmUpNanoseconds: UInt64 = 400_000_000

    let perSecond: Int
    let seconds: Double
    let connections: Int

    /// - Parameter aroundWindow: called when all connections stand and nothing was sent, and when
    ///   the last answer has come: for who counts from outside. There is no warming up then.
    func run(
        _ target: LoadTarget, _ maker: RequestMaker, _ watch: ProcessorWatch,
        aroundWindow: ((_ isBegin: Bool) throws(BenchmarkFault) -> Void)? = nil
    ) throws(BenchmarkFault) -> LoadResult {
        var lane = try Lane(target, maker, connections: connections)
        defer { lane.close() }
        try lane.connect()
        try aroundWindow?(true)
        let start = Clock.monotonicNanoseconds() + 1_000_000
        let windowStart = start + (aroundWindow == nil ? Self.warmUpNanoseconds : 0)
        let window = windowStart..<windowStart + UInt64(seconds * 1e9)
        try drive(&lane, watch, from: start, window)
        try aroundWindow?(false)
        return lane.result
    }

    private func drive(
        _ lane: inout Lane, _ watch: ProcessorWatch, from start: UInt64, _ window: Range<UInt64>
    ) throws(BenchmarkFault) {
        let interval = 1e9 / Double(perSecond)
        let giveUpAt = window.upperBound + Self.patienceNanoseconds
        var watch = watch
        var sent = 0
        while true {
            let now = Clock.monotonicNanoseconds()
            var dueAt = start + UInt64(Double(sent) * interval)
            try lane.prepare()
            while dueAt <= now, dueAt < window.upperBound, try lane.send(dueAt: dueAt) {
                sent += 1
                dueAt = start + UInt64(Double(sent) * interval)
            }
            if !watch.isRunning, window.contains(now) { lane.begin(&watch) }
            if watch.isRunning, now >= window.upperBound { lane.end(&watch) }
            let isAllSent = dueAt >= window.upperBound
            if isAllSent, lane.busyCount == 0, !watch.isRunning { return }
            guard now < giveUpAt else { return lane.giveUp() }
            // With no connection free, only an answer can help.
            let isLate = dueAt <= now
            let next = isLate || isAllSent ? giveUpAt : dueAt
            try lane.turn(until: watch.isRunning ? min(next, window.upperBound) : next) {
                window.contains($0)
            }
        }
    }
}
