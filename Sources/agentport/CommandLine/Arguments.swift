// SPDX-License-Identifier: Apache-2.0

import Policy

/// What stands behind a command's name: `--flag value`, `--flag=value` or, for one that has no
/// value, `--flag`, each once, and operands.
/// Behind `--` everything is an operand.
struct Arguments {
    private var values: [String: String] = [:]
    private(set) var operands: [String] = []

    init(
        _ words: ArraySlice<String>, flags: [Flag], operandsMax: Int
    ) throws(CommandFailure) {
        var rest = words
        var isFlagAllowed = true
        while let word = rest.popFirst() {
            if isFlagAllowed, word == "--" {
                isFlagAllowed = false
            } else if isFlagAllowed, word.hasPrefix("-"), word != "-" {
                try take(word, &rest, flags)
            } else {
                guard operands.count < operandsMax else {
                    throw .usage("\(Printable.quoted(word)) is one argument too many")
                }
                operands.append(word)
            }
        }
    }

    private mutating func take(
        _ word: String, _ rest: inout ArraySlice<String>, _ flags: [Flag]
    ) throws(CommandFailure) {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts[0])
        guard let flag = flags.first(where: { $0.name == name }) else {
            let nearest = Suggestion.nearest(name, in: flags.map(\.name) + ["--help"])
            throw .usage("unknown flag \(Printable.quoted(name))" + Suggestion.asking(nearest))
        }
        guard values[name] == nil else { throw .usage("`\(name)` is given twice") }
        if flag.value.isEmpty {
            guard parts.count == 1 else { throw .usage("`\(name)` takes no value") }
            values[name] = ""
        } else if parts.count == 2 {
            values[name] = String(parts[1])
        } else if let next = rest.first, !next.hasPrefix("--") {
            values[name] = next
            rest.removeFirst()
        } else {
            throw .usage("`\(name)` needs a value: \(flag.value)")
        }
    }

    subscript(_ name: String) -> String? { values[name] }

    func has(_ name: String) -> Bool { values[name] != nil }

    func integer(_ name: String, in range: ClosedRange<Int>) throws(CommandFailure) -> Int? {
        guard let text = values[name] else { return nil }
        guard text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let number = Int(text),
            range.contains(number)
        else {
            throw .usage(
                "`\(name)` must be a whole number from \(range.lowerBound) to "
                    + "\(range.upperBound)")
        }
        return number
    }

    /// The values of all settings of the environment that were given as flags.
    var settings: [EnvironmentVariable: String] {
        var result: [EnvironmentVariable: String] = [:]
        for variable in EnvironmentVariable.allCases { result[variable] = values[variable.flag] }
        return result
    }
}
