// SPDX-License-Identifier: Apache-2.0

/// What the gateway may cost beside its peers; judged as far as the rows are there.
struct ComparisonBudgets {
    let findings: Findings

    func judge(_ report: inout Report) {
        ratio(.saturation, .agentportPlain, to: .floor, 1.1, &report)
        ratio(.saturation, .agentportSession, to: .floor, 1.3, &report)
        ratio(.saturation, .agentportSession, to: .haproxy, 1.0, &report)
        ratio(.saturation, .agentportTOTP, to: .floor, 3.2, &report)
        ratio(.saturation, .agentportTOTP, to: .haproxyES256, 0.4, &report)
        ratio(.saturation, .agentportTOTP, to: .envoyES256, 0.3, &report)
        ratio(.rate, .agentportSession, to: .floor, 1.2, &report)
        tail(&report)
        ratio(.handshake, .agentportPlain, to: .nginx, 0.85, &report)
        figure("idle, MB", .memory, .resident, scale: 1e-6, 12, &report)
        figure("an idle connection of 1000, KB", .memory, .eachOfThousand, scale: 1e-3, 15, &report)
        figure(
            "an idle connection of 5000, KB", .memory, .eachOfFiveThousand, scale: 1e-3, 15,
            &report)
        figure("start to first answer, ms", .start, .firstAnswer, scale: 1, 20, &report)
    }

    private func ratio(
        _ test: PeerTest, _ peer: Peer, to other: Peer, _ limit: Double, _ report: inout Report
    ) {
        let series = findings.ratio(test, peer.rawValue, to: other.rawValue)
        let subject = "\(test.rawValue): \(peer.rawValue), times \(other.rawValue)"
        add(subject, series, limit, &report)
    }

    /// How far the gateway's tail may lie behind the floor's, in milliseconds.
    private func tail(_ report: inout Report) {
        let own = findings.added(Peer.agentportSession.rawValue, .p99)
        let floor = findings.added(Peer.floor.rawValue, .p99)
        add(
            "rate: agentport-session's added p99 less the floor's, ms",
            own.minus(floor).scaled(by: 0.001), 0.1, &report)
    }

    private func figure(
        _ what: String, _ test: PeerTest, _ quantity: Quantity, scale: Double, _ limit: Double,
        _ report: inout Report
    ) {
        let series = findings(test, Peer.agentportPlain.rawValue, quantity)
        let subject = "\(test.rawValue): \(Peer.agentportPlain.rawValue), \(what)"
        add(subject, series.scaled(by: scale), limit, &report)
    }

    private func add(
        _ subject: String, _ series: Series, _ limit: Double, _ report: inout Report
    ) {
        guard !series.isEmpty else { return }
        report.add(Budget(kind: .own, subject: subject, value: series.median, limit: limit))
    }
}
