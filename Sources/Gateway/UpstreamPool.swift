// SPDX-License-Identifier: Apache-2.0

import Bytes
import HTTP1
import Policy
import Reactor

/// A worker's connections to all upstreams. Idle ones are kept and lent again, the latest first.
struct UpstreamPool: ~Copyable {
    static let kind: UInt8 = 4
    static let idleMilliseconds: UInt64 = 60_000

    var connections: SlotTable<UpstreamConnection>
    private var firstIdle: [Int]
    private var open: [Int]
    private let maxConnections: [Int]
    private let maxPending: [Int]
    /// Requests that wait for a connection, the longest first; bounded by `max_pending`.
    private(set) var waiting: [Waiter] = []
    /// Where the timers of these connections begin in the wheel.
    let timerBase: Int
    /// Turns from one address of an endpoint to the next when one does not answer.
    private var attempts: [Int]

    struct Waiter: Equatable {
        let owner: SlotToken
        let upstream: Int
    }

    enum Lending: Equatable {
        case lent(Int)
        /// In line for the next connection that is free.
        case queued
        /// The upstream has all connections that it may have, and the line is full too.
        case full
        case unavailable
    }

    init(_ configuration: Configuration, workers: Int, timerBase: Int) {
        let upstreams = configuration.upstreams
        maxConnections = upstreams.map { max(1, $0.maxConnections / workers) }
        maxPending = upstreams.map { max(1, $0.maxPending / workers) }
        firstIdle = upstreams.map { _ in -1 }
        open = upstreams.map { _ in 0 }
        attempts = upstreams.map { _ in 0 }
        self.timerBase = timerBase
        connections = SlotTable(kind: Self.kind, capacity: Self.capacity(configuration))
    }

    static func capacity(_ configuration: Configuration) -> Int {
        configuration.upstreams.reduce(0) { $0 + $1.maxConnections }
    }

    /// An idle connection, or a new one that is being made, or a place in the line for one.
    mutating func lend(
        upstream: Int, to owner: SlotToken, _ context: inout WorkerContext
    ) -> Lending {
        // Nobody passes those who wait already.
        if !waiting.isEmpty, count(waitingFor: upstream) > 0 { return queue(owner, upstream) }
        let lending = lendNow(upstream: upstream, to: owner, &context)
        return lending == .full ? queue(owner, upstream) : lending
    }

    /// As ``lend``, for one that has waited.
    mutating func lendNow(
        upstream: Int, to owner: SlotToken, _ context: inout WorkerContext
    ) -> Lending {
        // One that was parked in this very turn may have ended since, or have sent what nobody
        // asked for; of the others the loop has told before any request was read.
        while case let idle = firstIdle[upstream], idle >= 0,
            connections[idle].parkedAt == context.now.nanoseconds,
            !connections[idle].socket.isQuiet
        {
            close(idle, &context)
        }
        let idle = firstIdle[upstream]
        guard idle < 0 else {
            firstIdle[upstream] = connections[idle].nextIdle
            connections[idle].nextIdle = -1
            connections[idle].state = .busy
            connections[idle].owner = owner
            connections[idle].isReused = true
            connections[idle].sentCount = 0
            // It no longer idles: its next deadline comes with the request's bytes.
            context.timers.cancel(timerBase + idle)
            return .lent(idle)
        }
        return connect(upstream: upstream, to: owner, &context)
    }

    private mutating func queue(_ owner: SlotToken, _ upstream: Int) -> Lending {
        guard count(waitingFor: upstream) < maxPending[upstream] else { return .full }
        waiting.append(Waiter(owner: owner, upstream: upstream))
        return .queued
    }

    private func count(waitingFor upstream: Int) -> Int {
        waiting.reduce(0) { $0 + ($1.upstream == upstream ? 1 : 0) }
    }

    /// Takes one out of the line: it was served, or has gone.
    mutating func leaveLine(_ owner: SlotToken) {
        waiting.removeAll { $0.owner == owner }
    }

    /// A new connection, whatever is idle.
    mutating func connect(
        upstream: Int, to owner: SlotToken, _ context: inout WorkerContext
    ) -> Lending {
        guard open[upstream] < maxConnections[upstream] else { return .full }
        let endpoint = context.gateway.endpoints[upstream]
        guard let address = endpoint.address(attempt: attempts[upstream]) else {
            return .unavailable
        }
        guard let socket = try? Socket.connect(to: address) else { return .unavailable }
        socket.keepAlive()
        let new = UpstreamConnection(socket, upstream: upstream)
        guard let index = connections.insert(new) else { return .full }
        open[upstream] += 1
        connections[index].owner = owner
        connections[index].interest = .writable
        do throws(SystemError) {
            try context.loop.add(
                connections[index].socket.descriptor, .writable, token: connections.token(at: index)
            )
        } catch {
            close(index, &context)
            return .unavailable
        }
        let rules = context.gateway.configuration.upstreams[upstream]
        context.timers.schedule(
            timerBase + index,
            at: context.now.milliseconds + UInt64(rules.connectTimeoutMilliseconds))
        return .lent(index)
    }

    /// Takes a connection back whose exchange has ended with both sides in step.
    mutating func park(_ index: Int, _ context: inout WorkerContext) {
        let upstream = connections[index].upstream
        connections[index].output.release(to: &context.pool)
        connections[index].input.release(to: &context.pool)
        connections[index].state = .idle
        connections[index].parkedAt = context.now.nanoseconds
        connections[index].owner = SlotToken(rawValue: 0)
        connections[index].parser.reset()
        connections[index].nextIdle = firstIdle[upstream]
        firstIdle[upstream] = index
        watch(index, .readable, &context)
        context.timers.schedule(
            timerBase + index, at: context.now.milliseconds + Self.idleMilliseconds)
    }

    /// Closes a connection, idle or lent.
    mutating func close(_ index: Int, _ context: inout WorkerContext) {
        let upstream = connections[index].upstream
        if connections[index].state == .idle { unlinkIdle(index, upstream) }
        if connections[index].state == .connecting { attempts[upstream] &+= 1 }
        context.timers.cancel(timerBase + index)
        var connection = connections.remove(at: index)
        connection.output.release(to: &context.pool)
        connection.input.release(to: &context.pool)
        open[upstream] -= 1
    }

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
            writable: !connections[index].output.isEmpty)
        watch(index, wanted, &context)
    }

    /// Takes an unsent request from one connection, or gives it to another.
    mutating func swapOutput(of index: Int, with output: inout Buffer) {
        swap(&connections[index].output, &output)
    }

    /// Takes a connection out of the loop whose error would be reported without end.
    mutating func unwatch(_ index: Int, _ context: inout WorkerContext) {
        connections[index].isUnwatched = true
        context.loop.remove(connections[index].socket.descriptor)
    }

    private mutating func unlinkIdle(_ index: Int, _ upstream: Int) {
        let next = connections[index].nextIdle
        guard firstIdle[upstream] != index else {
            firstIdle[upstream] = next
            return
        }
        var current = firstIdle[upstream]
        while current >= 0 {
            let following = connections[current].nextIdle
            if following == index {
                connections[current].nextIdle = next
                return
            }
            current = following
        }
    }
}
