// SPDX-License-Identifier: Apache-2.0

/// A short form of each of the others, on one testbed.
enum Everything {
    static func run(on testbed: Testbed, _ report: inout Report) throws(BenchmarkFault) {
        testbed.quiet.millisecondsLeft = 15_000
        testbed.quiet.triesMax = 1
        var overhead = Overhead()
        overhead.seconds = 5
        try overhead.run(on: testbed, &report)
        var cost = ProcessorCost()
        cost.seconds = 1
        try cost.run(on: testbed, &report)
        var handshakes = Handshakes()
        handshakes.seconds = 2
        try handshakes.run(on: testbed, &report)
        var start = Start()
        start.repetitions = 5
        try start.run(on: testbed, &report)
        var memory = Memory()
        memory.counts = [1000, 5000]
        try memory.run(on: testbed, &report)
    }
}

extension Command {
    static let everything = Command(
        name: "all",
        summary: "a short form of those above, in under two minutes",
        options: [],
        notes: "Not part of it: `peers`, which takes minutes, and `micro`, which needs no gateway."
    ) { (options, report) throws(BenchmarkFault) in
        try Everything.run(on: Testbed(options.program()), &report)
    }
}
