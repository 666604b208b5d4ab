// SPDX-License-Identifier: Apache-2.0

import Bytes
import Filters
import HTTP1
import Identity
import Reactor
import TLS
import Telemetry

extension Downstream {
    /// The exchange is over: count and log it, then begin anew or end the connection.
    ///
    /// - Parameter isOwnTime: the turn so far was spent on it here.
    mutating func finish(_ context: inout WorkerContext, isOwnTime: Bool = false) {
        let elapsed = context.elapsed
        if isOwnTime { exchange.ownNanoseconds += elapsed }
        exchange.record.durationMicroseconds =
            (context.now.nanoseconds + elapsed - exchange.startedAt) / 1000
        exchange.record.realtimeNanoseconds = context.now.wallNanoseconds + elapsed
        // The name lies behind the head's texts, where nothing else is written any more.
        let nameStart = memo.count
        if memo.isAttached { session?.appendServerName(to: &memo) }
        exchange.memo.serverName = nameStart..<memo.count
        // A head that could not be read says nothing of who is behind a proxy.
        let isJudged = exchange.facts.now > 0
        let originator = isJudged ? exchange.facts.client : client
        context.record(exchange, client: originator, isTLS: session != nil, memo: memo.readable)
        memo.release(to: &context.memoPool)
        if exchange.keepsAlive, exchange.request == .complete || exchange.requestBody.isComplete {
            exchange = Exchange()
            if phase == .open { move(to: .idle, &context) }
        } else {
            if exchange.request == .judging { exchange.request = .awaitingHead }
            exchange.startedAt = 0
            isClosing = true
        }
    }
}

extension WorkerContext {
    /// Counts the request, and hands its line to the log.
    fileprivate mutating func record(
        _ exchange: borrowing Exchange, client: IPAddress, isTLS: Bool, memo: Span<UInt8>
    ) {
        let entry = exchange.record
        metrics.request(
            route: entry.route, code: entry.code, status: entry.status,
            durationNanoseconds: entry.durationMicroseconds * 1000,
            gatewayNanoseconds: exchange.ownNanoseconds)
        metrics.bytes(in: Int(entry.bytesIn), out: Int(entry.bytesOut))
        guard isLoggingRequests else { return }
        var record = entry
        record.gatewayMicroseconds = exchange.ownNanoseconds / 1000
        writeLine(record, exchange, client, isTLS, memo)
        guard !line.isEmpty else { return }
        switch gateway.log.append(worker: number, line: line.readable) {
        case .taken: break
        case .takenWakeWriter: gateway.logWakeup.signal()
        case .dropped: metrics.logDropped()
        }
        line.clear()
    }

    private mutating func writeLine(
        _ record: AccessRecord, _ exchange: borrowing Exchange, _ client: IPAddress,
        _ isTLS: Bool, _ memo: Span<UInt8>
    ) {
        let roster = generation.state.roster
        let number = exchange.facts.agent
        let agent = number >= 0 ? roster.names[number] : []
        let user = exchange.facts.token?.userBytes ?? (number >= 0 ? roster.users[number] : [])
        let tls = isTLS ? Self.tlsName : []
        // Locals, since a span of one field borrows the whole context.
        var output = Buffer()
        swap(&output, &line)
        output.clear()
        var address = Buffer()
        swap(&address, &plain)
        address.clear()
        address.append(client)
        // A line that does not fit is left out whole; what it holds is bounded, so none is.
        _ = logLine.write(
            record,
            requestID: memo.extracting(exchange.memo.requestID),
            traceID: memo.extracting(exchange.memo.traceID),
            spanID: memo.extracting(exchange.memo.spanID),
            client: address.readable,
            agent: agent.span, user: user.span,
            method: memo.extracting(exchange.memo.method),
            path: memo.extracting(exchange.memo.path),
            tls: tls.span, serverName: memo.extracting(exchange.memo.serverName),
            into: &output)
        address.clear()
        swap(&output, &line)
        swap(&address, &plain)
    }

    private static let tlsName = Array("TLSv1.3".utf8)
}
