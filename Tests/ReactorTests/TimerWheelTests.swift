// SPDX-License-Identifier: Apache-2.0

import Reactor
import TestSupport
import Testing

/// What a wheel is held against: an array that is looked through.
private struct NaiveTimers {
    struct Timer {
        var deadline: UInt64
        /// From here on the wheel has no excuse.
        var due: UInt64
    }

    static let tick = TimerWheel.tickMilliseconds
    var timers: [Timer?]

    /// Up to a tick late: the first tick at whose start the deadline has passed, but the next tick
    /// at the earliest.
    mutating func schedule(_ id: Int, at deadline: UInt64, now: UInt64) {
        let first = (deadline / Self.tick + (deadline % Self.tick == 0 ? 0 : 1)) * Self.tick
        timers[id] = Timer(deadline: deadline, due: max(first, (now / Self.tick + 1) * Self.tick))
    }

    var nextDue: UInt64? { timers.compactMap { $0?.due }.min() }
}

/// A worker's use of a wheel, at random: never early, never late, never lost, never twice.
private struct Simulation: ~Copyable {
    var random: SeededRandom
    var wheel: TimerWheel
    var naive: NaiveTimers
    var now: UInt64
    var fired = 0
    var fault: String?

    init(seed: UInt64) {
        random = SeededRandom(seed: seed)
        let capacity = Int.random(in: 1...40, using: &random)
        now = Bool.random(using: &random) ? 0 : UInt64.random(in: 0...(1 << 40), using: &random)
        wheel = TimerWheel(capacity: capacity, now: now)
        naive = NaiveTimers(timers: Array(repeating: nil, count: capacity))
    }

    mutating func run(steps: Int) {
        for _ in 0..<steps where fault == nil {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5: schedule()
            case 5: cancel()
            default: turn()
            }
        }
    }

    private mutating func schedule() {
        let id = Int.random(in: 0..<naive.timers.count, using: &random)
        let deadline = self.deadline()
        wheel.schedule(id, at: deadline)
        naive.schedule(id, at: deadline, now: now)
    }

    private mutating func deadline() -> UInt64 {
        switch Int.random(in: 0..<8, using: &random) {
        case 0: now
        case 1: now - min(now, UInt64.random(in: 0...100, using: &random))
        case 2, 3: now + UInt64.random(in: 1...20, using: &random)
        case 4: now + UInt64.random(in: 8180...8200, using: &random)
        case 5: now + UInt64.random(in: 1...100_000, using: &random)
        case 6: now + UInt64.random(in: 0...(1 << 50), using: &random)
        default: now + UInt64.random(in: 1...9000, using: &random)
        }
    }

    private mutating func cancel() {
        let id = Int.random(in: 0..<naive.timers.count, using: &random)
        wheel.cancel(id)
        naive.timers[id] = nil
    }

    /// Sleeps, or is kept busy, and then looks for what has expired.
    private mutating func turn() {
        let wait = wheel.waitMilliseconds(now: now)
        let isExact = wait > 0 && Int.random(in: 0..<2, using: &random) == 0
        if isExact {
            now += UInt64(wait)
        } else {
            switch Int.random(in: 0..<12, using: &random) {
            case 0: now += UInt64.random(in: 0...40_000, using: &random)
            case 1: now += UInt64.random(in: 0...100_000_000, using: &random)
            case 2: break
            default: now += UInt64.random(in: 0...30, using: &random)
            }
        }
        drain()
        checkWait(sleptExactly: isExact)
    }

    private mutating func drain() {
        while fault == nil, let id = wheel.nextExpired(now: now) {
            fired += 1
            guard let timer = naive.timers[id] else {
                fault = "timer \(id) fired, yet was not armed, at \(now)"
                return
            }
            if timer.deadline > now { fault = "\(id), due at \(timer.deadline), fired at \(now)" }
            naive.timers[id] = nil
            switch Int.random(in: 0..<6, using: &random) {
            case 0:
                let later = now + UInt64.random(in: 1...20_000, using: &random)
                wheel.schedule(id, at: later)
                naive.schedule(id, at: later, now: now)
            case 1: schedule()
            case 2: cancel()
            default: break
            }
        }
        for (id, timer) in naive.timers.enumerated() {
            if let timer, timer.due <= now {
                fault = "\(id), due at \(timer.due), has not fired at \(now)"
            }
        }
    }

    private mutating func checkWait(sleptExactly: Bool) {
        let wait = wheel.waitMilliseconds(now: now)
        if wait == 0 { fault = "a wait of nothing at \(now), with nothing due" }
        if wait < -1 { fault = "a wait of \(wait)" }
        if let due = naive.nextDue, wait < 0 || now + UInt64(wait) > due {
            fault = "a wait of \(wait) at \(now), with a timer due at \(due)"
        }
        // A wait that ends in time leads to the next tick at the earliest: no spinning.
        if sleptExactly, wait >= 0, UInt64(wait) < TimerWheel.tickMilliseconds {
            fault = "a wait of \(wait) after a whole wait, at \(now)"
        }
    }
}

