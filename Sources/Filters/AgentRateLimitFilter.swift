// SPDX-License-Identifier: Apache-2.0

import Policy

/// Bounds the requests of one agent, wherever they come from.
struct AgentRateLimitFilter {
    let limiter: AgentRateLimiter
    let mode: Configuration.FilterMode

    func judge(_ facts: inout RequestFacts) -> Verdict {
        guard mode != .off else { return .pass }
        switch limiter.take(agent: facts.agent, now: facts.now) {
        case .pass:
            return .pass
        case .wait(let seconds):
            return facts.limited(by: limiter.limit(of: facts.agent), seconds, mode)
        }
    }
}

extension RequestFacts {
    /// What a limiter's refusal comes to.
    mutating func limited(
        by limit: RateLimit?, _ seconds: Int, _ mode: Configuration.FilterMode
    ) -> Verdict {
        guard mode == .enforce else {
            overlooked = .rateLimited
            return .pass
        }
        retryAfterSeconds = seconds
        quota = limit.map { Quota($0) }
        return .refuse(.rateLimited)
    }
}
