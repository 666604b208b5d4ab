// SPDX-License-Identifier: Apache-2.0

import Bytes
import CBenchmarks
import Reactor
import Synchronization

/// Many attackers on one event loop in a thread of its own, each of which comes again when it is
/// cut off.
final class Attack: Sendable {
    /// Each attacker has its moment in the second.
    private static let ticksPerSecond = 100
    private static let tickNanoseconds: UInt64 = 1_000_000_000 / UInt64(ticksPerSecond)
    /// New connections a second: to besiege is not to storm.
    private static let openingsPerTick = 10
    private static let openingMax = 256

    let kind: AttackKind
    let attackers: Int
    private let target: LoadTarget
    private let isOver = Atomic<Bool>(false)
    private let hasEnded = Atomic<Bool>(false)
    private let heldNow = Atomic<Int>(0)
    private let cutCount = Atomic<Int>(0)
    private let failedCount = Atomic<Int>(0)
    private let nanoseconds = Atomic<UInt64>(0)

    init(_ kind: AttackKind, attackers: Int, on target: LoadTarget) throws(BenchmarkFault) {
        self.kind = kind
        self.attackers = attackers
        self.target = target
        do throws(SystemError) {
            _ = try Thread(name: "attack") { self.run() }
        } catch {
            throw .failed("no thread for the attack: \(error)")
        }
    }

    /// Connections that are doing what the attack is.
    var held: Int { heldNow.load(ordering: .relaxed) }
    /// Connections that the gateway has ended while they did, and those that did not get so far.
    var cuts: Int { cutCount.load(ordering: .relaxed) }
    var failures: Int { failedCount.load(ordering: .relaxed) }
    /// Processor time of the thread.
    var processorNanoseconds: UInt64 { nanoseconds.load(ordering: .relaxed) }

    /// Closes all connections.
    func end() {
        isOver.store(true, ordering: .relaxed)
        for _ in 0..<1000 where !hasEnded.load(ordering: .acquiring) {
            Process.pause(milliseconds: 10)
        }
    }

    private func run() {
        defer { hasEnded.store(true, ordering: .releasing) }
        // Attackers have machines of their own: here they must not take the gateway's, or that of
        // the clients whose latency is measured. What they do is counted all the same.
        _ = cb_yield_to_all()
        guard var camp = try? Camp(self.target, kind, capacity: attackers) else { return }
        var nextTick = Clock.monotonicNanoseconds()
        var tick = 0
        while !isOver.load(ordering: .relaxed) {
            let now = Clock.monotonicNanoseconds()
            if now >= nextTick {
                camp.open(upTo: Self.openingsPerTick, underway: Self.openingMax)
                if kind == .slow { camp.drip(tick % Self.ticksPerSecond, of: Self.ticksPerSecond) }
                tick += 1
                // What could not be done in time is not made up for.
                nextTick = max(nextTick + Self.tickNanoseconds, now)
                tell(camp)
            } else {
                camp.turn(milliseconds: Int((nextTick - now + 999_999) / 1_000_000))
            }
        }
        tell(camp)
        camp.leave()
    }

    private func tell(_ camp: borrowing Camp) {
        heldNow.store(camp.held, ordering: .relaxed)
        cutCount.store(camp.cuts, ordering: .relaxed)
        failedCount.store(camp.failures, ordering: .relaxed)
        nanoseconds.store(cb_thread_time(), ordering: .relaxed)
    }
}

/// The attackers of one thread.
private struct Camp: ~Copyable {
    private(set) var held = 0
    private(set) var cuts = 0
    private(set) var failures = 0
    private let target: LoadTarget
    private let kind: AttackKind
    private var loop: EventLoop
    private var desk: ClientDesk
    private var attackers: SlotTable<Attacker>

    init(_ target: LoadTarget, _ kind: AttackKind, capacity: Int) throws {
        let loop = try EventLoop()
        let desk = try ClientDesk(keepsHeadText: false)
        self.target = target
        self.kind = kind
        self.loop = loop
        self.desk = desk
        attackers = SlotTable(kind: 1, capacity: capacity)
    }

    mutating func open(upTo count: Int, underway: Int) {
        for _ in 0..<count
        where attackers.count < attackers.capacity && attackers.count - held < underway {
            guard let new = try? Attacker(target, kind, desk) else {
                failures += 1
                return
            }
            guard let index = attackers.insert(new) else { return }
            try? loop.add(
                attackers[index].socket.descriptor, attackers[index].interest,
                token: attackers.token(at: index))
        }
    }

    mutating func drip(_ part: Int, of parts: Int) {
        for index in stride(from: part, to: attackers.indexEnd, by: parts)
        where attackers.isOccupied(index) && !attackers[index].drip() {
            remove(index)
        }
    }

    mutating func turn(milliseconds: Int) {
        for number in 0..<loop.wait(milliseconds: milliseconds) {
            let event = loop.event(at: number)
            guard let index = attackers.resolve(event.token) else { continue }
            let before = attackers[index].interest
            switch attackers[index].handle(event, &desk) {
            case .pending: follow(index, before)
            case .holding:
                held += 1
                follow(index, before)
            case .ended: remove(index)
            }
        }
    }

    mutating func leave() {
        for index in 0..<attackers.indexEnd where attackers.isOccupied(index) {
            var attacker = attackers.remove(at: index)
            attacker.release(to: &desk.pool)
        }
    }

    private mutating func follow(_ index: Int, _ before: Interest) {
        guard attackers[index].interest != before else { return }
        try? loop.modify(
            attackers[index].socket.descriptor, attackers[index].interest,
            token: attackers.token(at: index))
    }

    private mutating func remove(_ index: Int) {
        var attacker = attackers.remove(at: index)
        if attacker.phase == .holding {
            held -= 1
            cuts += 1
        } else {
            failures += 1
        }
        attacker.release(to: &desk.pool)
    }
}
