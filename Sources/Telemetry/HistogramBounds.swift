// SPDX-License-Identifier: Apache-2.0

/// The upper bounds of a histogram's buckets, in nanoseconds, and a way to the right one without
/// a search.
///
/// Each bound is at least twice the one before, so at most one lies among the numbers of any bit
/// width: the width names the first candidate, and one comparison settles it.
final class HistogramBounds: Sendable {
    static let countMax = 23

    /// The bounds, then `UInt64.max`.
    private let bounds: [UInt64]
    /// For each bit width of a duration, the first bucket whose bound it may not exceed.
    private let candidates: [UInt8]
    let count: Int

    init(microseconds: [Double]) {
        precondition(!microseconds.isEmpty && microseconds.count <= Self.countMax)
        count = microseconds.count
        var bounds = [UInt64](repeating: .max, count: 24)
        var candidates = [UInt8](repeating: 0, count: 65)
        for (index, bound) in microseconds.enumerated() {
            bounds[index] = UInt64(bound * 1000)
            precondition(index == 0 || bounds[index] / 2 >= bounds[index - 1])
        }
        for width in 0...64 {
            let smallest: UInt64 = width == 0 ? 0 : 1 << UInt64(width - 1)
            var bucket = 0
            while bounds[bucket] < smallest { bucket += 1 }
            candidates[width] = UInt8(bucket)
        }
        self.bounds = bounds
        self.candidates = candidates
    }

    /// The bucket of a duration; ``count`` is the one without a bound.
    func bucket(nanoseconds: UInt64) -> Int {
        let candidate = Int(candidates[64 - nanoseconds.leadingZeroBitCount])
        return nanoseconds > bounds[candidate] ? candidate + 1 : candidate
    }

    func bound(_ bucket: Int) -> UInt64 { bounds[bucket] }

    /// 50 µs to 60 s: whole requests, the upstream's time included.
    static let request = HistogramBounds(microseconds: [
        50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000,
        500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 30_000_000, 60_000_000,
    ])

    /// 5 µs to 1 s: what the gateway does by itself.
    static let own = HistogramBounds(microseconds: [
        5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000,
        250_000, 500_000, 1_000_000,
    ])

    /// 500 ns to 100 ms: a single filter.
    static let filter = HistogramBounds(microseconds: [
        0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000,
        100_000,
    ])
}
