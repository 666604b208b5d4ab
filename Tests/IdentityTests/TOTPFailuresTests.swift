// SPDX-License-Identifier: Apache-2.0

import Identity
import Testing

@Suite("Wrong codes")
struct TOTPFailuresTests {
    static let home: ClientAddress = 0xFFFF_0A00_0001
    static let away: ClientAddress = 0xFFFF_0A00_0002
    static let start: UInt64 = 1_700_000_000_000
    static let day = TOTPLimits.dayMilliseconds

    static func table(_ limits: TOTPLimits = TOTPLimits()) -> TOTPFailures {
        TOTPFailures(agents: 3, limits: limits)
    }

    /// One whole attempt with a wrong code.
    @discardableResult
    static func fail(
        _ table: TOTPFailures, _ agent: Int, _ address: ClientAddress, _ now: UInt64
    ) -> TOTPFailures.Admission {
        let admission = table.begin(agent: agent, address: address, now: now)
        if admission == .proceed { table.failed(agent: agent, address: address, now: now) }
        return admission
    }

    @discardableResult
    static func fail(_ table: TOTPFailures, _ now: UInt64) -> TOTPFailures.Admission {
        fail(table, 0, home, now)
    }

    @Test func fiveInARowLockAndTheLockDoubles() {
        let table = Self.table()
        var now = Self.start
        for _ in 0..<5 { #expect(Self.fail(table, now) == .proceed) }
        var seconds = 30
        for _ in 0..<8 {
            #expect(Self.fail(table, now) == .locked(retryAfterSeconds: seconds))
            now += UInt64(seconds) * 1000 - 1
            #expect(Self.fail(table, now) == .locked(retryAfterSeconds: 1))
            now += 1
            #expect(Self.fail(table, now) == .proceed, "one guess after each lock-out")
            seconds = min(seconds * 2, 900)
        }
        #expect(Self.fail(table, now) == .locked(retryAfterSeconds: 900))
    }

    @Test func aSuccessStartsAfresh() {
        let table = Self.table()
        var now = Self.start
        for _ in 0..<4 { Self.fail(table, now) }
        #expect(table.begin(agent: 0, address: Self.home, now: now) == .proceed)
        table.succeeded(agent: 0, address: Self.home, now: now)
        for _ in 0..<5 { #expect(Self.fail(table, now) == .proceed) }
        #expect(Self.fail(table, now) == .locked(retryAfterSeconds: 30))
        now += 30_000
        #expect(table.begin(agent: 0, address: Self.home, now: now) == .proceed)
        table.succeeded(agent: 0, address: Self.home, now: now)
        for _ in 0..<5 { #expect(Self.fail(table, now) == .proceed) }
        #expect(Self.fail(table, now) == .locked(retryAfterSeconds: 30), "no longer doubled")
    }

    @Test func whatWasUsedAlreadyDoesNotCount() {
        let table = Self.table()
        for _ in 0..<100 {
            #expect(table.begin(agent: 0, address: Self.home, now: Self.start) == .proceed)
            table.neutral(agent: 0, address: Self.home, now: Self.start)
        }
        for _ in 0..<4 { Self.fail(table, Self.start) }
        #expect(table.begin(agent: 0, address: Self.home, now: Self.start) == .proceed)
        table.neutral(agent: 0, address: Self.home, now: Self.start)
        #expect(Self.fail(table, Self.start) == .proceed, "nor does it forgive")
        #expect(Self.fail(table, Self.start) == .locked(retryAfterSeconds: 30))
    }

    @Test func agentsAndAddressesAreKeptApart() {
        let table = Self.table()
        for _ in 0..<5 { Self.fail(table, Self.start) }
        #expect(Self.fail(table, 0, Self.home, Self.start) == .locked(retryAfterSeconds: 30))
        #expect(Self.fail(table, 0, Self.away, Self.start) == .proceed)
        #expect(Self.fail(table, 1, Self.home, Self.start) == .proceed)
    }

    @Test(arguments: [1, 5, 7])
    func ofParallelGuessesNoMoreAreCompared(max: Int) {
        let table = Self.table(TOTPLimits(failuresMax: max))
        var begun = 0
        for _ in 0..<100
        where table.begin(agent: 0, address: Self.home, now: Self.start) == .proceed {
            begun += 1
        }
        #expect(begun == max)
        for _ in 0..<begun { table.failed(agent: 0, address: Self.home, now: Self.start) }
        #expect(Self.fail(table, Self.start) != .proceed)
    }

    @Test func manyThreadsCompareNoMoreEither() async {
        let table = Self.table()
        let compared = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<100 {
                group.addTask { Self.fail(table, Self.start) == .proceed ? 1 : 0 }
            }
            return await group.reduce(0, +)
        }
        #expect(compared == 5)
    }

    @Test func aSlotThatIsNeverGivenBackIsLostForAMinute() {
        let table = Self.table(TOTPLimits(failuresMax: 1))
        #expect(table.begin(agent: 0, address: Self.home, now: Self.start) == .proceed)
        #expect(
            table.begin(agent: 0, address: Self.home, now: Self.start + 59_000)
                == .locked(retryAfterSeconds: 1))
        #expect(table.begin(agent: 0, address: Self.home, now: Self.start + 60_001) == .proceed)
    }

    @Test func aHundredFromOneAddressDisable() {
        let table = Self.table(TOTPLimits(disableAfter: 20))
        var now = Self.start
        for count in 1...20 {
            while table.begin(agent: 0, address: Self.home, now: now) != .proceed { now += 60_000 }
            let outcome = table.failed(agent: 0, address: Self.home, now: now)
            #expect((outcome == .exhausted) == (count == 20))
        }
        table.forget(agent: 0)
        for _ in 0..<5 { #expect(Self.fail(table, now) == .proceed, "counters start afresh") }
    }

    @Test func outcomesAreTold() {
        let table = Self.table(TOTPLimits(failuresMax: 2, disableAfter: 3))
        var outcomes: [FailureOutcome] = []
        for attempt in UInt64(0)..<4 {
            let now = Self.start + attempt * 1_000_000
            #expect(table.begin(agent: 0, address: Self.home, now: now) == .proceed)
            outcomes.append(table.failed(agent: 0, address: Self.home, now: now))
        }
        #expect(outcomes == [.counted, .locked, .exhausted, .exhausted])
    }

    // MARK: From anywhere

    @Test func aThousandADayFromAnywhereDisable() {
        let table = Self.table()
        for number in 1...TOTPLimits.failuresPerDayMax {
            // Each stranger waits for the guess that strangers share.
            let now = Self.start + UInt64(number) * 30_000
            let address = ClientAddress(number) << 64
            #expect(table.begin(agent: 0, address: address, now: now) == .proceed)
            let outcome = table.failed(agent: 0, address: address, now: now)
            #expect((outcome == .exhausted) == (number == TOTPLimits.failuresPerDayMax))
        }
    }

    @Test func yesterdaysFailuresAreForgotten() {
        let table = Self.table()
        for number in 1..<TOTPLimits.failuresPerDayMax {
            Self.fail(table, 0, ClientAddress(number) << 64, Self.start + UInt64(number) * 30_000)
        }
        let later = Self.start + 3 * Self.day
        for number in 1..<TOTPLimits.failuresPerDayMax {
            let address = ClientAddress(number) << 65
            let now = later + UInt64(number) * 30_000
            #expect(table.begin(agent: 0, address: address, now: now) == .proceed)
            #expect(table.failed(agent: 0, address: address, now: now) == .counted)
        }
    }

    @Test func strangersWaitAndFriendsDoNot() {
        let table = Self.table()
        #expect(table.begin(agent: 0, address: Self.home, now: Self.start) == .proceed)
        table.succeeded(agent: 0, address: Self.home, now: Self.start)
        for number in 1...TOTPLimits.failuresBeforeStrangersWait {
            #expect(Self.fail(table, 0, ClientAddress(number) << 64, Self.start) == .proceed)
        }
        // The first stranger takes the guess, the next waits; the friend does not notice.
        #expect(Self.fail(table, 0, Self.away, Self.start) == .proceed)
        #expect(Self.fail(table, 0, Self.away, Self.start) == .locked(retryAfterSeconds: 30))
        for _ in 0..<50 {
            #expect(table.begin(agent: 0, address: Self.home, now: Self.start) == .proceed)
            table.succeeded(agent: 0, address: Self.home, now: Self.start)
        }
        #expect(Self.fail(table, 1, Self.away, Self.start) == .proceed, "another agent")
        let later = Self.start + 30_000
        #expect(Self.fail(table, 0, Self.away, later) == .proceed)
        #expect(Self.fail(table, 0, Self.away, later) == .locked(retryAfterSeconds: 30))
        // A day on, the friend is none any more, and the failures are forgotten too.
        #expect(Self.fail(table, 0, Self.away, Self.start + 2 * Self.day) == .proceed)
        #expect(Self.fail(table, 0, Self.away, Self.start + 2 * Self.day) == .proceed)
    }

    @Test func aFloodOfAddressesDoesNotForgetALockOut() {
        let table = Self.table()
        for _ in 0..<5 { Self.fail(table, 1, Self.home, Self.start) }
        // Successes fill the table far beyond its capacity; the locked entry goes last.
        for number in 0..<(TOTPFailures.capacity * 4) {
            let address = ClientAddress(number) &* 0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835
            guard table.begin(agent: 0, address: address, now: Self.start + 1) == .proceed else {
                Issue.record("refused without cause")
                return
            }
            table.succeeded(agent: 0, address: address, now: Self.start + 1)
        }
        #expect(Self.fail(table, 1, Self.home, Self.start + 2) == .locked(retryAfterSeconds: 30))
    }
}
