// SPDX-License-Identifier: Apache-2.0

import Reactor

/// Counts the gateway's system calls while so many requests go through it, with strace.
struct SystemCalls {
    private static let program = "/usr/bin/strace"
    private static let perSecond = 500
    private static let seconds = 3.0
    private static let attachMilliseconds = 500
    private static let namesShown = 4

    let connections: Int

    func run(
        _ mode: GatewayMode, _ testbed: Testbed, _ table: inout Table, _ report: inout Report
    ) throws(BenchmarkFault) {
        guard Files.exists(Self.program), let counts = try count(mode, testbed) else {
            table.add(mode.rawValue, "not measured", "strace is missing or may not attach")
            return
        }
        let requests = Self.seconds * Double(Self.perSecond)
        let all = Double(counts.reduce(0) { $0 + $1.count }) / requests
        report.add("cpu.\(mode.rawValue).system_calls", all, "1/request")
        for (name, count) in counts {
            report.add(
                "cpu.\(mode.rawValue).system_calls.\(name)", Double(count) / requests, "1/request")
        }
        let shown = counts.prefix(Self.namesShown).map {
            "\($0.name) " + NumberText.fixed(Double($0.count) / requests, 2)
        }
        table.add(mode.rawValue, NumberText.fixed(all, 2), shown.joined(separator: ", "))
    }

    /// - Returns: the most frequent first; `nil` where strace cannot attach.
    private func count(
        _ mode: GatewayMode, _ testbed: Testbed
    ) throws(BenchmarkFault) -> [(name: String, count: Int)]? {
        let summary = testbed.folder.file("strace")
        Files.remove(summary)
        let maker = RequestMaker(try testbed.credentials())
        let loop = OpenLoop(
            perSecond: Self.perSecond, seconds: Self.seconds, connections: connections)
        var tracer: Child?
        _ = try loop.run(testbed.through(), maker, testbed.watch) {
            isBegin throws(BenchmarkFault) in
            if isBegin {
                tracer = try Child(
                    [
                        Self.program, "-c", "-f", "-o", summary, "-p",
                        "\(testbed.proxyIdentifier)",
                    ], core: nil)
                Process.pause(milliseconds: Self.attachMilliseconds)
            } else {
                tracer?.interrupt()
                tracer?.wait(milliseconds: 5000)
            }
        }.checked("under strace")
        guard let file = try? Files.read(summary, limit: 1 << 20) else { return nil }
        return Self.parse(String(decoding: file.bytes, as: UTF8.self))
    }

    /// Lines of `% time, seconds, usecs/call, calls, errors (or nothing), syscall`.
    static func parse(_ summary: String) -> [(name: String, count: Int)]? {
        var counts: [(name: String, count: Int)] = []
        for line in summary.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count >= 5, Double(words[0]) != nil, let count = Int(words[3]),
                let name = words.last, name != "total"
            else { continue }
            counts.append((String(name), count))
        }
        guard !counts.isEmpty else { return nil }
        return counts.sorted { $0.count > $1.count }
    }
}
