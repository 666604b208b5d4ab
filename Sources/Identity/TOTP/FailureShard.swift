// SPDX-License-Identifier: Apache-2.0

struct FailureKey: Equatable {
    let agent: Int
    let address: ClientAddress

    /// The address is the peer's choice within its network; what a bad spread costs is bounded by
    /// the set it falls into.
    private var mixed: UInt64 {
        var hash = UInt64(truncatingIfNeeded: address) ^ UInt64(truncatingIfNeeded: address >> 64)
        hash ^= UInt64(bitPattern: Int64(agent)) &* 0x9E37_79B9_7F4A_7C15
        hash = (hash ^ hash >> 32) &* 0xD6E8_FEB8_6659_FD93
        return hash ^ hash >> 32
    }

    var shard: Int { Int(truncatingIfNeeded: mixed & 15) }
    var set: Int { Int(truncatingIfNeeded: mixed >> 4 & UInt64(FailureShard.setCount - 1)) }
}

struct FailureEntry {
    var key = FailureKey(agent: -1, address: 0)
    /// Since the last success.
    var failures: Int32 = 0
    /// Attempts whose outcome is not known yet.
    var pending: Int32 = 0
    var lockedUntil: UInt64 = 0
    /// 0 before the first.
    var lastSuccess: UInt64 = 0
    var lastUse: UInt64 = 0
}

/// A part of the table of wrong codes: sets of eight entries, so that each call looks at eight.
struct FailureShard {
    static let setCount = 32
    static let ways = 8
    static let capacity = setCount * ways
    /// After this an attempt that never told its outcome has lost its slot: a connection that
    /// died between the two calls must not lock its address for good.
    static let slotMilliseconds: UInt64 = 60_000

    private var entries = [FailureEntry](repeating: FailureEntry(), count: capacity)

    /// - Parameter claimGuess: takes the strangers' common guess; gives when the next one is due
    ///   where it is gone.
    /// - Returns: until when this attempt has to wait; `nil` when it holds a slot.
    mutating func begin(
        _ key: FailureKey, now: UInt64, limits: TOTPLimits, strangersWait: Bool,
        claimGuess: () -> UInt64?
    ) -> UInt64? {
        guard let index = find(key) ?? make(key, now: now) else { return now + 1000 }
        if entries[index].lockedUntil > now { return entries[index].lockedUntil }
        if entries[index].lastUse + Self.slotMilliseconds < now { entries[index].pending = 0 }
        // After a lock-out there is one guess at a time, since each failure then locks again.
        let left = max(1, limits.failuresMax - Int(entries[index].failures))
        guard Int(entries[index].pending) < left else { return now + 1000 }
        if strangersWait, !hadSuccess(index, now: now), let next = claimGuess() { return next }
        entries[index].pending += 1
        entries[index].lastUse = now
        return nil
    }

    mutating func succeeded(_ key: FailureKey, now: UInt64) {
        guard let index = find(key) else { return }
        entries[index].failures = 0
        entries[index].pending = max(0, entries[index].pending - 1)
        entries[index].lockedUntil = 0
        entries[index].lastSuccess = now
        entries[index].lastUse = now
    }

    mutating func failed(
        _ key: FailureKey, now: UInt64, limits: TOTPLimits
    ) -> (failures: Int, lockedUntil: UInt64) {
        guard let index = find(key) else { return (1, 0) }
        entries[index].failures = min(entries[index].failures + 1, 1 << 30)
        entries[index].pending = max(0, entries[index].pending - 1)
        entries[index].lastUse = now
        let over = Int(entries[index].failures) - limits.failuresMax
        if over >= 0 {
            // Twenty doublings pass the longest lock-out from a millisecond on.
            let doubled = limits.lockoutMilliseconds << UInt64(min(over, 20))
            entries[index].lockedUntil = now + min(doubled, TOTPLimits.lockoutMillisecondsMax)
        }
        return (Int(entries[index].failures), entries[index].lockedUntil)
    }

    mutating func neutral(_ key: FailureKey, now: UInt64) {
        guard let index = find(key) else { return }
        entries[index].pending = max(0, entries[index].pending - 1)
        entries[index].lastUse = now
    }

    mutating func forget(agent: Int) {
        for index in entries.indices where entries[index].key.agent == agent {
            entries[index].failures = 0
            entries[index].lockedUntil = 0
        }
    }

    // MARK: Sets

    private func find(_ key: FailureKey) -> Int? {
        let base = key.set * Self.ways
        for index in base..<base + Self.ways where entries[index].key == key { return index }
        return nil
    }

    private mutating func make(_ key: FailureKey, now: UInt64) -> Int? {
        let base = key.set * Self.ways
        var victim: Int?
        for index in base..<base + Self.ways where entries[index].pending == 0 {
            guard let best = victim else {
                victim = index
                continue
            }
            if cost(index, now: now) < cost(best, now: now) { victim = index }
        }
        guard let victim else { return nil }
        entries[victim] = FailureEntry(key: key, lastUse: now)
        return victim
    }

    /// What giving an entry up would lose: free ones nothing, locked ones most.
    private func cost(_ index: Int, now: UInt64) -> (Int, UInt64) {
        if entries[index].key.agent < 0 { return (0, 0) }
        return (entries[index].lockedUntil > now ? 2 : 1, entries[index].lastUse)
    }

    private func hadSuccess(_ index: Int, now: UInt64) -> Bool {
        let success = entries[index].lastSuccess
        return success > 0 && now < success + TOTPLimits.dayMilliseconds
    }
}
