// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import Identity
import Synchronization
import TestSupport
import Testing

@Suite("Accepted steps")
struct AcceptedStepsTests {
    static func fingerprint(_ number: Int) throws -> SHA256Digest {
        try sha256(Array("seed \(number)".utf8))
    }

    static func words(records: Int) -> SharedWords {
        SharedWords(count: AcceptedSteps.wordCount(records: records))
    }

    @Test func aStepCountsOnceAndOnlyUpwards() throws {
        let steps = try AcceptedSteps(Self.words(records: 2))
        let record = try #require(try steps.record(for: Self.fingerprint(1)))
        #expect(steps.last(record: record) == 0)
        #expect(steps.accept(record: record, time: 100))
        #expect(!steps.accept(record: record, time: 100))
        #expect(!steps.accept(record: record, time: 99))
        #expect(!steps.accept(record: record, time: 0))
        #expect(steps.accept(record: record, time: 102))
        #expect(!steps.accept(record: record, time: 101))
        #expect(steps.last(record: record) == 102)
        #expect(steps.accept(record: record, time: .max))
        #expect(!steps.accept(record: record, time: .max))
    }

    @Test func recordsAreKeptApartAndFoundAgain() throws {
        let words = Self.words(records: 3)
        let steps = try AcceptedSteps(words)
        let records = try (0..<3).map { try #require(steps.record(for: Self.fingerprint($0))) }
        #expect(Set(records).count == 3)
        #expect(steps.accept(record: records[1], time: 7))
        #expect(steps.last(record: records[0]) == 0)
        #expect(try steps.record(for: Self.fingerprint(3)) == nil, "full")
        // A second process, or the next start, over the same words.
        let again = try AcceptedSteps(words)
        for number in 0..<3 {
            #expect(try again.record(for: Self.fingerprint(number)) == records[number])
        }
        #expect(again.last(record: records[1]) == 7)
        #expect(!again.accept(record: records[1], time: 7))
    }

    @Test func aLongerFileKeepsItsRecords() throws {
        let short = Self.words(records: 2)
        let steps = try AcceptedSteps(short)
        let record = try #require(try steps.record(for: Self.fingerprint(1)))
        #expect(steps.accept(record: record, time: 9))
        let long = Self.words(records: 8)
        for index in 0..<short.count { long.store(index, short.load(index)) }
        let grown = try AcceptedSteps(long)
        #expect(grown.capacity == 8)
        #expect(try grown.record(for: Self.fingerprint(1)) == record)
        #expect(grown.last(record: record) == 9)
    }

    /// Of several seeds those that are over give their records back, and leave nothing in them.
    @Test func whatIsOverIsReleasedAtOnce() throws {
        let steps = try AcceptedSteps(Self.words(records: 4))
        let fingerprints = try (0..<4).map { try Self.fingerprint($0) }
        let records = try #require(steps.records(for: fingerprints))
        for record in records { #expect(steps.accept(record: record, time: 90)) }
        #expect(steps.disable(record: records[1]))
        steps.release { $0 == fingerprints[1] || $0 == fingerprints[2] }
        #expect(steps.last(record: records[0]) == 90)
        #expect(steps.last(record: records[3]) == 90)
        let others = [try Self.fingerprint(8), try Self.fingerprint(9)]
        let fresh = try #require(steps.records(for: others))
        #expect(Set(fresh) == [records[1], records[2]])
        for record in fresh {
            #expect(steps.last(record: record) == 0)
            #expect(!steps.isDisabled(record: record))
        }
    }

    /// A worker that let a seed's last code in a moment too late leaves nothing to the next seed.
    @Test func aRecordBeginsAnewWhateverWasLeftInIt() throws {
        let steps = try AcceptedSteps(Self.words(records: 1))
        let record = try #require(try steps.record(for: Self.fingerprint(1)))
        steps.release(record: record)
        #expect(steps.accept(record: record, time: 90))
        #expect(steps.disable(record: record))
        #expect(try steps.record(for: Self.fingerprint(2)) == record)
        #expect(steps.last(record: record) == 0)
        #expect(!steps.isDisabled(record: record))
    }

    @Test func foreignWordsAreRefused() throws {
        let foreign = Self.words(records: 1)
        foreign.store(0, 42)
        #expect(throws: IdentityError.stepsForeign) { _ = try AcceptedSteps(foreign) }
        let newer = Self.words(records: 1)
        _ = try AcceptedSteps(newer)
        newer.store(1, AcceptedSteps.version + 1)
        #expect(throws: IdentityError.stepsVersion(AcceptedSteps.version + 1)) {
            _ = try AcceptedSteps(newer)
        }
        #expect(throws: IdentityError.stepsTooSmall) {
            _ = try AcceptedSteps(SharedWords(count: AcceptedSteps.wordCount(records: 1) - 1))
        }
    }

    @Test func aHeaderThatWasCutShortIsFinished() throws {
        let words = Self.words(records: 1)
        _ = try AcceptedSteps(words)
        words.store(1, 0)
        _ = try AcceptedSteps(words)
        #expect(words.load(1) == AcceptedSteps.version)
    }

