// SPDX-License-Identifier: Apache-2.0

extension Buffer {
    /// A time in seconds since 1970 as RFC 3339 in UTC: `2026-06-01T12:00:00Z`.
    package mutating func append(rfc3339Seconds seconds: UInt64) {
        let (year, month, day) = CivilDate.of(day: seconds / 86_400)
        append(decimal: UInt(year), width: 4)
        append(UInt8(ascii: "-"))
        append(decimal: UInt(month), width: 2)
        append(UInt8(ascii: "-"))
        append(decimal: UInt(day), width: 2)
        append(UInt8(ascii: "T"))
        append(decimal: UInt(seconds / 3600 % 24), width: 2)
        append(.colon)
        append(decimal: UInt(seconds / 60 % 60), width: 2)
        append(.colon)
        append(decimal: UInt(seconds % 60), width: 2)
        append(UInt8(ascii: "Z"))
    }
}

/// Days to dates.
package enum CivilDate {
    /// The Gregorian date of a day since 1970-01-01; H. Hinnant, "chrono-compatible low-level
    /// date algorithms", `civil_from_days`. Years begin in March, so the leap day ends one.
    package static func of(day: UInt64) -> (year: UInt64, month: UInt64, day: UInt64) {
        let shifted = day + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let leapDays = dayOfEra / 1_460 + dayOfEra / 146_096 - dayOfEra / 36_524
        let yearOfEra = (dayOfEra - leapDays) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let dayOfMonth = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        return (era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, dayOfMonth)
    }
}
