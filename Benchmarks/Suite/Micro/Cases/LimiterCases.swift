// SPDX-License-Identifier: Apache-2.0

import Bytes
import Filters

extension MicroCase {
    private static let limit = RateLimit(
        requests: 1_000_000, periodNanoseconds: 1_000_000_000, burst: 1_000_000)

    /// The bucket of one of 1,000 addresses.
    static let addressRateLimit = MicroCase("address-rate-limit") { measure in
        let limiter = AddressRateLimiter(limit: limit)
        var now: UInt64 = 1_000_000_000
        try measure { count in
            var passed = 0
            for number in 0..<count {
                now += 1000
                let address = IPAddress(ipv4: 0x0A00_0000 + UInt32(number % 1000))
                if limiter.take(address, now: now) == .pass { passed += 1 }
            }
            return passed
        }
    }

    /// The bucket of one of 16 agents.
    static let agentRateLimit = MicroCase("agent-rate-limit") { measure in
        let limiter = AgentRateLimiter(limits: [RateLimit?](repeating: limit, count: 16))
        var now: UInt64 = 1_000_000_000
        try measure { count in
            var passed = 0
            for number in 0..<count {
                now += 1000
                if limiter.take(agent: number & 15, now: now) == .pass { passed += 1 }
            }
            return passed
        }
    }
}
