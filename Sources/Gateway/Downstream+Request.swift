// SPDX-License-Identifier: Apache-2.0

import Bytes
import Filters
import HTTP1
import Policy
import Reactor
import Telemetry

extension Downstream {
    /// How far one step of serving came.
    enum Step {
        case progress
        /// Nothing can be done until something else happens.
        case idle
        case end(Fate)
    }

    /// Takes the next step with the request that is in front.
    mutating func serve(_ context: inout WorkerContext, _ pool: inout UpstreamPool) -> Step {
        guard !isClosing else { return .idle }
        switch exchange.request {
        case .awaitingHead: return readHead(&context, &pool)
        case .judging: return resume(&context, &pool)
        case .receivingBody: return relayRequestBody(&context, &pool)
        case .complete: return .idle
        }
    }

    private mutating func readHead(
        _ context: inout WorkerContext, _ pool: inout UpstreamPool
    ) -> Step {
        guard !plainIn.isEmpty, cipherOut.isEmpty else { return .idle }
        if exchange.startedAt == 0 {
            exchange.startedAt = context.now.nanoseconds
            hasAsked = true
            move(to: .active, &context)
        }
        do throws(HeadFault) {
            guard case .complete = try parseHead(context.generation.headLimits, &context) else {
                guard plainIn.roomAfterCompaction == 0 else { return .idle }
                refuse(.headersTooLarge, &context)
                return .progress
            }
        } catch {
            refuse(Problem(error), &context)
            return .progress
        }
        return begin(&context, &pool)
    }

    /// Parses what has come into the context's head.
    mutating func parseHead(
        _ limits: HeadLimits, _ context: inout WorkerContext
    ) throws(HeadFault) -> HeadProgress {
        // Out of self for the call, since a span of one field borrows all of them.
        var input = Buffer()
        swap(&input, &plainIn)
        defer { swap(&input, &plainIn) }
        return try exchange.parser.parse(input.readable, limits: limits, into: &context.head)
    }

    /// Writes the head as the upstream is to see it, and hands it to a connection.
    mutating func forward(
        _ upstream: Int, _ context: inout WorkerContext, _ pool: inout UpstreamPool
    ) -> Step {
        guard held.attach(from: &context.pool) else {
            plainIn.consume(context.head.count)
            refuse(.overloaded, &context)
            return .progress
        }
        var output = Buffer()
        swap(&output, &held)
        context.writeRequest(
            plainIn.readable, client: client, exchange, memo: memo.readable, into: &output)
        swap(&output, &held)
        plainIn.consume(context.head.count)
        exchange.request = exchange.requestBody.isComplete ? .complete : .receivingBody
        guard !held.overflowed else {
            held.release(to: &context.pool)
            refuse(.headersTooLarge, &context)
            return .progress
        }
        let lending = pool.lend(upstream: upstream, to: token, tried: 0, &context)
        switch lending {
        case .lent(let index):
            return begin(on: index, &context, &pool)
        case .queued(let ticket):
            wait(ticket, &context)
        case .full:
            held.release(to: &context.pool)
            context.metrics.upstream(upstream, result: .overloaded)
            refuse(.overloaded, &context)
        case .unavailable:
            held.release(to: &context.pool)
            context.metrics.upstream(upstream, result: .connectFailed)
            refuse(.upstreamUnavailable, &context)
        }
        return .progress
    }

    /// Waits in line for a connection.
    mutating func wait(_ ticket: UInt64, _ context: inout WorkerContext) {
        exchange.ticket = ticket
        exchange.waitingSince = max(1, context.now.milliseconds)
        exchange.response = .none
    }

    /// Leaves the line, served or not.
    ///
    /// - Parameter isServed: it stood at the front.
    mutating func leaveLine(_ pool: inout UpstreamPool, isServed: Bool) {
        exchange.waitingSince = 0
        exchange.ticket = 0
        pool.leaveLine(exchange.record.upstream, isServed: isServed)
    }

    /// Starts the exchange on a connection, with what of the body has come.
    mutating func begin(
        on index: Int, _ context: inout WorkerContext, _ pool: inout UpstreamPool
    ) -> Step {
        exchange.connection = index
        exchange.response = .awaitingHead
        swap(&pool.connections[index].output, &held)
        held.release(to: &context.pool)
        if exchange.request == .receivingBody {
            if case .end(let fate) = relayRequestBody(&context, &pool) { return .end(fate) }
        } else if !context.requests.isFull {
            context.requests.append(pool.connections.token(at: index))
            return .progress
        } else {
            guard push(&context, &pool) else { return upstreamDeaf(&context, &pool) }
        }
        exchange.ownNanoseconds += context.elapsed
        return .progress
    }

    /// The turn's end: sends the request that was put off.
    mutating func sendRequest(_ context: inout WorkerContext, _ pool: inout UpstreamPool) -> Fate {
        guard push(&context, &pool) else {
            return fate(upstreamDeaf(&context, &pool), &context, &pool)
        }
        exchange.ownNanoseconds += context.elapsed
        return .keep
    }

    /// The wait in line for a connection is over: it stood at the front.
    mutating func onLent(
        _ index: Int, _ context: inout WorkerContext, _ pool: inout UpstreamPool
    ) -> Fate {
        leaveLine(&pool, isServed: true)
        if case .end(let fate) = begin(on: index, &context, &pool) { return fate }
        return advance(&context, &pool)
    }

