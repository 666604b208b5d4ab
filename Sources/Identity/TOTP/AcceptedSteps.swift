// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto

/// What must be known of each seed after a kill: the time of the last accepted step, which makes a
/// code good only once for all threads, and whether the seed is disabled; through a mapped file for
/// all processes and across restarts.
///
/// The words: a header of eight {magic, version, how many records were ever used, 5 reserved}, then
/// records of eight {fingerprint 4, time of the last accepted step, whether disabled, 2 reserved}.
/// A record is given back only for a seed that can never come back. More room can be appended to a
/// file later, since records are found by walking from the first.
package struct AcceptedSteps: Sendable {
    /// `agntstep` in ASCII.
    static let magic: UInt64 = 0x6167_6E74_7374_6570
    package static let version: UInt64 = 2
    package static let recordWords = 8
    static let headerWords = 8
    private static let usedWord = 2
    private static let lastOffset = 4
    private static let disabledOffset = 5

    package let capacity: Int
    /// Whether there was no table before.
    package let isNew: Bool
    private let words: SharedWords

    /// How many words `records` records need, with the header.
    package static func wordCount(records: Int) -> Int { headerWords + records * recordWords }

    /// Takes over words that are all zero (then they become an empty table) or that hold a table
    /// already.
    package init(_ words: SharedWords) throws(IdentityError) {
        guard words.count >= Self.wordCount(records: 1) else { throw .stepsTooSmall }
        // Two processes may start at once, or one may have died between these two stores; both
        // words are written only where there is nothing, so either finishes the other's work.
        let magic = words.compareExchange(0, expected: 0, desired: Self.magic)
        guard magic.exchanged || magic.original == Self.magic else { throw .stepsForeign }
        let version = words.compareExchange(1, expected: 0, desired: Self.version)
        guard version.exchanged || version.original == Self.version else {
            throw .stepsVersion(version.original)
        }
        self.words = words
        isNew = magic.exchanged
        capacity = (words.count - Self.headerWords) / Self.recordWords
    }

    // MARK: Records

    /// The seed's record: the one it has, or a free one that is its own from now on; `nil` when
    /// all are taken by others.
    package func record(for fingerprint: SHA256Digest) -> Int? {
        records(for: [fingerprint])?[0]
    }

    /// The records of several seeds, in their order; `nil` when there is no room for all.
    ///
    /// One walk over the table serves them all: there may be thousands of either.
    package func records(for fingerprints: [SHA256Digest]) -> [Int]? {
        let (known, free) = survey()
        var spare = free[...]
        var next = usedCount
        var records: [Int] = []
        for fingerprint in fingerprints {
            // A claim that a killed process left half done begins with the seed's first word.
            var found = known[max(fingerprint.word0, 1)]?.first { claim($0, for: fingerprint) }
            while found == nil {
                let candidate = spare.popFirst() ?? next
                guard candidate < capacity else { return nil }
                if candidate == next { next += 1 }
                if claim(candidate, for: fingerprint) { found = candidate }
            }
            guard let found else { return nil }
            noteUsed(found)
            records.append(found)
        }
        return records
    }

    /// The records that are taken, by the first word of their seed, and those given back.
    private func survey() -> (known: [UInt64: [Int]], free: [Int]) {
        var known: [UInt64: [Int]] = [:]
        var free: [Int] = []
        var record = 0
        // One behind the used ones is there where a process died before it had counted it.
        while record < capacity {
            let word = words.load(base(record))
            if word == 0, record >= usedCount { break }
            if word == 0 { free.append(record) } else { known[word, default: []].append(record) }
            record += 1
        }
        return (known, free)
    }

    private var usedCount: Int { Int(clamping: words.load(Self.usedWord)) }

    private func noteUsed(_ record: Int) {
        var used = words.load(Self.usedWord)
        while used <= UInt64(record) {
            let (exchanged, original) = words.compareExchange(
                Self.usedWord, expected: used, desired: UInt64(record) + 1)
            if exchanged { return }
            used = original
        }
    }

    /// Claims word by word, each only where it is still zero: whoever asks for that seed again
    /// completes what a killed process has begun, and nobody else takes it for free.
    private func claim(_ record: Int, for fingerprint: SHA256Digest) -> Bool {
        let base = base(record)
        let first = max(fingerprint.word0, 1)
        if words.compareExchange(base, expected: 0, desired: first).exchanged {
            // Whoever let its last seed in a moment too late has left something behind.
            words.store(base + Self.lastOffset, 0)
            words.store(base + Self.disabledOffset, 0)
        }
        return claimWord(base, fingerprint.word0) && claimWord(base + 1, fingerprint.word1)
            && claimWord(base + 2, fingerprint.word2) && claimWord(base + 3, fingerprint.word3)
    }

    private func claimWord(_ index: Int, _ value: UInt64) -> Bool {
        // Zero means free, so a word that happens to be zero is written as one.
        let value = max(value, 1)
        let present = words.load(index)
        guard present == 0 else { return present == value }
        let (exchanged, original) = words.compareExchange(index, expected: 0, desired: value)
        return exchanged || original == value
    }

    /// Gives a record back whose seed no file and no call can bring back.
    package func release(record: Int) {
        let base = base(record)
        for offset in (0..<Self.recordWords).reversed() { words.store(base + offset, 0) }
    }

    /// Gives the records of all those seeds back.
    package func release(where isOver: (SHA256Digest) -> Bool) {
        for record in 0..<min(usedCount, capacity) {
            let base = base(record)
            let fingerprint = SHA256Digest(
                words.load(base), words.load(base + 1), words.load(base + 2),
                words.load(base + 3))
            if isOver(fingerprint) { release(record: record) }
        }
    }

    private func base(_ record: Int) -> Int {
        precondition(record >= 0 && record < capacity)
        return Self.headerWords + record * Self.recordWords
    }

    // MARK: Steps

    /// True for exactly one of all callers with this step, and only above the last accepted one.
    ///
    /// - Parameter time: when the step begins, in seconds since the epoch, so that steps of one
    ///   length can be told from those of another.
    package func accept(record: Int, time: UInt64) -> Bool {
        let index = base(record) + Self.lastOffset
        var last = words.load(index)
        while time > last {
            let (exchanged, original) = words.compareExchange(index, expected: last, desired: time)
            if exchanged { return true }
            last = original
        }
        return false
    }

    /// For codes that are good more than once: true for a step that is at most `window` seconds
    /// behind the last one, so that a clock which steps back opens nothing that was over.
    package func admit(record: Int, time: UInt64, window: UInt64) -> Bool {
        if accept(record: record, time: time) { return true }
        let last = last(record: record)
        return last - min(time, last) <= window
    }

    /// When the last accepted step began; 0 before the first.
    package func last(record: Int) -> UInt64 { words.load(base(record) + Self.lastOffset) }

    // MARK: Disabled seeds

    package func isDisabled(record: Int) -> Bool {
        words.load(base(record) + Self.disabledOffset) != 0
    }

    /// - Returns: whether it was enabled until now.
    package func disable(record: Int) -> Bool {
        words.compareExchange(base(record) + Self.disabledOffset, expected: 0, desired: 1)
            .exchanged
    }

    /// - Returns: whether it was disabled until now.
    @discardableResult
    package func enable(record: Int) -> Bool {
        words.compareExchange(base(record) + Self.disabledOffset, expected: 1, desired: 0)
            .exchanged
    }
}
