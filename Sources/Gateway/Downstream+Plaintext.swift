// SPDX-License-Identifier: Apache-2.0

import Bytes
import Filters
import HTTP1
import Policy
import Reactor
import Telemetry

/// A connection that did not begin with TLS: one small request, answered and closed (SPEC §5).
extension Downstream {
    static let plaintextMilliseconds: UInt64 = 2000
    static let plaintextBytesMax = 2 * 1024

    mutating func servePlaintext(_ context: inout WorkerContext) {
        guard !isClosing, !plainIn.isEmpty else { return }
        guard memo.attach(from: &context.memoPool) else {
            isClosing = true
            return
        }
        if exchange.startedAt == 0 { exchange.startedAt = context.now.nanoseconds }
        exchange.keepsAlive = false
        let limits = HeadLimits(
            requestLineBytes: Self.plaintextBytesMax, headBytes: Self.plaintextBytesMax,
            fieldCount: context.limits.headerFields)
        do throws(HeadFault) {
            guard case .complete = try parseHead(limits, &context) else {
                if plainIn.count >= Self.plaintextBytesMax { refuse(.tlsRequired, &context) }
                return
            }
        } catch {
            refuse(.tlsRequired, &context)
            return
        }
        exchange.take(context.head, isLast: true)
        rememberTarget(context)
        if context.head.contains(.authorization) { context.auditExposedSecret(client) }
        if let limiter = context.generation.ipLimiter,
            limiter.take(client, now: context.now.nanoseconds) != .pass
        {
            refuse(.rateLimited, &context)
        } else if isKeySetAllowed(context) {
            answerKeySet(isKnown: context.knowsKeySet(plainIn.readable), &context)
        } else {
            refuse(.tlsRequired, &context)
        }
    }

    /// For the log.
    private mutating func rememberTarget(_ context: borrowing WorkerContext) {
        exchange.memo.method = plainIn.copy(context.head.methodRange, to: &memo)
        exchange.memo.path = plainIn.copy(context.head.pathRange, to: &memo)
    }

    private func isKeySetAllowed(_ context: borrowing WorkerContext) -> Bool {
        guard context.generation.configuration.listen.plaintextJWKS == .private, client.isPrivate,
            context.head.method == .get || context.head.method == .head
        else { return false }
        let target = plainIn.readable.extracting(context.head.pathRange)
        return target.equals("/.well-known/jwks.json")
    }
}

extension Buffer {
    /// Appends a part of what waits here to another buffer, without the query it may have.
    ///
    /// - Returns: where it lies there.
    fileprivate func copy(_ range: Range<Int>, to other: inout Buffer) -> Range<Int> {
        let text = readable.extracting(range)
        let end = text.firstOffset(of: UInt8(ascii: "?")) ?? text.count
        let start = other.count
        other.append(text.extracting(0..<end))
        return other.overflowed ? 0..<0 : start..<other.count
    }
}
