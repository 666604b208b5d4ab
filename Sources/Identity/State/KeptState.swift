// SPDX-License-Identifier: Apache-2.0

/// What must outlive the process besides accepted steps: who has which seed, which keys sign, and
/// how calls were answered that may be made again.
package struct KeptState: Sendable {
    /// Answers to calls with an idempotency key; beyond them the oldest is forgotten.
    package static let answersMax = 256

    package var seeds = SeedLedger()
    /// `nil` before the first key.
    package var keys: KeyRing?
    package private(set) var answers: [KeptAnswer] = []
    /// When it was kept, in milliseconds since the epoch.
    package var savedAt: UInt64 = 0

    package init() {}

    init(seeds: SeedLedger, keys: KeyRing?, answers: [KeptAnswer], savedAt: UInt64) {
        self.seeds = seeds
        self.keys = keys
        self.answers = answers
        self.savedAt = savedAt
    }

    /// To be called before it is kept: what is to come is said by the clock of now.
    package mutating func tellEnds(at now: Moment) { seeds.tellEnds(at: now) }

    package mutating func keep(_ answer: KeptAnswer) {
        answers.removeAll { !$0.counts(at: answer.at) }
        if answers.count >= Self.answersMax { answers.removeFirst() }
        answers.append(answer)
    }
}
