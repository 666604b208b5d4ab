// SPDX-License-Identifier: Apache-2.0

/// A histogram's place among the words: the buckets, then the sum in nanoseconds.
struct Histogram: Sendable {
    /// Which bounds it has; those themselves are too large to be copied for each observation.
    enum Scale: Sendable {
        case request, own, filter

        var bounds: HistogramBounds {
            switch self {
            case .request: .request
            case .own: .own
            case .filter: .filter
            }
        }
    }

    let base: Int
    let scale: Scale
    /// Buckets, the one without a bound among them.
    let bucketCount: Int

    init(base: Int, scale: Scale) {
        self.base = base
        self.scale = scale
        bucketCount = scale.bounds.count + 1
    }

    var sum: Int { base + bucketCount }
    var end: Int { sum + 1 }
}
