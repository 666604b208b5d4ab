// SPDX-License-Identifier: Apache-2.0

import SimulatedKernel
import TestSupport

/// Worlds one after the other until so many calls have been made. How many each makes does not
/// depend on the others, so that one can be run alone.
struct Run {
    private static let callsPerWorld = 1000

    let seed: UInt64
    let exchanges: Int
    private(set) var hash: UInt64 = 0
    private(set) var failures: [Failure] = []
    private(set) var counts = World.Counts()
    private(set) var calls = 0

    init(seed: UInt64, exchanges: Int) {
        self.seed = seed
        self.exchanges = exchanges
    }

    /// - Parameter only: the number of the one world to be run.
    mutating func go(only: Int?, isVerbose: Bool = false) throws {
        var number = only ?? 0
        while calls < exchanges {
            Crash.enter(world: number)
            let world = try make(number, quota: min(Self.callsPerWorld, exchanges))
            let result = world.run()
            hash = (hash ^ result) &* 0x100_0000_01B3
            failures += world.failures
            calls += world.calls.count
            counts.add(world.counts)
            if isVerbose {
                print("world \(number): \(String(result, radix: 16)) \(world.weather)")
                print("    \(world.counts)")
            }
            if failures.count >= 20 || only != nil { break }
            number += 1
        }
    }

    func make(_ number: Int, quota: Int, sabotage: Sabotage? = nil) throws -> World {
        var random = SeededRandom(seed: seed &+ UInt64(number) &* 0x9E37_79B9)
        return try World(number: number, seed: random.next(), quota: quota, sabotage: sabotage)
    }
}

extension World.Counts {
    mutating func add(_ other: World.Counts) {
        answered += other.answered
        refused += other.refused
        cut += other.cut
        handshakes += other.handshakes
        resumptions += other.resumptions
        visitors += other.visitors
        resets += other.resets
        endsWithoutNotify += other.endsWithoutNotify
        turnedAway += other.turnedAway
    }
}
