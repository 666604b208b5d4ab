// SPDX-License-Identifier: Apache-2.0

/// The processor time that the gateway spends on a request, by how many come a second.
struct ProcessorCost {
    var modes = GatewayMode.allCases
    var rates = [1000, 2000, 10_000]
    /// Of each run.
    var seconds = 4.0
    var connections = 32
    var countsSystemCalls = true

    func run(on testbed: Testbed, _ report: inout Report) throws(BenchmarkFault) {
        report.note(testbed.cores.description)
        var calls = Table(
            "system calls a request, 500 requests/s, under strace", ["", "all", "most frequent"])
        for mode in modes {
            try testbed.start(testbed.gateway(mode))
            var table = Table(
                "processor, \(mode.rawValue) (\(mode.meaning)), \(connections) connections",
                [
                    "requests/s", "answered/s", "gateway µs/request", "cores per 1000/s",
                    "upstream µs", "generator µs", "others, cores",
                ])
            for rate in rates { try measure(mode, rate: rate, testbed, &table, &report) }
            try measure(mode, rate: nil, testbed, &table, &report)
            report.add(table)
            guard countsSystemCalls else { continue }
            Console.progress("cpu, \(mode.rawValue): system calls")
            try SystemCalls(connections: 8).run(mode, testbed, &calls, &report)
        }
        if countsSystemCalls { report.add(calls) }
        testbed.endProxy()
        if let missing = try Allocations(program: testbed.program).run(modes, &report) {
            report.note("allocations a request are not counted: \(missing)")
        }
    }

    /// - Parameter rate: `nil` for as many as it can.
    private func measure(
        _ mode: GatewayMode, rate: Int?, _ testbed: Testbed, _ table: inout Table,
        _ report: inout Report
    ) throws(BenchmarkFault) {
        let label = rate.map { "\($0)" } ?? "saturation"
        Console.progress("cpu, \(mode.rawValue): \(label)")
        let result = try testbed.quiet.measure { () throws(BenchmarkFault) in
            let result = try load(mode, rate: rate, testbed).checked(label)
            return (outcome: result, use: result.use)
        }
        let each = 1 / (1000 * Double(result.answered))
        let gateway = Double(result.use.proxy) * each
        table.add(
            label, NumberText.fixed(result.perSecond, 0), NumberText.short(gateway),
            NumberText.fixed(gateway / 1000, 4),
            NumberText.short(Double(result.use.upstream) * each),
            NumberText.short(Double(result.use.generator) * each),
            result.use.othersText)
        let name = "cpu.\(mode.rawValue).\(label)"
        report.add("\(name).answered", result.perSecond, "1/s")
        report.add("\(name).gateway", gateway, "us/request")
        report.add("\(name).cores_per_1000", gateway / 1000, "cores")
        report.add("\(name).upstream", Double(result.use.upstream) * each, "us/request")
        report.add("\(name).generator", Double(result.use.generator) * each, "us/request")
        report.add("\(name).others", result.use.othersShare, "cores")
        if result.use.isNoisy { report.note(ProcessorUse.noiseNote) }
        if rate == nil { judge(mode, gateway, &report) }
    }

    private func load(
        _ mode: GatewayMode, rate: Int?, _ testbed: Testbed
    ) throws(BenchmarkFault) -> LoadResult {
        let maker = RequestMaker(try testbed.credentials())
        let target = try testbed.through()
        guard let rate else {
            return try ClosedLoop(seconds: seconds, connections: connections)
                .run(target, maker, testbed.watch)
        }
        return try OpenLoop(perSecond: rate, seconds: seconds, connections: connections)
            .run(target, maker, testbed.watch)
    }

    private func judge(_ mode: GatewayMode, _ microseconds: Double, _ report: inout Report) {
        guard mode != .plain else { return }
        report.add(
            Budget(
                kind: .own, subject: "\(mode.rawValue): µs/request at saturation",
                value: microseconds, limit: mode == .session ? 25 : 50))
    }
}

extension Command {
    static let cpu = Command(
        name: "cpu",
        summary: "the gateway's processor time, system calls and allocations a request",
        options: [.mode, .seconds, .connections],
        notes: """
            At 1000, 2000 and 10000 requests/s and at saturation; 4 s each, 32 connections, all
            modes. Where cores halt when idle, waking them is most of the time at low rates.
            """
    ) { (options, report) throws(BenchmarkFault) in
        var cost = ProcessorCost()
        cost.modes = try options.modes(otherwise: cost.modes)
        cost.seconds = Double(try options.integer(.seconds, in: 1...600, otherwise: 4))
        cost.connections = try options.integer(.connections, in: 1...10_000, otherwise: 32)
        try cost.run(on: Testbed(options.program()), &report)
    }
}
