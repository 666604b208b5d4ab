// SPDX-License-Identifier: Apache-2.0

import Crypto
import Identity
import TestSupport
import Testing

@Suite("Seeds, one after the other")
struct SeedLedgerTests {
    static let now = after(0)
    static let grace: UInt64 = 300_000
    static let all: Set<String> = ["a", "b"]

    /// Milliseconds after the first moment, by both clocks.
    static func after(_ milliseconds: UInt64) -> Moment {
        Moment(wall: 1_700_000_000_000 + milliseconds, steady: 5_000_000 + milliseconds)
    }

    private static func end(_ milliseconds: UInt64) -> Deadline {
        Deadline(in: milliseconds, from: now)
    }

    private static func seed() throws -> TOTPSeed { try .generate(parameters: .standard) }

    private static func meet(
        _ ledger: inout SeedLedger, _ seed: TOTPSeed, _ agent: String = "a",
        among names: Set<String> = all, at time: Moment = now
    ) -> SeedLedger.Meeting {
        ledger.meet(seed, of: agent, among: names, now: time, grace: grace)
    }

    private static func note(
        _ ledger: inout SeedLedger, isDisabled: Bool
    ) -> Bool {
        ledger.note("a", isDisabled: isDisabled)
    }

    private static func rotate(
        _ ledger: inout SeedLedger, _ seed: TOTPSeed, ends: Deadline
    ) {
        ledger.rotate(
            "a", to: KeptSeed(seed, since: now.wall, origin: .call), oldEnds: ends, now)
    }

    @Test func theFirstSeedOfAFileCounts() throws {
        var ledger = SeedLedger()
        let seed = try Self.seed()
        #expect(Self.meet(&ledger, seed) == .first)
        #expect(Self.meet(&ledger, seed) == .same)
        #expect(ledger.owner(of: seed.fingerprint) == "a")
    }

