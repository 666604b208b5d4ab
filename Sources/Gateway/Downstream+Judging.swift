// SPDX-License-Identifier: Apache-2.0

import Bytes
import Filters
import HTTP1
import Reactor
import TLS

/// A head is there: what the chain says of it, at once or after a wait.
extension Downstream {
    /// How long a filter may wait for something that is kept outside this process, and how often
    /// it is asked.
    private static let stateMilliseconds: UInt64 = 5000
    private static let lookMilliseconds: UInt64 = 8

    /// A head is there whole, in the context: judge it, and pass it on or answer it.
    mutating func begin(
        _ context: inout WorkerContext, _ pool: inout UpstreamPool
    ) -> Step {
        guard memo.attach(from: &context.memoPool) else {
            refuse(.overloaded, &context)
            return .progress
        }
        memo.clear()
        exchange.take(
            context.head,
            isLast: context.isDraining || context.isCrowded() || isProofOutdated)
        exchange.isSurplus = isSurplus
        return judge(&context, &pool)
    }

    private mutating func judge(
        _ context: inout WorkerContext, _ pool: inout UpstreamPool
    ) -> Step {
        exchange.parser.reset()
        exchange.facts.clientPin = certificate?.pin(at: context.now.wallSeconds)
        var input = Buffer()
        swap(&input, &plainIn)
        let decision = context.judge(input.readable, client: client, &exchange, memo: &memo)
        swap(&input, &plainIn)
        switch decision {
        case .forward(let upstream):
            return forward(upstream, &context, &pool)
        case .wait(let awaited):
            return pause(for: awaited, &context)
        case .refuse(let problem):
            plainIn.consume(context.head.count)
            refuse(problem, &context)
        case .keySet(let isKnown):
            plainIn.consume(context.head.count)
            answerKeySet(isKnown: isKnown, &context)
        case .options:
            plainIn.consume(context.head.count)
            answerOptions(&context)
        case .health:
            plainIn.consume(context.head.count)
            answerHealth(&context)
        }
        return .progress
    }

    // MARK: Standing still

    /// Leaves the request where it is until there is more for the filter to see.
    private mutating func pause(for awaited: Awaited, _ context: inout WorkerContext) -> Step {
        let now = context.now.milliseconds
        exchange.request = .judging
        exchange.pause.awaited = awaited
        exchange.pause.seen = plainIn.count
        exchange.pause.nextLook = now + Self.lookMilliseconds
        if exchange.pause.since == 0 { exchange.pause.since = max(1, now) }
        exchange.ownNanoseconds += context.elapsed
        guard awaited == .body else { return .idle }
        guard plainIn.roomAfterCompaction > 0 else {
            refuse(.bodyTooLarge, &context)
            return .progress
        }
        if exchange.awaitsContinue, plainIn.count == context.head.count { sendContinue(&context) }
        return .idle
    }

    /// Asks for the body in the upstream's place, which is not to know of the request yet
    /// (RFC 9110 §10.1.1).
    private mutating func sendContinue(_ context: inout WorkerContext) {
        exchange.awaitsContinue = false
        context.plain.append("HTTP/1.1 100 Continue\r\n\r\n")
        if !emit(&context) { isClosing = true }
        lastReadAt = context.now.milliseconds
    }

    /// Asks the filter again, if there is reason to.
    mutating func resume(_ context: inout WorkerContext, _ pool: inout UpstreamPool) -> Step {
        guard cipherOut.isEmpty else { return .idle }
        switch exchange.pause.awaited {
        case .body:
            guard plainIn.count > exchange.pause.seen else { return .idle }
        case .state:
            guard context.now.milliseconds >= exchange.pause.nextLook else { return .idle }
        }
        // Others have used the context's head meanwhile.
        do throws(HeadFault) {
            guard case .complete = try parseHead(context.generation.headLimits, &context) else {
                preconditionFailure("a head that was whole is whole")
            }
        } catch {
            // Larger than the listener lets in by now.
            refuse(Problem(error), &context)
            return .progress
        }
        return judge(&context, &pool)
    }

    /// When a request that stands still is looked at again, or given up; monotonic milliseconds.
    func pauseDeadline(bodyTimeout: UInt64) -> UInt64 {
        switch exchange.pause.awaited {
        case .body: lastReadAt + bodyTimeout
        case .state: min(exchange.pause.nextLook, exchange.pause.since + Self.stateMilliseconds)
        }
    }

    /// - Returns: false where the request has been given up.
    mutating func mayGoOnWaiting(_ context: inout WorkerContext) -> Bool {
        let problem: Problem
        switch exchange.pause.awaited {
        case .body:
            problem = .requestTimeout
        case .state:
            let end = exchange.pause.since + Self.stateMilliseconds
            guard context.now.milliseconds >= end else { return true }
            problem = .stateUnavailable
        }
        // The request still lies in the input, and nobody will read it.
        exchange.keepsAlive = false
        refuse(problem, &context)
        return false
    }
}
