// SPDX-License-Identifier: Apache-2.0

import Bytes
import Filters
import HTTP1
import Identity
import Policy
import Telemetry

/// What goes upstream and what comes back, header by header (SPEC §5).
extension WorkerContext {
    /// Appends the request's head as the upstream is to see it.
    func writeRequest(
        _ bytes: Span<UInt8>, client: IPAddress, _ exchange: borrowing Exchange,
        memo: Span<UInt8>, into output: inout Buffer
    ) {
        let target =
            exchange.isTargetRewritten
            ? line.readable.extracting(0..<exchange.targetCount)
            : bytes.extracting(head.pathRange).extracting(0..<exchange.targetCount)
        output.appendRequestLine(bytes.extracting(head.methodRange), target: target)
        copyRequestFields(bytes, exchange, into: &output)
        if !head.contains(.host) {
            output.append("host: ")
            output.append(array: generation.upstreams[exchange.facts.upstream].authority)
            output.append("\r\n")
        }
        output.appendFraming(head.framing)
        output.appendField("x-request-id", memo.extracting(exchange.memo.requestID))
        appendTrace(exchange, memo, into: &output)
        appendForwarding(bytes, client, into: &output)
        if !exchange.facts.isPublic {
            output.appendField("x-agentport-jwt", chain.token.readable)
            if hasLegacyHeader {
                output.appendField("x-forwarded-token", chain.token.readable)
            }
        }
        output.appendHeadEnd()
    }

    private func copyRequestFields(
        _ bytes: Span<UInt8>, _ exchange: borrowing Exchange, into output: inout Buffer
    ) {
        for index in 0..<head.fieldCount {
            let field = head[index]
            switch field.name {
            case .contentLength, .traceparent: continue
            case .tracestate where !exchange.continuesTrace: continue
            case .trailer where head.framing == .chunked: break
            case .expect where !exchange.awaitsContinue: continue
            case .secWebSocketProtocol:
                output.appendProtocols(field.value(in: bytes))
                continue
            case .maxForwards where head.method == .options:
                output.appendOneForwardLess(than: field.value(in: bytes))
                continue
            default:
                guard !field.name.isHopByHop, !field.name.isRemovedFromRequests,
                    !head.isNamedByConnection(index, in: bytes)
                else { continue }
            }
            output.appendField(field.name(in: bytes), field.value(in: bytes))
        }
    }

    private func appendTrace(
        _ exchange: borrowing Exchange, _ memo: Span<UInt8>, into output: inout Buffer
    ) {
        output.append("traceparent: 00-")
        output.append(memo.extracting(exchange.memo.traceID))
        output.append(UInt8(ascii: "-"))
        output.append(memo.extracting(exchange.memo.spanID))
        output.append(UInt8(ascii: "-"))
        output.append(Hex.digit(exchange.traceFlags >> 4))
        output.append(Hex.digit(exchange.traceFlags & 15))
        output.append("\r\n")
    }

    // MARK: Responses

    /// Appends an upstream's head as the client is to see it.
    ///
    /// - Parameter isInterim: a 1xx answer, which has no framing and announces nothing of ours.
    mutating func writeResponse(
        _ bytes: Span<UInt8>, _ exchange: borrowing Exchange, memo: Span<UInt8>, isInterim: Bool
    ) {
        plain.appendStatusLine(
            responseHead.status, reason: bytes.extracting(responseHead.reasonRange))
        for index in 0..<responseHead.fieldCount {
            let field = responseHead[index]
            switch field.name {
            // Of HEAD and 304 it says what GET would get; 204 has none (RFC 9110 §8.6).
            case .contentLength
            where exchange.responseFraming != .none || responseHead.status == 204
                || responseHead.status < 200:
                continue
            case .cacheControl where exchange.facts.grant != nil: continue
            case .trailer where exchange.responseFraming == .chunked: break
            case .setCookie where field.value(in: bytes).hasPrefix("__Host-agentport="): continue
            default:
                guard !field.name.isHopByHop, !field.name.isRemovedFromResponses,
                    !responseHead.isNamedByConnection(index, in: bytes)
                else { continue }
            }
            plain.appendField(field.name(in: bytes), field.value(in: bytes))
        }
        if !isInterim {
            plain.appendFraming(exchange.responseFraming)
            appendOwnFields(exchange, memo: memo)
        }
        plain.appendHeadEnd()
    }

    /// What every final answer carries, whoever wrote it.
    mutating func appendOwnFields(_ exchange: borrowing Exchange, memo: Span<UInt8>) {
        plain.appendField("x-request-id", memo.extracting(exchange.memo.requestID))
        if let grant = exchange.facts.grant {
            plain.appendField("x-agentport-session", grant.token.span)
            plain.append("x-agentport-session-expires: ")
            plain.append(rfc3339Seconds: grant.session.expiresMilliseconds / 1000)
            plain.append("\r\ncache-control: no-store\r\n")
        }
        if !exchange.keepsAlive {
            plain.append("connection: close\r\n")
        } else if exchange.minorVersion == 0 {
            plain.append("connection: keep-alive\r\n")
        }
    }
}

extension Buffer {
    /// The subprotocols that are meant for the upstream: credentials among them are ours
    /// (``SubprotocolCredentials``), whether the request is a handshake or not.
    fileprivate mutating func appendProtocols(_ value: Span<UInt8>) {
        var start = 0
        var hasAny = false
        while start <= value.count {
            let end = value.firstOffset(of: .comma, from: start) ?? value.count
            var low = start
            var high = end
            while low < high, value[low] == .space || value[low] == .tab { low += 1 }
            while high > low, value[high - 1] == .space || value[high - 1] == .tab { high -= 1 }
            start = end + 1
            let element = value.extracting(low..<high)
            guard !element.isEmpty, !SubprotocolCredentials.isOurs(element) else { continue }
            append(hasAny ? ", " : "sec-websocket-protocol: ")
            append(element)
            hasAny = true
        }
        if hasAny { append("\r\n") }
    }

    /// RFC 9110 §7.6.2: what is left of the hops that OPTIONS may take. A value that is no number
    /// says nothing.
    fileprivate mutating func appendOneForwardLess(than value: Span<UInt8>) {
        guard let hops = value.decimal, hops > 0 else { return }
        appendField("max-forwards", decimal: hops - 1)
    }
}