@Suite("Timer wheel")
struct TimerWheelTests {
    @Test(arguments: 1...60)
    func agreesWithAnArray(seed: UInt64) {
        var simulation = Simulation(seed: seed)
        simulation.run(steps: 4000)
        let (fault, fired) = (simulation.fault, simulation.fired)
        #expect(fault == nil, "seed \(seed)")
        #expect(fired > 100, "seed \(seed)")
    }

    /// What is due at `now`, in the order in which it comes.
    private func expired(_ wheel: inout TimerWheel, now: UInt64) -> [Int] {
        var ids: [Int] = []
        while let id = wheel.nextExpired(now: now) { ids.append(id) }
        return ids
    }

    @Test func anEmptyWheelWaitsWithoutEnd() {
        var wheel = TimerWheel(capacity: 1, now: 5)
        #expect(wheel.waitMilliseconds(now: 5) == -1)
        #expect(expired(&wheel, now: .max) == [])
        #expect(wheel.waitMilliseconds(now: .max) == -1)
    }

    @Test(arguments: [0, 1, 7, 8, 9, 8184, 8191, 8192, 8193, 8200, 16_384, 1_000_000] as [UInt64])
    func firesInTheTickOfItsDeadline(delay: UInt64) {
        let start: UInt64 = 4_000_003
        var wheel = TimerWheel(capacity: 2, now: start)
        wheel.schedule(1, at: start + delay)
        var now = start
        var early = false
        var waits = 0
        while true {
            let wait = wheel.waitMilliseconds(now: now)
            guard wait > 0 else { break }
            waits += 1
            now += UInt64(wait)
            let ids = expired(&wheel, now: now)
            if ids == [1] { break }
            early = early || ids != []
        }
        #expect(!early)
        #expect(now >= start + delay)
        #expect(now < start + max(delay, 8) + TimerWheel.tickMilliseconds)
        // One wake-up a round of the wheel, and the one that counts.
        #expect(waits <= 2 + Int(delay / 8192))
        #expect(wheel.waitMilliseconds(now: now) == -1)
    }

    @Test func aMoveIsFollowedEitherWay() {
        var wheel = TimerWheel(capacity: 3, now: 0)
        wheel.schedule(0, at: 100)
        wheel.schedule(0, at: 1000)
        wheel.schedule(1, at: 1000)
        wheel.schedule(1, at: 100)
        wheel.schedule(2, at: 100)
        wheel.cancel(2)
        #expect(expired(&wheel, now: 104) == [1])
        #expect(expired(&wheel, now: 999) == [])
        #expect(expired(&wheel, now: 1000) == [0])
        #expect(expired(&wheel, now: 100_000) == [])
    }

    @Test func aCancelledTimerCanBeArmedAgain() {
        var wheel = TimerWheel(capacity: 1, now: 0)
        wheel.schedule(0, at: 100)
        wheel.cancel(0)
        wheel.cancel(0)
        wheel.schedule(0, at: 50)
        #expect(expired(&wheel, now: 56) == [0])
        wheel.schedule(0, at: 60)
        #expect(expired(&wheel, now: 64) == [0])
    }

    @Test func allOfItsCapacityCanBeDueAtOnce() {
        var wheel = TimerWheel(capacity: 3000, now: 0)
        for id in 0..<3000 { wheel.schedule(id, at: UInt64(id % 3) * 8192 + 8) }
        #expect(expired(&wheel, now: 8).count == 1000)
        #expect(Set(expired(&wheel, now: 1 << 40)).count == 2000)
        #expect(wheel.waitMilliseconds(now: 1 << 40) == -1)
    }

    @Test func aTimerOfTheSameBucketCanBeCancelledWhileItIsVisited() {
        var wheel = TimerWheel(capacity: 4, now: 0)
        for id in 0..<4 { wheel.schedule(id, at: 8) }
        let first = wheel.nextExpired(now: 8)
        var left = Set(0..<4)
        left.remove(first ?? -1)
        let moved = left.removeFirst()
        let cancelled = left.removeFirst()
        wheel.schedule(moved, at: 9)
        wheel.cancel(cancelled)
        #expect(expired(&wheel, now: 8) == Array(left))
        #expect(expired(&wheel, now: 16) == [moved])
    }

    @Test func aNewTimerOfTheVisitedBucketsNextRoundIsNotLost() {
        var wheel = TimerWheel(capacity: 2, now: 0)
        wheel.schedule(0, at: 8)
        let first = wheel.nextExpired(now: 8)
        #expect(first == 0)
        wheel.schedule(1, at: 8 + 8192)
        #expect(expired(&wheel, now: 8) == [])
        #expect(expired(&wheel, now: 8192) == [])
        #expect(expired(&wheel, now: 8200) == [1])
    }
}
