// SPDX-License-Identifier: Apache-2.0

import Reactor

/// Connections that have one request answered and then stay, silent.
struct Crowd: ~Copyable {
    private static let openingMax = 32
    private static let nanosecondsMax: UInt64 = 60_000_000_000

    private var pool: ClientPool
    private let request: [UInt8]
    private var settled = 0

    init(_ target: LoadTarget, capacity: Int) throws(BenchmarkFault) {
        var maker = RequestMaker(.none)
        try maker.prepare(wallSeconds: 0)
        let pool = try ClientPool(target, capacity: capacity)
        self.pool = pool
        request = maker.next()
    }

    mutating func grow(to count: Int) throws(BenchmarkFault) {
        let end = Clock.monotonicNanoseconds() + Self.nanosecondsMax
        while settled < count {
            while pool.count < count, pool.count - settled < Self.openingMax { try pool.open() }
            try turn(until: end)
            guard Clock.monotonicNanoseconds() < end else {
                throw .failed("\(settled) of \(count) connections stand after 60 s")
            }
        }
    }

    /// Lets time pass and sees to it that all stay.
    mutating func rest(milliseconds: UInt64) throws(BenchmarkFault) {
        let end = Clock.monotonicNanoseconds() + milliseconds * 1_000_000
        while Clock.monotonicNanoseconds() < end { try turn(until: end) }
    }

    /// To be called when done.
    mutating func leave() {
        pool.closeAll()
        settled = 0
    }

    private mutating func turn(until deadline: UInt64) throws(BenchmarkFault) {
        for event in 0..<pool.wait(until: deadline) {
            guard let (index, progress) = pool.advance(event) else { continue }
            switch progress {
            case .pending: break
            case .connected:
                guard pool.send(request, on: index, dueAt: 0) else {
                    throw .failed("a connection was lost")
                }
            case .answered(200):
                settled += 1
                pool.rest(index)
            case .answered(let status): throw .failed("answered with \(status)")
            case .ended: throw .failed("the server closed a connection of \(pool.count)")
            }
        }
    }
}
