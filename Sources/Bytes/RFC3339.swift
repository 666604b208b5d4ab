// SPDX-License-Identifier: Apache-2.0

/// Points in time as JSON carries them: `2026-06-01T12:00:00Z` (RFC 3339 §5.6).
package enum RFC3339 {
    /// - Parameter milliseconds: since the epoch; the text has whole seconds.
    package static func text(_ milliseconds: UInt64) -> String {
        let seconds = milliseconds / 1000
        let (year, month, day) = CivilDate.of(day: seconds / 86_400)
        return padded(year, 4) + "-" + padded(month, 2) + "-" + padded(day, 2) + "T"
            + padded(seconds / 3600 % 24, 2) + ":" + padded(seconds / 60 % 60, 2) + ":"
            + padded(seconds % 60, 2) + "Z"
    }

    private static func padded(_ value: UInt64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }

    /// Milliseconds since the epoch; `nil` for what is no such text, or lies before it. A leap
    /// second is taken for the one before it.
    package static func parse(_ text: String) -> UInt64? {
        let bytes = Array(text.utf8)
        let isForm =
            bytes.count >= 20 && bytes[4] == dash && bytes[7] == dash
            && bytes[10].lowercased == UInt8(ascii: "t") && bytes[13] == .colon
            && bytes[16] == .colon
        guard isForm, let year = number(bytes, 0..<4), let month = number(bytes, 5..<7),
            let day = number(bytes, 8..<10), let hour = number(bytes, 11..<13),
            let minute = number(bytes, 14..<16), let second = number(bytes, 17..<19),
            year >= 1970, (1...12).contains(month),
            (1...CivilDate.days(inMonth: month, of: year)).contains(day), hour < 24, minute < 60,
            second <= 60, let (fraction, rest) = fraction(bytes), let shift = offset(bytes[rest...])
        else { return nil }
        let days = CivilDate.day(year: year, month: month, day: day)
        let seconds = Int(((days * 24 + hour) * 60 + minute) * 60 + min(second, 59)) - shift
        return seconds < 0 ? nil : UInt64(seconds) * 1000 + fraction
    }

    private static let dash = UInt8(ascii: "-")

    /// Milliseconds behind the point, and where the zone begins.
    private static func fraction(_ bytes: [UInt8]) -> (UInt64, Int)? {
        guard bytes[19] == UInt8(ascii: ".") else { return (0, 19) }
        var end = 20
        var milliseconds: UInt64 = 0
        while end < bytes.count, bytes[end].isDigit {
            if end < 23 { milliseconds = milliseconds * 10 + UInt64(bytes[end] - 0x30) }
            end += 1
        }
        guard end > 20 else { return nil }
        for _ in min(end, 23)..<23 { milliseconds *= 10 }
        return (milliseconds, end)
    }

    /// Seconds east of UTC.
    private static func offset(_ zone: ArraySlice<UInt8>) -> Int? {
        let zone = Array(zone)
        if zone.count == 1, zone[0].lowercased == UInt8(ascii: "z") { return 0 }
        guard zone.count == 6, zone[3] == .colon, zone[0] == UInt8(ascii: "+") || zone[0] == dash,
            let hours = number(zone, 1..<3), let minutes = number(zone, 4..<6), hours < 24,
            minutes < 60
        else { return nil }
        let seconds = Int(hours * 3600 + minutes * 60)
        return zone[0] == dash ? -seconds : seconds
    }

    private static func number(_ bytes: [UInt8], _ range: Range<Int>) -> UInt64? {
        bytes.span.extracting(range).decimal
    }
}

extension CivilDate {
    /// The day since 1970-01-01 of a Gregorian date from then on; the inverse of `of(day:)`, from
    /// the same source (`days_from_civil`).
    package static func day(year: UInt64, month: UInt64, day: UInt64) -> UInt64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted % 400
        let marchMonth = month > 2 ? month - 3 : month + 9
        let dayOfYear = (153 * marchMonth + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    package static func days(inMonth month: UInt64, of year: UInt64) -> UInt64 {
        switch month {
        case 2: (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}
