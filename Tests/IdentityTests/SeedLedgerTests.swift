// SPDX-License-Identifier: Apache-2.0

import Crypto
import Identity
import TestSupport
import Testing

@Suite("Seeds, one after the other")
struct SeedLedgerTests {
    static let now: UInt64 = 1_700_000_000_000
    static let grace: UInt64 = 300_000
    static let all: Set<String> = ["a", "b"]

    private static func seed() throws -> TOTPSeed { try .generate(parameters: .standard) }

    private static func meet(
        _ ledger: inout SeedLedger, _ seed: TOTPSeed, _ agent: String = "a",
        among names: Set<String> = all, at time: UInt64 = now
    ) -> SeedLedger.Meeting {
        ledger.meet(seed, of: agent, among: names, now: time, grace: grace)
    }

    private static func rotate(
        _ ledger: inout SeedLedger, _ seed: TOTPSeed, ends: UInt64, at time: UInt64 = now
    ) {
        ledger.rotate(
            "a", to: KeptSeed(seed, since: time, origin: .call), oldEndsAt: ends, time)
    }

    @Test func theFirstSeedOfAFileCounts() throws {
        var ledger = SeedLedger()
        let seed = try Self.seed()
        #expect(Self.meet(&ledger, seed) == .first)
        #expect(Self.meet(&ledger, seed) == .same)
        #expect(ledger.owner(of: seed.fingerprint) == "a")
        #expect(ledger.nextEnd == nil)
    }

    @Test func anotherSeedInAFileIsARotation() throws {
        var ledger = SeedLedger()
        let (first, second) = (try Self.seed(), try Self.seed())
        _ = Self.meet(&ledger, first)
        #expect(Self.meet(&ledger, second) == .rotated(oldEndsAt: Self.now + Self.grace))
        let live = try #require(ledger.agents["a"])
        #expect(live.current.fingerprint == second.fingerprint)
        #expect(live.previous?.fingerprint == first.fingerprint)
        // The file of before, brought back, changes nothing, within the grace or after it.
        #expect(Self.meet(&ledger, first) == .superseded)
        #expect(ledger.purge(now: Self.now + Self.grace - 1).isEmpty)
        #expect(ledger.purge(now: Self.now + Self.grace) == ["a"])
        #expect(Self.meet(&ledger, first) == .superseded)
        #expect(Self.meet(&ledger, second) == .same)
        #expect(ledger.agents["a"]?.previous == nil)
        #expect(ledger.isSuperseded(first.fingerprint))
    }

    @Test func atMostTwoAreAlive() throws {
        var ledger = SeedLedger()
        let seeds = try (0..<4).map { _ in try Self.seed() }
        _ = Self.meet(&ledger, seeds[0])
        for (index, seed) in seeds.enumerated().dropFirst() {
            Self.rotate(&ledger, seed, ends: Self.now + UInt64(index) * 1000)
            let live = try #require(ledger.agents["a"])
            #expect(live.current.fingerprint == seed.fingerprint)
            #expect(live.previous?.fingerprint == seeds[index - 1].fingerprint)
            for old in seeds[..<max(0, index - 1)] {
                #expect(ledger.isSuperseded(old.fingerprint), "the oldest ends at once")
            }
        }
    }

    @Test func anEndThatHasPassedEndsAtOnce() throws {
        var ledger = SeedLedger()
        let (first, second) = (try Self.seed(), try Self.seed())
        _ = Self.meet(&ledger, first)
        Self.rotate(&ledger, second, ends: Self.now)
        #expect(ledger.agents["a"]?.previous == nil)
        #expect(ledger.isSuperseded(first.fingerprint))
        #expect(ledger.nextEnd == nil)
    }

    @Test func whatCannotComeIntoForce() throws {
        var ledger = SeedLedger()
        let (mine, next, other) = (try Self.seed(), try Self.seed(), try Self.seed())
        _ = Self.meet(&ledger, mine)
        _ = Self.meet(&ledger, other, "b")
        #expect(ledger.objection(to: next, for: "a") == nil)
        #expect(ledger.objection(to: mine, for: "a") == .inForce)
        #expect(ledger.objection(to: other, for: "a") == .taken(by: "b"))
        Self.rotate(&ledger, next, ends: Self.now + 1000)
        #expect(ledger.objection(to: mine, for: "a") == .superseded, "in its grace already")
        #expect(ledger.objection(to: mine, for: "b") == .taken(by: "a"))
        _ = ledger.purge(now: Self.now + 1000)
        #expect(ledger.objection(to: mine, for: "b") == .superseded, "for whomever")
        #expect(Self.meet(&ledger, mine, "b") == .superseded)
        #expect(Self.meet(&ledger, next, "b") == .taken(by: "a"))
    }

    @Test func anAgentMayBeRenamed() throws {
        var ledger = SeedLedger()
        let seed = try Self.seed()
        _ = Self.meet(&ledger, seed, "old", among: ["old"])
        #expect(Self.meet(&ledger, seed, "new", among: ["new"]) == .first)
        #expect(ledger.owner(of: seed.fingerprint) == "new")
        #expect(ledger.agents["old"] == nil)
    }

    /// A seed that was rotated by a call outlasts the absence of its agent: the file that is older
    /// must not win when the agent returns.
    @Test func anAgentThatReturnsHasWhatItHad() throws {
        var ledger = SeedLedger()
        let (file, called) = (try Self.seed(), try Self.seed())
        _ = Self.meet(&ledger, file)
        Self.rotate(&ledger, called, ends: 0)
        let other = try Self.seed()
        _ = Self.meet(&ledger, other, "b", among: ["b"])
        #expect(Self.meet(&ledger, file) == .superseded)
        #expect(ledger.agents["a"]?.current.fingerprint == called.fingerprint)
    }

    @Test func fingerprintsAreBounded() throws {
        var ledger = SeedLedger()
        _ = Self.meet(&ledger, try Self.seed())
        let first = try #require(ledger.agents["a"]?.current.fingerprint)
        let secret = SecretBytes.random(20)
        for number in 0...SeedLedger.supersededMax {
            let fingerprint = SHA256Digest(UInt64(number), 1, 2, 3)
            ledger.rotate(
                "a",
                to: KeptSeed(
                    secret: secret, fingerprint: fingerprint, since: Self.now, origin: .call),
                oldEndsAt: 0, Self.now)
        }
        #expect(ledger.superseded.count == SeedLedger.supersededMax)
        #expect(!ledger.isSuperseded(first), "the oldest is forgotten")
    }
}
