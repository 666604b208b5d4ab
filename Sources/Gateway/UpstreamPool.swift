// SPDX-License-Identifier: Apache-2.0

import Bytes
import HTTP1
import Policy
import Reactor

/// A worker's connections to all upstreams. Idle ones are kept and lent again, the latest first.
struct UpstreamPool: ~Copyable {
    static let kind: UInt8 = 4
    static let idleMilliseconds: UInt64 = 60_000
    /// More than an operator allows all upstreams together, so that a reload finds room.
    static let connectionsMax = 65_536

    var connections: SlotTable<UpstreamConnection>
    /// By the upstream's number.
    var upstreams: [UpstreamView] = []
    /// What this worker has to do with each endpoint of each upstream.
    var seats: [EndpointSeat] = []
    /// Where the timers of these connections begin in the wheel.
    let timerBase: Int
    let worker: Int
    let troubles: Troubles
    var dice: Dice
    /// Somebody was put in line since those in line were last served, and nobody knows of it yet.
    var isServiceDue = false
    /// Somebody may be in line somewhere, or have been when that was last looked at.
    var mayNeedService = false

    enum Lending: Equatable {
        case lent(Int)
        /// In line for the next connection that is free.
        case queued(ticket: UInt64)
        /// The upstream has all connections that it may have, and the line is full too.
        case full
        case unavailable
    }

    init(_ generation: Generation, worker: Int, timerBase: Int, _ troubles: Troubles) {
        self.timerBase = timerBase
        self.troubles = troubles
        self.worker = worker
        dice = Dice(seed: UInt64(worker))
        connections = SlotTable(kind: Self.kind, capacity: Self.connectionsMax)
        seat(generation)
    }

    // MARK: Lending

    /// An idle connection, or a new one that is being made, or a place in the line for one.
    ///
    /// - Parameter tried: the endpoints, as bits, that this request was not lucky with.
    mutating func lend(
        upstream: Int, to owner: SlotToken, tried: UInt64, _ context: inout WorkerContext
    ) -> Lending {
        // Nobody passes those who wait already.
        if upstreams[upstream].line.isEmpty {
            let lending = lendNow(upstream: upstream, to: owner, tried: tried, &context)
            guard lending == .full else { return lending }
        }
        guard upstreams[upstream].share.enterLine() else { return .full }
        let ticket = upstreams[upstream].line.enter(owner, now: context.now.nanoseconds)
        isServiceDue = true
        mayNeedService = true
        return .queued(ticket: ticket)
    }

    /// As ``lend``, for one that has waited, or has had no luck elsewhere.
    mutating func lendNow(
        upstream: Int, to owner: SlotToken, tried: UInt64, _ context: inout WorkerContext
    ) -> Lending {
        var tried = tried
        while let choice = choose(upstream, tried: tried, now: context.now.milliseconds) {
            let seat = upstreams[upstream].seats[choice]
            if let idle = takeIdle(at: seat, for: owner, &context) { return .lent(idle) }
            var lending = connect(upstream, choice, to: owner, &context)
            if lending == .full {
                lending = makeRoom(upstream, choice, for: owner, tried: tried, &context)
            }
            guard lending == .unavailable else { return lending }
            tried |= 1 << UInt64(choice)
        }
        // A start's first requests wait for the resolver's first word.
        let endpoints = upstreams[upstream].seats
        return endpoints.contains { seats[$0].endpoint.isResolving } ? .full : .unavailable
    }

    /// No connection may be made any more. One that idles at another endpoint is better than to
    /// wait; one that idles where requests should not go now makes room.
    private mutating func makeRoom(
        _ upstream: Int, _ choice: Int, for owner: SlotToken, tried: UInt64,
        _ context: inout WorkerContext
    ) -> Lending {
        let now = context.now.milliseconds
        let chosen = upstreams[upstream].seats[choice]
        let hasHealthy = seats[chosen].endpoint.isHealthy(now: now)
        for (other, seat) in upstreams[upstream].seats.enumerated()
        where tried & 1 << UInt64(other) == 0 {
            guard !hasHealthy || seats[seat].endpoint.isHealthy(now: now) else { continue }
            if let idle = takeIdle(at: seat, for: owner, &context) { return .lent(idle) }
        }
        let useless = upstreams[upstream].seats.first { seats[$0].firstIdle >= 0 }
        guard let useless else { return .full }
        close(seats[useless].firstIdle, &context)
        return connect(upstream, choice, to: owner, &context)
    }

    private mutating func takeIdle(
        at seat: Int, for owner: SlotToken, _ context: inout WorkerContext
    ) -> Int? {
        while case let idle = seats[seat].firstIdle, idle >= 0 {
            // One that was parked in this very turn may have ended since, or have sent what nobody
            // asked for; of the others the loop has told before any request was read.
            if connections[idle].parkedAt == context.now.nanoseconds,
                !connections[idle].isQuiet(&context)
            {
                close(idle, &context)
                continue
            }
            seats[seat].firstIdle = connections[idle].nextIdle
            connections[idle].nextIdle = -1
            connections[idle].state = .busy
            connections[idle].owner = owner
            connections[idle].isReused = true
            connections[idle].sentCount = 0
            seats[seat].underway += 1
            // It no longer idles: its next deadline comes with the request's bytes.
            context.timers.cancel(timerBase + idle)
            return idle
        }
        return nil
    }

