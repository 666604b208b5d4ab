// SPDX-License-Identifier: Apache-2.0

import Bytes
import Filters
import HTTP1
import Reactor
import Telemetry

extension Downstream {
    /// The upstream connection can be read.
    mutating func onUpstreamReadable(
        _ context: inout WorkerContext, _ pool: inout UpstreamPool
    ) -> Fate {
        let index = exchange.connection
        guard pool.connections[index].input.attach(from: &context.pool) else {
            return abort(&context, &pool)
        }
        pool.connections[index].input.compact()
        _ = pool.connections[index].receive(&context)
        let fate = relayResponse(&context, &pool)
        guard fate == .keep, !isAnswerPutOff else { return fate }
        return advance(&context, &pool)
    }

    mutating func fate(
        _ step: Step, _ context: inout WorkerContext, _ pool: inout UpstreamPool
    ) -> Fate {
        if case .end(let fate) = step { return fate }
        return advance(&context, &pool)
    }

    // MARK: Relaying

    /// Passes on what the upstream has sent, as far as the client takes it.
    mutating func relayResponse(
        _ context: inout WorkerContext, _ pool: inout UpstreamPool
    ) -> Fate {
        if exchange.connection >= 0, pool.connections[exchange.connection].hasHidden {
            // Room for what the loop does not tell of.
            _ = pool.connections[exchange.connection].input.attach(from: &context.pool)
        }
        while exchange.connection >= 0, cipherOut.isEmpty {
            let isStep =
                exchange.response == .awaitingHead
                ? relayHead(&context, &pool) : relayBody(&context, &pool)
            guard emit(&context) else { return abort(&context, &pool) }
            switch isStep {
            case .progress: continue
            case .idle: if readHidden(&context, &pool) { continue }
            case .end(let fate): return fate
            }
            break
        }
        if exchange.connection >= 0 {
            pool.connections[exchange.connection].input.releaseIfEmpty(to: &context.pool)
            pool.watchBusy(exchange.connection, isRelayStalled: !cipherOut.isEmpty, &context)
            if exchange.idleMilliseconds > 0 { timePause(&context, pool) }
        }
        return .keep
    }

    /// The route bounds the pauses of an answer; not those that its reader makes.
    private func timePause(_ context: inout WorkerContext, _ pool: borrowing UpstreamPool) {
        guard exchange.response == .streaming else { return }
        let timer = pool.timerBase + exchange.connection
        guard cipherOut.isEmpty else { return context.timers.cancel(timer) }
        context.timers.schedule(
            timer, at: context.now.milliseconds + exchange.idleMilliseconds)
    }

    /// Reads on where the loop is silent.
    ///
    /// - Returns: whether something has changed.
    private func readHidden(_ context: inout WorkerContext, _ pool: inout UpstreamPool) -> Bool {
        let index = exchange.connection
        guard index >= 0, pool.connections[index].hasHidden,
            pool.connections[index].input.isAttached
        else { return false }
        pool.connections[index].input.compact()
        return pool.connections[index].receive(&context)
    }

    private mutating func relayHead(
        _ context: inout WorkerContext, _ pool: inout UpstreamPool
    ) -> Step {
        let index = exchange.connection
        let progress: HeadProgress
        do throws(HeadFault) {
            progress = try pool.connections[index].parseHead(
                requestMethod: exchange.method, into: &context.responseHead)
        } catch {
            return upstreamLost(.badResponse, &context, &pool)
        }
        guard case .complete(let count) = progress else {
            guard pool.connections[index].hasEnded else { return .idle }
            let isEmpty = pool.connections[index].input.isEmpty
            return upstreamLost(isEmpty ? .reset : .badResponse, &context, &pool)
        }
        if context.responseHead.status == 101 {
            // Nobody asked for an upgrade: those are refused before they get here.
            return upstreamLost(.badResponse, &context, &pool)
        }
        let isInterim = context.responseHead.isInterim
        if isInterim {
            // If the client was told to go on, its time to do so begins now. The upstream gains
            // none: it could hold a request for ever.
            let isAwaited = exchange.awaitsContinue
            exchange.awaitsContinue = false
            lastReadAt = context.now.milliseconds
            if isAwaited { timeFirstByte(&context, pool) }
        } else {
            takeHead(&context, &pool)
        }
        // HTTP/1.0 knows no interim answers (RFC 9110 §15.2).
        if !isInterim || exchange.minorVersion > 0 {
            context.writeResponse(
                pool.connections[index].input.readable, exchange, memo: memo.readable,
                isInterim: isInterim)
        }
        pool.connections[index].input.consume(count)
        pool.connections[index].parser.reset()
        guard !context.plain.overflowed else {
            context.plain.clear()
            return upstreamLost(.badResponse, &context, &pool)
        }
        return isInterim ? .progress : relayBody(&context, &pool)
    }

