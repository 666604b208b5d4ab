// SPDX-License-Identifier: Apache-2.0

import Reactor

/// From starting the process to the first answered request, over TLS and up to the upstream.
struct Start {
    var repetitions = 10

    func run(on testbed: Testbed, _ report: inout Report) throws(BenchmarkFault) {
        report.note(testbed.cores.description)
        report.note("start: a new process each time; the program's file is in the page cache")
        var times: [Double] = []
        for repetition in 1...repetitions {
            testbed.quiet.wait()
            Console.progress("start: \(repetition) of \(repetitions)")
            times.append(try FirstAnswer.milliseconds(of: testbed.gateway(.plain), on: testbed))
        }
        testbed.endProxy()
        let median = Median.of(times)
        var table = Table("start to first answer in ms", ["median", "least", "most", "times"])
        table.add(
            NumberText.fixed(median, 1), NumberText.fixed(times.min() ?? 0, 1),
            NumberText.fixed(times.max() ?? 0, 1), "\(repetitions)")
        report.add(table)
        report.add("start.median", median, "ms")
        report.add("start.least", times.min() ?? 0, "ms")
        report.add("start.most", times.max() ?? 0, "ms")
        report.add(
            Budget(kind: .own, subject: "start to first answer, ms", value: median, limit: 20))
    }
}

extension Command {
    static let start = Command(
        name: "start",
        summary: "the time from starting the gateway to the first answer",
        options: [.repetitions],
        notes: "Default: 10 times, mode plain."
    ) { (options, report) throws(BenchmarkFault) in
        var start = Start()
        start.repetitions = try options.integer(.repetitions, in: 1...1000, otherwise: 10)
        try start.run(on: Testbed(options.program()), &report)
    }
}
