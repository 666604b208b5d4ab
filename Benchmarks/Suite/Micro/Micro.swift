// SPDX-License-Identifier: Apache-2.0

/// What one call of a part costs: nanoseconds, or instructions under callgrind.
struct Micro {
    var cases = MicroCase.all
    /// Of the package, where none is named.
    var thresholds: String

    static let thresholdsPlace = "Benchmarks/thresholds/micro.json"

    /// Calls and no clock: what is run under a profiler.
    func run(count: Int) throws(BenchmarkFault) {
        for microCase in cases { try microCase.run(count: count) }
    }

    func time(_ report: inout Report) throws(BenchmarkFault) {
        var table = Table(
            "processor time of a call, the median of several runs",
            ["", "ns", "fastest", "calls a run"])
        for microCase in cases {
            Console.progress("micro: \(microCase.name)")
            let timing = try Timing.measure(microCase)
            table.add(
                microCase.name, NumberText.fixed(timing.median, 1),
                NumberText.fixed(timing.fastest, 1), "\(timing.calls)")
            report.add("micro.\(microCase.name).median", timing.median, "ns")
            report.add("micro.\(microCase.name).fastest", timing.fastest, "ns")
        }
        report.add(table)
    }

    /// Counts, and holds what was counted against the thresholds.
    func hold(_ report: inout Report) throws(BenchmarkFault) {
        let limits = try MicroThresholds.read(thresholds)
        limits.hold(try count(&report), &report)
    }

    /// Counts, and makes what was counted the thresholds.
    func record(_ report: inout Report) throws(BenchmarkFault) {
        try MicroThresholds.write(try count(&report), to: thresholds)
        report.note("wrote \(thresholds)")
    }

    private func count(_ report: inout Report) throws(BenchmarkFault) -> [CountedCase] {
        let counter = try InstructionCounter()
        var table = Table("instructions of a call, under callgrind", ["", "instructions"])
        var counted: [CountedCase] = []
        for microCase in cases {
            Console.progress("micro, under callgrind: \(microCase.name)")
            let instructions = try counter.instructionsPerCall(microCase)
            counted.append(CountedCase(name: microCase.name, instructions: instructions))
            table.add(microCase.name, NumberText.fixed(instructions, 1))
            report.add("micro.\(microCase.name).instructions", instructions, "1/call")
        }
        report.add(table)
        return counted
    }
}

extension Command {
    static let micro = Command(
        name: "micro",
        summary: "nanoseconds or instructions a call of single parts",
        options: [.cases, .list, .instructions, .record, .count, .thresholds],
        measuresGateway: false,
        notes: """
            Default: nanoseconds of every case. --instructions runs this program under callgrind
            (valgrind) and exits 1 where a case exceeds its threshold by more than 3 %.
            """
    ) { (options, report) throws(BenchmarkFault) in
        if options[.list] != nil {
            report.isQuiet = true
            return Console.show(MicroCase.all.map { $0.name + "\n" }.joined())
        }
        let place = options[.thresholds] ?? PackageRoot.path(Micro.thresholdsPlace)
        var micro = Micro(thresholds: place)
        if let text = options[.cases] { micro.cases = try MicroCase.list(text) }
        let isRecording = options[.record] != nil
        if options[.count] != nil {
            report.isQuiet = true
            let count = try options.integer(.count, in: 1...1_000_000_000, otherwise: 1)
            return try micro.run(count: count)
        }
        guard options[.instructions] != nil else {
            guard !isRecording else { throw .usage("`--record` needs `--instructions`") }
            return try micro.time(&report)
        }
        guard isRecording else { return try micro.hold(&report) }
        guard options[.cases] == nil else { throw .usage("`--record` is of all cases") }
        try micro.record(&report)
    }
}
