// SPDX-License-Identifier: Apache-2.0

import Bytes
import Policy
import Synchronization

/// A token bucket's shape: `requests` a `period`, and `burst` of them at once.
package struct RateLimit: Sendable, Equatable {
    package let requests: Int
    package let periodNanoseconds: UInt64
    package let burst: Int
    /// A bucket may seem emptier than empty by as much as workers read the time apart, in
    /// nanoseconds; more than that is no lag of theirs.
    private static let lagMax: UInt64 = 1_000_000_000

    /// Nanoseconds between requests at the steady rate, at least one.
    let interval: UInt64
    /// Nanoseconds of requests that a full bucket holds; of one that would hold more than 146
    /// years of them, that.
    let depth: UInt64

    package init(requests: Int, periodNanoseconds: UInt64, burst: Int) {
        precondition(requests > 0 && periodNanoseconds > 0 && burst > 0)
        self.requests = requests
        self.periodNanoseconds = periodNanoseconds
        self.burst = burst
        interval = max(1, periodNanoseconds / UInt64(requests))
        let (product, overflow) = interval.multipliedReportingOverflow(by: UInt64(burst))
        depth = overflow ? UInt64.max / 4 : min(product, UInt64.max / 4)
    }

    package init(_ rate: Rate) {
        self.init(
            requests: rate.requests,
            periodNanoseconds: UInt64(rate.periodMilliseconds) * 1_000_000, burst: rate.burst)
    }

    /// One request against a bucket in the form of the generic cell rate algorithm (ITU-T I.371):
    /// the bucket is one number, the time at which it would be full again.
    ///
    /// - Parameters:
    ///   - fullAt: that time in monotonic nanoseconds; moved on when the request passes, and back
    ///     where a slower limit of before a reload has set it: now the bucket is merely empty.
    /// - Returns: `nil` when it passes, else the nanoseconds to wait.
    func take(_ fullAt: inout UInt64, now: UInt64) -> UInt64? {
        var debt = fullAt > now ? fullAt - now : 0
        if debt > depth + Self.lagMax {
            debt = depth
            fullAt = now + debt
        }
        let tolerance = depth - min(depth, interval)
        if debt > tolerance { return debt - tolerance }
        fullAt = now + debt + interval
        return nil
    }

    /// Whole requests left in a bucket.
    func remaining(_ fullAt: UInt64, now: UInt64) -> Int {
        let debt = fullAt > now ? fullAt - now : 0
        return debt >= depth ? 0 : min(burst, Int((depth - debt) / interval))
    }
}

/// What a limiter said.
package enum RateVerdict: Equatable {
    case pass
    /// Seconds until the next request would pass, rounded up, at least 1.
    case wait(seconds: Int)

    static func wait(nanoseconds: UInt64) -> RateVerdict {
        .wait(seconds: max(1, Int((nanoseconds + 999_999_999) / 1_000_000_000)))
    }
}

/// One bucket for each of a fixed number of agents, exact over all workers, without a lock.
package final class AgentRateLimiter: Sendable {
    private let limits: [RateLimit?]
    private let buckets: SharedWords

    /// - Parameters:
    ///   - limits: by agent; `nil` for one without a limit.
    ///   - previous: whose buckets go on, for the same numbers.
    package init(limits: [RateLimit?], after previous: AgentRateLimiter? = nil) {
        self.limits = limits
        if let previous, previous.buckets.count >= limits.count {
            buckets = previous.buckets
            return
        }
        // Room for those to come, so that copying is rare: what is taken just then is lost.
        let spare = 64
        buckets = SharedWords(count: (limits.count / spare + 1) * spare)
        guard let previous else { return }
        for index in 0..<previous.buckets.count {
            buckets.store(index, previous.buckets.load(index))
        }
    }

    package func limit(of agent: Int) -> RateLimit? { limits[agent] }

    package func take(agent: Int, now: UInt64) -> RateVerdict {
        guard let limit = limits[agent] else { return .pass }
        var seen = buckets.load(agent)
        while true {
            var fullAt = seen
            let wait = limit.take(&fullAt, now: now)
            if let wait, fullAt == seen { return .wait(nanoseconds: wait) }
            let (exchanged, original) = buckets.compareExchange(
                agent, expected: seen, desired: fullAt)
            if exchanged { return wait.map { .wait(nanoseconds: $0) } ?? .pass }
            seen = original
        }
    }
}

/// One bucket an address (IPv6: a /64), exact over all workers, in bounded memory.
///
/// A bucket that has filled up again says nothing and is dropped when room is needed. Where a
/// shard is full of buckets in use, newcomers share one: nobody is evicted into a full bucket.
package final class AddressRateLimiter: Sendable {
    package static let shardCount = 64
    /// About 3 MB in all at the bound.
    package static let addressesPerShard = 1024

    private struct Shard {
        var fullAt: [IPAddress: UInt64] = [:]
        var newcomersFullAt: UInt64 = 0
        var sweptAt: UInt64 = 0
    }

    private final class Cell: Sendable {
        let shard = Mutex(Shard())
    }

    package let limit: RateLimit
    private let cells: [Cell]

    /// - Parameter previous: whose buckets go on: they tell when each would be full again, whatever
    ///   the limit.
    package init(limit: RateLimit, after previous: AddressRateLimiter? = nil) {
        self.limit = limit
        cells = previous?.cells ?? (0..<Self.shardCount).map { _ in Cell() }
    }

    package func take(_ address: IPAddress, now: UInt64) -> RateVerdict {
        let key = address.limitKey
        let folded = UInt64(truncatingIfNeeded: key.bits ^ key.bits >> 64)
        let mixed = folded &* 0x9E37_79B9_7F4A_7C15
        let nanoseconds = cells[Int(mixed >> 58)].shard.withLock { shard in
            take(key, &shard, now: now)
        }
        guard let nanoseconds else { return .pass }
        return .wait(nanoseconds: nanoseconds)
    }

    private func take(_ key: IPAddress, _ shard: inout Shard, now: UInt64) -> UInt64? {
        if var fullAt = shard.fullAt[key] {
            let known = fullAt
            let wait = limit.take(&fullAt, now: now)
            if fullAt != known { shard.fullAt[key] = fullAt }
            return wait
        }
        if shard.fullAt.count >= Self.addressesPerShard { sweep(&shard, now: now) }
        guard shard.fullAt.count < Self.addressesPerShard else {
            return limit.take(&shard.newcomersFullAt, now: now)
        }
        var fullAt: UInt64 = 0
        let wait = limit.take(&fullAt, now: now)
        shard.fullAt[key] = fullAt
        return wait
    }

    /// Drops full buckets, at most once in 100 ms: the walk is over a thousand entries.
    private func sweep(_ shard: inout Shard, now: UInt64) {
        guard now >= shard.sweptAt + 100_000_000 || shard.sweptAt == 0 else { return }
        shard.sweptAt = now
        shard.fullAt = shard.fullAt.filter { $0.value > now }
    }
}
