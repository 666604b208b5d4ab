// SPDX-License-Identifier: Apache-2.0

import Bytes
import Filters
import Policy
import Synchronization
import Testing

private let second: UInt64 = 1_000_000_000

@Suite("Rate limits")
struct RateLimiterTests {
    private func agents(_ requests: Int, burst: Int, period: UInt64 = second) -> AgentRateLimiter {
        AgentRateLimiter(limits: [
            RateLimit(requests: requests, periodNanoseconds: period, burst: burst), nil,
        ])
    }

    @Test func aBurstThenTheSteadyRate() {
        let limiter = agents(10, burst: 5)
        let start: UInt64 = 77 * second
        var passed = 0
        for _ in 0..<20 where limiter.take(agent: 0, now: start) == .pass { passed += 1 }
        #expect(passed == 5)
        // The next is due a tenth of a second later, to the nanosecond.
        #expect(limiter.take(agent: 0, now: start + second / 10 - 1) == .wait(seconds: 1))
        #expect(limiter.take(agent: 0, now: start + second / 10) == .pass)
        #expect(limiter.take(agent: 0, now: start + second / 10) == .wait(seconds: 1))
        // A bucket is full again after a burst's time, and never fuller.
        for _ in 0..<20 where limiter.take(agent: 0, now: start + 100 * second) == .pass {
            passed += 1
        }
        #expect(passed == 10)
    }

    @Test func whatIsToldIsEnough() {
        let limiter = agents(1, burst: 1, period: 10 * second)
        #expect(limiter.take(agent: 0, now: 5) == .pass)
        #expect(limiter.take(agent: 0, now: 6) == .wait(seconds: 10))
        #expect(limiter.take(agent: 0, now: 5 + 9 * second) == .wait(seconds: 1))
        #expect(limiter.take(agent: 0, now: 5 + 9 * second + 1) == .wait(seconds: 1))
        #expect(limiter.take(agent: 0, now: 6 + 10 * second) == .pass)
    }

