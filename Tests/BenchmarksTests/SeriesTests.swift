// SPDX-License-Identifier: Apache-2.0

import Testing
import benchmarks

@Suite("Series")
struct SeriesTests {
    private static func series(_ values: [Int: Double]) -> Series {
        var series = Series()
        for (repetition, value) in values { series[repetition: repetition] = value }
        return series
    }

    @Test func nothingIsEmpty() {
        let series = Series()
        #expect(series.isEmpty)
        #expect(series.count == 0)
        #expect(series.divided(by: Self.series([0: 1])).isEmpty)
    }

    @Test func medianAndRange() {
        let odd = Self.series([0: 7, 1: 1, 2: 3])
        #expect((odd.median, odd.least, odd.most) == (3, 1, 7))
        let even = Self.series([0: 4, 1: 1, 2: 2, 5: 9])
        #expect((even.median, even.least, even.most) == (3, 1, 9))
    }

    /// The machine was half as fast in the second repetition: the ratio of medians would say 1.5.
    @Test func ratiosAreThoseOfTheSameRepetition() {
        let floor = Self.series([0: 10, 1: 20, 2: 10])
        let proxy = Self.series([0: 12, 1: 24, 2: 15])
        let ratio = proxy.divided(by: floor)
        #expect((ratio.median, ratio.least, ratio.most) == (1.2, 1.2, 1.5))
    }

    @Test func whatIsMissingInOneIsMissingInTheResult() {
        let first = Self.series([0: 10, 1: 20])
        let second = Self.series([1: 5, 2: 5])
        #expect(first.divided(by: second) == Self.series([1: 4]))
        #expect(first.minus(second) == Self.series([1: 15]))
    }

    @Test func nothingIsDividedByZero() {
        #expect(Self.series([0: 1, 1: 6]).divided(by: Self.series([0: 0, 1: 2])).median == 3)
    }

    @Test func scalingKeepsTheRepetitions() {
        #expect(Self.series([0: 1500, 2: 500]).scaled(by: 0.5) == Self.series([0: 750, 2: 250]))
    }
}
