// SPDX-License-Identifier: Apache-2.0

import Bytes
import Policy

/// Bounds the requests of one address, before anything costly is done for it.
struct IPRateLimitFilter {
    let limiter: AddressRateLimiter?
    let mode: Configuration.FilterMode

    func judge(_ facts: inout RequestFacts) -> Verdict {
        guard let limiter else { return .pass }
        switch limiter.take(facts.client, now: facts.now) {
        case .pass:
            return .pass
        case .wait(let seconds):
            return facts.limited(by: limiter.limit, seconds, mode)
        }
    }
}
