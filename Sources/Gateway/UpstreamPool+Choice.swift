// SPDX-License-Identifier: Apache-2.0

import Bytes
import Policy
import Reactor
import Telemetry

/// What a worker knows of an upstream.
struct UpstreamView {
    var upstream: Upstream
    /// In the order of the upstream's endpoints.
    var seats: [Int] = []
    var line = WaitingLine()
    var share: UpstreamShare
    var connectMilliseconds: UInt64
    var balance: Configuration.Balance
    /// Whose turn it was last.
    var turn = -1
    /// The share knows that somebody is in line here.
    var isHungry = false

    init(_ upstream: Upstream) {
        self.upstream = upstream
        share = upstream.share
        connectMilliseconds = UInt64(upstream.rules.connectTimeoutMilliseconds)
        balance = upstream.rules.balance
    }

    /// Takes over what a new configuration says; those in line stay.
    mutating func follow(_ upstream: Upstream, worker: Int) {
        self.upstream = upstream
        move(to: upstream.share, worker: worker)
        connectMilliseconds = UInt64(upstream.rules.connectTimeoutMilliseconds)
        balance = upstream.rules.balance
    }

    /// The upstream had gone and is there again: those who stood in line all the while are counted
    /// there, and not where nobody serves them.
    private mutating func move(to other: UpstreamShare, worker: Int) {
        guard other !== share else { return }
        for _ in 0..<line.count {
            share.leaveLine()
            other.moveIntoLine()
        }
        if isHungry { _ = share.setHungry(false, worker: worker, since: 0) }
        share = other
    }
}

/// What a worker has to do with an endpoint of an upstream.
struct EndpointSeat {
    let endpoint: Endpoint
    /// Links the idle connections, the latest first; -1 at the end.
    var firstIdle = -1
    var open = 0
    /// Connections that are lent: requests underway.
    var underway = 0
    /// Turns from one address of a name to the next when one does not answer.
    var attempt = 0
    /// The configuration has it no more: nothing is parked here.
    var isRetired = false
}

/// A quick source of chance for choosing among equals; nobody gains by guessing it.
struct Dice {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 2 &+ 0x9E37_79B9_7F4A_7C15 }

    /// xorshift64* (Marsaglia 2003, Vigna 2016).
    mutating func roll(below count: Int) -> Int {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        let mixed = (state &* 0x2545_F491_4F6C_DD1D) >> 33
        return Int(truncatingIfNeeded: mixed) % count
    }
}

extension UpstreamPool {
    /// Where the next request goes: to one of the healthy endpoints, or where none is, to any.
    ///
    /// - Parameter tried: not to one of these.
    mutating func choose(_ upstream: Int, tried: UInt64, now: UInt64) -> Int? {
        let count = upstreams[upstream].seats.count
        if count == 1 { return tried & 1 == 0 ? 0 : nil }
        var healthy: UInt64 = 0
        var known: UInt64 = 0
        for choice in 0..<count where tried & 1 << UInt64(choice) == 0 {
            let seat = upstreams[upstream].seats[choice]
            guard seats[seat].endpoint.addressCount > 0 else { continue }
            known |= 1 << UInt64(choice)
            if seats[seat].endpoint.isHealthy(now: now) { healthy |= 1 << UInt64(choice) }
        }
        let candidates = healthy != 0 ? healthy : known
        guard candidates != 0 else { return nil }
        if candidates.nonzeroBitCount == 1 { return candidates.trailingZeroBitCount }
        switch upstreams[upstream].balance {
        case .roundRobin: return nextInTurn(upstream, candidates)
        case .leastRequest: return lessBusyOfTwo(upstream, candidates)
        }
    }

    private mutating func nextInTurn(_ upstream: Int, _ candidates: UInt64) -> Int {
        let last = upstreams[upstream].turn
        let behind = last >= 63 ? 0 : candidates & ~((2 << UInt64(max(last, 0))) - 1)
        let later = last < 0 ? candidates : behind
        let choice = (later != 0 ? later : candidates).trailingZeroBitCount
        upstreams[upstream].turn = choice
        return choice
    }

    /// Two at random, and of these the one with fewer requests underway: nearly as even as the
    /// least of all, and workers that know nothing of each other do not all run to the same one.
    private mutating func lessBusyOfTwo(_ upstream: Int, _ candidates: UInt64) -> Int {
        let count = candidates.nonzeroBitCount
        let first = dice.roll(below: count)
        let second = (first + 1 + dice.roll(below: count - 1)) % count
        let one = candidates.bit(first)
        let other = candidates.bit(second)
        let seats = upstreams[upstream].seats
        return self.seats[seats[other]].underway < self.seats[seats[one]].underway ? other : one
    }

