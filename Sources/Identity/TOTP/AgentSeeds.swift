// SPDX-License-Identifier: Apache-2.0

/// The seeds whose codes count for one agent: the one in force, and for a while the one before it.
package struct AgentSeeds: Sendable {
    package let current: TOTPSeed
    package let previous: EndingSeed?
    /// Whether the agent was disabled, under these seeds or earlier ones.
    package let isDisabled: Bool

    package init(_ current: TOTPSeed, previous: EndingSeed? = nil, isDisabled: Bool = false) {
        self.current = current
        self.previous = previous
        self.isDisabled = isDisabled
    }

    package var all: [TOTPSeed] { [current] + (previous.map { [$0.seed] } ?? []) }
}

/// A seed that was superseded and still counts.
package struct EndingSeed: Sendable {
    package let seed: TOTPSeed
    package let end: Deadline

    package init(_ seed: TOTPSeed, end: Deadline) {
        self.seed = seed
        self.end = end
    }
}
