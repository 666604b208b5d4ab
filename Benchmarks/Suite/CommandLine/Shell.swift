// SPDX-License-Identifier: Apache-2.0

import Bytes
import Reactor

/// From the words of the command line to a subcommand, and its exit status: 0, 1 where a budget is
/// broken or there is no figure, 2 where the words are wrong.
enum Shell {
    static func run(_ words: [String]) -> Int32 {
        guard let first = words.first else {
            Console.progress("benchmarks: which? `benchmarks --help` lists them")
            return 2
        }
        if ["--help", "-h", "help"].contains(first) {
            Console.show(Help.overview)
            return 0
        }
        // Started by the others, not by people.
        if first == "upstream" { return serveUpstream(words.dropFirst()) }
        guard let command = Command.all.first(where: { $0.name == first }) else {
            Console.progress(
                "benchmarks: unknown command `\(first)`; `benchmarks --help` lists them")
            return 2
        }
        if words.contains("--help") || words.contains("-h") {
            Console.show(Help.of(command))
            return 0
        }
        do throws(BenchmarkFault) {
            return try run(command, Options(words.dropFirst(), command.allOptions))
        } catch {
            Leftovers.clear()
            Console.progress("benchmarks \(command.name): \(error.reason)")
            return error.status
        }
    }

    private static func run(
        _ command: Command, _ options: Options
    ) throws(BenchmarkFault) -> Int32 {
        try? Leftovers.clearWhenInterrupted()
        Process.raiseDescriptorLimit()
        var report = Report(command: command.name)
        try command.run(options, &report)
        if !report.isQuiet { Console.show(report.text(isStrict: options.isStrict)) }
        if let path = options[.json] {
            do throws(SystemError) {
                try Files.replace(path, with: report.json(isStrict: options.isStrict), mode: 0o644)
            } catch {
                throw .failed("\(path): \(error)")
            }
        }
        return report.fails(isStrict: options.isStrict) ? 1 : 0
    }

    private static func serveUpstream(_ words: ArraySlice<String>) -> Int32 {
        do {
            let options = try Options(words, [.listen])
            guard let text = options[.listen], let colon = text.lastIndex(of: ":"),
                let port = UInt16(text[text.index(after: colon)...]),
                let address = SocketAddress(literal: String(text[..<colon]), port: port)
            else { throw BenchmarkFault.usage("`--listen` takes IP:PORT") }
            Process.raiseDescriptorLimit()
            var upstream = try Upstream(address)
            try upstream.run()
        } catch {
            Console.progress("benchmarks upstream: \(error)")
            return 1
        }
    }
}
