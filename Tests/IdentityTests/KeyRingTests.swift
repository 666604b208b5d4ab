// SPDX-License-Identifier: Apache-2.0

import Crypto
import Identity
import TestSupport
import Testing

@Suite("Signing keys, one after the other")
struct KeyRingTests {
    static let now = after(0)
    static let life: UInt64 = 60_000
    static let ahead = UInt64(KeyRing.cacheSeconds + 10) * 1000

    /// Milliseconds after the first moment, by both clocks.
    static func after(_ milliseconds: UInt64) -> Moment {
        Moment(wall: 1_700_000_000_000 + milliseconds, steady: 5_000_000 + milliseconds)
    }

    static func ring() throws -> KeyRing {
        KeyRing(first: try KeptKey(first: .generate(), origin: .made, now: now), tokenLife: life)
    }

    private static func ids(_ keys: [SigningKey]) throws -> [String] {
        try keys.map { try PublicJWK($0).keyID }
    }

    @Test func aKeyIsPublishedBeforeItSignsAndAfter() throws {
        var ring = try Self.ring()
        let (old, next) = (ring.signing.id, try SigningKey.generate())
        try ring.publish(next, origin: .call, now: Self.now)
        let new = try #require(ring.next?.id)
        #expect(try Self.ids(ring.published) == [old, new])
        #expect(ring.advance(now: Self.after(Self.ahead - 1)).isEmpty)
        #expect(ring.signing.id == old)
        let start = Self.ahead
        #expect(ring.advance(now: Self.after(start)) == [.signs(id: new)])
        #expect(ring.signing.id == new)
        #expect(try Self.ids(ring.published) == [new, old], "its tokens are on their way")
        let end = start + Self.life + 60_000
        #expect(ring.advance(now: Self.after(end - 1)).isEmpty)
        #expect(ring.advance(now: Self.after(end)) == [.ended(id: old)])
        #expect(try Self.ids(ring.published) == [new])
        #expect(ring.isOver(old))
        #expect(!ring.isOver(new))
    }

    @Test func aKeyThatWaitsGivesWay() throws {
        var ring = try Self.ring()
        try ring.publish(.generate(), origin: .call, now: Self.now)
        let waiting = try #require(ring.next?.id)
        try ring.publish(.generate(), origin: .file, now: Self.after(5))
        #expect(ring.next?.id != waiting)
        #expect(ring.isOver(waiting))
        #expect(ring.published.count == 2)
    }

    @Test func theLongestTokenCounts() throws {
        var ring = try Self.ring()
        ring.note(tokenLife: 3_600_000)
        ring.note(tokenLife: 1000)
        try ring.publish(.generate(), origin: .call, now: Self.now)
        let start = Self.ahead
        _ = ring.advance(now: Self.after(start))
        #expect(ring.advance(now: Self.after(start + 3_600_000 + 59_999)).isEmpty)
        #expect(ring.advance(now: Self.after(start + 3_600_000 + 60_000)).count == 1)
    }

    /// Verifiers hold a key set for as long as they may, however somebody sets our clock.
    @Test func aClockThatIsSetChangesNothing() throws {
        var ring = try Self.ring()
        try ring.publish(.generate(), origin: .call, now: Self.now)
        let dayLater = Moment(wall: Self.now.wall + 86_400_000, steady: Self.now.steady + 1)
        #expect(ring.advance(now: dayLater).isEmpty)
        let dayEarlier = Moment(
            wall: Self.now.wall - 86_400_000, steady: Self.now.steady + Self.ahead)
        #expect(ring.advance(now: dayEarlier).count == 1)
    }

    /// A verifier fetches the key set at any time, keeps it for as long as it may, and meets a
    /// token that is as old as may be.
    @Test(arguments: 0..<20)
    func noVerifierEverMeetsAKeyItDoesNotHave(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var ring = try Self.ring()
        var time: UInt64 = 0
        /// By second: the key that signed, and those that were published.
        var history: [(signing: String, published: [String])] = []
        for _ in 0..<3000 {
            if Int.random(in: 0..<200, using: &random) == 0, ring.next == nil {
                try ring.publish(.generate(), origin: .made, now: Self.after(time))
            }
            _ = ring.advance(now: Self.after(time))
            history.append((ring.signing.id, try Self.ids(ring.published)))
            time += 1000
        }
        for second in history.indices {
            // The token was signed up to its life ago, the set fetched up to its age ago.
            let signed = Int.random(in: max(0, second - 60)...second, using: &random)
            let fetched = Int.random(
                in: max(0, second - KeyRing.cacheSeconds)...second, using: &random)
            #expect(history[fetched].published.contains(history[signed].signing))
        }
    }
}
