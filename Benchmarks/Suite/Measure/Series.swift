// SPDX-License-Identifier: Apache-2.0

/// One quantity as it came out in each repetition. What the machine does drifts from minute to
/// minute, so that two of them are compared repetition by repetition, never median by median.
package struct Series: Equatable {
    private var values: [Int: Double] = [:]

    package init() {}

    package subscript(repetition repetition: Int) -> Double? {
        get { values[repetition] }
        set { values[repetition] = newValue }
    }

    package var isEmpty: Bool { values.isEmpty }
    package var count: Int { values.count }
    package var median: Double { Median.of(Array(values.values)) }
    package var least: Double { values.values.min() ?? 0 }
    package var most: Double { values.values.max() ?? 0 }

    /// In those repetitions in which both are there, and the other is not 0.
    package func divided(by other: Series) -> Series {
        combined(with: other) { $1 == 0 ? nil : $0 / $1 }
    }

    package func minus(_ other: Series) -> Series { combined(with: other) { $0 - $1 } }

    package func scaled(by factor: Double) -> Series {
        var result = self
        result.values = values.mapValues { $0 * factor }
        return result
    }

    private func combined(
        with other: Series, _ combine: (Double, Double) -> Double?
    ) -> Series {
        var result = Series()
        for (repetition, value) in values {
            guard let second = other.values[repetition] else { continue }
            result.values[repetition] = combine(value, second)
        }
        return result
    }
}
