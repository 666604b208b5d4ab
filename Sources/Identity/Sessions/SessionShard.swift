// SPDX-License-Identifier: Apache-2.0

import Crypto

/// A part of the session table, behind one lock: records found by digest, and chained by agent
/// from the oldest to the newest.
struct SessionShard {
    /// One agent's sessions in this shard.
    struct Chain {
        var oldest: Int32 = -1
        var newest: Int32 = -1
        var count = 0
    }

    private let capacity: Int
    private(set) var count = 0
    private(set) var records: [SessionRecord] = []
    /// Invariant: a power of two of chain heads, at least `capacity`.
    private var buckets: [Int32]
    private var chains: [Chain] = []
    /// Agents that have a session here.
    private var agentCount = 0
    private var firstFree: Int32 = -1
    private var generation: UInt64 = 0
    /// Where the sweep goes on.
    private var swept = 0

    init(capacity: Int) {
        self.capacity = capacity
        var bucketCount = 1
        while bucketCount < capacity { bucketCount *= 2 }
        buckets = Array(repeating: -1, count: bucketCount)
    }

    // MARK: Finding

    func find(_ digest: SHA256Digest) -> Int? {
        var slot = buckets[bucket(digest)]
        while slot >= 0 {
            if records[Int(slot)].digest.matches(digest) { return Int(slot) }
            slot = records[Int(slot)].nextInBucket
        }
        return nil
    }

    func resolve(_ ref: SessionRef) -> Int? {
        let slot = Int(ref.slot)
        guard slot >= 0, slot < records.count, records[slot].generation == ref.generation,
            ref.generation != 0
        else { return nil }
        return slot
    }

    /// The low bits of the first word chose the shard.
    private func bucket(_ digest: SHA256Digest) -> Int {
        Int(truncatingIfNeeded: digest.word1 & UInt64(buckets.count - 1))
    }

    // MARK: Adding and removing

    /// Takes a record over; where the shard is full, another goes first.
    ///
    /// - Returns: slot and generation.
    mutating func insert(_ record: SessionRecord, now: UInt64) -> (Int32, UInt64) {
        if count == capacity { makeRoom(for: record.agent, now: now) }
        let slot: Int32
        if firstFree >= 0 {
            slot = firstFree
            firstFree = records[Int(slot)].nextInBucket
        } else {
            slot = Int32(records.count)
            records.append(SessionRecord())
        }
        generation += 1
        count += 1
        let head = bucket(record.digest)
        records[Int(slot)] = record
        records[Int(slot)].generation = generation
        records[Int(slot)].nextInBucket = buckets[head]
        buckets[head] = slot
        appendToChain(slot, agent: record.agent)
        return (slot, generation)
    }

    mutating func remove(_ slot: Int) {
        let freed = Int32(slot)
        let head = bucket(records[slot].digest)
        if buckets[head] == freed {
            buckets[head] = records[slot].nextInBucket
        } else {
            var previous = Int(buckets[head])
            while records[previous].nextInBucket != freed {
                previous = Int(records[previous].nextInBucket)
            }
            records[previous].nextInBucket = records[slot].nextInBucket
        }
        removeFromChain(slot)
        records[slot] = SessionRecord()
        records[slot].nextInBucket = firstFree
        firstFree = freed
        count -= 1
    }

    private mutating func appendToChain(_ slot: Int32, agent: Int) {
        while chains.count <= agent { chains.append(Chain()) }
        let newest = chains[agent].newest
        records[Int(slot)].older = newest
        records[Int(slot)].newer = -1
        if newest >= 0 {
            records[Int(newest)].newer = slot
        } else {
            chains[agent].oldest = slot
            agentCount += 1
        }
        chains[agent].newest = slot
        chains[agent].count += 1
    }

    private mutating func removeFromChain(_ slot: Int) {
        let agent = records[slot].agent
        let older = records[slot].older
        let newer = records[slot].newer
        if older >= 0 { records[Int(older)].newer = newer } else { chains[agent].oldest = newer }
        if newer >= 0 { records[Int(newer)].older = older } else { chains[agent].newest = older }
        chains[agent].count -= 1
        if chains[agent].count == 0 { agentCount -= 1 }
    }

    // MARK: Making room

    /// The oldest session of the agent that asks goes, if that agent has its fair share; else the
    /// oldest of the agent that has most. An agent can so never push out one that has fewer.
    private mutating func makeRoom(for agent: Int, now: UInt64) {
        if sweep(now: now, limit: 8) > 0 { return }
        let own = agent < chains.count ? chains[agent].count : 0
        var victim = agent
        if own == 0 || own < capacity / max(1, agentCount) {
            for candidate in chains.indices where chains[candidate].count > own {
                if victim == agent || chains[candidate].count > chains[victim].count {
                    victim = candidate
                }
            }
        }
        guard victim < chains.count, chains[victim].oldest >= 0 else { return }
        remove(Int(chains[victim].oldest))
    }

    /// Looks at the next `limit` records and removes those that are over.
    @discardableResult
    mutating func sweep(now: UInt64, limit: Int) -> Int {
        var removed = 0
        for _ in 0..<min(limit, records.count) {
            swept = swept + 1 < records.count ? swept + 1 : 0
            if records[swept].generation != 0, records[swept].expires <= now {
                remove(swept)
                removed += 1
            }
        }
        return removed
    }

    // MARK: Ending

    mutating func removeAll(where isMeant: (SessionRecord) -> Bool) -> Int {
        let before = count
        for slot in records.indices
        where records[slot].generation != 0 && isMeant(records[slot]) {
            remove(slot)
        }
        return before - count
    }

    mutating func remove(agent: Int, where isMeant: (SessionRecord) -> Bool) -> Int {
        guard agent >= 0, agent < chains.count else { return 0 }
        var removed = 0
        var slot = chains[agent].oldest
        while slot >= 0 {
            let next = records[Int(slot)].newer
            if isMeant(records[Int(slot)]) {
                remove(Int(slot))
                removed += 1
            }
            slot = next
        }
        return removed
    }

    mutating func remove(named sid: PublicID) -> Int {
        for slot in records.indices
        where records[slot].generation != 0 && Self.isEqual(records[slot].sid, sid) {
            remove(slot)
            return 1
        }
        return 0
    }

    private static func isEqual(_ left: PublicID, _ right: PublicID) -> Bool {
        for index in left.indices where left[index] != right[index] { return false }
        return true
    }

    // MARK: Tokens

    mutating func store(_ token: CachedToken, at slot: Int) {
        for index in records[slot].tokens.indices
        where records[slot].tokens[index].audience == token.audience {
            records[slot].tokens[index] = token
            return
        }
        if records[slot].tokens.count == SessionRecord.tokensMax {
            records[slot].tokens.removeFirst()
        }
        records[slot].tokens.append(token)
    }
}
