// SPDX-License-Identifier: Apache-2.0

import JSON
import Testing

/// JSON knows no integers: 1, 1.0 and 10e-1 are one number.
@Suite struct WholeNumberTests {
    @Test(arguments: [
        ("0", 0), ("-0", 0), ("7", 7), ("7.0", 7), ("70e-1", 7), ("0.7e1", 7), ("7E+2", 700),
        ("-1.50e1", -15), ("0.0e99999999999999999999", 0), ("9223372036854775807", .max),
        ("9223372036854775807.000", .max), ("-9223372036854775808", .min),
    ])
    func whole(text: String, value: Int) {
        #expect(JSONNumber(text: text).whole == value)
    }

    @Test(arguments: [
        "0.5", "7.01", "75e-1", "1e19", "1e999", "1e99999999999999999999", "9223372036854775808",
        "1e-9223372036854775808", "0.1e-9223372036854775808",
    ])
    func notWhole(text: String) {
        #expect(JSONNumber(text: text).whole == nil)
    }
}
