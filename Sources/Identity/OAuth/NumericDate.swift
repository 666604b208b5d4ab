// SPDX-License-Identifier: Apache-2.0

import Bytes

/// Seconds since the epoch as a token gives them (RFC 7519 §2).
enum NumericDate {
    /// The end of the year 9999: what lies beyond is no date but a try at an overflow.
    static let secondsMax: UInt64 = 253_402_300_799

    /// The whole seconds, a fraction being dropped, so that a token ends no later than it says.
    ///
    /// - Parameter text: a number in JSON's grammar.
    /// - Returns: `nil` for what is negative, has an exponent or lies too far away.
    static func seconds(_ text: ArraySlice<UInt8>) -> UInt64? {
        let point = text.firstIndex(of: UInt8(ascii: ".")) ?? text.endIndex
        let whole = text[..<point]
        guard let seconds = whole.span.decimal, seconds <= secondsMax,
            text[point...].dropFirst().allSatisfy(\.isDigit)
        else { return nil }
        return seconds
    }
}
