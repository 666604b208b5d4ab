// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import Filters
import HTTP1
import Identity
import Policy
import Reactor
import Telemetry

extension WorkerContext {
    /// What becomes of a request.
    enum Decision: Equatable {
        case forward(upstream: Int)
        case wait(Awaited)
        case refuse(Problem)
        case keySet(isKnown: Bool)
        /// OPTIONS that is to go no further.
        case options
        case health
    }

    /// Decides about the request whose head is in `head`; from where it stood still, if it did.
    ///
    /// - Parameters:
    ///   - bytes: what the head was parsed from, and what follows it.
    ///   - memo: attached; gets the texts that the log needs later.
    mutating func judge(
        _ bytes: Span<UInt8>, client: IPAddress, _ exchange: inout Exchange, memo: inout Buffer
    ) -> Decision {
        if exchange.request == .judging, let problem = adoptPause(&exchange) {
            return .refuse(problem)
        }
        exchange.facts.now = now.nanoseconds
        exchange.facts.wallSeconds = now.wallSeconds
        exchange.facts.steadyMilliseconds = steadyMilliseconds
        exchange.facts.client = hasTrustedProxies ? originator(behind: client, bytes) : client
        memo.remember(bytes.extracting(head.methodRange), as: &exchange.memo.method)
        let decision = decide(bytes, &exchange, memo: &memo)
        if case .wait = decision { return decision }
        identify(bytes, client, &exchange, memo: &memo)
        return decision
    }

    private mutating func decide(
        _ bytes: Span<UInt8>, _ exchange: inout Exchange, memo: inout Buffer
    ) -> Decision {
        let target = bytes.extracting(head.pathRange)
        // Out of self for the call, since a span of one field borrows all of them.
        var scratch = Buffer()
        swap(&scratch, &line)
        defer { swap(&scratch, &line) }
        let judged: JudgedTarget
        do throws(TargetFault) {
            judged = try RequestTarget.judge(target, scratch: &scratch)
        } catch {
            memo.remember(target.beforeQuery, as: &exchange.memo.path)
            return .refuse(error == .malformed ? .httpMalformed : .pathAmbiguous)
        }
        exchange.isTargetRewritten = judged.isRewritten
        exchange.targetCount = judged.count
        guard judged.isRewritten else {
            let path = target.extracting(judged.path)
            memo.remember(path, as: &exchange.memo.path)
            return decide(path: path, bytes, &exchange)
        }
        let path = scratch.readable.extracting(judged.path)
        memo.remember(path, as: &exchange.memo.path)
        return decide(path: path, bytes, &exchange)
    }

    private mutating func decide(
        path: Span<UInt8>, _ bytes: Span<UInt8>, _ exchange: inout Exchange
    ) -> Decision {
        if head.expectationUnknown { return .refuse(.expectationFailed) }
        if let own = ownEndpoint(path, bytes) { return own }
        switch routes.match(path, method: bytes.extracting(head.methodRange)) {
        case .noRoute:
            if path.equals("/healthz") { return .health }
            return .refuse(.noRoute)
        case .methodNotAllowed(let route):
            exchange.record.route = routes.rules[route].number
            return .refuse(.methodNotAllowed)
        case .route(let route):
            return run(bytes, route: route, path.equals("/healthz"), &exchange)
        }
    }

    /// `/.well-known/jwks.json` and `/.agentport/` come before all routes.
    private func ownEndpoint(_ path: Span<UInt8>, _ bytes: Span<UInt8>) -> Decision? {
        if path.equals("/.well-known/jwks.json") {
            return head.method == .get || head.method == .head
                ? .keySet(isKnown: knowsKeySet(bytes)) : .refuse(.methodNotAllowed)
        }
        if path.hasPrefix("/.agentport/") || path.equals("/.agentport") {
            return .refuse(.noRoute)
        }
        return nil
    }

    private mutating func run(
        _ bytes: Span<UInt8>, route: Int, _ isHealthPath: Bool, _ exchange: inout Exchange
    ) -> Decision {
        let rule = routes.rules[route]
        // A route for exactly this path would take it; a prefix does not (SPEC §5).
        if isHealthPath, rule.isPrefix { return .health }
        exchange.record.route = rule.number
        if exchange.isSurplus { return .refuse(.overloaded) }
        // An upstream would show the client its own token (RFC 9110 §9.3.8).
        if head.method == .trace { return .refuse(.methodNotAllowed) }
        if let limits = rule.headLimits, let problem = head.problem(within: limits) {
            return .refuse(problem)
        }
        if case .length(let count) = head.framing, count > rule.bodyMax {
            return .refuse(.bodyTooLarge)
        }
        exchange.follow(rule)
        exchange.facts.isPublic = rule.isPublic
        exchange.facts.upstream = rule.upstream
        let outcome = runChain(bytes, &exchange)
        switch outcome.verdict {
        case .pass:
            if head.wantsUpgrade { return .refuse(.upgradeDenied) }
            if head.method == .options, isLastHop(bytes) { return .options }
            exchange.record.upstream = rule.upstreamNumber
            return .forward(upstream: rule.upstreamNumber)
        case .refuse(let problem):
            let filter = filterNumbers[outcome.position]
            exchange.record.filter = filter
            metrics.rejection(filter: filter, code: Int(problem.rawValue))
            return .refuse(problem)
        case .wait(let awaited):
            exchange.pause.position = outcome.position
            exchange.pause.passed = chain.kinds(before: outcome.position)
            exchange.pause.revision = revision
            return .wait(awaited)
        }
    }

