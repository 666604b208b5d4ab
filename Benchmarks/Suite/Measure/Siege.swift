// SPDX-License-Identifier: Apache-2.0

import Reactor

/// Whether the gateway can be worn down: honest clients and its memory before, during and after
/// an attack.
struct Siege {
    private static let settleMilliseconds = 1500
    /// Until all attackers stand: the pace they come at, and as long again.
    private static let gatheringSecondsMax = 30.0
    private static let gatheredSeconds = 6.0
    /// Longer than the gateway takes to look after what a crowd has left.
    private static let recoverySeconds = 12.0

    var kinds = AttackKind.allCases
    /// `nil`: as many as the kind has.
    var attackers: Int?
    var perSecond = 200
    /// Of the quiet, of the attack, and of what comes after it, each.
    var seconds = 12.0

    func run(on testbed: Testbed, _ report: inout Report) throws(BenchmarkFault) {
        report.note(testbed.cores.description)
        for kind in kinds {
            // Each in a gateway of its own: what one leaves behind is not the other's.
            try testbed.start(testbed.gateway(.plain))
            Process.pause(milliseconds: Self.settleMilliseconds)
            let count = attackers ?? kind.attackersStandard
            let outcome = try besiege(kind, count, testbed)
            tell(kind, count, outcome, &report)
            judge(kind, outcome, &report)
            testbed.endProxy()
        }
    }

    private func besiege(
        _ kind: AttackKind, _ count: Int, _ testbed: Testbed
    ) throws(BenchmarkFault) -> SiegeOutcome {
        var outcome = SiegeOutcome()
        let proxy = ProcessTree.members(of: testbed.proxyIdentifier)
        var honest = try Honest(testbed.through(), testbed.credentials(), perSecond: perSecond)
        defer { honest.leave() }
        Console.progress("siege, \(kind.rawValue): quiet")
        testbed.quiet.wait()
        _ = try honest.run(seconds: 1) { false }
        var watch = testbed.watch
        watch.begin()
        outcome.quiet = try honest.run(seconds: seconds) { false }
        outcome.quietUse = watch.end()
        outcome.before = ResidentMemory.total(of: proxy)
        outcome.peak = outcome.before
        try attack(kind, count, testbed, proxy, &honest, &outcome)
        outcome.after = try honest.run(seconds: seconds) { false }
        outcome.left = ResidentMemory.total(of: proxy)
        guard testbed.isProxyRunning else {
            throw .failed("the gateway has ended: \(testbed.complaints)")
        }
        return outcome
    }

    private func attack(
        _ kind: AttackKind, _ count: Int, _ testbed: Testbed, _ proxy: [Int32],
        _ honest: inout Honest, _ outcome: inout SiegeOutcome
    ) throws(BenchmarkFault) {
        Console.progress("siege, \(kind.rawValue): \(count) attackers gather")
        let attack = try Attack(kind, attackers: count, on: testbed.through())
        defer { attack.end() }
        var peak = outcome.before
        outcome.gathering = try honest.run(seconds: Self.gatheringSecondsMax) {
            peak = max(peak, ResidentMemory.total(of: proxy))
            return attack.held >= count
        }
        // What their coming alone has cost is over.
        outcome.gathering.merge(
            try honest.run(seconds: Self.gatheredSeconds) {
                peak = max(peak, ResidentMemory.total(of: proxy))
                return false
            })
        Console.progress("siege, \(kind.rawValue): \(attack.held) attack")
        var watch = testbed.watch
        watch.begin()
        let usedBefore = attack.processorNanoseconds
        var held: [Int] = []
        outcome.attack = try honest.run(seconds: seconds) {
            peak = max(peak, ResidentMemory.total(of: proxy))
            held.append(attack.held)
            return false
        }
        outcome.attackUse = attack.processorNanoseconds - usedBefore
        outcome.use = watch.end()
        outcome.held = held
        attack.end()
        outcome.cuts = attack.cuts
        outcome.failures = attack.failures

        Console.progress("siege, \(kind.rawValue): over")
        outcome.recovery = try honest.run(seconds: Self.recoverySeconds) {
            peak = max(peak, ResidentMemory.total(of: proxy))
            return false
        }
        outcome.peak = peak
    }
}

extension Command {
    static let siege = Command(
        name: "siege",
        summary: "honest latency and memory while attackers hold thousands of connections",
        options: [.attack, .attackers, .rate, .seconds],
        notes: """
            slow: \(AttackKind.slow.meaning) (5000).
            stalled: \(AttackKind.stalled.meaning) (1000).
            Default: both, 200 requests/s beside them, 12 s of quiet, of attack and after it. Exit
            status 1 where honest clients or memory suffer more than the table of budgets says.
            """
    ) { (options, report) throws(BenchmarkFault) in
        var siege = Siege()
        if let text = options[.attack] { siege.kinds = try AttackKind.list(text) }
        if options[.attackers] != nil {
            siege.attackers = try options.integer(.attackers, in: 1...19_000, otherwise: 1)
        }
        siege.perSecond = try options.integer(.rate, in: 10...10_000, otherwise: 200)
        siege.seconds = Double(try options.integer(.seconds, in: 1...600, otherwise: 12))
        try siege.run(on: Testbed(options.program(), isPinned: false), &report)
    }
}