    /// Notes what the final head means for the rest of the exchange.
    private mutating func takeHead(_ context: inout WorkerContext, _ pool: inout UpstreamPool) {
        let head = context.responseHead.framing
        exchange.response = .streaming
        exchange.record.status = context.responseHead.status
        exchange.record.upstreamStatus = context.responseHead.status
        exchange.responseBody = BodyDecoder(head)
        exchange.responseReuses = context.responseHead.keepsAlive
        exchange.dropsResponseTrailers = context.responseHead.connection.namesFields
        noteAnswer(&context, &pool)
        context.timers.cancel(pool.timerBase + exchange.connection)
        if context.isDraining || context.isCrowded() { exchange.keepsAlive = false }
        // The client is still sending what nobody may want any more.
        if exchange.request != .complete { exchange.keepsAlive = false }
        switch head {
        case .none, .length: exchange.responseFraming = head
        case .chunked, .untilClose:
            // HTTP/1.0 knows no chunks (RFC 9112 §6.1): there the end is the connection's.
            exchange.responseFraming = exchange.minorVersion > 0 ? .chunked : .untilClose
            if exchange.minorVersion == 0 { exchange.keepsAlive = false }
        }
    }

    /// What the answer says of the endpoint: one that speaks for somebody who is not there has
    /// failed as if it were not there itself.
    private func noteAnswer(_ context: inout WorkerContext, _ pool: inout UpstreamPool) {
        let seat = pool.connections[exchange.connection].seat
        switch context.responseHead.status {
        case 502...504: pool.noteFailure(exchange.record.upstream, seat, &context)
        default:
            guard pool.troubles.areEndpointsFailing else { return }
            pool.seats[seat].endpoint.noteAnswer()
        }
    }

    /// Moves body bytes into the scratch space behind whatever lies there.
    private mutating func relayBody(
        _ context: inout WorkerContext, _ pool: inout UpstreamPool
    ) -> Step {
        let index = exchange.connection
        do throws(BodyFault) {
            let isExhausted = try fillResponseBody(
                from: &pool.connections[index].input, to: &context.plain)
            if isExhausted, pool.connections[index].hasEnded, !exchange.responseBody.isComplete {
                if pool.connections[index].wasReset { throw BodyFault.truncated }
                try exchange.responseBody.finish()
            }
        } catch {
            // Let what is certain go out, then cut: the client sees that the end is missing.
            _ = emit(&context)
            return upstreamLost(.badResponse, &context, &pool)
        }
        guard exchange.responseBody.isComplete else {
            return context.plain.isEmpty ? .idle : .progress
        }
        if exchange.responseFraming == .chunked { exchange.endResponseChunks(of: &context.plain) }
        guard seal(&context) else { return .end(abort(&context, &pool)) }
        release(&context, &pool)
        return deliver(&context)
    }

    /// What fits, with its framing, into two records.
    ///
    /// - Returns: whether nothing more can be had from what is there.
    private mutating func fillResponseBody(
        from input: inout Buffer, to plain: inout Buffer
    ) throws(BodyFault) -> Bool {
        while !input.isEmpty, !exchange.responseBody.isComplete {
            let room = Exchange.plaintextMax - plain.count - Exchange.chunkRoomMin
            guard room > 0 else { return false }
            let consumed = try exchange.relayResponse(input.readable.prefix(room), to: &plain)
            input.consume(consumed)
            guard consumed > 0 else { return true }
        }
        return true
    }

    /// The answer is here whole: gives the upstream connection back.
    private mutating func release(
        _ context: inout WorkerContext, _ pool: inout UpstreamPool
    ) {
        let index = exchange.connection
        exchange.connection = -1
        exchange.response = .complete
        context.metrics.upstream(exchange.record.upstream, result: .answered)
        // Bytes beyond the answer are one that nobody asked for, whether they have been opened or
        // not; and of one that is out of the loop nobody would hear.
        let isInStep =
            exchange.request == .complete && exchange.responseReuses
            && !pool.connections[index].hasEnded && pool.connections[index].input.isEmpty
            && !pool.connections[index].hasUnsent && !pool.connections[index].isDeaf
            && !pool.connections[index].hasHidden
        if isInStep {
            pool.park(index, &context)
        } else {
            pool.close(index, &context)
        }
    }

    /// Sends the answer that lies whole in the output: at the end of the turn, if it can.
    private mutating func deliver(_ context: inout WorkerContext) -> Step {
        if !context.answers.isFull {
            isAnswerPutOff = true
            context.answers.append(token)
            return .idle
        }
        let isSent = flush(&context)
        finish(&context, isOwnTime: true)
        return isSent ? .progress : .end(.reset)
    }

    /// The turn's end: sends the answer that was put off, and goes on.
    mutating func sendAnswer(_ context: inout WorkerContext, _ pool: inout UpstreamPool) -> Fate {
        isAnswerPutOff = false
        let isSent = flush(&context)
        finish(&context, isOwnTime: true)
        return isSent ? advance(&context, &pool) : .reset
    }
}
