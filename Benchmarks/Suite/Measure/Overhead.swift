// SPDX-License-Identifier: Apache-2.0

/// The latency that the gateway adds: the same open loop to the upstream and through the gateway,
/// in turns, so that what the machine does meanwhile falls on both.
struct Overhead {
    static let quantiles: [(name: String, share: Double)] = [
        ("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999),
    ]

    var modes: [GatewayMode] = [.session, .totp]
    var perSecond = 1000
    /// Of each way in all, divided among the rounds.
    var seconds = 10
    var connections = 32
    var rounds = 5

    private struct Outcome {
        var direct = LoadResult()
        var through = LoadResult()
        /// Of each round, in microseconds.
        var addedMedians: [Double] = []
        var added99ths: [Double] = []
    }

    func run(on testbed: Testbed, _ report: inout Report) throws(BenchmarkFault) {
        report.note(testbed.cores.description)
        for mode in modes {
            try testbed.start(testbed.gateway(mode))
            var outcome = Outcome()
            for round in 1...rounds {
                Console.progress("overhead, \(mode.rawValue): round \(round) of \(rounds)")
                try measure(mode, testbed, &outcome)
            }
            tell(mode, outcome, &report)
            judge(mode, outcome, &report)
        }
        testbed.endProxy()
    }

    private func measure(
        _ mode: GatewayMode, _ testbed: Testbed, _ outcome: inout Outcome
    ) throws(BenchmarkFault) {
        let loop = OpenLoop(
            perSecond: perSecond, seconds: Double(seconds) / Double(rounds),
            connections: connections)
        let (direct, through) = try testbed.quiet.measure { () throws(BenchmarkFault) in
            let direct = try loop.run(testbed.direct, RequestMaker(.none), testbed.watch)
                .checked("directly")
            let maker = RequestMaker(try testbed.credentials())
            let through = try loop.run(testbed.through(), maker, testbed.watch)
                .checked("through the gateway")
            var use = direct.use
            use.merge(through.use)
            return (outcome: (direct, through), use: use)
        }
        outcome.direct.merge(direct)
        outcome.through.merge(through)
        outcome.addedMedians.append(Self.added(0.5, direct, through))
        outcome.added99ths.append(Self.added(0.99, direct, through))
    }

    /// In microseconds.
    private static func added(_ share: Double, _ direct: LoadResult, _ through: LoadResult)
        -> Double
    {
        microseconds(share, through) - microseconds(share, direct)
    }

    private static func microseconds(_ share: Double, _ result: LoadResult) -> Double {
        Double(result.latency.quantile(share)) / 1000
    }

    private func tell(_ mode: GatewayMode, _ outcome: Outcome, _ report: inout Report) {
        let name = "overhead.\(mode.rawValue)"
        var table = Table(
            "latency in µs, \(mode.rawValue) (\(mode.meaning)), \(perSecond) requests/s, "
                + "\(connections) connections, \(rounds) rounds of "
                + "\(NumberText.short(Double(seconds) / Double(rounds))) s",
            [""] + Self.quantiles.map(\.name) + ["requests", "others, cores"])
        for (way, result) in [("direct", outcome.direct), ("through", outcome.through)] {
            table.add(
                [way]
                    + Self.quantiles.map { NumberText.short(Self.microseconds($0.share, result)) }
                    + ["\(result.latency.count)", result.use.othersText])
            for quantile in Self.quantiles {
                report.add(
                    "\(name).\(way).\(quantile.name)", Self.microseconds(quantile.share, result),
                    "us")
                report.add(
                    "\(name).\(way).from_sending.\(quantile.name)",
                    Double(result.service.quantile(quantile.share)) / 1000, "us")
            }
        }
        let added = Self.quantiles.map { Self.added($0.share, outcome.direct, outcome.through) }
        table.add(["added"] + added.map(NumberText.short) + ["", ""])
        if outcome.through.use.isNoisy { report.note(ProcessorUse.noiseNote) }
        for (quantile, value) in zip(Self.quantiles, added) {
            report.add("\(name).added.\(quantile.name)", value, "us")
        }
        report.add("\(name).added.p99.least_round", outcome.added99ths.min() ?? 0, "us")
        report.add("\(name).added.p99.most_round", outcome.added99ths.max() ?? 0, "us")
        report.add("\(name).others", outcome.through.use.othersShare, "cores")
        report.add(table)
    }

    /// Held against the limits is the median of the rounds: one stall of the machine is no news
    /// of the gateway.
    private func judge(_ mode: GatewayMode, _ outcome: Outcome, _ report: inout Report) {
        let half = Median.of(outcome.addedMedians) / 1000
        let tail = Median.of(outcome.added99ths) / 1000
        func add(_ kind: Budget.Kind, _ what: String, _ value: Double, _ limit: Double) {
            report.add(
                Budget(
                    kind: kind, subject: "\(mode.rawValue): added \(what), ms", value: value,
                    limit: limit))
        }
        switch mode {
        case .plain: break
        case .session:
            add(.hard, "p99", tail, 4)
            add(.own, "p99", tail, 0.5)
        case .totp:
            add(.hard, "p50", half, 12)
            add(.hard, "p99", tail, 18)
            add(.own, "p99", tail, 1)
        }
    }
}

extension Command {
    static let overhead = Command(
        name: "overhead",
        summary: "the latency that the gateway adds, in an open loop",
        options: [.mode, .rate, .seconds, .connections],
        notes: """
            Default: 1000 requests/s on 32 connections for 10 s, modes session and totp. Latency
            counts from the moment a request is due, so that a stall is charged in full.
            """
    ) { (options, report) throws(BenchmarkFault) in
        var overhead = Overhead()
        overhead.modes = try options.modes(otherwise: overhead.modes)
        overhead.perSecond = try options.integer(.rate, in: 10...100_000, otherwise: 1000)
        overhead.seconds = try options.integer(.seconds, in: 1...600, otherwise: 10)
        overhead.connections = try options.integer(.connections, in: 1...10_000, otherwise: 32)
        try overhead.run(on: Testbed(options.program()), &report)
    }
}
