// SPDX-License-Identifier: Apache-2.0

/// Rows under names, for a terminal: the first column to the left, figures to the right.
struct Table {
    let title: String
    let columns: [String]
    private var rows: [[String]] = []

    init(_ title: String, _ columns: [String]) {
        self.title = title
        self.columns = columns
    }

    mutating func add(_ row: String...) { add(row) }

    mutating func add(_ row: [String]) {
        precondition(row.count == columns.count)
        rows.append(row)
    }

    var text: String {
        let widths = columns.indices.map { column in
            ([columns] + rows).map { $0[column].count }.max() ?? 0
        }
        let lines = ([columns] + rows).map { row in
            row.indices.map { column in
                let padding = String(repeating: " ", count: widths[column] - row[column].count)
                return column == 0 ? row[column] + padding : padding + row[column]
            }
            .joined(separator: "  ")
        }
        return title + "\n" + lines.map { "  " + $0 + "\n" }.joined()
    }
}
