// SPDX-License-Identifier: Apache-2.0

/// Durations counted in buckets whose width grows with the value (as HdrHistogram by G. Tene
/// does), so that the rare long one is told as exactly as the many short ones.
///
/// Each octave has 128 buckets: what is told lies within 0.4 % of what was recorded. Up to 60 s;
/// what took longer counts as 60 s.
package struct LatencyHistogram: Sendable {
    package static let nanosecondsMax: UInt64 = 60_000_000_000
    private static let octaveBits = 7
    private static let octaveCount = 1 << octaveBits

    private var buckets = [UInt64](repeating: 0, count: Self.bucket(nanosecondsMax) + 1)
    package private(set) var count: UInt64 = 0

    package init() {}

    package mutating func record(nanoseconds: UInt64) {
        buckets[Self.bucket(min(nanoseconds, Self.nanosecondsMax))] += 1
        count += 1
    }

    package mutating func merge(_ other: LatencyHistogram) {
        for index in buckets.indices { buckets[index] += other.buckets[index] }
        count += other.count
    }

    /// The duration that this share of all did not exceed, in nanoseconds; 0 where there is none.
    ///
    /// - Parameter share: above 0 and up to 1.
    package func quantile(_ share: Double) -> UInt64 {
        precondition(share > 0 && share <= 1)
        guard count > 0 else { return 0 }
        let rank = max(1, min(count, UInt64((share * Double(count)).rounded(.up))))
        var seen: UInt64 = 0
        for index in buckets.indices {
            seen += buckets[index]
            if seen >= rank { return Self.middle(index) }
        }
        return Self.nanosecondsMax
    }

    /// Values below two octaves of buckets have one each; above, the highest eight bits decide.
    private static func bucket(_ value: UInt64) -> Int {
        let width = UInt64.bitWidth - value.leadingZeroBitCount
        let shift = max(0, width - octaveBits - 1)
        return shift * octaveCount + Int(value >> UInt64(shift))
    }

    private static func middle(_ bucket: Int) -> UInt64 {
        let shift = max(0, bucket / octaveCount - 1)
        let lowest = UInt64(bucket - shift * octaveCount) << UInt64(shift)
        return lowest + (UInt64(1) << UInt64(shift)) / 2
    }
}
