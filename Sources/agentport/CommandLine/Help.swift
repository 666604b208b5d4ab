// SPDX-License-Identifier: Apache-2.0

import Policy

/// The texts of `--help`, none wider than 100 columns.
enum Help {
    /// Where there are more, the first stands for all.
    private static let flagsInUsageMax = 2

    /// Of `agentport` alone.
    static func overview() -> String {
        """
        AgentPort \(Version.current): a two-factor security gateway for AI agents

        usage: agentport [COMMAND] [FLAGS]

        commands:
        \(table(Command.all.map { [$0.words.joined(separator: " "), $0.summary] }))
        `agentport` alone is `agentport serve`. `agentport COMMAND --help` tells more.
        Not built yet: \(notBuilt).

        example:
          agentport dev

        """
    }

    private static var notBuilt: String {
        Command.notBuilt.map { $0.joined(separator: " ") }.joined(separator: ", ")
    }

    /// Of a word that only begins commands.
    static func of(group: String) -> String {
        let members = Command.members(of: group)
        return """
            agentport \(group): \(Command.groups[group] ?? "")

            usage: agentport \(group) COMMAND [FLAGS]

            commands:
            \(table(members.map { [$0.words.joined(separator: " "), $0.summary] }))
            `agentport \(group) COMMAND --help` tells more.

            example:
              agentport \(group) \(members.first?.words.last ?? "") --help

            """
    }

    static func of(_ command: Command) -> String {
        let rows = command.flags.map { flag in
            let own = flag.value.isEmpty ? flag.name : "\(flag.name) \(flag.value)"
            return flag.variable.map { [own, $0.rawValue, flag.meaning] } ?? [own, flag.meaning]
        }
        let title =
            command.flags.contains { $0.variable != nil }
            ? "flags, the variables of the same meaning (a flag wins), and what holds without them:"
            : "flags:"
        return """
            \(command.name): \(command.summary)

            usage: \(usage(command))

            \(title)
            \(table(rows + [["--help", "prints this"]]))
            \(reflowed(command.notes))

            """
    }

    private static let columns = 96

    /// Fills the lines of plain paragraphs: they may have been put together from parts. What is
    /// indented stays as it is, with the line that it follows.
    private static func reflowed(_ text: String) -> String {
        text.split(separator: "\n\n", omittingEmptySubsequences: false).map { paragraph in
            let lines = paragraph.split(separator: "\n")
            guard !lines.contains(where: { $0.hasPrefix(" ") }) else { return String(paragraph) }
            var filled = ""
            var width = 0
            for word in lines.joined(separator: " ").split(separator: " ") {
                if width > 0 {
                    let fits = width + 1 + word.count <= columns
                    filled += fits ? " " : "\n"
                    width = fits ? width + 1 : 0
                }
                filled += word
                width += word.count
            }
            return filled
        }.joined(separator: "\n\n")
    }

    private static func usage(_ command: Command) -> String {
        var words = [command.name]
        let shown = command.flags.count <= flagsInUsageMax ? command.flags : [command.flags[0]]
        words += shown.map { $0.value.isEmpty ? "[\($0.name)]" : "[\($0.name) \($0.value)]" }
        if shown.count < command.flags.count { words.append("[FLAGS]") }
        if let operand = command.operand { words.append(operand) }
        return words.joined(separator: " ")
    }

    /// Each row a line, indented; every column but the last as wide as its widest cell.
    private static func table(_ rows: [[String]]) -> String {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            rows.filter { column < $0.count - 1 }.map { $0[column].count }.max() ?? 0
        }
        return rows.map { row in
            let cells = row.enumerated().map { column, cell in
                column == row.count - 1
                    ? cell : cell + String(repeating: " ", count: widths[column] - cell.count)
            }
            return "  " + cells.joined(separator: "  ") + "\n"
        }.joined()
    }
}
