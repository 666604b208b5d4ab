// SPDX-License-Identifier: Apache-2.0

import Reactor

/// What may be said behind a subcommand.
struct Option: Sendable {
    let name: String
    /// What stands for the value in the help; `nil` for one that has none.
    let value: String?
    let meaning: String

    static let agentport = Option(
        name: "--agentport", value: "PATH", meaning: "the gateway (default: beside this program)")
    static let json = Option(
        name: "--json", value: "FILE", meaning: "write machine, figures and budgets there too")
    static let strict = Option(
        name: "--strict", value: nil, meaning: "exit 1 where one of our own budgets is missed")
    static let mode = Option(
        name: "--mode", value: "LIST", meaning: "of plain, session, totp")
    static let seconds = Option(name: "--seconds", value: "N", meaning: "how long each run lasts")
    static let rate = Option(name: "--rate", value: "N", meaning: "requests a second")
    static let connections = Option(name: "--connections", value: "N", meaning: "kept open")
    static let attack = Option(name: "--attack", value: "LIST", meaning: "of slow, stalled")
    static let attackers = Option(
        name: "--attackers", value: "N", meaning: "connections of each attack")
    static let repetitions = Option(name: "--repetitions", value: "N", meaning: "how often")
    static let tests = Option(name: "--tests", value: "LIST", meaning: "these tests alone")
    static let peers = Option(name: "--peers", value: "LIST", meaning: "these peers alone")
    static let envoy = Option(name: "--envoy", value: "PATH", meaning: "Envoy's binary")
    static let cases = Option(name: "--case", value: "LIST", meaning: "these cases alone")
    static let list = Option(name: "--list", value: nil, meaning: "the names of the cases")
    static let count = Option(
        name: "--count", value: "N", meaning: "N calls and no clock: what a profiler is run on")
    static let instructions = Option(
        name: "--instructions", value: nil, meaning: "instructions a call, held to thresholds")
    static let record = Option(
        name: "--record", value: nil,
        meaning: "with --instructions: write what was counted as the thresholds")
    static let thresholds = Option(
        name: "--thresholds", value: "FILE",
        meaning: "of the package's root, if not \(Micro.thresholdsPlace)")
    static let listen = Option(name: "--listen", value: "ADDRESS", meaning: "IP:PORT")
}

/// What was said: `--name value` or `--name=value`, each once.
struct Options {
    private var values: [String: String] = [:]

    init(_ words: ArraySlice<String>, _ known: [Option]) throws(BenchmarkFault) {
        var rest = words
        while let word = rest.popFirst() {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            guard let option = known.first(where: { $0.name == name }) else {
                throw .usage("unknown argument `\(word)`")
            }
            guard values[name] == nil else { throw .usage("`\(name)` is given twice") }
            if option.value == nil {
                guard parts.count == 1 else { throw .usage("`\(name)` takes no value") }
                values[name] = ""
            } else if parts.count == 2 {
                values[name] = String(parts[1])
            } else if let next = rest.popFirst() {
                values[name] = next
            } else {
                throw .usage("`\(name)` needs a value")
            }
        }
    }

    subscript(_ option: Option) -> String? { values[option.name] }

    var isStrict: Bool { self[.strict] != nil }

    func integer(
        _ option: Option, in range: ClosedRange<Int>, otherwise standard: Int
    ) throws(BenchmarkFault) -> Int {
        guard let text = self[option] else { return standard }
        guard let number = Int(text), range.contains(number) else {
            throw .usage(
                "`\(option.name)` must be a whole number from \(range.lowerBound) to "
                    + "\(range.upperBound)")
        }
        return number
    }

    func modes(otherwise standard: [GatewayMode]) throws(BenchmarkFault) -> [GatewayMode] {
        guard let text = self[.mode] else { return standard }
        return try GatewayMode.list(text)
    }

    /// The gateway to measure.
    func program() throws(BenchmarkFault) -> String {
        if let path = self[.agentport] {
            guard Files.exists(path) else { throw .usage("`--agentport`: there is no \(path)") }
            return path
        }
        let own = Process.executable
        let folder = own.lastIndex(of: "/").map { String(own[...$0]) } ?? ""
        let path = folder + "agentport"
        guard Files.exists(path) else {
            throw .failed(
                "there is no \(path): `swift build -c release --product agentport` makes it, "
                    + "`--agentport PATH` names another")
        }
        return path
    }
}
