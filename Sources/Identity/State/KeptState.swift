// SPDX-License-Identifier: Apache-2.0

/// What must outlive the process besides accepted steps: who has which seed, which keys sign, and
/// how calls were answered that may be made again.
package struct KeptState: Sendable {
    /// Answers to calls with an idempotency key; beyond them the oldest is forgotten.
    package static let answersMax = 256
    private static let answerMilliseconds: UInt64 = 24 * 60 * 60 * 1000

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

    package mutating func keep(_ answer: KeptAnswer) {
        answers.removeAll { $0.at + Self.answerMilliseconds < answer.at }
        if answers.count >= Self.answersMax { answers.removeFirst() }
        answers.append(answer)
    }
}
