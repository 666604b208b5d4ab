// SPDX-License-Identifier: Apache-2.0

import Crypto

/// A signing key as it is kept over restarts.
package struct KeptKey: Sendable {
    package let key: SigningKey
    /// Its `kid`: the thumbprint of RFC 7638.
    package let id: String
    /// Since when it is published, in milliseconds since the epoch.
    package let since: UInt64
    package let origin: SecretOrigin
    /// From when it signs.
    package let signsFrom: Deadline
    /// Until when it is published, once another signs.
    package internal(set) var keptUntil: Deadline?

    package init(
        _ key: SigningKey, since: UInt64, origin: SecretOrigin, signsFrom: Deadline,
        keptUntil: Deadline? = nil
    ) throws(IdentityError) {
        self.key = key
        id = try PublicJWK(key).keyID
        self.since = since
        self.origin = origin
        self.signsFrom = signsFrom
        self.keptUntil = keptUntil
    }

    /// One that signs from the first.
    package init(
        first key: SigningKey, origin: SecretOrigin, now: Moment
    ) throws(IdentityError) {
        try self.init(
            key, since: now.wall, origin: origin, signsFrom: Deadline(in: 0, from: now))
    }
}

/// The keys that sign our tokens, one after the other, so that verifiers notice nothing: each is
/// published before it signs, for as long as they may hold a key set, and after, for as long as a
/// token of it may be about. Both are waited for by the clock of the process: verifiers hold what
/// they have however somebody sets ours.
package struct KeyRing: Sendable {
    /// What the key set's `Cache-Control` allows.
    package static let cacheSeconds = 300
    /// The key set may have been long on its way when it was cached.
    static let aheadMilliseconds = UInt64(cacheSeconds + 10) * 1000
    /// For verifiers whose clocks are behind.
    static let behindMilliseconds: UInt64 = 60_000
    /// Identifiers of keys that are over; beyond them the oldest is forgotten.
    static let supersededMax = 4096

    package internal(set) var signing: KeptKey
    /// Published, and to sign later.
    package internal(set) var next: KeptKey?
    /// The oldest first.
    package internal(set) var retired: [KeptKey] = []
    package internal(set) var superseded: [String] = []
    /// The longest life of a token that the signing key has signed.
    package internal(set) var tokenLifeMax: UInt64

    package init(first key: KeptKey, tokenLife: UInt64) {
        signing = key
        tokenLifeMax = tokenLife
    }

    /// The one that signs, then those that may be met or will be.
    package var published: [SigningKey] {
        [signing.key] + (next.map { [$0.key] } ?? []) + retired.reversed().map(\.key)
    }

    package mutating func note(tokenLife: UInt64) {
        tokenLifeMax = max(tokenLifeMax, tokenLife)
    }

    // MARK: Publishing

    /// Whether this key has signed, and another has taken its place.
    package func isOver(_ id: String) -> Bool {
        superseded.contains(id) || retired.contains { $0.id == id }
    }

    /// Publishes a key that is to sign once no verifier can have a key set without it. One that
    /// waits for that already gives way: it has signed nothing.
    package mutating func publish(
        _ key: SigningKey, origin: SecretOrigin, now: Moment
    ) throws(IdentityError) {
        let kept = try KeptKey(
            key, since: now.wall, origin: origin,
            signsFrom: Deadline(in: Self.aheadMilliseconds, from: now))
        if let next { supersede(next.id) }
        next = kept
    }

    // MARK: Time

    /// What the passing of time has led to.
    package enum Step: Equatable, Sendable {
        case signs(id: String)
        case ended(id: String)
    }

    package mutating func advance(now: Moment) -> [Step] {
        var steps: [Step] = []
        if let next, next.signsFrom.steady <= now.steady {
            var old = signing
            old.keptUntil = Deadline(in: tokenLifeMax + Self.behindMilliseconds, from: now)
            retired.append(old)
            signing = next
            self.next = nil
            steps.append(.signs(id: next.id))
        }
        while let oldest = retired.first, (oldest.keptUntil?.steady ?? 0) <= now.steady {
            retired.removeFirst()
            supersede(oldest.id)
            steps.append(.ended(id: oldest.id))
        }
        return steps
    }

    private mutating func supersede(_ id: String) {
        if superseded.count >= Self.supersededMax { superseded.removeFirst() }
        superseded.append(id)
    }
}
