// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto

/// Tokens whose signature was right, by the SHA-256 of the whole token, so that one costs a
/// signature once and not with each request; one a worker.
///
/// Only what was verified gets in, so strangers push nothing out. Places are taken as a set of
/// eight that the digest chooses, in turns: who was asked for since the last turn stays for
/// another (the clock algorithm), so a client that comes with a new token each time pushes out
/// its own rather than those in use. A token holds 4.6 KB at most, nearly all of it scopes, so that
/// 1,024 of them are below 5 MB, and mostly below half a megabyte.
package struct VerifiedTokenCache: ~Copyable {
    package static let capacityDefault = 1024
    private static let ways = 8
    /// Words of an entry: four of the digest, then those named below.
    private static let stride = 8
    private static let expires = 4
    private static let version = 5
    private static let tag = 6
    /// Whether it was asked for since the hand came by.
    private static let used = 7

    package let capacity: Int
    private let sets: UInt64
    private var words: WordTable
    /// By entry, `nil` where it is free.
    private var tokens: [VerifiedToken?]
    /// By set: whose turn it is.
    private var hands: [UInt8]

    /// - Parameter capacity: rounded up to whole sets of eight.
    package init(capacity: Int = capacityDefault) {
        precondition(capacity > 0)
        let sets = (capacity + Self.ways - 1) / Self.ways
        self.capacity = sets * Self.ways
        self.sets = UInt64(sets)
        words = WordTable(capacity: sets * Self.ways * Self.stride)
        tokens = Array(repeating: nil, count: sets * Self.ways)
        hands = Array(repeating: 0, count: sets)
    }

    package var count: Int { tokens.reduce(0) { $0 + ($1 == nil ? 0 : 1) } }

    /// What was found, with the number that the caller has given it.
    package struct Hit {
        package let token: VerifiedToken
        package let tag: UInt64
    }

    /// A token that still holds; one that does not is dropped.
    ///
    /// - Parameters:
    ///   - now: seconds since the epoch.
    ///   - version: of the key set of the issuer with that place.
    package mutating func find(
        _ digest: SHA256Digest, now: UInt64, version: (_ issuer: Int) -> UInt64
    ) -> Hit? {
        guard let entry = entry(of: digest), let token = tokens[entry] else { return nil }
        guard now < words[entry * Self.stride + Self.expires],
            words[entry * Self.stride + Self.version] == version(token.issuer)
        else {
            tokens[entry] = nil
            return nil
        }
        words[entry * Self.stride + Self.used] = 1
        return Hit(token: token, tag: words[entry * Self.stride + Self.tag])
    }

    /// Keeps a token, in the place of another where all of its set are taken.
    ///
    /// - Parameters:
    ///   - version: of the key set that it was verified under.
    ///   - tag: the caller's own, such as the number of the agent that it stands for.
    package mutating func keep(
        _ token: VerifiedToken, _ digest: SHA256Digest, version: UInt64, tag: UInt64, now: UInt64
    ) {
        let entry = entry(of: digest) ?? freeEntry(digest, now: now)
        let base = entry * Self.stride
        words[base] = digest.word0
        words[base + 1] = digest.word1
        words[base + 2] = digest.word2
        words[base + 3] = digest.word3
        words[base + Self.expires] = token.expires
        words[base + Self.version] = version
        words[base + Self.tag] = tag
        words[base + Self.used] = 0
        tokens[entry] = token
    }

    private func firstEntry(_ digest: SHA256Digest) -> Int {
        // The digest is as good as random; its first word is compared, its last one chooses.
        Int(digest.word3 % sets) * Self.ways
    }

    private func entry(of digest: SHA256Digest) -> Int? {
        let first = firstEntry(digest)
        for entry in first..<first + Self.ways {
            let base = entry * Self.stride
            // The first word finds; the whole is compared in constant time.
            guard words[base] == digest.word0, tokens[entry] != nil else { continue }
            let kept = SHA256Digest(
                words[base], words[base + 1], words[base + 2], words[base + 3])
            if kept.matches(digest) { return entry }
        }
        return nil
    }

    /// One that is free or over, else the next that was not used; twice round at most.
    private mutating func freeEntry(_ digest: SHA256Digest, now: UInt64) -> Int {
        let first = firstEntry(digest)
        for entry in first..<first + Self.ways
        where tokens[entry] == nil || words[entry * Self.stride + Self.expires] <= now {
            return entry
        }
        let set = first / Self.ways
        while true {
            let entry = first + Int(hands[set])
            hands[set] = (hands[set] + 1) % UInt8(Self.ways)
            let place = entry * Self.stride + Self.used
            guard words[place] == 1 else { return entry }
            words[place] = 0
        }
    }
}
