// SPDX-License-Identifier: Apache-2.0

/// What a siege may do to honest clients and to memory, against the quiet of the same run.
package enum SiegeVerdict {
    package static let latencyRatioMax = 2.0
    /// Below this, noise would decide.
    package static let latencyFloorMilliseconds = 1.0
    /// Of a standalone gateway.
    package static let residentBytesMax = 128_000_000.0
    package static let leftRatioMax = 1.5
    package static let leftBytesMax = 10_000_000.0

    /// Milliseconds, both.
    package static func latencyLimit(quiet: Double) -> Double {
        max(latencyRatioMax * quiet, latencyFloorMilliseconds)
    }

    /// Bytes, both.
    package static func leftLimit(before: Double) -> Double { leftRatioMax * before + leftBytesMax }
}
