// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import benchmarks

@Suite("Allocations a request")
struct AllocationsTests {
    @Test func countsAreReadInTheirOrder() {
        let text = #"{"plain": {"libc": 3.0, "ours": 0.0, "openssl": 2.5}}"# + "\n"
        #expect(Allocations.parse(text, .plain) == [0, 2.5, 3])
    }

    @Test(arguments: [
        "", "{}", #"{"session": {"ours": 0, "openssl": 0, "libc": 0}}"#,
        #"{"plain": {"ours": 0.0, "libc": 1.0}}"#, #"{"plain": {"ours": "0"}}"#,
    ])
    func whatIsNoneIsNotTakenForCounts(text: String) {
        #expect(Allocations.parse(text, .plain) == nil)
    }
}
