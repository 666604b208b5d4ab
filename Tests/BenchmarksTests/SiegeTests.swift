// SPDX-License-Identifier: Apache-2.0

import Testing
import benchmarks

@Suite("Siege")
struct SiegeTests {
    @Test(arguments: [(0.1, 1.0), (0.5, 1.0), (0.6, 1.2), (10, 20)])
    func latencyMayDoubleAndNoiseDoesNotDecide(quiet: Double, limit: Double) {
        #expect(abs(SiegeVerdict.latencyLimit(quiet: quiet) - limit) < 1e-9)
    }

    @Test func aLittleMayBeLeft() {
        #expect(SiegeVerdict.leftLimit(before: 12_000_000) == 28_000_000)
    }

    @Test func attacksAreNamed() throws {
        #expect(try AttackKind.list("stalled,slow,stalled") == [.stalled, .slow])
        for wrong in ["", "slow,", "fast"] {
            #expect(throws: BenchmarkFault.self) { try AttackKind.list(wrong) }
        }
    }
}