    @Test func anAgentWithoutALimitHasNone() {
        let limiter = agents(1, burst: 1)
        for _ in 0..<10_000 { #expect(limiter.take(agent: 1, now: 1) == .pass) }
        #expect(limiter.limit(of: 1) == nil)
    }

    /// As after a reload: what a slow limit has taken for an hour, a faster one gives back in its
    /// own time; and a worker whose clock lags moves no bucket back.
    @Test func aFasterLimitWaitsForNoSlowerOne() throws {
        let slow = agents(1, burst: 1, period: 3600 * second)
        let start = 77 * second
        #expect(slow.take(agent: 0, now: start) == .pass)
        #expect(slow.take(agent: 0, now: start) == .wait(seconds: 3600))
        let fast = AgentRateLimiter(
            limits: [RateLimit(requests: 10, periodNanoseconds: second, burst: 2)], after: slow)
        #expect(fast.take(agent: 0, now: start) == .wait(seconds: 1))
        #expect(fast.take(agent: 0, now: start + second / 10) == .pass)
        #expect(fast.take(agent: 0, now: start + second / 10) == .wait(seconds: 1))
        #expect(fast.take(agent: 0, now: start) == .wait(seconds: 1))
        #expect(fast.take(agent: 0, now: start + second / 10) == .wait(seconds: 1))

        let address = try #require(IPAddress("192.0.2.1"))
        let hour = RateLimit(requests: 1, periodNanoseconds: 3600 * second, burst: 1)
        let before = AddressRateLimiter(limit: hour)
        #expect(before.take(address, now: start) == .pass)
        let after = AddressRateLimiter(
            limit: RateLimit(requests: 10, periodNanoseconds: second, burst: 2), after: before)
        #expect(after.take(address, now: start) == .wait(seconds: 1))
        #expect(after.take(address, now: start + second / 10) == .pass)
    }

    /// The widest values that a policy may have, and a clock at its start.
    @Test(arguments: [
        Rate(requests: 1, periodMilliseconds: 86_400_000, burst: 20_000_000),
        Rate(requests: 10_000_000, periodMilliseconds: 100, burst: 20_000_000),
        Rate(requests: 10_000_000, periodMilliseconds: 86_400_000, burst: 1),
        Rate(requests: 1, periodMilliseconds: 100, burst: 1),
    ])
    func theEdgesOfThePolicy(rate: Rate) {
        let limiter = AgentRateLimiter(limits: [RateLimit(rate)])
        for now in [0, 1, second, 1 << 50] as [UInt64] {
            let verdict = limiter.take(agent: 0, now: now)
            #expect(verdict == .pass || rate.burst == 1)
        }
        if rate.burst == 1 {
            #expect(limiter.take(agent: 0, now: 1 << 50) != .pass)
        } else {
            for _ in 0..<1000 { #expect(limiter.take(agent: 0, now: 1 << 50) == .pass) }
        }
    }

    /// No more and no fewer than the bucket holds, whatever the workers do at once.
    @Test func itIsExactOverThreads() {
        let limiter = agents(1000, burst: 3000)
        let addresses = AddressRateLimiter(
            limit: RateLimit(requests: 1000, periodNanoseconds: second, burst: 3000))
        let passed = Atomic(0)
        let passedByAddress = Atomic(0)
        runInParallel(4) { _ in
            for turn in 0..<5000 {
                // Five steps of 100 ms give 100 more each.
                let now = 9 * second + UInt64(turn / 1000) * (second / 10)
                if limiter.take(agent: 0, now: now) == .pass { passed.add(1, ordering: .relaxed) }
                if addresses.take(IPAddress(bits: 7), now: now) == .pass {
                    passedByAddress.add(1, ordering: .relaxed)
                }
            }
        }
        // Threads that are ahead in time fill for those behind: never more than burst and refill.
        #expect((3000...3400).contains(passed.load(ordering: .relaxed)))
        #expect((3000...3400).contains(passedByAddress.load(ordering: .relaxed)))
        var rest = 0
        while limiter.take(agent: 0, now: 9 * second + 4 * (second / 10)) == .pass { rest += 1 }
        #expect(passed.load(ordering: .relaxed) + rest == 3400)
    }

    // MARK: Addresses

    private func addresses(burst: Int = 1) -> AddressRateLimiter {
        AddressRateLimiter(
            limit: RateLimit(requests: 1, periodNanoseconds: 10 * second, burst: burst))
    }

    @Test func eachAddressHasABucketAndEachSubscribersNetwork() throws {
        let limiter = addresses()
        func take(_ text: String) throws -> RateVerdict {
            limiter.take(try #require(IPAddress(text)), now: second)
        }
        #expect(try take("10.0.0.1") == .pass)
        #expect(try take("10.0.0.2") == .pass)
        #expect(try take("10.0.0.1") == .wait(seconds: 10))
        #expect(try take("::ffff:10.0.0.2") == .wait(seconds: 10))
        #expect(try take("2001:db8:0:1::1") == .pass)
        #expect(try take("2001:db8:0:1:ffff::2") == .wait(seconds: 10))
        #expect(try take("2001:db8:0:2::1") == .pass)
    }

    @Test func aMillionAddressesGiveNobodyAFullBucket() {
        let limiter = addresses()
        let known = (0..<100).map { IPAddress(ipv4: 0x0A00_0000 + UInt32($0)) }
        for address in known { #expect(limiter.take(address, now: second) == .pass) }
        var now = second
        var passed = 0
        for number in 0..<1_000_000 as Range<UInt32> {
            now += 1000
            let stranger = IPAddress(ipv4: 0x2000_0000 &+ number &* 2_654_435_761)
            if limiter.take(stranger, now: now) == .pass { passed += 1 }
        }
        // A second has passed: whoever was limited before is limited still.
        for address in known { #expect(limiter.take(address, now: now) != .pass) }
        // Buckets for as many as there is room for, and the one that the others of a shard share.
        let room = AddressRateLimiter.shardCount * (AddressRateLimiter.addressesPerShard + 1)
        #expect(passed <= room)
        #expect(passed > room / 2)
    }

    @Test func roomComesBackOnceBucketsAreFullAgain() {
        let limiter = addresses()
        for number in 0..<200_000 as Range<UInt32> {
            _ = limiter.take(IPAddress(ipv4: number), now: second)
        }
        var passed = 0
        for number in 0..<30_000 as Range<UInt32> {
            let stranger = IPAddress(ipv4: 0x8000_0000 + number)
            if limiter.take(stranger, now: 20 * second) == .pass { passed += 1 }
        }
        #expect(passed == 30_000)
    }
}
