// SPDX-License-Identifier: Apache-2.0

import SimulatedKernel

/// What the command does.
struct Simulation {
    private let options: Options
    private let seed: UInt64

    init(_ options: Options) {
        self.options = options
        var system = SystemRandomNumberGenerator()
        seed = options.seed ?? UInt64(UInt32.random(in: .min ... .max, using: &system))
        // What all worlds share comes from one seed, whatever theirs is.
        sk_seed_libcrypto(1)
        TLSPeer.prepare()
        Gatehouse.prepare()
    }

    /// - Returns: whether all is as it should be.
    func run() throws -> Bool {
        options.isSelfTest ? try testItself() : try simulate()
    }

    private func simulate() throws -> Bool {
        print("seed \(seed), \(options.exchanges) exchanges")
        if options.isTraced { Trace.begin() }
        Crash.watch(options, seed: seed)
        var run = Run(seed: seed, exchanges: options.exchanges)
        try run.go(only: options.world, isVerbose: options.isVerbose)
        print(run.summary)
        var isGood = report(run)
        if options.isTwice {
            var second = Run(seed: seed, exchanges: options.exchanges)
            try second.go(only: options.world)
            let isSame = second.hash == run.hash
            print(isSame ? "the second run is the same" : "the second run is another")
            isGood = isGood && isSame
        }
        print(isGood ? "1 passed, 0 failed" : "0 passed, 1 failed")
        return isGood
    }

    private func report(_ run: Run) -> Bool {
        for failure in run.failures { print(failure) }
        guard let first = run.failures.first else {
            // Asked for, and nothing to be explained: all of it.
            if options.isTraced { Trace.print(of: []) }
            return true
        }
        print("to see it again:")
        print(
            "    Tests/Simulation/run --seed \(seed) --exchanges \(options.exchanges)"
                + " --world \(first.world) --trace")
        if options.isTraced {
            Trace.print(of: options.isTracedWhole ? [] : run.failures.flatMap(\.links))
        }
        return false
    }

    /// Each sabotage has to be seen, and called what it is.
    private func testItself() throws -> Bool {
        var passed = 0
        for sabotage in Sabotage.allCases {
            let run = Run(seed: seed, exchanges: 1)
            var kinds: Set<String> = []
            for number in 0..<3 {
                let world = try run.make(number, quota: 600, sabotage: sabotage)
                _ = world.run()
                kinds.formUnion(world.failures.map(\.kind.rawValue))
            }
            let isSeen = kinds.contains(sabotage.expected.rawValue)
            print("\(sabotage): \(isSeen ? "seen" : "NOT SEEN"), \(kinds.sorted())")
            if isSeen { passed += 1 }
        }
        let failed = Sabotage.allCases.count - passed
        print("\(passed) passed, \(failed) failed")
        return failed == 0
    }
}

extension Run {
    fileprivate var summary: String {
        """
        \(calls) calls: \(counts.answered) answered, \(counts.refused) refused, \(counts.cut) cut
        \(counts.visitors) clients, \(counts.handshakes) handshakes, \(counts.resumptions) of them \
        resumed, \(counts.resets) resets, \(counts.endsWithoutNotify) ends without close_notify
        hash \(String(hash, radix: 16))
        """
    }
}
