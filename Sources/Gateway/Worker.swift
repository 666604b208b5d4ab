// SPDX-License-Identifier: Apache-2.0

import Bytes
import Policy
import Reactor
import Telemetry

/// One event loop on one thread, with connections of its own: nothing on its way is shared with
/// another worker.
package struct Worker: ~Copyable {
    static let listenerToken = SlotToken(kind: 1, index: 0, generation: 1)
    static let wakeupToken = SlotToken(kind: 2, index: 0, generation: 1)
    /// Idle slabs that a quiet worker keeps.
    private static let slabsKept = 32
    private static let expiriesPerTurn = 32
    /// How long a listener rests that found no descriptor or memory left.
    static let restMilliseconds: UInt64 = 100

    var context: WorkerContext
    var downstreams: SlotTable<Downstream>
    var pool: UpstreamPool
    var listener: Listener?
    let wakeup: Wakeup
    var drainStartedAt: UInt64 = 0
    private var nextTrim: UInt64 = 0
    var nextEviction: UInt64 = 0
    var nextCut: UInt64 = 0
    /// Ends the listener's rest, and makes the loop look at a drain's deadlines.
    let restTimer: Int
    /// Makes the loop look at stalled readers while somebody waits for their connections.
    let stallTimer: Int

    /// - Parameter listener: this worker's own, on the shared address.
    package init(
        number: Int, gateway: Gateway, listener: consuming Listener, wakeup: Wakeup
    ) throws(StartFault) {
        let limit = gateway.generation.configuration.listen.limits.connections
        let clients = limit + ConnectionLimits.surplus(of: limit)
        let upstreams = UpstreamPool.connectionsMax
        let context = try WorkerContext(
            number: number, gateway: gateway, timerCapacity: clients + upstreams + 2)
        do throws(SystemError) {
            try context.loop.add(listener.descriptor, .readable, token: Self.listenerToken)
            try context.loop.add(wakeup.descriptor, .readable, token: Self.wakeupToken)
        } catch {
            throw StartFault(reason: "worker \(number): \(error)")
        }
        restTimer = clients + upstreams
        stallTimer = clients + upstreams + 1
        self.context = context
        downstreams = SlotTable(kind: Downstream.kind, capacity: clients)
        pool = UpstreamPool(
            gateway.generation, worker: number, timerBase: clients, gateway.troubles)
        self.wakeup = wakeup
        self.listener = consume listener
    }

    /// Runs until a drain has ended.
    package mutating func run() {
        while !isDrained { turn() }
        closeAll()
    }

    /// Waits for something to happen, and sees to all of it.
    ///
    /// - Parameter milliseconds: waited at most; forever where negative.
    mutating func turn(atMost milliseconds: Int = -1) {
        // Whoever was put in line as the last turn ended is served, or announced, at once: no
        // other worker gives anything to one of whom it does not know.
        let timeout =
            pool.isServiceDue
            ? 0 : context.timers.waitMilliseconds(now: context.now.milliseconds)
        let isShorter = milliseconds >= 0 && (timeout < 0 || milliseconds < timeout)
        let count = context.loop.wait(milliseconds: isShorter ? milliseconds : timeout)
        context.now = Instant.read()
        context.handshakesLeft = Self.handshakesPerTurn
        handle(count)
        sendAll()
        expire()
        serveWaiting()
        if context.now.milliseconds >= nextTrim { trim() }
        if context.pool.lent > Self.slabsComfortable { evictIdlers() }
        if pool.troubles.areWorkersHungry { cutStalled() }
        if context.isDraining { drain() }
        sendAll()
        // So long would an event have waited that came when the turn began.
        context.metrics.loopLag(nanoseconds: context.elapsed)
    }

    /// What was published before a request came holds for it, so the wake-up comes first. Upstreams
    /// next: a FIN on a pooled connection must be seen before a request takes it.
    private mutating func handle(_ count: Int) {
        for index in 0..<count
        where context.loop.event(at: index).token.kind == Self.wakeupToken.kind {
            onWakeup()
        }
        for index in 0..<count {
            let event = context.loop.event(at: index)
            if event.token.kind == UpstreamPool.kind { onUpstream(event) }
        }
        for index in 0..<count {
            let event = context.loop.event(at: index)
            switch event.token.kind {
            case Downstream.kind: onDownstream(event)
            case Self.listenerToken.kind: acceptAll()
            default: break
            }
        }
    }

    private mutating func onDownstream(_ event: Event) {
        guard let index = downstreams.resolve(event.token) else { return }
        if downstreams[index].phase == .sniffing, context.handshakesLeft <= 0 { return }
        var fate = Downstream.Fate.keep
        if downstreams[index].isAnswerPutOff {
            fate = downstreams[index].sendAnswer(&context, &pool)
            guard fate == .keep else { return apply(fate, index) }
        }
        if event.isWritable, downstreams[index].interest.isWritable {
            fate = downstreams[index].onWritable(&context, &pool)
        }
        if fate == .keep, event.isReadable {
            if downstreams[index].interest.isReadable {
                fate = downstreams[index].onReadable(&context, &pool)
            } else if event.isBroken {
                // Reported though nothing was asked for: the client is gone for good.
                fate = downstreams[index].abort(&context, &pool)
            }
        }
        apply(fate, index)
    }

    private mutating func onUpstream(_ event: Event) {
        guard let connection = pool.connections.resolve(event.token) else { return }
        guard let index = downstreams.resolve(pool.connections[connection].owner) else {
            // Idle, and closed by the upstream, or sending what nobody asked for.
            if !pool.connections[connection].isQuiet(&context) { pool.close(connection, &context) }
            return
        }
        var fate = Downstream.Fate.keep
        switch pool.connections[connection].state {
        case .connecting, .shakingHands:
            return apply(downstreams[index].onUpstreamConnecting(&context, &pool), index)
        case .busy, .idle: break
        }
        if event.isWritable, pool.connections[connection].interest.isWritable {
            fate = downstreams[index].onUpstreamWritable(&context, &pool)
        }
        let isStillOwned =
            fate == .keep && downstreams[index].exchange.connection == connection
        if isStillOwned, event.isReadable, pool.connections[connection].interest.isReadable {
            fate = downstreams[index].onUpstreamReadable(&context, &pool)
        } else if isStillOwned, event.isBroken, pool.connections[connection].interest == .none {
            pool.unwatch(connection, &context)
        }
        apply(fate, index)
    }

    /// Sends what was put off to the end of the turn. Requests first, so that the upstreams are at
    /// work while the clients are told; an answer may be followed by the next request.
    private mutating func sendAll() {
        while !context.requests.isEmpty || !context.answers.isEmpty {
            while let token = context.requests.next() {
                guard let connection = pool.connections.resolve(token),
                    let index = downstreams.resolve(pool.connections[connection].owner)
                else { continue }
                apply(downstreams[index].sendRequest(&context, &pool), index)
            }
            while let token = context.answers.next() {
                guard let index = downstreams.resolve(token), downstreams[index].isAnswerPutOff
                else { continue }
                apply(downstreams[index].sendAnswer(&context, &pool), index)
            }
        }
    }

    mutating func apply(_ fate: Downstream.Fate, _ index: Int) {
        guard fate != .keep else { return }
        if downstreams[index].exchange.isUnderway {
            _ = downstreams[index].abort(&context, &pool)
        }
        var downstream = downstreams.remove(at: index)
        if fate == .reset { downstream.socket.resetOnClose() }
        context.timers.cancel(index)
        context.metrics.connectionClosed(from: downstream.state)
        context.gateway.connections.leave(downstream.client)
        downstream.dismantle(&context)
    }

    /// Frees, once a second, what a burst has left in the pools.
    private mutating func trim() {
        nextTrim = context.now.milliseconds + 1000
        context.pool.trim(keeping: Self.slabsKept)
        context.memoPool.trim(keeping: Self.slabsKept)
        // Where memory was too short for the newest generation, there may be enough by now.
        adoptNewest()
        context.wasCrowded = context.gateway.connections.isFull
    }

    /// Gives connections that have come free to those who wait for one, first come first served.
    private mutating func serveWaiting() {
        pool.isServiceDue = false
        guard pool.mayNeedService else { return }
        pool.mayNeedService = false
        for upstream in pool.upstreams.indices where pool.needsService(upstream) {
            while serveOne(waitingFor: upstream) {}
            pool.settleShare(upstream, &context)
            if pool.needsService(upstream) { pool.mayNeedService = true }
        }
    }

    private mutating func serveOne(waitingFor upstream: Int) -> Bool {
        guard let waiter = pool.upstreams[upstream].line.front else { return false }
        guard let index = downstreams.resolve(waiter.owner),
            downstreams[index].exchange.ticket == waiter.ticket,
            downstreams[index].exchange.record.upstream == upstream
        else {
            pool.upstreams[upstream].line.passFront()
            return true
        }
        let tried = downstreams[index].exchange.tried
        switch pool.lendNow(upstream: upstream, to: waiter.owner, tried: tried, &context) {
        case .lent(let connection):
            apply(downstreams[index].onLent(connection, &context, &pool), index)
        case .unavailable:
            apply(
                downstreams[index].onNotLent(
                    .connectFailed, isServed: true, &context, &pool), index)
        case .full, .queued:
            return false
        }
        return true
    }

    // MARK: Timers

    private mutating func expire() {
        let now = context.now.milliseconds
        // Those who came together run out of time together: a turn sees to some, so that the
        // others are not kept waiting.
        for _ in 0..<Self.expiriesPerTurn {
            guard let timer = context.timers.nextExpired(now: now) else { return }
            if timer == restTimer {
                if isListening { rest(false) }
            } else if timer == stallTimer {
                continue
            } else if timer >= pool.timerBase {
                onUpstreamTimer(timer - pool.timerBase)
            } else if downstreams.isOccupied(timer) {
                apply(downstreams[timer].onTimer(&context, &pool), timer)
            }
        }
    }

    private mutating func onUpstreamTimer(_ connection: Int) {
        guard pool.connections.isOccupied(connection) else { return }
        guard let index = downstreams.resolve(pool.connections[connection].owner) else {
            pool.close(connection, &context)
            return
        }
        apply(downstreams[index].onUpstreamTimer(&context, &pool), index)
    }

    /// Stops accepting for a while, or goes on.
    mutating func rest(_ resting: Bool) {
        watchListener(resting ? .none : .readable)
        if resting {
            context.timers.schedule(
                restTimer, at: context.now.milliseconds + Self.restMilliseconds)
        }
    }
}