    /// The wait in line for a connection was in vain.
    mutating func onNotLent(
        _ result: UpstreamResult, isServed: Bool, _ context: inout WorkerContext,
        _ pool: inout UpstreamPool
    ) -> Fate {
        leaveLine(&pool, isServed: isServed)
        held.release(to: &context.pool)
        context.metrics.upstream(exchange.record.upstream, result: result)
        refuse(result == .overloaded ? .overloaded : .upstreamUnavailable, &context)
        return advance(&context, &pool)
    }

    /// Passes on what has come of the request's body, framed anew.
    mutating func relayRequestBody(
        _ context: inout WorkerContext, _ pool: inout UpstreamPool
    ) -> Step {
        let index = exchange.connection
        // Once the upstream is deaf, nobody wants the rest; the client's answer closes.
        guard index >= 0, !pool.connections[index].isDeaf else { return .idle }
        guard pool.connections[index].output.attach(from: &context.pool) else {
            isStarved = true
            return .idle
        }
        let before = plainIn.count
        let wasReceiving = exchange.request
        do throws(BodyFault) {
            try fillRequestBody(&pool.connections[index].output)
        } catch {
            return stop(.httpMalformed, &context, &pool)
        }
        let announced = exchange.requestBody.count &+ exchange.requestBody.announced
        guard announced <= exchange.bodyMax else {
            return stop(.bodyTooLarge, &context, &pool)
        }
        guard push(&context, &pool) else { return upstreamDeaf(&context, &pool) }
        let hasMoved = plainIn.count < before || exchange.request != wasReceiving
        // The client's time to send more begins when there is room for it.
        if hasMoved { lastReadAt = context.now.milliseconds }
        return hasMoved ? .progress : .idle
    }

    private mutating func fillRequestBody(_ output: inout Buffer) throws(BodyFault) {
        var input = Buffer()
        swap(&input, &plainIn)
        defer { swap(&input, &plainIn) }
        while exchange.request == .receivingBody {
            if output.room < Exchange.chunkRoomMin * 2 { output.compact() }
            let room = output.room - Exchange.chunkRoomMin
            guard room > 0 else { return }
            let consumed = try exchange.relayRequest(
                input.readable.prefix(room), to: &output)
            input.consume(consumed)
            guard consumed > 0 || exchange.request == .complete else { return }
        }
    }

    /// Sends what waits for the upstream, and watches for what then can happen.
    ///
    /// - Returns: false where the connection is gone.
    mutating func push(_ context: inout WorkerContext, _ pool: inout UpstreamPool) -> Bool {
        let index = exchange.connection
        guard pool.connections[index].state == .busy else { return true }
        guard pool.connections[index].flush(&context) else { return false }
        pool.connections[index].output.releaseIfEmpty(to: &context.pool)
        pool.watchBusy(index, isRelayStalled: !cipherOut.isEmpty, &context)
        switch exchange.response {
        case .awaitingHead: timeFirstByte(&context, pool)
        // An answer that came early does not make the request's body endless.
        case .streaming: noteTurn(pool)
        case .none, .complete: break
        }
        return true
    }

    /// Lets the upstream's time for its answer begin; or, where it has all that has come of the
    /// request, the client's to go on. No upstream owes an answer to half a request.
    mutating func timeFirstByte(_ context: inout WorkerContext, _ pool: borrowing UpstreamPool) {
        let timer = pool.timerBase + exchange.connection
        noteTurn(pool)
        guard !exchange.isClientsTurn else { return context.timers.cancel(timer) }
        context.timers.schedule(
            timer, at: context.now.milliseconds + exchange.firstByteMilliseconds)
    }

    private mutating func noteTurn(_ pool: borrowing UpstreamPool) {
        let awaitsContinue = exchange.awaitsContinue && exchange.requestBody.count == 0
        exchange.isClientsTurn =
            exchange.request == .receivingBody && !awaitsContinue
            && !pool.connections[exchange.connection].hasUnsent
    }

    /// Refuses a request whose body has turned out wrong. Once an answer is underway nothing can
    /// be said any more, and the client must not take what it has for whole.
    private mutating func stop(
        _ problem: Problem, _ context: inout WorkerContext, _ pool: inout UpstreamPool
    ) -> Step {
        guard exchange.hasResponseBegun else {
            dropUpstream(&context, &pool)
            refuse(problem, &context)
            return .progress
        }
        let status = exchange.record.status
        giveUp(problem, &context, &pool, status: status)
        return .end(.reset)
    }

    /// Ends an exchange that nobody waits for any more.
    mutating func giveUp(
        _ problem: Problem, _ context: inout WorkerContext, _ pool: inout UpstreamPool,
        status: Int? = nil
    ) {
        if exchange.waitingSince > 0 {
            leaveLine(&pool, isServed: false)
            held.release(to: &context.pool)
        }
        dropUpstream(&context, &pool)
        exchange.keepsAlive = false
        exchange.record.status = status ?? problem.status
        exchange.record.code = Int(problem.rawValue)
        finish(&context)
    }

    /// Closes the upstream connection of an exchange that will be answered from here.
    mutating func dropUpstream(_ context: inout WorkerContext, _ pool: inout UpstreamPool) {
        guard exchange.connection >= 0 else { return }
        pool.close(exchange.connection, &context)
        exchange.connection = -1
        context.metrics.upstream(exchange.record.upstream, result: .abandoned)
    }
}

extension Problem {
    init(_ fault: HeadFault) {
        switch fault {
        case .malformed: self = .httpMalformed
        case .uriTooLong: self = .uriTooLong
        case .headersTooLarge: self = .headersTooLarge
        case .versionUnsupported: self = .httpVersion
        }
    }
}
