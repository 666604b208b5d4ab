// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Control

@Suite("What checks come to")
struct HealthStateTests {
    /// `+` passes, `-` fails; what the endpoint is after each, and where that was a change.
    @Test(arguments: [
        ("+++", 3, "HHH", "..."),
        ("--+--+", 3, "HHHHHH", "......"),
        ("---", 3, "HHu", "..!"),
        ("-----", 3, "HHuuu", "..!.."),
        ("---+", 3, "HHuH", "..!!"),
        ("---+--", 3, "HHuHHH", "..!!.."),
        ("---+---", 3, "HHuHHHu", "..!!..!"),
        ("-+-", 1, "uHu", "!!!"),
    ])
    func follows(checks: String, after: Int, health: String, changes: String) {
        var state = HealthState()
        #expect(state.isHealthy)
        var seen = ""
        var changed = ""
        for check in checks {
            let finding: HealthState.Finding = check == "+" ? .passed("") : .failed("why")
            changed += state.take(finding, unhealthyAfter: after) ? "!" : "."
            seen += state.isHealthy ? "H" : "u"
        }
        #expect(seen == health)
        #expect(changed == changes)
    }

    @Test(arguments: [
        (200, true), (204, true), (302, true), (399, true), (400, false), (503, false),
    ])
    func theStatusDecides(status: Int, isPassed: Bool) {
        let finding = HealthState.Finding(.success(FetchResponse(status: status, body: [])))
        let text = "status \(status)"
        #expect(finding == (isPassed ? .passed(text) : .failed(text)))
    }

    @Test func aFaultIsAFailure() {
        let finding = HealthState.Finding(.failure(.timedOut(milliseconds: 2000)))
        #expect(finding == .failed("timed out after 2s"))
    }
}
