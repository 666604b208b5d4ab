// SPDX-License-Identifier: Apache-2.0

import Bytes
import Synchronization

/// Each agent's failures from anywhere, by the hour.
final class AgentFailures: Sendable {
    private static let hourMilliseconds: UInt64 = 60 * 60 * 1000
    private static let hours = 24

    private struct Day {
        /// The hour that the last count fell into, since the epoch.
        var hour: UInt64 = 0
        /// Invariant: slot h % 24 counts the failures of hour h, for the 24 hours up to `hour`.
        var counts = InlineArray<24, UInt32>(repeating: 0)
        var total = 0
    }

    private static let wordsPerAgent = 2
    private static let totalWord = 0
    private static let nextGuessWord = 1

    private static let spare = 64

    private final class Days: Sendable {
        let list: Mutex<[Day]>

        init(count: Int) { list = Mutex(Array(repeating: Day(), count: count)) }
    }

    private let capacity: Int
    /// What is read for every attempt, without a lock.
    private let words: SharedWords
    /// Touched on a failure only.
    private let days: Days

    /// - Parameter previous: is gone on with where it has room, else copied.
    init(agents: Int, after previous: AgentFailures? = nil) {
        if let previous, previous.capacity >= agents {
            capacity = previous.capacity
            words = previous.words
            days = previous.days
            return
        }
        // Room for those to come, so that copying is rare: what is counted just then is lost.
        capacity = (agents / Self.spare + 1) * Self.spare
        words = SharedWords(count: capacity * Self.wordsPerAgent)
        days = Days(count: capacity)
        guard let previous else { return }
        for index in 0..<previous.words.count { words.store(index, previous.words.load(index)) }
        let known = previous.days.list.withLock { $0 }
        days.list.withLock { $0.replaceSubrange(known.indices, with: known) }
    }

    /// Counts a failure.
    ///
    /// - Returns: how many there were in the last 24 hours.
    func count(_ agent: Int, now: UInt64) -> Int {
        days.list.withLock { days in
            Self.advance(&days[agent], to: now / Self.hourMilliseconds)
            let slot = Int(days[agent].hour % UInt64(Self.hours))
            days[agent].counts[slot] &+= 1
            days[agent].total += 1
            words.store(word(agent, Self.totalWord), UInt64(days[agent].total))
            return days[agent].total
        }
    }

    /// Drops the hours that left the window.
    private static func advance(_ day: inout Day, to hour: UInt64) {
        guard hour > day.hour else { return }
        let passed = min(hour - day.hour, UInt64(hours))
        for step in 0..<passed {
            let slot = Int((hour - step) % UInt64(hours))
            day.total -= Int(day.counts[slot])
            day.counts[slot] = 0
        }
        day.hour = hour
    }

    /// Whether strangers have to share guesses. The total is that of the last failure, so it may
    /// be too high once failures stop; then it is brought up to date.
    func strangersWait(_ agent: Int, now: UInt64) -> Bool {
        let threshold = UInt64(TOTPLimits.failuresBeforeStrangersWait)
        guard words.load(word(agent, Self.totalWord)) >= threshold else { return false }
        return days.list.withLock { days in
            Self.advance(&days[agent], to: now / Self.hourMilliseconds)
            words.store(word(agent, Self.totalWord), UInt64(days[agent].total))
            return days[agent].total >= Int(threshold)
        }
    }

    /// Takes the guess that strangers share, if it is due.
    ///
    /// - Returns: when the next one is due, where this one is gone.
    func claimStrangerGuess(_ agent: Int, now: UInt64, period: UInt64) -> UInt64? {
        let index = word(agent, Self.nextGuessWord)
        let next = words.load(index)
        guard now >= next else { return next }
        let (exchanged, original) = words.compareExchange(
            index, expected: next, desired: now + period)
        return exchanged ? nil : original
    }

    func forget(_ agent: Int) {
        days.list.withLock { days in
            days[agent] = Day()
            words.store(word(agent, Self.totalWord), 0)
        }
        words.store(word(agent, Self.nextGuessWord), 0)
    }

    private func word(_ agent: Int, _ offset: Int) -> Int { agent * Self.wordsPerAgent + offset }
}
