// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto

/// The last accepted step of each seed: what makes a code good only once, for all threads, and
/// through a mapped file for all processes and across restarts.
///
/// The words: a header of eight {magic, version, 6 reserved}, then records of eight {fingerprint
/// 4, last accepted step, 3 reserved}. A record is never given back: a superseded seed must keep
/// its last step for as long as a file may bring it back. More room can be appended to a file
/// later, since records are found by walking from the first.
package struct AcceptedSteps: Sendable {
    /// `agntstep` in ASCII.
    static let magic: UInt64 = 0x6167_6E74_7374_6570
    package static let version: UInt64 = 1
    package static let recordWords = 8
    static let headerWords = 8
    private static let lastOffset = 4

    package let capacity: Int
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
        capacity = (words.count - Self.headerWords) / Self.recordWords
    }

    /// The seed's record: the one it has, or a free one that is its own from now on; `nil` when
    /// all are taken by others.
    package func record(for fingerprint: SHA256Digest) -> Int? {
        for record in 0..<capacity where claim(record, for: fingerprint) { return record }
        return nil
    }

    /// Claims word by word, each only where it is still zero. A claim that a killed process left
    /// half done starts with the first word of one fingerprint, so whoever asks for that seed
    /// again completes it, and nobody else takes it for free.
    private func claim(_ record: Int, for fingerprint: SHA256Digest) -> Bool {
        let base = Self.headerWords + record * Self.recordWords
        return claimWord(base, fingerprint.word0) && claimWord(base + 1, fingerprint.word1)
            && claimWord(base + 2, fingerprint.word2) && claimWord(base + 3, fingerprint.word3)
    }

    private func claimWord(_ index: Int, _ value: UInt64) -> Bool {
        // Zero means free, so a word that happens to be zero is written as one.
        let value = max(value, 1)
        let (exchanged, original) = words.compareExchange(index, expected: 0, desired: value)
        return exchanged || original == value
    }

    /// True for exactly one of all callers with this step, and only above the last accepted one.
    package func accept(record: Int, step: UInt64) -> Bool {
        let index = lastIndex(record)
        var last = words.load(index)
        while step > last {
            let (exchanged, original) = words.compareExchange(index, expected: last, desired: step)
            if exchanged { return true }
            last = original
        }
        return false
    }

    /// The last accepted step; 0 before the first.
    package func last(record: Int) -> UInt64 { words.load(lastIndex(record)) }

    private func lastIndex(_ record: Int) -> Int {
        precondition(record >= 0 && record < capacity)
        return Self.headerWords + record * Self.recordWords + Self.lastOffset
    }
}
