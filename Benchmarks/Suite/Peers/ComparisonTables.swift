// SPDX-License-Identifier: Apache-2.0

/// The findings for people, one table a test, and for programs.
struct ComparisonTables {
    private static let megabyte = 1_000_000.0

    /// One column: what it is called and what stands in it; nothing where there is no figure.
    private struct Column {
        let title: String
        let text: (_ row: String) -> String
    }

    let findings: Findings
    /// All that were asked for.
    let peers: [Peer]
    let rows: [PeerRow]
    let failed: Set<String>

    func tell(_ tests: [PeerTest], _ report: inout Report) {
        for test in tests {
            let columns = columns(test)
            var table = Table(title(test), [""] + columns.map(\.title))
            for peer in peers where test.isOfRequests || peer.isPlain {
                table.add([peer.rawValue] + cells(test, peer, columns))
            }
            if findings.hasRow(test, Findings.direct) {
                table.add([Findings.direct] + columns.map { $0.text(Findings.direct) })
            }
            report.add(table)
            record(test, &report)
        }
    }

    private func title(_ test: PeerTest) -> String {
        switch test {
        case .saturation: "saturation: as many requests as it can"
        case .rate: "rate: \(ComparisonRun.perSecond) requests/s in an open loop"
        case .handshake: "handshake: full TLS 1.3 handshakes with one request each"
        case .resumed: "resumed: TLS 1.3 handshakes by ticket with one request each"
        case .memory: "memory: of all processes, and bytes for each idle TLS connection"
        case .start: "start: from starting the process to the first answer"
        }
    }

    private func cells(_ test: PeerTest, _ peer: Peer, _ columns: [Column]) -> [String] {
        let isThere = findings.hasRow(test, peer.rawValue)
        guard !isThere || failed.contains(peer.rawValue) else {
            return columns.map { $0.text(peer.rawValue) }
        }
        let isInstalled = rows.contains { $0.peer == peer }
        let blank = [String](repeating: "", count: columns.count - 1)
        return [isInstalled ? "failed" : "not installed"] + blank
    }

    private func columns(_ test: PeerTest) -> [Column] {
        let cpu = column("µs/request", test, .cpu)
        let ratio = Column(title: "times floor") { row in
            text(findings.ratio(test, row, to: Peer.floor.rawValue))
        }
        let others = Column(title: "others, cores") { row in
            let share = findings(test, row, .others)
            return share.isEmpty ? "" : ProcessorUse.text(othersShare: share.median)
        }
        switch test {
        case .saturation: return [cpu, ratio, column("requests/s", test, .perSecond), others]
        case .rate:
            return [
                cpu, ratio, column("p50 µs", test, .p50), column("p99 µs", test, .p99),
                Column(title: "added p50 µs") { text(findings.added($0, .p50)) },
                Column(title: "added p99 µs") { text(findings.added($0, .p99)) }, others,
            ]
        case .handshake, .resumed:
            return [
                cpu, ratio, column("per second", test, .perSecond),
                column("p50 ms", test, .p50, scale: 0.001),
                Column(title: "resumed %") { row in
                    let share = findings(test, row, .resumedShare)
                    return share.isEmpty ? "" : NumberText.fixed(share.median * 100, 0)
                }, others,
            ]
        case .memory:
            return [
                column("idle RSS, MB", test, .resident, scale: 1 / Self.megabyte),
                column("idle PSS, MB", test, .proportional, scale: 1 / Self.megabyte),
                column("each of 1000", test, .eachOfThousand),
                column("each of 5000", test, .eachOfFiveThousand),
            ]
        case .start: return [column("ms", test, .firstAnswer)]
        }
    }

    private func column(
        _ title: String, _ test: PeerTest, _ quantity: Quantity, scale: Double = 1
    ) -> Column {
        Column(title: title) { text(findings(test, $0, quantity).scaled(by: scale)) }
    }

    private func text(_ series: Series) -> String {
        guard !series.isEmpty else { return "" }
        let median = NumberText.short(series.median)
        guard series.count > 1 else { return median }
        return "\(median) (\(NumberText.short(series.least))–\(NumberText.short(series.most)))"
    }

    // MARK: For programs

    private func record(_ test: PeerTest, _ report: inout Report) {
        let names = peers.map(\.rawValue) + [Findings.direct]
        for row in names where !failed.contains(row) {
            let name = "peers.\(test.rawValue).\(row)"
            for quantity in Quantity.allCases {
                let series = findings(test, row, quantity)
                record("\(name).\(quantity.rawValue)", series, quantity.unit, &report)
            }
            let ratio = findings.ratio(test, row, to: Peer.floor.rawValue)
            record("\(name).times_floor", ratio, "ratio", &report)
            guard test == .rate, row != Findings.direct else { continue }
            record("\(name).added_p50", findings.added(row, .p50), "us", &report)
            record("\(name).added_p99", findings.added(row, .p99), "us", &report)
        }
    }

    private func record(
        _ name: String, _ series: Series, _ unit: String, _ report: inout Report
    ) {
        guard !series.isEmpty else { return }
        report.add(name, series.median, unit)
        guard series.count > 1 else { return }
        report.add(name + ".least", series.least, unit)
        report.add(name + ".most", series.most, unit)
    }
}
