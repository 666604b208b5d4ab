// SPDX-License-Identifier: Apache-2.0

import Bytes
import Filters
import HTTP1
import Policy
import Reactor
import TLS
import Telemetry

extension Downstream {
    /// When the connection needs to be looked at though nothing comes; monotonic milliseconds.
    private func deadline(_ context: borrowing WorkerContext) -> UInt64 {
        let limits = context.limits
        if phase == .lingering { return lingerUntil }
        if isStarved { return context.now.milliseconds + Self.starvedMilliseconds }
        let isShakingHands = phase == .sniffing || phase == .handshaking
        if !cipherOut.isEmpty, !isShakingHands {
            // The client does not read: as long as an idle connection may last, not longer.
            return lastWriteAt + UInt64(limits.keepaliveTimeoutMilliseconds)
        }
        switch phase {
        case .sniffing, .handshaking, .lingering:
            let end = acceptedAt + UInt64(limits.headerTimeoutMilliseconds)
            // Going away, the gateway waits no longer for those who have not said anything yet.
            guard context.closingSince > 0 else { return end }
            return min(end, endOfFirstWord(context))
        case .plaintext:
            return acceptedAt + Self.plaintextMilliseconds
        case .open: break
        }
        if exchange.waitingSince > 0 {
            return exchange.waitingSince + exchange.connectMilliseconds
        }
        switch exchange.request {
        case .awaitingHead where exchange.startedAt > 0:
            return exchange.startedAt / 1_000_000 + UInt64(limits.headerTimeoutMilliseconds)
        case .awaitingHead:
            let idleSince = max(lastReadAt, lastWriteAt)
            var end = idleSince + UInt64(limits.keepaliveTimeoutMilliseconds)
            if context.closingSince > 0, !hasAsked { end = min(end, endOfFirstWord(context)) }
            // Half a record is the beginning of a head, and holds memory.
            guard recordSince > 0 else { return end }
            return min(end, recordSince + UInt64(limits.headerTimeoutMilliseconds))
        case .judging:
            return pauseDeadline(bodyTimeout: exchange.bodyMilliseconds)
        case .receivingBody where !exchange.isClientsTurn:
            // What it has sent is not taken yet, or it waits to be told to go on: the upstream's
            // own timer runs.
            return .max
        case .receivingBody:
            return lastReadAt + exchange.bodyMilliseconds
        case .complete:
            // The upstream's own timer runs; a live answer may take as long as it likes.
            return .max
        }
    }

    func arm(_ context: inout WorkerContext) {
        let deadline = deadline(context)
        if deadline == .max {
            context.timers.cancel(token.index)
        } else {
            context.timers.schedule(token.index, at: deadline)
        }
    }

    mutating func onTimer(_ context: inout WorkerContext, _ pool: inout UpstreamPool) -> Fate {
        let now = context.now.milliseconds
        if isStarved {
            // Who gets no memory for as long as a head may take is of no use to anybody.
            let limit = UInt64(context.limits.headerTimeoutMilliseconds)
            guard now < starvedSince + limit else { return abort(&context, &pool) }
            isStarved = false
            // Takes back what was put aside of the input, which nothing else may bring to mind.
            return onReadable(&context, &pool)
        }
        guard deadline(context) <= now else {
            arm(&context)
            return .keep
        }
        if phase == .lingering { return .close }
        if !cipherOut.isEmpty { return abort(&context, &pool) }
        guard phase == .open else {
            if phase != .plaintext {
                context.metrics.tlsHandshake(
                    result: .timedOut, nanoseconds: (now - acceptedAt) * 1_000_000)
            }
            return .reset
        }
        if exchange.waitingSince > 0 {
            return onNotLent(.overloaded, isServed: false, &context, &pool)
        }
        switch exchange.request {
        case .awaitingHead where exchange.startedAt > 0:
            // What was put aside of the head is of no more use.
            memo.clear()
            refuse(.requestTimeout, &context)
        case .judging:
            if mayGoOnWaiting(&context) { return advance(&context, &pool) }
        case .receivingBody where !exchange.hasResponseBegun:
            dropUpstream(&context, &pool)
            refuse(.requestTimeout, &context)
        case .receivingBody:
            return abort(&context, &pool)
        case .awaitingHead, .complete:
            isClosing = true
        }
        return settle(&context, &pool)
    }

    /// Ends an idle connection because the gateway is going away; one that has just begun to send
    /// is served first.
    mutating func onDrain(_ context: inout WorkerContext, _ pool: inout UpstreamPool) -> Fate {
        guard phase == .open, exchange.request == .awaitingHead else {
            arm(&context)
            return .keep
        }
        return onReadable(&context, &pool)
    }

    /// Whether the gateway accepts no more and owes this client nothing: no byte of a request has
    /// come, neither of half a record nor to the socket since it was last read, since what arrives
    /// before our FIN is to be answered. Who has come last of all has a while to ask.
    func isIdleAtTheEnd(_ context: borrowing WorkerContext) -> Bool {
        guard context.closingSince > 0, phase == .open, !isClosing,
            exchange.request == .awaitingHead, exchange.startedAt == 0
        else { return false }
        guard hasAsked || context.now.milliseconds >= endOfFirstWord(context) else { return false }
        return plainIn.isEmpty && cipherOut.isEmpty && cipherIn.isEmpty && !opening.isAttached
            && socket.isQuiet
    }

    private func endOfFirstWord(_ context: borrowing WorkerContext) -> UInt64 {
        context.closingSince + Self.lingerMilliseconds
    }
}
