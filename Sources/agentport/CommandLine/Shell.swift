// SPDX-License-Identifier: Apache-2.0

import Policy

/// From the words of the command line to a command, and its exit status: 0, 1 where what it was
/// asked to do failed, 2 where the words are wrong.
enum Shell {
    /// - Parameter words: without the program's own name.
    static func run(_ words: [String]) -> Int32 {
        guard let first = words.first, !isFlag(first) else { return runTopLevel(words) }
        if first == "help" { return run(Array(words.dropFirst()) + ["--help"]) }
        if let command = Command.all.first(where: { $0.words == [first] }) {
            return run(command, words.dropFirst())
        }
        if Command.groups[first] != nil { return run(group: first, words.dropFirst()) }
        if Command.notBuilt(after: []).contains(first) {
            return refuse("agentport", "`agentport \(first)` is not built yet in this version")
        }
        let known = Command.all.map { $0.words[0] } + Command.notBuilt(after: []) + ["help"]
        return refuse("agentport", unknown(first, known))
    }

    /// No command: its flags are those of `serve`.
    private static func runTopLevel(_ words: [String]) -> Int32 {
        switch words.first {
        case "--help", "-h": Console.show(Help.overview())
        case "--version": run(.version, words.dropFirst())
        default: run(.serve, words[...])
        }
    }

    private static func run(group: String, _ words: ArraySlice<String>) -> Int32 {
        let members = Command.members(of: group)
        if asksForHelp(words.prefix(1)) { return Console.show(Help.of(group: group)) }
        let names = members.compactMap(\.words.last)
        guard let second = words.first else {
            return refuse(
                "agentport \(group)", "which? There are \(names.joined(separator: ", "))")
        }
        guard let command = members.first(where: { $0.words.last == second }) else {
            let name = "agentport \(group)"
            let notBuilt = Command.notBuilt(after: [group])
            guard !notBuilt.contains(second) else {
                return refuse(name, "`\(name) \(second)` is not built yet in this version")
            }
            return refuse(name, unknown(second, names + notBuilt))
        }
        return run(command, words.dropFirst())
    }

    private static func run(_ command: Command, _ words: ArraySlice<String>) -> Int32 {
        if asksForHelp(words) { return Console.show(Help.of(command)) }
        do throws(CommandFailure) {
            let arguments = try Arguments(
                words, flags: command.flags, operandsMax: command.operand == nil ? 0 : 1)
            return try command.run(arguments)
        } catch {
            Console.complain("\(command.name): \(error.reason)")
            return error.status
        }
    }

    private static func isFlag(_ word: String) -> Bool { word.hasPrefix("-") }

    private static func asksForHelp(_ words: ArraySlice<String>) -> Bool {
        words.prefix { $0 != "--" }.contains { $0 == "--help" || $0 == "-h" }
    }

    private static func unknown(_ word: String, _ known: [String]) -> String {
        let nearest = Suggestion.nearest(word, in: known)
        return "unknown command \(Printable.quoted(word))"
            + (nearest == nil ? "; `agentport --help` lists them" : Suggestion.asking(nearest))
    }

    private static func refuse(_ name: String, _ reason: String) -> Int32 {
        Console.complain("\(name): \(reason)")
        return CommandFailure.usage(reason).status
    }
}
