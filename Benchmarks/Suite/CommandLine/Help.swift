// SPDX-License-Identifier: Apache-2.0

/// The texts of `--help`.
enum Help {
    static var overview: String {
        """
        Measures the gateway that was built beside this program, on this machine, over loopback.

        usage: benchmarks COMMAND [OPTIONS]

        \(columns(Command.all.map { ($0.name, $0.summary) }))
        `benchmarks COMMAND --help` tells more. Exit status: 0, 1 where a budget is broken or a
        figure could not be had, 2 for wrong usage.

        """
    }

    static func of(_ command: Command) -> String {
        let options = command.allOptions.map { option in
            (option.name + (option.value.map { " " + $0 } ?? ""), option.meaning)
        }
        return """
            benchmarks \(command.name): \(command.summary)

            usage: benchmarks \(command.name) [OPTIONS]

            \(columns(options + [("--help", "this text")]))
            \(command.notes.isEmpty ? "" : command.notes + "\n")
            """
    }

    private static func columns(_ rows: [(String, String)]) -> String {
        let width = rows.map(\.0.count).max() ?? 0
        return rows.map { row in
            "  " + row.0 + String(repeating: " ", count: width - row.0.count + 2) + row.1 + "\n"
        }
        .joined()
    }
}
