// SPDX-License-Identifier: Apache-2.0

import Bytes
import HTTP1
import Testing

@Suite("Dates of messages")
struct HTTPDateTests {
    private static func parse(_ text: String) -> UInt64? {
        let bytes = Array(text.utf8)
        return HTTPDate.parse(bytes.span)
    }

    @Test(arguments: [
        "Sun, 06 Nov 1994 08:49:37 GMT", "Thu, 01 Jan 1970 00:00:00 GMT",
        "Tue, 29 Feb 2028 23:59:59 GMT", "Fri, 31 Dec 9999 23:59:60 GMT",
    ])
    func datesAreRead(text: String) {
        let seconds: [String: UInt64] = [
            "Sun, 06 Nov 1994 08:49:37 GMT": 784_111_777, "Thu, 01 Jan 1970 00:00:00 GMT": 0,
            "Tue, 29 Feb 2028 23:59:59 GMT": 1_835_481_599,
            "Fri, 31 Dec 9999 23:59:60 GMT": 253_402_300_799,
        ]
        #expect(Self.parse(text) == seconds[text])
    }

    @Test(arguments: [
        "", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
        "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
        "Wed, 31 Dec 1969 23:59:59 GMT", "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sun, 29 Feb 2026 00:00:00 GMT",
    ])
    func othersAreNot(text: String) {
        #expect(Self.parse(text) == nil)
    }
}
