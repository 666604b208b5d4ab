// SPDX-License-Identifier: Apache-2.0

import Bytes
import Filters
import HTTP1
import Policy
import Reactor
import TLS
import Telemetry

/// The connection to the upstream: its making, its deadlines, and its loss.
extension Downstream {
    /// One request tries so many connections at most; an address each.
    private static let attemptsMax = 8

    /// The connection is being made, and has come a step further or failed.
    mutating func onUpstreamConnecting(
        _ context: inout WorkerContext, _ pool: inout UpstreamPool
    ) -> Fate {
        let index = exchange.connection
        if pool.connections[index].state == .connecting {
            let number = pool.connections[index].socket.connectionError
            guard number == 0 else {
                return fate(
                    upstreamLost(.connectFailed, &context, &pool, why: SystemError.text(number)),
                    &context, &pool)
            }
        }
        let seat = pool.connections[index].seat
        if let trust = pool.seats[seat].endpoint.tls {
            switch pool.connections[index].shakeHands(trust, &context) {
            case .underway:
                let hasUnsent = pool.connections[index].hasUnsentCiphertext
                pool.watch(
                    index, Interest(readable: true, writable: hasUnsent), &context)
                return .keep
            case .failed(let reason):
                return fate(
                    upstreamLost(.connectFailed, &context, &pool, why: reason), &context, &pool)
            case .starved:
                return fate(upstreamLost(.overloaded, &context, &pool), &context, &pool)
            case .complete: break
            }
        }
        pool.connections[index].state = .busy
        return onUpstreamWritable(&context, &pool)
    }

    /// The upstream connection can be written.
    mutating func onUpstreamWritable(
        _ context: inout WorkerContext, _ pool: inout UpstreamPool
    ) -> Fate {
        guard push(&context, &pool) else {
            return fate(upstreamDeaf(&context, &pool), &context, &pool)
        }
        return advance(&context, &pool)
    }

    mutating func onUpstreamTimer(
        _ context: inout WorkerContext, _ pool: inout UpstreamPool
    ) -> Fate {
        let step: Step
        switch pool.connections[exchange.connection].state {
        case .connecting, .shakingHands:
            step = upstreamLost(.connectFailed, &context, &pool, why: "timed out")
        case .busy, .idle:
            // An answer that has begun is timed only where its route says so.
            guard exchange.response == .awaitingHead || exchange.idleMilliseconds > 0 else {
                return .keep
            }
            step = upstreamLost(.timedOut, &context, &pool)
        }
        return fate(step, &context, &pool)
    }

    // MARK: Loss

    /// The upstream takes nothing more of the request. It may have said why before it went: an
    /// answer that comes early is an answer (RFC 9112 §9.5).
    mutating func upstreamDeaf(
        _ context: inout WorkerContext, _ pool: inout UpstreamPool
    ) -> Step {
        let index = exchange.connection
        let wasDeaf = pool.connections[index].isDeaf
        pool.connections[index].isDeaf = true
        guard !wasDeaf, pool.connections[index].sentCount > 0,
            pool.connections[index].input.attach(from: &context.pool)
        else { return upstreamLost(.reset, &context, &pool) }
        pool.connections[index].dropUnsent(to: &context.pool)
        _ = pool.connections[index].receive(&context)
        let fate = relayResponse(&context, &pool)
        return fate == .keep ? .progress : .end(fate)
    }

    /// The upstream connection is of no more use: tries another, if nothing has left yet, or says
    /// so to the client as far as that is possible.
    ///
    /// - Parameter why: of a failed connect, for the log.
    mutating func upstreamLost(
        _ result: UpstreamResult, _ context: inout WorkerContext, _ pool: inout UpstreamPool,
        why: String? = nil
    ) -> Step {
        let index = exchange.connection
        let upstream = exchange.record.upstream
        let isFirstUse = !pool.connections[index].isReused
        // A pooled connection that was closed while it idled says nothing of its endpoint, nor does
        // a lack of memory here.
        let isStale =
            result == .reset && !isFirstUse && pool.connections[index].sentCount == 0
        if !isStale, result != .overloaded {
            noteFailure(result, index, &context, &pool, why: why)
        }
        // Not a byte of the request has left, so it was never made (SPEC §11, retries).
        if result == .reset || result == .connectFailed, pool.connections[index].sentCount == 0,
            !exchange.hasResponseBegun, let step = retry(&context, &pool)
        {
            return step
        }
        // A retry that could not be made has closed it already.
        if exchange.connection >= 0 { pool.close(index, &context) }
        exchange.connection = -1
        context.metrics.upstream(upstream, result: result)
        guard !exchange.hasResponseBegun else {
            exchange.record.code = Int(Problem.upstreamBadResponse.rawValue)
            finish(&context)
            return .end(.reset)
        }
        switch result {
        case .connectFailed: refuse(.upstreamUnavailable, &context)
        case .timedOut: refuse(.upstreamTimeout, &context)
        case .overloaded: refuse(.overloaded, &context)
        default: refuse(.upstreamBadResponse, &context)
        }
        return .progress
    }

    private mutating func noteFailure(
        _ result: UpstreamResult, _ index: Int, _ context: inout WorkerContext,
        _ pool: inout UpstreamPool, why: String?
    ) {
        let upstream = exchange.record.upstream
        let seat = pool.connections[index].seat
        // One that ended before it took a byte is as good as never made, and like that it counts as
        // an attempt: a Unix socket tells of such an end by the send alone.
        let hasTakenNothing = result == .reset && pool.connections[index].sentCount == 0
        guard result == .connectFailed || hasTakenNothing else {
            return pool.noteFailure(upstream, seat, &context)
        }
        pool.noteUnreachable(
            upstream, seat, attempt: pool.connections[index].attempt,
            why: why ?? "the connection ended at once", &context)
        exchange.attempts += 1
        exchange.tried = pool.tried(
            exchange.tried | 1 << UInt64(pool.connections[index].choice), upstream: upstream,
            attempts: exchange.attempts)
    }

    /// Moves the unsent request to another connection, or back into the line for one.
    ///
    /// - Returns: `nil` where there is none to be had.
    private mutating func retry(
        _ context: inout WorkerContext, _ pool: inout UpstreamPool
    ) -> Step? {
        guard exchange.attempts < Self.attemptsMax else { return nil }
        let seat = pool.connections[exchange.connection].seat
        let isStale = pool.connections[exchange.connection].isReused
        // The old one first: it counts among those that the upstream may have.
        pool.takeOutput(of: exchange.connection, into: &held)
        pool.close(exchange.connection, &context)
        exchange.connection = -1
        if isStale { pool.closeStale(at: seat, &context) }
        let lending = pool.lend(
            upstream: exchange.record.upstream, to: token, tried: exchange.tried, &context)
        switch lending {
        case .lent(let index): return begin(on: index, &context, &pool)
        case .queued(let ticket):
            wait(ticket, &context)
            return .progress
        case .full, .unavailable:
            held.release(to: &context.pool)
            return nil
        }
    }
}
