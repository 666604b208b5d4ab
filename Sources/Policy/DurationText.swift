// SPDX-License-Identifier: Apache-2.0

import Bytes

/// Durations as they are written in the policy and the environment: `250ms`, `30s`, `5m`, `1h`.
package enum DurationText {
    private static let units = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)]

    /// Milliseconds; `nil` unless it is digits and one unit, without sign, fraction or space.
    package static func parse(_ text: String) -> Int? {
        UnitText.parse(text, units: units)
    }

    /// A regular expression for multiples of `step` milliseconds within the range.
    static func pattern(_ range: ClosedRange<Int>, step: Int = 1) -> String {
        UnitText.pattern(range, units: units, step: step)
    }

    /// In the largest unit that divides it.
    package static func text(_ milliseconds: Int) -> String {
        guard milliseconds > 0 else { return "0s" }
        for (unit, factor) in units.reversed() where milliseconds % factor == 0 {
            return "\(milliseconds / factor)\(unit)"
        }
        return "\(milliseconds)ms"
    }
}

/// Sizes as they are written in the policy: `512B`, `64KiB`, `2MiB`, `1GiB`.
package enum SizeText {
    private static let units = [("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)]

    /// Bytes; `nil` unless it is digits and one unit.
    package static func parse(_ text: String) -> Int? {
        UnitText.parse(text, units: units)
    }

    /// A regular expression for what lies within the range.
    static func pattern(_ range: ClosedRange<Int>) -> String {
        UnitText.pattern(range, units: units)
    }

    /// In the largest unit that divides it.
    package static func text(_ bytes: Int) -> String {
        guard bytes > 0 else { return "0B" }
        for (unit, factor) in units.reversed() where bytes % factor == 0 {
            return "\(bytes / factor)\(unit)"
        }
        return "\(bytes)B"
    }
}

/// Digits followed by one of some units.
enum UnitText {
    static func parse(_ text: String, units: [(name: String, factor: Int)]) -> Int? {
        let digits = text.utf8.prefix { $0.isDigit }
        guard let count = Int(String(Substring(digits))) else { return nil }
        let unit = text.utf8.dropFirst(digits.count)
        guard let match = units.first(where: { $0.name.utf8.elementsEqual(unit) }) else {
            return nil
        }
        let (product, overflow) = count.multipliedReportingOverflow(by: match.factor)
        return overflow ? nil : product
    }
}
