// SPDX-License-Identifier: Apache-2.0

/// The seeds whose codes count for one agent: the one in force, and for a while the one before it.
package struct AgentSeeds: Sendable {
    package let current: TOTPSeed
    package let previous: EndingSeed?

    package init(_ current: TOTPSeed, previous: EndingSeed? = nil) {
        self.current = current
        self.previous = previous
    }

    package var all: [TOTPSeed] { [current] + (previous.map { [$0.seed] } ?? []) }
}

/// A seed that was superseded and still counts.
package struct EndingSeed: Sendable {
    package let seed: TOTPSeed
    /// Milliseconds since the epoch.
    package let endsAt: UInt64

    package init(_ seed: TOTPSeed, endsAt: UInt64) {
        self.seed = seed
        self.endsAt = endsAt
    }
}
