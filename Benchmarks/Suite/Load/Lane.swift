// SPDX-License-Identifier: Apache-2.0

import Reactor

/// A fixed set of connections, those of them that are free, and what has become of the requests.
struct Lane: ~Copyable {
    /// How many connections are being made at once.
    private static let openingMax = 32
    private static let openNanosecondsMax: UInt64 = 30_000_000_000
    /// A server that loses this many requests is not worth more.
    private static let lostMax = 1000

    private enum State { case opening, free, busy }

    private(set) var result = LoadResult()
    private(set) var busyCount = 0
    private var pool: ClientPool
    private var maker: RequestMaker
    private var free: FreeList
    /// By index of the connection.
    private var states: [State]
    private var openingCount = 0
    private let connections: Int

    init(
        _ target: LoadTarget, _ maker: RequestMaker, connections: Int
    ) throws(BenchmarkFault) {
        pool = try ClientPool(target, capacity: connections)
        self.maker = maker
        self.connections = connections
        free = FreeList(capacity: connections)
        states = Array(repeating: .opening, count: connections)
    }

    /// To be called when done: connections give back what they hold.
    mutating func close() { pool.closeAll() }

    /// Makes all connections.
    mutating func connect() throws(BenchmarkFault) {
        let end = Clock.monotonicNanoseconds() + Self.openNanosecondsMax
        while free.count < connections {
            while openingCount < Self.openingMax, pool.count < connections { try open() }
            try turn(until: end) { _ in false }
            guard Clock.monotonicNanoseconds() < end else {
                throw .failed("\(free.count) of \(connections) connections stand after 30 s")
            }
        }
    }

    mutating func prepare() throws(BenchmarkFault) {
        try maker.prepare(wallSeconds: Clock.wallNanoseconds() / 1_000_000_000)
    }

    /// - Returns: false where no connection is free.
    mutating func send(dueAt: UInt64) throws(BenchmarkFault) -> Bool {
        guard let index = free.take() else { return false }
        states[index] = .busy
        busyCount += 1
        if !pool.send(maker.next(), on: index, dueAt: dueAt) { try lose(index) }
        return true
    }

    /// Waits for events and lets them have their effect.
    ///
    /// - Parameter counts: whether the latency of a request that was due then is recorded.
    mutating func turn(
        until deadline: UInt64, counts: (_ dueAt: UInt64) -> Bool
    ) throws(BenchmarkFault) {
        for event in 0..<pool.wait(until: deadline) {
            guard let (index, progress) = pool.advance(event) else { continue }
            switch progress {
            case .pending: break
            case .connected:
                openingCount -= 1
                setFree(index)
            case .answered(let status):
                busyCount -= 1
                note(index, status, counts)
                setFree(index)
            case .ended: try lose(index)
            }
        }
    }

    // MARK: The window

    /// From now on answers are counted.
    mutating func begin(_ watch: inout ProcessorWatch) {
        watch.begin()
        result.answered = 0
    }

    mutating func end(_ watch: inout ProcessorWatch) {
        result.use = watch.end()
        result.nanoseconds = result.use.elapsed
    }

    /// What is still unanswered is given up.
    mutating func giveUp() { result.lost += busyCount }

    private mutating func note(_ index: Int, _ status: Int, _ counts: (UInt64) -> Bool) {
        guard status == 200 else {
            result.refused += 1
            return
        }
        if result.nanoseconds == 0 { result.answered += 1 }
        let age = pool.age(of: index)
        guard counts(age.dueAt) else { return }
        result.latency.record(nanoseconds: age.sinceDue)
        result.service.record(nanoseconds: age.sinceSent)
    }

    // MARK: Connections

    private mutating func open() throws(BenchmarkFault) {
        states[try pool.open()] = .opening
        openingCount += 1
    }

    private mutating func setFree(_ index: Int) {
        states[index] = .free
        free.add(index)
    }

    private mutating func lose(_ index: Int) throws(BenchmarkFault) {
        pool.close(index)
        switch states[index] {
        case .free: free.remove(index)
        case .opening:
            openingCount -= 1
            result.lost += 1
        case .busy:
            busyCount -= 1
            result.lost += 1
        }
        guard result.lost < Self.lostMax else {
            throw .failed("\(result.lost) requests or connections were lost")
        }
        try open()
    }
}