    /// The endpoints that a request need not try again after so many attempts: once it was at each
    /// of them, those that are names may have other addresses.
    func tried(_ tried: UInt64, upstream: Int, attempts: Int) -> UInt64 {
        var known: UInt64 = 0
        var several: UInt64 = 0
        var total = 0
        for (choice, seat) in upstreams[upstream].seats.enumerated() {
            let count = seats[seat].endpoint.addressCount
            if count > 0 { known |= 1 << UInt64(choice) }
            if count > 1 { several |= 1 << UInt64(choice) }
            total += count
        }
        guard attempts < total, known & ~tried == 0 else { return tried }
        return tried & ~several
    }

    // MARK: Health

    /// An endpoint could not be reached: the next attempt goes to its next address, once, however
    /// many have found that out.
    ///
    /// - Parameter why: for the log.
    mutating func noteUnreachable(
        _ upstream: Int, _ seat: Int, attempt: Int, why: String, _ context: inout WorkerContext
    ) {
        if seats[seat].attempt == attempt { seats[seat].attempt &+= 1 }
        context.tellUnreachable(
            upstream: upstreams[upstream].upstream.rules.name,
            endpoint: seats[seat].endpoint.url.label, why)
        noteFailure(upstream, seat, &context)
    }

    /// An endpoint has failed: a later request may find it left out.
    func noteFailure(_ upstream: Int, _ seat: Int, _ context: inout WorkerContext) {
        let endpoint = seats[seat].endpoint
        let length = upstreams[upstream].upstream.noteFailure(
            of: endpoint, now: context.now.milliseconds)
        guard let length else { return }
        context.tellEjection(
            upstream: upstreams[upstream].upstream.rules.name, endpoint: endpoint.url.label,
            milliseconds: length)
    }

    // MARK: The line

    /// Counts one out of the line.
    mutating func leaveLine(_ upstream: Int, isServed: Bool) {
        upstreams[upstream].share.leaveLine()
        if isServed {
            upstreams[upstream].line.removeFront()
        } else {
            upstreams[upstream].line.gaveUp()
        }
    }

    // MARK: Permits

    /// Gives a connection's permit back, to whoever waits for it longest.
    func givePermit(_ share: UpstreamShare, _ context: inout WorkerContext) {
        guard let heir = share.giveBack(), heir != worker else { return }
        context.gateway.wake(worker: heir)
    }

    /// Whether somebody is in line here, or was and has left something over.
    func needsService(_ upstream: Int) -> Bool {
        !upstreams[upstream].line.isEmpty || upstreams[upstream].isHungry
    }

    /// Tells the other workers of those who are still in line; or gives back what they do not
    /// need any more.
    mutating func settleShare(_ upstream: Int, _ context: inout WorkerContext) {
        let share = upstreams[upstream].share
        let isHungry = !upstreams[upstream].line.isEmpty
        upstreams[upstream].isHungry = isHungry
        let isNews = share.setHungry(
            isHungry, worker: worker, since: upstreams[upstream].line.frontSince)
        if isNews { context.gateway.wakeOthers(than: worker) }
        guard !isHungry else { return }
        while share.hasGrant(worker: worker) {
            guard let heir = share.giveBackGrant(worker: worker), heir != worker else { continue }
            context.gateway.wake(worker: heir)
        }
    }

    /// Another worker has somebody in line: an idle connection here would do it good.
    mutating func yieldIdle(_ upstream: Int, _ context: inout WorkerContext) {
        while mustPassOn(upstream) {
            let seat = upstreams[upstream].seats.first { seats[$0].firstIdle >= 0 }
            guard let seat else { return }
            close(seats[seat].firstIdle, &context)
        }
    }

    /// Whether requests stand in line, here or elsewhere, and no connection may be made.
    func isWanted(_ upstream: Int) -> Bool {
        upstreams[upstream].share.isWanted && upstreams[upstream].share.isFull
    }

    /// Whether another worker has somebody who has waited longer than anyone here.
    func mustPassOn(_ upstream: Int) -> Bool {
        guard troubles.areWorkersHungry else { return false }
        return upstreams[upstream].share.isWanted(
            byOthersThan: worker, before: upstreams[upstream].line.frontSince)
    }
}

extension UInt64 {
    /// Where the set bit lies that has so many set bits below it.
    fileprivate func bit(_ rank: Int) -> Int {
        var rest = self
        for _ in 0..<rank { rest &= rest - 1 }
        return rest.trailingZeroBitCount
    }
}