    /// RFC 9110 §7.6.2.
    private func isLastHop(_ bytes: Span<UInt8>) -> Bool {
        head.value(.maxForwards, in: bytes)?.decimal == 0
    }

    /// Runs the filters, and counts what they did.
    private mutating func runChain(
        _ bytes: Span<UInt8>, _ exchange: inout Exchange
    ) -> ChainOutcome {
        let metrics = metrics
        let filterNumbers = filterNumbers
        var before = Clock.monotonicNanoseconds()
        var last: UInt64 = 0
        let outcome = chain.run(&exchange.facts, head, bytes, from: exchange.pause.position) {
            let now = Clock.monotonicNanoseconds()
            last = now - before
            metrics.filter(filterNumbers[$0], nanoseconds: last)
            before = now
        }
        // It signs last of all: the policy sees to that.
        if chain.hasSigned { metrics.jwtSigned(nanoseconds: last) }
        if let result = chain.totpResult { metrics.totp(result: result) }
        if let shadow = exchange.facts.shadow {
            let filter = filterNumbers[shadow.position]
            exchange.record.shadow = Int(shadow.problem.rawValue)
            metrics.rejection(
                filter: filter, code: Int(shadow.problem.rawValue), mode: .shadow)
            exchange.facts.shadow = nil
        }
        if let outcome = chain.failureOutcome, outcome != .counted {
            auditLockout(outcome, agent: exchange.facts.agent, exchange.facts.client)
        }
        return outcome
    }

    /// Gives the request its id and its place in a trace (W3C Trace Context §3.2).
    private mutating func identify(
        _ bytes: Span<UInt8>, _ peer: IPAddress, _ exchange: inout Exchange, memo: inout Buffer
    ) {
        let start = memo.count
        if exchange.facts.agent >= 0 || isTrustedProxy(peer), head.count(of: .xRequestID) == 1,
            let sent = head.value(.xRequestID, in: bytes), sent.isRequestID
        {
            memo.append(sent)
        } else {
            appendRequestID(to: &memo)
        }
        exchange.memo.requestID = start..<memo.count
        let traceStart = memo.count
        exchange.continuesTrace = false
        if head.count(of: .traceparent) == 1, let sent = head.value(.traceparent, in: bytes),
            let parent = TraceParent(sent)
        {
            exchange.continuesTrace = true
            exchange.traceFlags = parent.flags
            memo.append(sent.extracting(TraceParent.traceID))
        } else {
            exchange.traceFlags = 0
            memo.append(hexadecimal: random.bytes16().span)
        }
        exchange.memo.traceID = traceStart..<memo.count
        let spanStart = memo.count
        memo.append(hexadecimal: random.bytes16().span.extracting(0..<8))
        exchange.memo.spanID = spanStart..<memo.count
    }
}

extension Exchange {
    /// Notes what the route says of bodies and times.
    fileprivate mutating func follow(_ rule: borrowing RouteTable.Rule) {
        bodyMax = rule.bodyMax
        bodyMilliseconds = rule.bodyMilliseconds
        connectMilliseconds = rule.connectMilliseconds
        firstByteMilliseconds = rule.firstByteMilliseconds
        idleMilliseconds = rule.idleMilliseconds
    }
}

extension RequestHead {
    /// What a route that allows less than the listener says of the head.
    fileprivate func problem(within limits: HeadLimits) -> Problem? {
        if requestLineCount > limits.requestLineBytes { return .uriTooLong }
        let isTooLarge = count > limits.headBytes || fieldCount > limits.fieldCount
        return isTooLarge ? .headersTooLarge : nil
    }
}

extension Buffer {
    /// Appends a text, cut to what a log line shows of it, and says where it lies; once.
    fileprivate mutating func remember(_ text: Span<UInt8>, as range: inout Range<Int>) {
        guard range.isEmpty else { return }
        let start = count
        append(text.extracting(0..<min(text.count, AccessLineWriter.pathLengthMax + 1)))
        range = start..<count
    }
}

extension Span where Element == UInt8 {
    fileprivate var beforeQuery: Span<UInt8> {
        @_lifetime(copy self)
        get { extracting(0..<(firstOffset(of: UInt8(ascii: "?")) ?? count)) }
    }

    /// 1 to 128 characters of `[A-Za-z0-9._-]`.
    fileprivate var isRequestID: Bool {
        guard count >= 1, count <= 128 else { return false }
        for index in indices {
            let byte = self[index]
            guard
                byte.isLetter || byte.isDigit || byte == UInt8(ascii: ".")
                    || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
            else { return false }
        }
        return true
    }
}