    @Test func anotherSeedInAFileIsARotation() throws {
        var ledger = SeedLedger()
        let (first, second) = (try Self.seed(), try Self.seed())
        _ = Self.meet(&ledger, first)
        #expect(Self.meet(&ledger, second) == .rotated(oldEnds: Self.end(Self.grace)))
        let live = try #require(ledger.agents["a"])
        #expect(live.current.fingerprint == second.fingerprint)
        #expect(live.previous?.seed.fingerprint == first.fingerprint)
        // The file of before, brought back, changes nothing, within the grace or after it.
        #expect(Self.meet(&ledger, first) == .superseded)
        #expect(ledger.purge(now: Self.after(Self.grace - 1)).isEmpty)
        #expect(ledger.purge(now: Self.after(Self.grace)) == ["a"])
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
            Self.rotate(&ledger, seed, ends: Self.end(UInt64(index) * 1000))
            let live = try #require(ledger.agents["a"])
            #expect(live.current.fingerprint == seed.fingerprint)
            #expect(live.previous?.seed.fingerprint == seeds[index - 1].fingerprint)
            for old in seeds[..<max(0, index - 1)] {
                #expect(ledger.isSuperseded(old.fingerprint), "the oldest ends at once")
            }
        }
    }

    @Test func anEndThatHasPassedEndsAtOnce() throws {
        var ledger = SeedLedger()
        let (first, second) = (try Self.seed(), try Self.seed())
        _ = Self.meet(&ledger, first)
        Self.rotate(&ledger, second, ends: Self.end(0))
        #expect(ledger.agents["a"]?.previous == nil)
        #expect(ledger.isSuperseded(first.fingerprint))
    }

    @Test func whatCannotComeIntoForce() throws {
        var ledger = SeedLedger()
        let (mine, next, other) = (try Self.seed(), try Self.seed(), try Self.seed())
        _ = Self.meet(&ledger, mine)
        _ = Self.meet(&ledger, other, "b")
        #expect(ledger.objection(to: next, for: "a") == nil)
        #expect(ledger.objection(to: mine, for: "a") == .inForce)
        #expect(ledger.objection(to: other, for: "a") == .taken(by: "b"))
        Self.rotate(&ledger, next, ends: Self.end(1000))
        #expect(ledger.objection(to: mine, for: "a") == .superseded, "in its grace already")
        #expect(ledger.objection(to: mine, for: "b") == .taken(by: "a"))
        _ = ledger.purge(now: Self.after(1000))
        #expect(ledger.objection(to: mine, for: "b") == .superseded, "for whomever")
        #expect(Self.meet(&ledger, mine, "b") == .superseded)
        #expect(Self.meet(&ledger, next, "b") == .taken(by: "a"))
    }

    @Test func anAgentMayBeRenamed() throws {
        var ledger = SeedLedger()
        let seed = try Self.seed()
        _ = Self.meet(&ledger, seed, "old", among: ["old"])
        #expect(Self.meet(&ledger, seed, "new", among: ["new"]) == .renamed)
        #expect(ledger.owner(of: seed.fingerprint) == "new")
        #expect(ledger.agents["old"] == nil)
    }

    /// Within the grace of a rotation both seeds go with the name, whichever of them the file has.
    @Test(arguments: [0, 1])
    func aRenamedAgentKeepsWhatIsKnownOfIt(inFile: Int) throws {
        var ledger = SeedLedger()
        let seeds = (try Self.seed(), try Self.seed())
        _ = Self.meet(&ledger, seeds.0)
        Self.rotate(&ledger, seeds.1, ends: Self.end(1000))
        _ = ledger.note("a", isDisabled: true)
        let met = Self.meet(&ledger, inFile == 0 ? seeds.0 : seeds.1, "new", among: ["new"])
        #expect(met == (inFile == 0 ? .superseded : .renamed))
        let live = try #require(ledger.agents["new"])
        #expect(live.current.fingerprint == seeds.1.fingerprint)
        #expect(live.previous?.seed.fingerprint == seeds.0.fingerprint)
        #expect(live.isDisabled)
        #expect(ledger.agents["a"] == nil)
        #expect(ledger.purge(now: Self.after(1000)) == ["new"])
        #expect(Self.meet(&ledger, seeds.0, "new", among: ["new"]) == .superseded)
    }

    /// An agent gets the seed of one that is gone: a rotation like any other, and nothing of the
    /// other's comes back.
    @Test(arguments: [0, 1])
    func theSeedOfAnAgentThatIsGone(inFile: Int) throws {
        var ledger = SeedLedger()
        let (first, second, mine) = (try Self.seed(), try Self.seed(), try Self.seed())
        _ = Self.meet(&ledger, first)
        Self.rotate(&ledger, second, ends: Self.end(1000))
        _ = Self.meet(&ledger, mine, "b")
        let met = Self.meet(&ledger, inFile == 0 ? first : second, "b", among: ["b"])
        let live = try #require(ledger.agents["b"])
        #expect(ledger.agents["a"] == nil)
        #expect(ledger.isSuperseded(first.fingerprint))
        if inFile == 0 {
            #expect(met == .superseded)
            #expect(ledger.isSuperseded(second.fingerprint))
            #expect(live.current.fingerprint == mine.fingerprint)
        } else {
            #expect(met == .rotated(oldEnds: Self.end(Self.grace)))
            #expect(live.current.fingerprint == second.fingerprint)
            #expect(live.previous?.seed.fingerprint == mine.fingerprint)
        }
    }

    /// An end is a time of day, and so many seconds from now: whichever comes first.
    @Test func eitherClockEndsASeed() throws {
        for (wall, steady, isOver) in [(0, 0, false), (5000, 0, true), (0, 5000, true)] {
            var ledger = SeedLedger()
            _ = Self.meet(&ledger, try Self.seed())
            Self.rotate(&ledger, try Self.seed(), ends: Self.end(5000))
            let later = Moment(
                wall: Self.now.wall + UInt64(wall), steady: Self.now.steady + UInt64(steady))
            #expect(ledger.purge(now: later).isEmpty == !isOver)
        }
    }

    @Test func disablingIsByAgent() throws {
        var ledger = SeedLedger()
        #expect(!Self.note(&ledger, isDisabled: true), "nobody of that name")
        _ = Self.meet(&ledger, try Self.seed())
        #expect(!Self.note(&ledger, isDisabled: false))
        #expect(Self.note(&ledger, isDisabled: true))
        #expect(!Self.note(&ledger, isDisabled: true))
        Self.rotate(&ledger, try Self.seed(), ends: Self.end(0))
        #expect(ledger.agents["a"]?.isDisabled == true)
        #expect(try ledger.agents["a"]?.seeds(.standard).isDisabled == true)
    }

    /// A seed that was rotated by a call outlasts the absence of its agent: the file that is older
    /// must not win when the agent returns.
    @Test func anAgentThatReturnsHasWhatItHad() throws {
        var ledger = SeedLedger()
        let (file, called) = (try Self.seed(), try Self.seed())
        _ = Self.meet(&ledger, file)
        Self.rotate(&ledger, called, ends: Self.end(0))
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
                    secret: secret, fingerprint: fingerprint, since: Self.now.wall, origin: .call),
                oldEnds: Self.end(0), Self.now)
        }
        #expect(ledger.superseded.count == SeedLedger.supersededMax)
        #expect(!ledger.isSuperseded(first), "the oldest is forgotten")
    }
}
