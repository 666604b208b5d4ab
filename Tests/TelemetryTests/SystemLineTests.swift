// SPDX-License-Identifier: Apache-2.0

import Telemetry
import Testing

@Suite struct SystemLineTests {
    @Test func membersInTheirOrder() {
        var line = SystemLine(.info, "listening", at: 1_780_315_200_000_001_000)
        line.add("address", "0.0.0.0:8443")
        line.add("workers", 2)
        line.add("shadow", false)
        #expect(
            String(decoding: line.finished(), as: UTF8.self)
                == #"{"ts":"2026-06-01T12:00:00.000001Z","level":"info","msg":"listening","#
                + #""address":"0.0.0.0:8443","workers":2,"shadow":false}"# + "\n")
    }

    @Test func auditLinesAreMarked() {
        let line = SystemLine(.warn, "seed rotated", at: 0, audit: true).finished()
        #expect(FlatJSON(line: line)?["audit"] == "true")
        let plain = SystemLine(.warn, "seed rotated", at: 0).finished()
        #expect(FlatJSON(line: plain)?["audit"] == nil)
    }

    @Test func keysAndValuesAreEscaped() {
        var line = SystemLine(.error, "a \"b\"\n", at: 0)
        line.add("k\"", "\u{1B}[31m\\")
        line.add("least", Int.min)
        let parsed = FlatJSON(line: line.finished())
        #expect(parsed?["msg"] == "a \"b\"\n")
        #expect(parsed?["k\""] == "\u{1B}[31m\\")
        #expect(parsed?["least"] == "-9223372036854775808")
    }

    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00"), (951_782_399, "2000-02-28T23:59:59"),
            (951_782_400, "2000-02-29T00:00:00"), (951_868_800, "2000-03-01T00:00:00"),
            (1_709_164_800, "2024-02-29T00:00:00"), (1_767_225_599, "2025-12-31T23:59:59"),
            (1_767_225_600, "2026-01-01T00:00:00"), (2_147_483_648, "2038-01-19T03:14:08"),
            (4_107_542_400, "2100-03-01T00:00:00"), (4_107_542_399, "2100-02-28T23:59:59"),
            (18_446_744_073, "2554-07-21T23:34:33"),
        ] as [(UInt64, String)])
    func times(seconds: UInt64, expected: String) {
        let line = SystemLine(.info, "", at: seconds * 1_000_000_000).finished()
        #expect(FlatJSON(line: line)?["ts"] == expected + ".000000Z")
    }

    /// Each day of four centuries, against a calendar that counts days one by one.
    @Test func everyDayOfACycle() {
        var (year, month, day) = (1970, 1, 1)
        for number in 0..<146_097 as Range<UInt64> {
            let line = SystemLine(.info, "", at: number * 86_400_000_000_000).finished()
            let date = String(decoding: line[7..<17], as: UTF8.self)
            if date != "\(year)-\(padded(month))-\(padded(day))" {
                Issue.record("day \(number): \(date)")
                return
            }
            day += 1
            if day > length(of: month, year) { (month, day) = (month + 1, 1) }
            if month > 12 { (year, month) = (year + 1, 1) }
        }
    }

    private func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    private func length(of month: Int, _ year: Int) -> Int {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return month == 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
    }

    @Test func levels() {
        for level in LogLevel.allCases {
            #expect(LogLevel(name: level.name.description) == level)
        }
        #expect(LogLevel(name: "INFO") == nil && LogLevel(name: "") == nil)
        #expect(LogLevel.debug < .info && .info < .warn && LogLevel.warn < .error)
    }
}
