// SPDX-License-Identifier: Apache-2.0

import Admin
import Crypto
import Filters
import Gateway
import Identity
import Policy
import Reactor
import Telemetry

/// What the admin listener's calls do to this process.
final class AdminDesk {
    let gateway: Gateway
    let report: ProcessReport
    let succession: Succession
    let clock: ClockWatch
    let token = AdminToken()
    var random = RandomSource()
    private let onReload: () -> Void
    private let onDrain: () -> Void

    /// - Parameters:
    ///   - onReload: called when there is a new generation.
    ///   - onDrain: begins a drain.
    init(
        _ gateway: Gateway, _ report: ProcessReport, _ succession: Succession, _ clock: ClockWatch,
        onReload: @escaping () -> Void, onDrain: @escaping () -> Void
    ) {
        self.gateway = gateway
        self.report = report
        self.succession = succession
        self.clock = clock
        self.onReload = onReload
        self.onDrain = onDrain
    }

    var actions: AdminActions {
        AdminActions(
            readiness: { self.readiness }, metrics: { self.report.text },
            status: { self.status }, seeds: { self.seeds },
            rotateSeed: { self.rotateSeed($0) },
            setEnabled: { self.setEnabled($0, $1) },
            revokeSessions: { self.revokeSessions($0) }, keys: { self.keys },
            rotateKey: { self.rotateKey() }, reload: { self.reload() }, drain: onDrain,
            audit: { self.tell($0) }, token: { self.token.digest },
            now: {
                (Clock.monotonicNanoseconds() / 1_000_000, Instant.read().wallMilliseconds)
            })
    }

    private func tell(_ call: AdminAudit) {
        var line = SystemLine(.info, "admin call", at: Clock.wallNanoseconds(), audit: true)
        line.add("method", call.method)
        line.add("path", call.path)
        line.add("status", call.status)
        line.add("code", call.code)
        line.add("client", call.client)
        line.add("request_id", call.requestID)
        line.add("trace_id", call.traceID)
        if call.untold > 0 { line.add("untold", call.untold) }
        gateway.write(line)
    }

    private var readiness: AdminActions.Readiness {
        if gateway.isDraining { return .draining }
        let now = Clock.monotonicNanoseconds() / 1_000_000
        let isReachable = gateway.generation.upstreams.contains { $0.isHealthy(now: now) }
        return isReachable ? .ready : .noUpstream
    }

    private func reload() -> Result<Int, AdminProblem> {
        switch succession.reload("admin call") {
        case .refused(let reasons):
            return .failure(
                AdminProblem(
                    422, "configuration_invalid", "The configuration was not reloaded",
                    detail: "Nothing was changed.", faults: reasons))
        case .done(let ended):
            onReload()
            return .success(ended)
        }
    }

    // MARK: Agents and sessions

    private func setEnabled(
        _ name: String, _ isEnabled: Bool
    ) -> Result<AgentSwitched, AdminProblem> {
        let state = gateway.generation.state
        guard let agent = state.roster.number(named: name) else {
            return .failure(.unknownAgent(name))
        }
        do {
            let hasChanged = try succession.setEnabled(agent, named: name, isEnabled)
            return .success(
                AgentSwitched(
                    hasChanged: hasChanged,
                    sessionsEnded: isEnabled ? 0 : state.sessions.revoke(.agent(agent))))
        } catch {
            if !isEnabled { _ = state.sessions.revoke(.agent(agent)) }
            return .failure(.notKept("\(error)", whatHolds: isEnabled ? nil : "it is disabled"))
        }
    }

    private func revokeSessions(_ which: SessionsToEnd) -> Result<Int, AdminProblem> {
        let state = gateway.generation.state
        switch which {
        case .all: return .success(state.sessions.revoke(.all))
        case .agent(let name):
            guard let agent = state.roster.number(named: name) else {
                return .failure(.unknownAgent(name))
            }
            return .success(state.sessions.revoke(.agent(agent)))
        case .named(let text):
            guard let sid = publicID(text) else {
                return .failure(
                    AdminProblem.body("`sid` has 22 characters of base64url.", at: "/sid"))
            }
            return .success(state.sessions.revoke(.named(sid)))
        }
    }

    // MARK: Signing keys

    private var keys: [SigningKeyFacts] {
        guard let ring = succession.state.keys else { return [] }
        return (ring.next.map { [SigningKeyFacts($0, .next)] } ?? [])
            + [SigningKeyFacts(ring.signing, .signing)]
            + ring.retired.reversed().map { SigningKeyFacts($0, .retired) }
    }

    /// One that is published already is the answer, too.
    private func rotateKey() -> Result<SigningKeyFacts, AdminProblem> {
        guard succession.custody.isDurable else { return .failure(.notDurable) }
        if let next = succession.state.keys?.next { return .success(SigningKeyFacts(next, .next)) }
        do {
            let next = try succession.publishNextKey()
            return .success(SigningKeyFacts(next, .next))
        } catch {
            return .failure(.notKept("\(error)"))
        }
    }
}

/// 22 characters of base64url; `nil` for any other text.
private func publicID(_ text: String) -> PublicID? {
    let bytes = Array(text.utf8)
    guard bytes.count == PublicID.count else { return nil }
    return PublicID { bytes[$0] }
}
