// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import Identity
import JSON

/// What answers look like.
extension AdminService {
    // MARK: Listings

    func listSecrets() -> AdminAnswer {
        let now = actions.now().wall
        let agents = actions.seeds()
        return object { writer in
            writer.name("agents")
            writer.array { writer in
                for agent in agents { Self.write(agent, now, to: &writer) }
            }
        }
    }

    private static func write(
        _ agent: AgentSeedFacts, _ now: UInt64, to writer: inout JSONWriter
    ) {
        writer.object { writer in
            writer.member("agent", agent.agent)
            writer.member("disabled", agent.isDisabled)
            writer.name("seeds")
            writer.array { writer in
                for seed in agent.seeds {
                    writer.object { writer in
                        writer.member("fingerprint", seed.fingerprint.hex)
                        writer.member("state", seed.endsAt == nil ? "current" : "ending")
                        writer.member("origin", seed.origin.name)
                        writer.member("since", RFC3339.text(seed.since))
                        writer.member("age_seconds", (max(now, seed.since) - seed.since) / 1000)
                        writer.name("expires_at")
                        if let end = seed.endsAt {
                            writer.string(RFC3339.text(end))
                        } else {
                            writer.null()
                        }
                    }
                }
            }
        }
    }

    func listKeys() -> AdminAnswer {
        let keys = actions.keys()
        return object { writer in
            writer.name("keys")
            writer.array { writer in
                for key in keys {
                    writer.object { writer in
                        writer.member("kid", key.id)
                        writer.member("algorithm", key.algorithm)
                        writer.member("state", key.stage.rawValue)
                        writer.member("origin", key.origin)
                        writer.member("published_at", RFC3339.text(key.since))
                        writer.member("signs_from", RFC3339.text(key.signsFrom))
                        writer.name("kept_until")
                        if let end = key.keptUntil {
                            writer.string(RFC3339.text(end))
                        } else {
                            writer.null()
                        }
                    }
                }
            }
        }
    }

    // MARK: Answers

    func text(_ status: Int, _ text: String) -> AdminAnswer {
        AdminAnswer(
            status: status, type: "text/plain; charset=utf-8", body: Array(text.utf8))
    }

    func object(_ content: (inout JSONWriter) -> Void) -> AdminAnswer {
        json { $0.object(content) }
    }

    func json(_ content: (inout JSONWriter) -> Void) -> AdminAnswer {
        var writer = JSONWriter(.compact)
        content(&writer)
        return AdminAnswer(
            status: 200, type: "application/json", body: writer.bytes + [.lineFeed])
    }

    /// An operator, or a full disk, is not faster.
    private static let retrySeconds = 5

    func refusal(_ refusal: Refusal, requestID: String) -> AdminAnswer {
        let problem = refusal.problem
        var writer = JSONWriter(.compact)
        writer.object { writer in
            writer.member("type", "https://agentport.dev/problems/\(problem.code)")
            writer.member("title", problem.title)
            writer.member("status", problem.status)
            writer.member("code", problem.code)
            writer.member("detail", problem.detail)
            writer.member("request_id", requestID)
            if let pointer = problem.pointer { writer.member("pointer", pointer) }
            if !problem.faults.isEmpty {
                writer.name("faults")
                writer.array { writer in for fault in problem.faults { writer.string(fault) } }
            }
        }
        var answer = AdminAnswer(
            status: problem.status, type: "application/problem+json",
            body: writer.bytes + [.lineFeed])
        answer.code = problem.code
        answer.allow = refusal.allow
        answer.retryAfter =
            problem.status == 503 && refusal.retryAfter == 0
            ? Self.retrySeconds : refusal.retryAfter
        if problem.status == 401 {
            answer.challenge =
                problem == .tokenMissing
                ? "Bearer realm=\"agentport-admin\""
                : "Bearer realm=\"agentport-admin\", error=\"invalid_token\""
        }
        return answer
    }
}
