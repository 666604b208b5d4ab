// SPDX-License-Identifier: Apache-2.0

import JSON
import Reactor

/// What a subcommand found: figures for programs, tables for people, budgets for both.
struct Report {
    struct Figure {
        /// `overhead.totp.through.p99`.
        let name: String
        let value: Double
        let unit: String
    }

    /// Where all has been said, or nothing was measured.
    var isQuiet = false
    private let command: String
    private let machine = Machine()
    private(set) var figures: [Figure] = []
    private var tables: [Table] = []
    private var budgets: [Budget] = []
    private var notes: [String] = []
    /// Why a figure is missing.
    private var faults: [String] = []

    init(command: String) {
        self.command = command
    }

    mutating func add(_ name: String, _ value: Double, _ unit: String) {
        figures.append(Figure(name: name, value: value, unit: unit))
    }

    mutating func add(_ table: Table) { tables.append(table) }
    mutating func add(_ budget: Budget) { budgets.append(budget) }

    mutating func note(_ text: String) {
        if !notes.contains(text) { notes.append(text) }
    }

    /// Some figures are missing; the others are told all the same, and the run has failed.
    mutating func fault(_ text: String) {
        Console.progress(text)
        faults.append(text)
    }

    func fails(isStrict: Bool) -> Bool {
        !faults.isEmpty || budgets.contains { $0.fails(isStrict: isStrict) }
    }

    func text(isStrict: Bool) -> String {
        var text = machine.text + "\n"
        for note in notes { text += note + "\n" }
        for fault in faults { text += "FAILED: " + fault + "\n" }
        for table in tables { text += "\n" + table.text }
        guard !budgets.isEmpty else { return text }
        var table = Table("budgets", ["", "limit", "measured", "", ""])
        for budget in budgets {
            table.add(
                budget.subject, NumberText.short(budget.limit), NumberText.short(budget.value),
                budget.isMet ? "met" : budget.fails(isStrict: isStrict) ? "BROKEN" : "missed",
                budget.kind == .hard ? "gated" : isStrict ? "gated (--strict)" : "")
        }
        return text + "\n" + table.text
    }

    func json(isStrict: Bool) -> [UInt8] {
        var writer = JSONWriter(.pretty)
        writer.object { writer in
            writer.member("command", command)
            machine.write(to: &writer)
            writer.name("notes")
            writer.array { for note in notes { $0.string(note) } }
            writer.name("failures")
            writer.array { for fault in faults { $0.string(fault) } }
            writer.name("figures")
            writer.array { for figure in figures { write(figure, to: &$0) } }
            writer.name("budgets")
            writer.array { for budget in budgets { write(budget, to: &$0, isStrict) } }
        }
        return writer.bytes + Array("\n".utf8)
    }

    private func write(_ figure: Figure, to writer: inout JSONWriter) {
        writer.object {
            $0.member("name", figure.name)
            $0.name("value")
            $0.number(JSONNumber(text: NumberText.fixed(figure.value, 3)))
            $0.member("unit", figure.unit)
        }
    }

    private func write(_ budget: Budget, to writer: inout JSONWriter, _ isStrict: Bool) {
        writer.object {
            $0.member("subject", budget.subject)
            $0.name("limit")
            $0.number(JSONNumber(text: NumberText.fixed(budget.limit, 3)))
            $0.name("value")
            $0.number(JSONNumber(text: NumberText.fixed(budget.value, 3)))
            $0.member("is_met", budget.isMet)
            $0.member("is_gated", budget.kind == .hard || isStrict)
        }
    }
}
