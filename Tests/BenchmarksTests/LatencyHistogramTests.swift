// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing
import benchmarks

@Suite("Latency histogram")
struct LatencyHistogramTests {
    private static let shares = [0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 1]

    /// What the definition says: the smallest value that this share of all does not exceed.
    private func exact(_ sorted: [UInt64], _ share: Double) -> UInt64 {
        sorted[max(1, Int((share * Double(sorted.count)).rounded(.up))) - 1]
    }

    @Test func nothingHasNoQuantiles() {
        #expect(LatencyHistogram().quantile(0.5) == 0)
    }

    @Test(arguments: [0, 1, 127, 128, 255, 256, 257, 1000, 999_999, 60_000_000_000] as [UInt64])
    func oneValueIsEachQuantile(value: UInt64) {
        var histogram = LatencyHistogram()
        histogram.record(nanoseconds: value)
        for share in Self.shares {
            let told = histogram.quantile(share)
            #expect(abs(Double(told) - Double(value)) <= 0.004 * Double(value))
        }
    }

    @Test func whatIsBeyondSixtySecondsCountsAsThat() {
        var histogram = LatencyHistogram()
        histogram.record(nanoseconds: .max)
        let told = Double(histogram.quantile(1))
        #expect(abs(told - 60e9) <= 0.004 * 60e9)
    }

    @Test(arguments: 1...20)
    func liesWithinFourPerMilleOfSorting(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var values: [UInt64] = []
        var parts = [LatencyHistogram(), LatencyHistogram()]
        for index in 0..<Int.random(in: 1...5000, using: &random) {
            let bits = Int.random(in: 0...35, using: &random)
            let value = UInt64.random(in: 0...(1 << bits), using: &random)
            values.append(value)
            parts[index % 2].record(nanoseconds: value)
        }
        values.sort()
        parts[0].merge(parts[1])
        #expect(parts[0].count == UInt64(values.count))
        for share in Self.shares {
            let expected = Double(exact(values, share))
            let told = Double(parts[0].quantile(share))
            #expect(abs(told - expected) <= 0.004 * expected, "seed \(seed), share \(share)")
        }
    }
}