    /// A process killed after any of the stores of a claim.
    @Test(arguments: 0..<4)
    func aClaimThatWasCutShortIsFinished(stores: Int) throws {
        let whole = Self.words(records: 2)
        let wholeSteps = try AcceptedSteps(whole)
        let record = try #require(wholeSteps.record(for: Self.fingerprint(1)))
        let torn = Self.words(records: 2)
        let steps = try AcceptedSteps(torn)
        let base = AcceptedSteps.wordCount(records: record)
        for index in base..<base + stores { torn.store(index, whole.load(index)) }
        // Another seed does not take it; its own does.
        let other = try #require(steps.record(for: Self.fingerprint(2)))
        let own = try #require(try steps.record(for: Self.fingerprint(1)))
        #expect(other != own)
        #expect(stores == 0 || own == record)
        #expect(try steps.record(for: Self.fingerprint(1)) == own)
        #expect(try steps.record(for: Self.fingerprint(2)) == other)
    }

    @Test func ofManyCallersExactlyOneIsAccepted() async throws {
        let words = Self.words(records: 1)
        let fingerprint = try Self.fingerprint(1)
        for step in UInt64(1)...20 {
            let accepted = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<100 {
                    group.addTask {
                        // Each takes the words over by itself, as processes do.
                        guard let steps = try? AcceptedSteps(words),
                            let record = steps.record(for: fingerprint)
                        else { return false }
                        return steps.accept(record: record, time: step)
                    }
                }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(accepted == 1)
        }
    }

    @Test func manyClaimsAtOnceGiveOneRecordASeed() async throws {
        let words = Self.words(records: 16)
        let fingerprints = try (0..<16).map { try Self.fingerprint($0) }
        let found = await withTaskGroup(of: [Int?].self) { group in
            for task in 0..<32 {
                group.addTask {
                    guard let steps = try? AcceptedSteps(words) else { return [] }
                    var records = [Int?](repeating: nil, count: 16)
                    for offset in 0..<16 {
                        let number = (offset + task) % 16
                        records[number] = steps.record(for: fingerprints[number])
                    }
                    return records
                }
            }
            return await group.reduce(into: [[Int?]]()) { $0.append($1) }
        }
        #expect(Set(found[0].compactMap { $0 }).count == 16)
        #expect(found.allSatisfy { $0 == found[0] })
    }

    /// Steps in any order from many callers: each is accepted at most once, the last is the
    /// highest.
    @Test func racingStepsOnlyRise() async throws {
        let steps = try AcceptedSteps(Self.words(records: 1))
        let record = try #require(try steps.record(for: Self.fingerprint(1)))
        let accepted = await withTaskGroup(of: [UInt64].self) { group in
            for task in 0..<8 {
                group.addTask {
                    var random = SeededRandom(seed: UInt64(task))
                    return (UInt64(1)...500).shuffled(using: &random)
                        .filter { steps.accept(record: record, time: $0) }
                }
            }
            return await group.reduce(into: [UInt64]()) { $0 += $1 }
        }
        #expect(Set(accepted).count == accepted.count)
        #expect(steps.last(record: record) == 500)
        #expect(accepted.contains(500))
    }

    // MARK: Many seeds

    @Test func manyAreFoundInOneWalk() throws {
        let words = Self.words(records: 1000)
        let steps = try AcceptedSteps(words)
        let fingerprints = try (0..<1000).map { try Self.fingerprint($0) }
        let records = try #require(steps.records(for: fingerprints))
        #expect(Set(records).count == 1000)
        let again = try AcceptedSteps(words)
        #expect(again.records(for: fingerprints.reversed()) == records.reversed())
        #expect(try again.record(for: Self.fingerprint(1000)) == nil, "full")
    }

    @Test func aRecordThatIsGivenBackServesAnother() throws {
        let words = Self.words(records: 3)
        let steps = try AcceptedSteps(words)
        let records = try #require(steps.records(for: (0..<3).map { try Self.fingerprint($0) }))
        #expect(steps.accept(record: records[1], time: 50))
        #expect(steps.disable(record: records[1]))
        steps.release(record: records[1])
        // Those behind it are still found, in this process and the next.
        let again = try AcceptedSteps(words)
        #expect(try again.record(for: Self.fingerprint(2)) == records[2])
        let other = try #require(again.record(for: Self.fingerprint(7)))
        #expect(other == records[1])
        #expect(again.last(record: other) == 0)
        #expect(!again.isDisabled(record: other))
        #expect(try again.record(for: Self.fingerprint(8)) == nil, "full again")
    }

    @Test func aDisabledSeedStaysSo() throws {
        let words = Self.words(records: 2)
        let steps = try AcceptedSteps(words)
        let record = try #require(try steps.record(for: Self.fingerprint(1)))
        #expect(steps.disable(record: record))
        #expect(!steps.disable(record: record), "it was already")
        #expect(try AcceptedSteps(words).isDisabled(record: record))
        #expect(steps.enable(record: record))
        #expect(!steps.enable(record: record))
        #expect(!steps.isDisabled(record: record))
    }

    @Test func aCodeThatIsGoodMoreThanOnceDoesNotOutliveItsWindow() throws {
        let steps = try AcceptedSteps(Self.words(records: 1))
        let record = try #require(try steps.record(for: Self.fingerprint(1)))
        #expect(steps.admit(record: record, time: 100, window: 2))
        #expect(steps.admit(record: record, time: 100, window: 2))
        #expect(steps.admit(record: record, time: 98, window: 2))
        #expect(!steps.admit(record: record, time: 97, window: 2), "a clock was set back")
        #expect(steps.last(record: record) == 100)
    }
}
