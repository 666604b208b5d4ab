// SPDX-License-Identifier: Apache-2.0

import Reactor
import Testing

@Suite("Mapped code")
struct MappedCodeTests {
    /// Given back, it takes no memory; used again, it is there.
    @Test func whatIsGivenBackComesBack() {
        let before = Process.residentBytes
        MappedCode.giveBack()
        let after = Process.residentBytes
        // The tests alone are some megabytes of code.
        #expect(after < before - 1024 * 1024)
        let sorted = (0..<100).map { ($0 * 37) % 101 }.sorted()
        #expect(sorted.first == 0)
        #expect(String(describing: [1: "a"]) == "[1: \"a\"]")
    }
}