    /// Closes the idle connections of an endpoint that are no good any more, of which the loop
    /// has not told yet.
    mutating func closeStale(at seat: Int, _ context: inout WorkerContext) {
        var index = seats[seat].firstIdle
        while index >= 0 {
            let next = connections[index].nextIdle
            if !connections[index].isQuiet(&context) { close(index, &context) }
            index = next
        }
    }

    /// A new connection to an endpoint, at the first of its addresses that does not refuse it at
    /// once.
    private mutating func connect(
        _ upstream: Int, _ choice: Int, to owner: SlotToken, _ context: inout WorkerContext
    ) -> Lending {
        let seat = upstreams[upstream].seats[choice]
        let share = upstreams[upstream].share
        for _ in 0..<seats[seat].endpoint.addressCount {
            let attempt = seats[seat].attempt
            guard let address = seats[seat].endpoint.address(attempt: attempt) else { break }
            guard share.take(worker: worker) else { return .full }
            do throws(SystemError) {
                let socket = try Socket.connect(to: address)
                let new = UpstreamConnection(
                    socket, upstream: upstream, share, choice: choice, seat: seat,
                    attempt: attempt)
                return keep(new, for: owner, &context)
            } catch {
                guard error.kind != .exhausted else {
                    share.drop()
                    return .full
                }
                givePermit(share, &context)
                noteUnreachable(
                    upstream, seat, attempt: attempt, why: SystemError.text(error.number),
                    &context)
            }
        }
        return .unavailable
    }

    private mutating func keep(
        _ new: consuming UpstreamConnection, for owner: SlotToken, _ context: inout WorkerContext
    ) -> Lending {
        let upstream = new.upstream
        let seat = new.seat
        let share = new.share
        guard let index = connections.insert(new) else {
            share.drop()
            return .full
        }
        seats[seat].open += 1
        seats[seat].underway += 1
        connections[index].owner = owner
        connections[index].interest = .writable
        do throws(SystemError) {
            try context.loop.add(
                connections[index].socket.descriptor, .writable, token: connections.token(at: index)
            )
        } catch {
            close(index, &context)
            return .full
        }
        context.timers.schedule(
            timerBase + index,
            at: context.now.milliseconds + upstreams[upstream].connectMilliseconds)
        return .lent(index)
    }

    // MARK: Taking back

    /// Takes a connection back whose exchange has ended with both sides in step.
    mutating func park(_ index: Int, _ context: inout WorkerContext) {
        let upstream = connections[index].upstream
        let seat = connections[index].seat
        let isWelcome = !seats[seat].isRetired && !connections[index].share.isOverfull
        guard isWelcome, !mustPassOn(upstream) else { return close(index, &context) }
        seats[seat].underway -= 1
        connections[index].releaseBuffers(to: &context.pool)
        connections[index].state = .idle
        connections[index].parkedAt = context.now.nanoseconds
        connections[index].owner = SlotToken(rawValue: 0)
        connections[index].parser.reset()
        connections[index].nextIdle = seats[seat].firstIdle
        seats[seat].firstIdle = index
        watch(index, .readable, &context)
        context.timers.schedule(
            timerBase + index, at: context.now.milliseconds + Self.idleMilliseconds)
    }

    /// Closes a connection, idle or lent.
    mutating func close(_ index: Int, _ context: inout WorkerContext) {
        let seat = connections[index].seat
        if connections[index].state == .idle {
            unlinkIdle(index, seat)
        } else {
            seats[seat].underway -= 1
        }
        context.timers.cancel(timerBase + index)
        var connection = connections.remove(at: index)
        connection.releaseBuffers(to: &context.pool)
        seats[seat].open -= 1
        let share = connection.share
        // Closed for certain before another worker may connect in its place.
        _ = consume connection
        givePermit(share, &context)
    }

    private mutating func unlinkIdle(_ index: Int, _ seat: Int) {
        let next = connections[index].nextIdle
        guard seats[seat].firstIdle != index else {
            seats[seat].firstIdle = next
            return
        }
        var current = seats[seat].firstIdle
        while current >= 0 {
            let following = connections[current].nextIdle
            if following == index {
                connections[current].nextIdle = next
                return
            }
            current = following
        }
    }

    // MARK: What is watched for

    /// Changes what the connection is watched for, if it is anything else now.
    mutating func watch(_ index: Int, _ interest: Interest, _ context: inout WorkerContext) {
        guard connections[index].interest != interest, !connections[index].isUnwatched else {
            return
        }
        connections[index].interest = interest
        // Modifying a descriptor that is watched can't fail but for lack of kernel memory; then
        // the connection's timer ends it.
        try? context.loop.modify(
            connections[index].socket.descriptor, interest, token: connections.token(at: index))
    }

    /// Watches a lent connection: for the answer unless its reader is stalled, and for room while
    /// something waits to be sent.
    mutating func watchBusy(
        _ index: Int, isRelayStalled: Bool, _ context: inout WorkerContext
    ) {
        guard connections[index].state == .busy else { return }
        let wanted = Interest(
            readable: !isRelayStalled && !connections[index].hasEnded,
            writable: connections[index].hasUnsent)
        watch(index, wanted, &context)
    }

    /// Takes an unsent request from a connection.
    mutating func takeOutput(of index: Int, into output: inout Buffer) {
        swap(&connections[index].output, &output)
    }

    /// Takes a connection out of the loop whose error would be reported without end.
    mutating func unwatch(_ index: Int, _ context: inout WorkerContext) {
        connections[index].isUnwatched = true
        context.loop.remove(connections[index].socket.descriptor)
    }
}
