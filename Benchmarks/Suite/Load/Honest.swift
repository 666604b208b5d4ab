// SPDX-License-Identifier: Apache-2.0

import Reactor

/// What honest clients see over a long time: requests at fixed times on connections that are kept,
/// and now and then one on a new connection.
struct Honest: ~Copyable {
    /// What came of one stretch of time.
    struct Stretch {
        /// From when a request was due to the end of its answer.
        var kept = LatencyHistogram()
        /// From when a connection was due to the end of its first answer.
        var fresh = LatencyHistogram()
        /// Answered otherwise than with 200, unanswered, or cut off.
        var errors = 0

        mutating func merge(_ other: Stretch) {
            kept.merge(other.kept)
            fresh.merge(other.fresh)
            errors += other.errors
        }

        var answered: Int { Int(kept.count + fresh.count) }
    }

    private enum State { case opening, free, busy, freshOpening, freshBusy }

    private static let keptCount = 16
    private static let freshMax = 512
    private static let freshEvery = 20
    private static let patienceNanoseconds: UInt64 = 10_000_000_000
    private static let lookNanoseconds: UInt64 = 100_000_000

    private var pool: ClientPool
    private var kept: RequestMaker
    private var last: RequestMaker
    private var free: FreeList
    /// By index of the connection.
    private var states: [State]
    private var beganAt: [UInt64]
    /// Of those on new connections.
    private var dueAt: [UInt64]
    private var stretch = Stretch()
    private let interval: UInt64
    private var nextDue: UInt64 = 0
    private var sent = 0
    private var nextLook: UInt64 = 0

    init(
        _ target: LoadTarget, _ credentials: RequestMaker.Credentials, perSecond: Int
    ) throws(BenchmarkFault) {
        let capacity = Self.keptCount + Self.freshMax
        let pool = try ClientPool(target, capacity: capacity)
        self.pool = pool
        kept = RequestMaker(credentials)
        last = RequestMaker(credentials, isLast: true)
        free = FreeList(capacity: capacity)
        states = Array(repeating: .opening, count: capacity)
        beganAt = Array(repeating: 0, count: capacity)
        dueAt = Array(repeating: 0, count: capacity)
        interval = 1_000_000_000 / UInt64(perSecond)
    }

    /// To be called when done.
    mutating func leave() { pool.closeAll() }

    /// Goes on for so long.
    ///
    /// - Parameter look: called ten times a second; true ends it early.
    mutating func run(
        seconds: Double, look: () -> Bool
    ) throws(BenchmarkFault) -> Stretch {
        stretch = Stretch()
        let end = Clock.monotonicNanoseconds() + UInt64(seconds * 1e9)
        if nextDue == 0 {
            nextDue = Clock.monotonicNanoseconds() + interval
            for _ in 0..<Self.keptCount { try open(.opening) }
        }
        while true {
            let now = Clock.monotonicNanoseconds()
            guard now < end else { return stretch }
            let wall = Clock.wallNanoseconds() / 1_000_000_000
            try kept.prepare(wallSeconds: wall)
            try last.prepare(wallSeconds: wall)
            try sendDue(now)
            if now >= nextLook {
                nextLook = now + Self.lookNanoseconds
                try giveUpTheForgotten(now)
                if look() { return stretch }
            }
            try turn(until: min(end, nextLook, nextDue > now ? nextDue : nextLook))
        }
    }

    private mutating func sendDue(_ now: UInt64) throws(BenchmarkFault) {
        while nextDue <= now {
            if sent % Self.freshEvery == Self.freshEvery - 1 {
                if pool.count < Self.keptCount + Self.freshMax {
                    let index = try open(.freshOpening)
                    dueAt[index] = nextDue
                } else {
                    stretch.errors += 1
                }
            } else {
                guard let index = free.take() else { return }
                states[index] = .busy
                beganAt[index] = now
                if !pool.send(kept.next(), on: index, dueAt: nextDue) { try lose(index) }
            }
            sent += 1
            nextDue += interval
        }
    }

    private mutating func turn(until deadline: UInt64) throws(BenchmarkFault) {
        for event in 0..<pool.wait(until: deadline) {
            guard let (index, progress) = pool.advance(event) else { continue }
            switch progress {
            case .pending: break
            case .connected: try connected(index)
            case .answered(let status): answered(index, status)
            case .ended: try lose(index)
            }
        }
    }

    private mutating func connected(_ index: Int) throws(BenchmarkFault) {
        guard states[index] == .freshOpening else { return setFree(index) }
        states[index] = .freshBusy
        if !pool.send(last.next(), on: index, dueAt: dueAt[index]) { try lose(index) }
    }

    private mutating func answered(_ index: Int, _ status: Int) {
        if status != 200 { stretch.errors += 1 }
        let nanoseconds = pool.age(of: index).sinceDue
        guard states[index] == .freshBusy else {
            stretch.kept.record(nanoseconds: nanoseconds)
            return setFree(index)
        }
        stretch.fresh.record(nanoseconds: nanoseconds)
        pool.close(index)
    }

    private mutating func setFree(_ index: Int) {
        states[index] = .free
        free.add(index)
    }

    @discardableResult
    private mutating func open(_ state: State) throws(BenchmarkFault) -> Int {
        let index = try pool.open()
        states[index] = state
        beganAt[index] = Clock.monotonicNanoseconds()
        return index
    }

    private mutating func lose(_ index: Int) throws(BenchmarkFault) {
        pool.close(index)
        stretch.errors += 1
        let wasKept = states[index] != .freshOpening && states[index] != .freshBusy
        if states[index] == .free { free.remove(index) }
        if wasKept { try open(.opening) }
    }

    /// Nobody honest waits longer.
    private mutating func giveUpTheForgotten(_ now: UInt64) throws(BenchmarkFault) {
        for index in states.indices where pool.isOpen(index) && states[index] != .free {
            if now > beganAt[index] + Self.patienceNanoseconds { try lose(index) }
        }
    }
}
