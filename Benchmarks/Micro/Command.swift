// SPDX-License-Identifier: Apache-2.0

import Reactor

/// The command line.
enum Command {
    static let usage = """
        usage: microbenchmarks [--case NAME]… [--count N | --instructions [--record]]
                               [--thresholds FILE]

        Without options: nanoseconds a call of every case, the median of several runs.

          --case NAME       this case alone; may be repeated
          --count N         N calls and no clock: what is run under a profiler
          --instructions    instructions a call, counted by running this program under callgrind;
                            exit 1 where one exceeds its threshold by more than 3 %
          --record          with --instructions: write what was counted as the thresholds
          --thresholds FILE of the package's root, if not Benchmarks/thresholds/micro.json
          --list            the names of the cases
          --help            this text

        """

    private struct Options {
        var cases: [MicroCase] = []
        var count: Int?
        var counts = false
        var records = false
        var thresholds = "Benchmarks/thresholds/micro.json"
    }

    /// - Returns: the exit status.
    static func run(_ arguments: [String]) -> Int32 {
        do throws(MicroFault) {
            guard let options = try parse(arguments) else { return 0 }
            if let count = options.count {
                for microCase in options.cases { try microCase.run(count: count) }
                return 0
            }
            guard options.counts else { return try time(options) }
            let counted = try count(options)
            if options.records {
                try MicroThresholds.write(counted, to: options.thresholds)
                return 0
            }
            return try MicroThresholds.read(options.thresholds).hold(counted) ? 0 : 1
        } catch {
            Output.complain("microbenchmarks: \(error.reason)")
            return error.isUsage ? 2 : 1
        }
    }

    /// - Returns: `nil` where all has been said.
    private static func parse(_ arguments: [String]) throws(MicroFault) -> Options? {
        var options = Options()
        var left = arguments[...]
        while let word = left.popFirst() {
            switch word {
            case "--case":
                let name = left.popFirst() ?? ""
                guard let found = MicroCase.all.first(where: { $0.name == name }) else {
                    throw .usage("no case is named \"\(name)\": --list names them")
                }
                options.cases.append(found)
            case "--count":
                guard let count = Int(left.popFirst() ?? ""), count > 0 else {
                    throw .usage("--count takes a number from 1 on")
                }
                options.count = count
            case "--thresholds":
                guard let path = left.popFirst() else { throw .usage("--thresholds takes a file") }
                options.thresholds = path
            case "--instructions": options.counts = true
            case "--record": options.records = true
            case "--list":
                for microCase in MicroCase.all { Output.show(microCase.name) }
                return nil
            case "--help", "-h":
                Output.show(usage)
                return nil
            default: throw .usage("unknown argument \(word)\n\(usage)")
            }
        }
        guard !options.records || options.counts else {
            throw .usage("--record needs --instructions")
        }
        guard !options.records || options.cases.isEmpty else {
            throw .usage("--record is of all cases")
        }
        if options.cases.isEmpty { options.cases = MicroCase.all }
        return options
    }

    private static func time(_ options: Options) throws(MicroFault) -> Int32 {
        Output.row("case", "ns a call", "fastest", "calls a run")
        for microCase in options.cases {
            let timing = try Timing.measure(microCase)
            Output.row(
                microCase.name, Output.decimal(timing.median), Output.decimal(timing.fastest),
                String(timing.calls))
        }
        return 0
    }

    private static func count(_ options: Options) throws(MicroFault) -> [CountedCase] {
        var counted: [CountedCase] = []
        for microCase in options.cases {
            counted.append(
                CountedCase(
                    name: microCase.name,
                    instructions: try InstructionCounter.instructionsPerCall(microCase)))
        }
        return counted
    }
}
