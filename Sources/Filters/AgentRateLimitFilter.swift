// SPDX-License-Identifier: Apache-2.0

/// Bounds the requests of one agent, wherever they come from.
struct AgentRateLimitFilter {
    let limiter: AgentRateLimiter

    func judge(_ facts: inout RequestFacts) -> Verdict {
        switch limiter.take(agent: facts.agent, now: facts.now) {
        case .pass:
            return .pass
        case .wait(let seconds):
            facts.retryAfterSeconds = seconds
            facts.limit = limiter.limit(of: facts.agent)
            return .refuse(.rateLimited)
        }
    }
}
