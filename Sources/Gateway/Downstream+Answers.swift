// SPDX-License-Identifier: Apache-2.0

import Bytes
import Filters
import HTTP1
import Identity
import Reactor
import Telemetry

/// Answers that the gateway gives itself.
extension Downstream {
    /// Answers with a problem (RFC 9457) and ends the exchange; the connection too where it can't
    /// be known to be in step.
    mutating func refuse(_ problem: Problem, _ context: inout WorkerContext) {
        prepareMemo(&context)
        // Some of the request's body is still to come, and nobody will read it.
        let leavesInput = exchange.request == .receivingBody || !exchange.requestBody.isComplete
        if problem.closesConnection || leavesInput { exchange.keepsAlive = false }
        exchange.facts.grant = nil
        exchange.record.status = problem.status
        exchange.record.code = Int(problem.rawValue)
        let body = context.problemBody(
            problem, requestID: memo.readable.extracting(exchange.memo.requestID))
        context.plain.appendStatusLine(problem.status)
        context.plain.append("content-type: application/problem+json\r\n")
        context.plain.appendField("content-length", decimal: UInt64(body))
        appendRefusalFields(problem, &context)
        context.appendOwnFields(exchange, memo: memo.readable)
        context.plain.appendHeadEnd()
        if exchange.method != .head { context.appendLine() }
        context.line.clear()
        conclude(&context)
    }

    private func appendRefusalFields(_ problem: Problem, _ context: inout WorkerContext) {
        let retryAfterSeconds = exchange.facts.retryAfterSeconds
        context.plain.append("cache-control: no-store\r\n")
        switch problem.challenge {
        case .none: break
        case .some(let challenge):
            context.plain.append("www-authenticate: Bearer realm=\"agentport\"")
            context.plain.append(challenge)
            context.plain.append("\r\n")
        }
        switch problem {
        case .methodNotAllowed: context.appendAllow(route: exchange.record.route)
        case .tlsRequired: context.plain.append("upgrade: TLS/1.3, HTTP/1.1\r\n")
        default: break
        }
        if let quota = exchange.facts.quota {
            context.plain.append("ratelimit-policy: \"default\";q=")
            context.plain.append(decimal: quota.requests)
            context.plain.append(";w=")
            context.plain.append(decimal: quota.windowSeconds)
            context.plain.append("\r\nratelimit: \"default\";r=0;t=")
            context.plain.append(decimal: retryAfterSeconds)
            context.plain.append("\r\n")
        }
        let wait = retryAfterSeconds > 0 ? retryAfterSeconds : problem.retryAfterSeconds
        if let wait {
            context.plain.append("retry-after: ")
            context.plain.append(decimal: wait)
            context.plain.append("\r\n")
        }
    }

    /// The key set, public, from any address that speaks TLS (SPEC §5).
    mutating func answerKeySet(isKnown: Bool, _ context: inout WorkerContext) {
        prepareMemo(&context)
        let jwks = context.generation.jwks
        exchange.record.status = isKnown ? 304 : 200
        if !exchange.requestBody.isComplete { exchange.keepsAlive = false }
        context.plain.appendStatusLine(exchange.record.status)
        context.plain.append("cache-control: max-age=300\r\netag: ")
        context.plain.append(array: jwks.entityTag)
        context.plain.append("\r\n")
        if !isKnown {
            context.plain.append("content-type: application/jwk-set+json\r\n")
            context.plain.appendField("content-length", decimal: UInt64(jwks.document.count))
        }
        context.appendOwnFields(exchange, memo: memo.readable)
        context.plain.appendHeadEnd()
        if !isKnown, exchange.method != .head { context.plain.append(array: jwks.document) }
        conclude(&context)
    }

    /// `GET /healthz`: alive, and nothing else to tell.
    mutating func answerHealth(_ context: inout WorkerContext) {
        prepareMemo(&context)
        if !exchange.requestBody.isComplete { exchange.keepsAlive = false }
        exchange.record.status = 200
        context.plain.append("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 3\r\n")
        context.plain.append("cache-control: no-store\r\n")
        context.appendOwnFields(exchange, memo: memo.readable)
        context.plain.appendHeadEnd()
        if exchange.method != .head { context.plain.append("ok\n") }
        conclude(&context)
    }

    /// `OPTIONS` that may go no further: what the route allows (RFC 9110 §9.3.7).
    mutating func answerOptions(_ context: inout WorkerContext) {
        prepareMemo(&context)
        if !exchange.requestBody.isComplete { exchange.keepsAlive = false }
        exchange.record.status = 204
        context.plain.append("HTTP/1.1 204 No Content\r\n")
        context.appendAllow(route: exchange.record.route)
        context.appendOwnFields(exchange, memo: memo.readable)
        context.plain.appendHeadEnd()
        conclude(&context)
    }

    private mutating func conclude(_ context: inout WorkerContext) {
        exchange.response = .complete
        let isSent = emit(&context)
        context.plain.clear()
        finish(&context, isOwnTime: true)
        if !isSent { isClosing = true }
    }

    /// A head that could not be read has no id yet.
    private mutating func prepareMemo(_ context: inout WorkerContext) {
        guard exchange.memo.requestID.isEmpty, memo.attach(from: &context.memoPool) else { return }
        let start = memo.count
        context.appendRequestID(to: &memo)
        exchange.memo.requestID = start..<memo.count
        if exchange.startedAt == 0 { exchange.startedAt = context.now.nanoseconds }
    }
}

extension Problem {
    /// What follows the realm in `WWW-Authenticate` (RFC 6750 §3, RFC 9470 §3); `nil` without one.
    fileprivate var challenge: StaticString? {
        switch self {
        case .credentialsMissing: ""
        case .totpRequired: ", error=\"insufficient_user_authentication\""
        case .credentialsInvalid, .totpInvalid, .sessionInvalid: ", error=\"invalid_token\""
        default: nil
        }
    }
}
