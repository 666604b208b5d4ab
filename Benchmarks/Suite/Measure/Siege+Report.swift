// SPDX-License-Identifier: Apache-2.0

extension Siege {
    func tell(
        _ kind: AttackKind, _ count: Int, _ outcome: SiegeOutcome, _ report: inout Report
    ) {
        let name = "siege.\(kind.rawValue)"
        var table = Table(
            "\(kind.rawValue): \(kind.meaning); \(count) attackers beside \(perSecond) requests/s",
            [
                "latency in ms", "p50", "p99", "p99 / quiet", "new: p50", "p99", "requests",
                "errors",
            ])
        let quiet = Self.milliseconds(outcome.quiet.kept, 0.99)
        let stretches = [
            ("quiet", outcome.quiet), ("gathering", outcome.gathering),
            ("under attack", outcome.attack), ("recovery", outcome.recovery),
            ("after", outcome.after),
        ]
        for (label, stretch) in stretches {
            let tail = Self.milliseconds(stretch.kept, 0.99)
            let key = name + "." + label.split(separator: " ").joined(separator: "_")
            table.add(
                label, NumberText.short(Self.milliseconds(stretch.kept, 0.5)),
                NumberText.short(tail), NumberText.short(quiet > 0 ? tail / quiet : 0),
                NumberText.short(Self.milliseconds(stretch.fresh, 0.5)),
                NumberText.short(Self.milliseconds(stretch.fresh, 0.99)), "\(stretch.answered)",
                "\(stretch.errors)")
            report.add(key + ".p50", Self.milliseconds(stretch.kept, 0.5), "ms")
            report.add(key + ".p99", tail, "ms")
            report.add(key + ".new.p50", Self.milliseconds(stretch.fresh, 0.5), "ms")
            report.add(key + ".new.p99", Self.milliseconds(stretch.fresh, 0.99), "ms")
            report.add(key + ".requests", Double(stretch.answered), "")
            report.add(key + ".errors", Double(stretch.errors), "")
        }
        report.add(table)
        tellUse(name, outcome, &report)
    }

    private func tellUse(_ name: String, _ outcome: SiegeOutcome, _ report: inout Report) {
        var table = Table(
            "memory, connections and processors", ["", "", "before", "peak", "after"])
        let sizes = [outcome.before, outcome.peak, outcome.left]
        table.add(
            ["gateway, resident MB", ""] + sizes.map { NumberText.fixed($0 / 1e6, 1) })
        for (key, size) in zip(["before", "peak", "after"], sizes) {
            report.add("\(name).resident.\(key)", size, "bytes")
        }
        let least = outcome.held.min() ?? 0
        let middle = Int(Median.of(outcome.held.map(Double.init)))
        table.add("attackers held", "least \(least), median \(middle)", "", "", "")
        table.add(
            "attackers cut off, failed", "\(outcome.cuts), \(outcome.failures)", "", "", "")
        report.add("\(name).held.least", Double(least), "")
        report.add("\(name).held.median", Double(middle), "")
        report.add("\(name).cut", Double(outcome.cuts), "")
        report.add("\(name).failed", Double(outcome.failures), "")
        let elapsed = Double(max(1, outcome.use.elapsed))
        let cores: [(String, String, Double)] = [
            (
                "gateway, cores, quiet", "gateway.quiet",
                Double(outcome.quietUse.proxy) / Double(max(1, outcome.quietUse.elapsed))
            ),
            ("gateway, cores, under attack", "gateway.attack", Double(outcome.use.proxy) / elapsed),
            ("the upstream, cores", "upstream", Double(outcome.use.upstream) / elapsed),
            ("the attack's own, cores", "attack", Double(outcome.attackUse) / elapsed),
            ("others, cores", "others", outcome.use.othersShare),
        ]
        for (label, key, value) in cores {
            table.add(label, NumberText.fixed(value, 2), "", "", "")
            report.add("\(name).cores.\(key)", value, "cores")
        }
        if outcome.use.isNoisy || outcome.quietUse.isNoisy { report.note(ProcessorUse.noiseNote) }
        report.add(table)
    }

    func judge(_ kind: AttackKind, _ outcome: SiegeOutcome, _ report: inout Report) {
        func add(_ what: String, _ value: Double, _ limit: Double) {
            report.add(
                Budget(
                    kind: .hard, subject: "\(kind.rawValue): \(what)", value: value, limit: limit))
        }
        add(
            "p99 under attack, ms", waited(outcome.attack.kept, 0.99),
            SiegeVerdict.latencyLimit(quiet: Self.milliseconds(outcome.quiet.kept, 0.99)))
        // Too few for a tail.
        add(
            "new connections, p50 under attack, ms", waited(outcome.attack.fresh, 0.5),
            SiegeVerdict.latencyLimit(quiet: Self.milliseconds(outcome.quiet.fresh, 0.5)))
        add("honest errors", Double(outcome.errors), 0)
        add("resident at the peak, MB", outcome.peak / 1e6, SiegeVerdict.residentBytesMax / 1e6)
        add(
            "resident afterwards, MB", outcome.left / 1e6,
            SiegeVerdict.leftLimit(before: outcome.before) / 1e6)
        if outcome.cuts == 0, outcome.held.max() ?? 0 == 0 {
            report.fault("\(kind.rawValue): no attacker got so far as to attack; no figure")
        }
    }

    /// Where nobody was answered, everybody has waited all the time.
    private func waited(_ histogram: LatencyHistogram, _ share: Double) -> Double {
        histogram.count == 0 ? seconds * 1000 : Self.milliseconds(histogram, share)
    }

    private static func milliseconds(_ histogram: LatencyHistogram, _ share: Double) -> Double {
        histogram.count == 0 ? 0 : Double(histogram.quantile(share)) / 1e6
    }
}
