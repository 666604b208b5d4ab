// SPDX-License-Identifier: Apache-2.0

import Reactor

/// A new connection for each request, several at a time; the server closes them.
struct ReconnectLoop {
    private static let warmUpNanoseconds: UInt64 = 400_000_000
    private static let lostMax = 100

    let seconds: Double
    let connections: Int

    /// Latency counts from the beginning of the connection to the end of the answer.
    func run(
        _ target: LoadTarget, _ maker: RequestMaker, _ watch: ProcessorWatch
    ) throws(BenchmarkFault) -> LoadResult {
        var pool = try ClientPool(target, capacity: connections)
        defer { pool.closeAll() }
        let windowStart = Clock.monotonicNanoseconds() + Self.warmUpNanoseconds
        let window = windowStart..<windowStart + UInt64(seconds * 1e9)
        var watch = watch
        var maker = maker
        var result = LoadResult()
        for _ in 0..<connections { try pool.open() }
        while true {
            let now = Clock.monotonicNanoseconds()
            if !watch.isRunning, window.contains(now) {
                watch.begin()
                result = LoadResult()
            }
            if now >= window.upperBound { break }
            try maker.prepare(wallSeconds: Clock.wallNanoseconds() / 1_000_000_000)
            let deadline = watch.isRunning ? window.upperBound : windowStart
            for event in 0..<pool.wait(until: deadline) {
                guard let (index, progress) = pool.advance(event) else { continue }
                try take(progress, of: index, &pool, &maker, &result)
            }
        }
        result.use = watch.end()
        result.nanoseconds = result.use.elapsed
        return result
    }

    private func take(
        _ progress: ClientConnection.Progress, of index: Int, _ pool: inout ClientPool,
        _ maker: inout RequestMaker, _ result: inout LoadResult
    ) throws(BenchmarkFault) {
        switch progress {
        case .pending: break
        case .connected(let isResumed):
            if isResumed { result.resumed += 1 }
            if !pool.send(maker.next(), on: index, dueAt: pool.age(of: index).dueAt) {
                try lose(index, &pool, &result)
            }
        case .answered(let status):
            let age = pool.age(of: index)
            if status == 200 { result.answered += 1 } else { result.refused += 1 }
            result.latency.record(nanoseconds: age.sinceDue)
            result.service.record(nanoseconds: age.sinceSent)
        case .ended:
            guard pool.isAnswered(index) else { return try lose(index, &pool, &result) }
            pool.close(index)
            try pool.open()
        }
    }

    private func lose(
        _ index: Int, _ pool: inout ClientPool, _ result: inout LoadResult
    ) throws(BenchmarkFault) {
        pool.close(index)
        result.lost += 1
        guard result.lost < Self.lostMax else {
            throw .failed("\(result.lost) connections were lost")
        }
        try pool.open()
    }
}
