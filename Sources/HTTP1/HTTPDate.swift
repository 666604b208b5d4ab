// SPDX-License-Identifier: Apache-2.0

import Bytes

/// The date of a message in the one form that may be sent (IMF-fixdate, RFC 9110 §5.6.7):
/// `Sun, 06 Nov 1994 08:49:37 GMT`.
package enum HTTPDate {
    private static let months = Array("JanFebMarAprMayJunJulAugSepOctNovDec".utf8)

    /// Seconds since the epoch; `nil` for any other form. The day's name is not looked at.
    package static func parse(_ text: Span<UInt8>) -> UInt64? {
        guard text.count == 29, text[3] == .comma, text[4] == .space, text[7] == .space,
            text[11] == .space, text[16] == .space, text[19] == .colon, text[22] == .colon,
            text[25] == .space, text.extracting(26..<29).equals("GMT"),
            let day = text.extracting(5..<7).decimal, let month = month(text.extracting(8..<11)),
            let year = text.extracting(12..<16).decimal,
            let hour = text.extracting(17..<19).decimal,
            let minute = text.extracting(20..<22).decimal,
            let second = text.extracting(23..<25).decimal,
            year >= 1970, (1...CivilDate.days(inMonth: month, of: year)).contains(day), hour < 24,
            minute < 60, second <= 60
        else { return nil }
        let days = CivilDate.day(year: year, month: month, day: day)
        return ((days * 24 + hour) * 60 + minute) * 60 + min(second, 59)
    }

    private static func month(_ name: Span<UInt8>) -> UInt64? {
        for month in 0..<12 {
            let first = 3 * month
            let isSame = (0..<3).allSatisfy { name[$0] == months[first + $0] }
            if isSame { return UInt64(month) + 1 }
        }
        return nil
    }
}
