// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import HTTP1
import Identity
import JSON
import Telemetry

/// Answers operators and their tools: SPEC §8. What it knows and does comes from
/// ``AdminActions``; here is who may ask, in what words, and what the answer looks like.
package final class AdminService {
    let actions: AdminActions
    private var gate: AdminGate
    /// Whether only this machine can reach the listener.
    private let isLoopback: Bool
    private var random = RandomSource()
    private var strangers = StrangerLines()
    /// No call has a body as long.
    private static let bodyBytesMax = 16 << 10

    /// - Parameter isOurs: whether the listener may be called by a host name, in lower case.
    package init(
        isLoopback: Bool, _ actions: AdminActions, isOurs: @escaping (String) -> Bool
    ) {
        gate = AdminGate(isOurs: isOurs)
        self.isLoopback = isLoopback
        self.actions = actions
    }

    package func answer(_ request: AdminRequest) -> AdminAnswer {
        let requestID = makeID()
        let traceID = Self.traceID(request.field("traceparent")) ?? makeTraceID()
        var call: AdminCall?
        let answer: AdminAnswer
        do throws(Refusal) {
            let found = try admit(request)
            call = found
            answer = try perform(found, request, traceID: traceID)
        } catch {
            answer = refusal(error, requestID: requestID)
        }
        if let call {
            if call.isAudited { audit(request, answer, requestID, traceID) }
        } else if strangers.mayTell(at: actions.now().monotonic) {
            audit(request, answer, requestID, traceID)
        }
        return answer
    }

    /// How long a call's body may be: nothing is gathered for whoever has no right token.
    package func bodyMax(_ request: AdminRequest) -> Int? {
        guard gate.isOwn(host: request.field("host"), origin: request.field("origin")),
            gate.isRight(
                request.field("authorization"), token: actions.token(), client: request.client,
                now: actions.now().monotonic)
        else { return nil }
        return Self.bodyBytesMax
    }

    /// Answers what is no request: see ``AdminProblem/unreadable(_:)``.
    package func refuse(_ status: Int, client: String) -> AdminAnswer {
        let requestID = makeID()
        let answer = refusal(Refusal(.unreadable(status)), requestID: requestID)
        if strangers.mayTell(at: actions.now().monotonic) {
            actions.audit(
                AdminAudit(
                    method: "", path: "", status: answer.status, code: answer.code,
                    client: client, requestID: requestID, traceID: makeTraceID(),
                    untold: strangers.takeUntold()))
        }
        return answer
    }

    struct Refusal: Error {
        let problem: AdminProblem
        var retryAfter = 0
        var allow = ""

        init(_ problem: AdminProblem, retryAfter: Int = 0, allow: String = "") {
            self.problem = problem
            self.retryAfter = retryAfter
            self.allow = allow
        }
    }

    // MARK: Who may ask what

    private func admit(_ request: AdminRequest) throws(Refusal) -> AdminCall {
        guard gate.isOwn(host: request.field("host"), origin: request.field("origin")) else {
            throw Refusal(.origin)
        }
        switch AdminCall.find(method: request.method, path: request.path) {
        case .call(let call):
            if call.needsToken(onLoopback: isLoopback) { try checkToken(request) }
            return call
        case .otherMethods(let methods): throw Refusal(.method, allow: methods)
        case .unknown: throw Refusal(.unknown)
        case .notBuilt: throw Refusal(.notBuilt)
        }
    }

    private func checkToken(_ request: AdminRequest) throws(Refusal) {
        let refused = gate.judge(
            request.field("authorization"), token: actions.token(), client: request.client,
            now: actions.now().monotonic)
        if let (problem, wait) = refused { throw Refusal(problem, retryAfter: wait) }
    }

    // MARK: What is done

    private func perform(
        _ call: AdminCall, _ request: AdminRequest, traceID: String
    ) throws(Refusal) -> AdminAnswer {
        do throws(AdminProblem) {
            switch call {
            case .live: return text(200, "ok\n")
            case .ready:
                let readiness = actions.readiness()
                return text(readiness == .ready ? 200 : 503, readiness.reason + "\n")
            case .metrics:
                return AdminAnswer(
                    status: 200, type: "\(PrometheusText.contentType)", body: actions.metrics())
            case .status:
                let status = actions.status()
                return json { status.write(to: &$0) }
            case .listSecrets: return listSecrets()
            case .rotateSeed: return try rotateSeed(request, traceID)
            case .setEnabled(let agent, let isEnabled): return try setEnabled(agent, isEnabled)
            case .revokeSessions: return try revokeSessions(request)
            case .listKeys: return listKeys()
            case .rotateKey: return try rotateKey(traceID)
            case .reload:
                let ended = try actions.reload().get()
                return object { writer in
                    writer.member("reloaded", true)
                    writer.member("sessions_ended", ended)
                }
            case .drain:
                actions.drain()
                var answer = object { $0.member("draining", true) }
                answer.status = 202
                return answer
            }
        } catch {
            throw Refusal(error)
        }
    }

    private func rotateSeed(
        _ request: AdminRequest, _ traceID: String
    ) throws(AdminProblem) -> AdminAnswer {
        let body = try AdminBody(
            request.body, known: ["agent", "seed", "expires_at"], secret: "seed")
        let rotation = SeedRotation(
            agent: try body.required("agent"), seed: try body.secret("seed"),
            oldEndsAt: try body.time("expires_at"),
            idempotencyKey: request.field("idempotency-key"), traceID: traceID)
        let done = try actions.rotateSeed(rotation).get()
        return object { writer in
            writer.member("rotation_id", done.rotationID)
            writer.member("trace_id", done.traceID)
            writer.member("agent", done.agent)
            writer.member("old_expires_at", RFC3339.text(done.oldEndsAt))
        }
    }

    private func setEnabled(_ agent: String, _ isEnabled: Bool) throws(AdminProblem) -> AdminAnswer
    {
        let done = try actions.setEnabled(agent, isEnabled).get()
        return object { writer in
            writer.member("agent", agent)
            writer.member("disabled", !isEnabled)
            writer.member("changed", done.hasChanged)
            writer.member("sessions_ended", done.sessionsEnded)
        }
    }

    private func revokeSessions(_ request: AdminRequest) throws(AdminProblem) -> AdminAnswer {
        let body = try AdminBody(request.body, known: ["agent", "sid", "all"])
        let agent = try body.text("agent").map { SessionsToEnd.agent($0) }
        let named = try body.text("sid").map { SessionsToEnd.named($0) }
        let all: SessionsToEnd? = try body.flag("all") == true ? .all : nil
        let asked = [agent, named, all].compactMap { $0 }
        guard asked.count == 1 else {
            throw .body("One of these says which: `agent`, `sid`, `\"all\": true`.", at: "")
        }
        let ended = try actions.revokeSessions(asked[0]).get()
        return object { $0.member("sessions_ended", ended) }
    }

    private func rotateKey(_ traceID: String) throws(AdminProblem) -> AdminAnswer {
        let next = try actions.rotateKey().get()
        return object { writer in
            writer.member("kid", next.id)
            writer.member("algorithm", next.algorithm)
            writer.member("signs_from", RFC3339.text(next.signsFrom))
            writer.member("trace_id", traceID)
        }
    }

    // MARK: The audit log

    private static let pathMax = 256

    private func audit(
        _ request: AdminRequest, _ answer: AdminAnswer, _ requestID: String, _ traceID: String
    ) {
        actions.audit(
            AdminAudit(
                method: request.method, path: String(request.path.prefix(Self.pathMax)),
                status: answer.status, code: answer.code, client: request.client,
                requestID: requestID, traceID: traceID, untold: strangers.takeUntold()))
    }

    private func makeID() -> String {
        UUIDv7.text(milliseconds: actions.now().wall, random: &random)
    }

    /// The trace that a call belongs to, if it says so.
    private static func traceID(_ traceparent: String?) -> String? {
        let bytes = Array((traceparent ?? "").utf8)
        guard TraceParent(bytes.span) != nil else { return nil }
        return bytes.span.extracting(TraceParent.traceID).string
    }

    private func makeTraceID() -> String { Hex.encode(random.bytes16().span) }
}
