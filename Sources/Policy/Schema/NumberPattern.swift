// SPDX-License-Identifier: Apache-2.0

/// Regular expressions for the numbers of a range, since a schema has no other way to bound a
/// number that stands within text.
enum NumberPattern {
    /// Decimal, without leading zeros.
    static func of(_ range: ClosedRange<Int>) -> String {
        precondition(range.lowerBound >= 0, "a number without a sign")
        var parts: [String] = []
        var start = range.lowerBound
        for end in ends(of: range) {
            parts.append(block(start, end))
            start = end + 1
        }
        return parts.count == 1 ? parts[0] : "(" + parts.joined(separator: "|") + ")"
    }

    /// Where the range must be cut so that each piece is a block: as many digits at both ends, and
    /// behind the first digit in which they differ every digit may be any. Ascending.
    private static func ends(of range: ClosedRange<Int>) -> [Int] {
        var ends: Set<Int> = [range.upperBound]
        // Up from the lower end: 137 is followed by 139, 199, 999, 9999…
        var power = 10
        while case let end = range.lowerBound / power * power + power - 1, end < range.upperBound {
            ends.insert(end)
            power *= 10
        }
        // Down from the upper end: 254 is preceded by 249 and 199.
        power = 10
        while case let end = (range.upperBound + 1) / power * power - 1, end > range.lowerBound {
            ends.insert(end)
            power *= 10
        }
        return ends.sorted()
    }

    private static func block(_ start: Int, _ end: Int) -> String {
        var pattern = ""
        var freeCount = 0
        for (low, high) in zip(String(start), String(end)) {
            if low == high {
                pattern.append(low)
            } else if low == "0", high == "9" {
                freeCount += 1
            } else {
                pattern += "[\(low)-\(high)]"
            }
        }
        switch freeCount {
        case 0: return pattern
        case 1: return pattern + "[0-9]"
        default: return pattern + "[0-9]{\(freeCount)}"
        }
    }
}

extension UnitText {
    /// What `parse` makes a multiple of `step` within the range of.
    static func pattern(
        _ range: ClosedRange<Int>, units: [(name: String, factor: Int)], step: Int = 1
    ) -> String {
        let alternatives = units.compactMap { unit -> String? in
            // A unit that is finer than the step has to be written in multiples of it.
            let isFine = unit.factor < step
            let factor = isFine ? step : unit.factor
            let least = (range.lowerBound + factor - 1) / factor
            let most = range.upperBound / factor
            // A unit may be too large for the range.
            guard least <= most else { return nil }
            let zeros = isFine ? String(String(step / unit.factor).dropFirst()) : ""
            return NumberPattern.of(least...most) + zeros + unit.name
        }
        return "0*(" + alternatives.joined(separator: "|") + ")"
    }
}
