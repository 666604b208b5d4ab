// SPDX-License-Identifier: Apache-2.0

/// Deadlines by small integer names, one each, at the cost of a store where a deadline only
/// moves later.
///
/// A hashed wheel with lazy filing: a timer lies in the bucket of some deadline it once had. When
/// that bucket comes due, a timer whose deadline has moved on is filed again. Timers fire up to
/// one tick late, never early.
@safe
package struct TimerWheel: ~Copyable {
    /// Milliseconds a bucket covers.
    package static let tickMilliseconds: UInt64 = 8
    private static let bucketCount = 1024

    private struct Node {
        /// Milliseconds, monotonic; `UInt64.max` while disarmed.
        var deadline: UInt64
        /// The tick whose bucket the timer is filed under; meaningless unless filed.
        var filedTick: UInt64
        var next: Int32
        var previous: Int32
        var isFiled: Bool
    }

    package let capacity: Int
    /// Invariant: indices below `touched` are initialised.
    private let nodes: UnsafeMutablePointer<Node>
    private var touched = 0
    private let heads: UnsafeMutablePointer<Int32>
    /// One bit a bucket: something may be filed there.
    private var occupied = InlineArray<16, UInt64>(repeating: 0)
    /// All buckets before this tick have been emptied of what was due.
    private var currentTick: UInt64
    private var filedCount = 0
    /// The rest of the bucket that is being visited.
    private var visiting: Int32 = -1

    package init(capacity: Int, now: UInt64) {
        self.capacity = capacity
        unsafe nodes = .allocate(capacity: capacity)
        unsafe heads = .allocate(capacity: Self.bucketCount)
        unsafe heads.initialize(repeating: -1, count: Self.bucketCount)
        currentTick = now / Self.tickMilliseconds
    }

    deinit {
        unsafe nodes.deallocate()
        unsafe heads.deallocate()
    }

    /// Arms or moves the timer; `deadline` in monotonic milliseconds.
    package mutating func schedule(_ id: Int, at deadline: UInt64) {
        precondition(id >= 0 && id < capacity)
        touch(id)
        unsafe nodes[id].deadline = deadline
        let tick = max(dueTick(deadline), currentTick)
        if unsafe nodes[id].isFiled {
            if unsafe nodes[id].filedTick <= tick { return }
            unlink(id)
        }
        file(id, tick: tick)
    }

    /// Disarms the timer. It stays filed and is dropped when its bucket comes due.
    package mutating func cancel(_ id: Int) {
        guard id < touched else { return }
        unsafe nodes[id].deadline = .max
    }

    /// One timer whose deadline has passed, now disarmed; `nil` when there is none left.
    package mutating func nextExpired(now: UInt64) -> Int? {
        let nowTick = now / Self.tickMilliseconds
        while true {
            while visiting >= 0 {
                let id = Int(visiting)
                visiting = unsafe nodes[id].next
                unlink(id)
                let deadline = unsafe nodes[id].deadline
                if deadline <= now {
                    unsafe nodes[id].deadline = .max
                    return id
                }
                if deadline != .max {
                    // Never back into a tick that was visited already in this round.
                    file(id, tick: max(dueTick(deadline), currentTick + 1))
                }
            }
            guard filedCount > 0 else {
                currentTick = max(currentTick, nowTick)
                return nil
            }
            guard currentTick < nowTick else { return nil }
            currentTick += 1
            if filedCount > 0, nowTick - currentTick > UInt64(Self.bucketCount) {
                currentTick = nowTick - UInt64(Self.bucketCount)
            }
            visiting = unsafe heads[bucket(currentTick)]
        }
    }

    /// Milliseconds until the next bucket with a timer in it comes due, rounded up so that a wait
    /// never spins; -1 with nothing armed.
    package func waitMilliseconds(now: UInt64) -> Int {
        guard filedCount > 0 else { return -1 }
        // Whoever asked for the next expired one has not come to the end yet.
        if visiting >= 0 { return 0 }
        var tick = currentTick + 1
        let end = currentTick + UInt64(Self.bucketCount)
        while tick <= end {
            let index = bucket(tick)
            let rest = occupied[index >> 6] >> UInt64(index & 63)
            if rest == 0 {
                tick += UInt64(64 - index & 63)
                continue
            }
            let due = (tick + UInt64(rest.trailingZeroBitCount)) * Self.tickMilliseconds
            return due > now ? Int(due - now) : 0
        }
        return Int(Self.tickMilliseconds)
    }

    // MARK: Buckets

    /// The first tick at whose start the deadline has passed.
    private func dueTick(_ deadline: UInt64) -> UInt64 {
        deadline / Self.tickMilliseconds + (deadline % Self.tickMilliseconds == 0 ? 0 : 1)
    }

    private func bucket(_ tick: UInt64) -> Int {
        Int(truncatingIfNeeded: tick & UInt64(Self.bucketCount - 1))
    }

    private mutating func touch(_ id: Int) {
        while touched <= id {
            unsafe (nodes + touched).initialize(
                to: Node(deadline: .max, filedTick: 0, next: -1, previous: -1, isFiled: false))
            touched += 1
        }
    }

    private mutating func file(_ id: Int, tick: UInt64) {
        let tick = max(tick, currentTick + 1)
        let index = bucket(tick)
        let head = unsafe heads[index]
        unsafe nodes[id].filedTick = tick
        unsafe nodes[id].next = head
        unsafe nodes[id].previous = -1
        unsafe nodes[id].isFiled = true
        if head >= 0 { unsafe nodes[Int(head)].previous = Int32(truncatingIfNeeded: id) }
        unsafe heads[index] = Int32(truncatingIfNeeded: id)
        occupied[index >> 6] |= 1 << UInt64(index & 63)
        filedCount += 1
    }

    private mutating func unlink(_ id: Int) {
        let node = unsafe nodes[id]
        if Int(visiting) == id { visiting = node.next }
        let index = bucket(node.filedTick)
        if node.previous >= 0 {
            unsafe nodes[Int(node.previous)].next = node.next
        } else {
            unsafe heads[index] = node.next
            if node.next < 0 { occupied[index >> 6] &= ~(1 << UInt64(index & 63)) }
        }
        if node.next >= 0 { unsafe nodes[Int(node.next)].previous = node.previous }
        unsafe nodes[id].isFiled = false
        filedCount -= 1
    }
}
