// SPDX-License-Identifier: Apache-2.0

/// How many new connections with one request each the gateway takes, and what one costs it.
struct Handshakes {
    private static let connections = 8

    /// Of each run.
    var seconds = 4

    func run(on testbed: Testbed, _ report: inout Report) throws(BenchmarkFault) {
        report.note(testbed.cores.description)
        var table = Table(
            "TLS 1.3 connections with one request each, \(Self.connections) at a time",
            ["", "per second", "gateway µs", "p50 ms", "p99 ms", "resumed %", "others, cores"])
        try testbed.start(testbed.gateway(.plain))
        for isResuming in [false, true] {
            let kind = isResuming ? "resumed" : "full"
            Console.progress("handshake: \(kind)")
            let loop = ReconnectLoop(seconds: Double(seconds), connections: Self.connections)
            let result = try testbed.quiet.measure { () throws(BenchmarkFault) in
                let result = try loop.run(
                    testbed.through(isResuming: isResuming), RequestMaker(.none, isLast: true),
                    testbed.watch
                ).checked(kind)
                return (outcome: result, use: result.use)
            }
            let gateway = Double(result.use.proxy) / 1000 / Double(result.answered)
            let resumedShare = Double(result.resumed) / Double(result.answered)
            table.add(
                kind, NumberText.fixed(result.perSecond, 0), NumberText.short(gateway),
                NumberText.fixed(Double(result.latency.quantile(0.5)) / 1e6, 2),
                NumberText.fixed(Double(result.latency.quantile(0.99)) / 1e6, 2),
                NumberText.fixed(min(1, resumedShare) * 100, 0),
                result.use.othersText)
            if result.use.isNoisy { report.note(ProcessorUse.noiseNote) }
            report.add("handshake.\(kind).per_second", result.perSecond, "1/s")
            report.add("handshake.\(kind).gateway", gateway, "us")
            report.add("handshake.\(kind).p50", Double(result.latency.quantile(0.5)) / 1000, "us")
            report.add("handshake.\(kind).p99", Double(result.latency.quantile(0.99)) / 1000, "us")
            report.add("handshake.\(kind).resumed", min(1, resumedShare), "share")
            report.add("handshake.\(kind).others", result.use.othersShare, "cores")
        }
        report.add(table)
        testbed.endProxy()
    }
}

extension Command {
    static let handshake = Command(
        name: "handshake",
        summary: "full and resumed TLS handshakes a second, and what one costs",
        options: [.seconds],
        notes: "Default: 4 s each, 8 connections at a time, the gateway in mode plain."
    ) { (options, report) throws(BenchmarkFault) in
        var handshakes = Handshakes()
        handshakes.seconds = try options.integer(.seconds, in: 1...600, otherwise: 4)
        try handshakes.run(on: Testbed(options.program()), &report)
    }
}
