// SPDX-License-Identifier: Apache-2.0

/// What a client does to its connection in the middle of things.
struct Doom {
    enum Deed: Int, CaseIterable {
        /// RST.
        case reset
        /// Close, with or without something unread.
        case close
        /// FIN without close_notify.
        case cutOff
        /// close_notify, then FIN: it has gone, though it reads on.
        case farewell
        /// close_notify alone; it reads on, and is to get what it has asked for.
        case halfFarewell
        /// Reads no more.
        case deafness
        /// Writes no more.
        case silence
        /// A record that is none.
        case garbage
    }

    enum Trigger {
        case sent(Int), received(Int)
        /// Nanoseconds after the connect.
        case after(UInt64)
    }

    let deed: Deed
    let trigger: Trigger

    init(_ dice: inout Dice) {
        deed = dice.pick(Deed.allCases)
        switch dice.below(5) {
        case 0: trigger = .sent(dice.below(900))
        case 1: trigger = .sent(dice.below(40_000))
        case 2: trigger = .received(dice.below(1500))
        case 3: trigger = .received(dice.below(60_000))
        default: trigger = .after(UInt64(dice.below(30_000_000)))
        }
    }
}

/// How a client behaves as long as nothing comes between.
struct Manners {
    enum Farewell { case polite, finAlone, reset, stay }

    var calls = 1
    /// Requests that are on their way at once, at most.
    var depth = 1
    var resumes = true
    /// Bytes at once, and nanoseconds between.
    var readLimit = 65_536
    var readGap: UInt64 = 0
    var writeLimit = 262_144
    var writeGap: UInt64 = 0
    var recordLimit = 16_384
    /// Nanoseconds between two calls.
    var thinking: UInt64 = 0
    var updatesKeys = false
    /// Goes on with its body though the answer has come.
    var isStubborn = false
    var farewell = Farewell.polite
    var doom: Doom?

    init(_ weather: Weather, _ dice: inout Dice) {
        calls = dice.pick([1, 2, 6, 15, 40])
        depth = dice.oneIn(4) ? dice.range(2...5) : 1
        resumes = !dice.oneIn(8)
        if dice.oneIn(6) {
            readLimit = dice.range(300...5000)
            readGap = UInt64(dice.below(2_000_000))
        }
        if dice.oneIn(8) {
            writeLimit = dice.pick([1, 7, 300, 2000])
            writeGap = UInt64(dice.below(writeLimit == 1 ? 200_000 : 1_000_000))
        }
        if writeLimit > 1000, dice.oneIn(6) { recordLimit = dice.pick([1, 20, 500, 3000]) }
        if dice.oneIn(3) { thinking = UInt64(dice.below(100_000_000)) }
        updatesKeys = dice.oneIn(12)
        isStubborn = dice.oneIn(3)
        farewell = dice.pick([.polite, .polite, .polite, .finAlone, .reset, .stay])
        if dice.oneIn(weather.visitorFaults) { doom = Doom(&dice) }
    }
}
