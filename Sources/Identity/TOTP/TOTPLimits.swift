// SPDX-License-Identifier: Apache-2.0

/// How many wrong codes are borne; the policy's `totp` section.
package struct TOTPLimits: Equatable, Sendable {
    /// Failures in a row from one address before it is locked out.
    package var failuresMax: Int
    /// The first lock-out's length; each further one is twice as long.
    package var lockoutMilliseconds: UInt64
    /// Failures since the last success from one address that disable the agent's seed.
    package var disableAfter: Int

    package static let lockoutMillisecondsMax: UInt64 = 15 * 60 * 1000
    package static let dayMilliseconds: UInt64 = 24 * 60 * 60 * 1000
    /// Failures in 24 hours, from anywhere, that disable the agent's seed.
    package static let failuresPerDayMax = 1000
    /// Failures in 24 hours, from anywhere, after which addresses without a success in that time
    /// are let in only one guess a lock-out.
    package static let failuresBeforeStrangersWait = 100

    package init(
        failuresMax: Int = 5, lockoutMilliseconds: UInt64 = 30_000, disableAfter: Int = 100
    ) {
        self.failuresMax = max(1, failuresMax)
        self.lockoutMilliseconds = min(max(1, lockoutMilliseconds), Self.lockoutMillisecondsMax)
        self.disableAfter = max(1, disableAfter)
    }
}
