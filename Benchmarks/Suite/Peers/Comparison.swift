// SPDX-License-Identifier: Apache-2.0

/// The same work through the gateway, its peers and a floor, in turns: what the machine does
/// meanwhile falls on all of them alike.
struct Comparison {
    var peers = Peer.allCases
    var tests = PeerTest.allCases
    var repetitions = 3
    /// Of each run under load.
    var seconds = 2
    var connections = 32
    var envoy: String?

    /// For all repetitions together.
    private static let quietMilliseconds = 300_000

    func run(on testbed: Testbed, _ report: inout Report) throws(BenchmarkFault) {
        testbed.quiet.millisecondsLeft = Self.quietMilliseconds
        report.note(testbed.cores.description)
        report.note(
            "a request: GET with 12 fields, \(RequestMaker.headBytes) bytes without credentials, "
                + "on \(connections) connections; TLS 1.3, X25519, AES-128-GCM, ECDSA P-256")
        report.note(
            "median (least–most) of \(repetitions) repetitions of \(seconds) s; ratios and "
                + "differences are of the same repetition")
        let rows = try PeerRow.find(peers, envoy: envoy, on: testbed, &report)
        var findings = Findings()
        var failed: Set<String> = []
        for repetition in 0..<repetitions {
            for test in tests {
                for row in order(rows, test, repetition) where !failed.contains(row.name) {
                    Console.progress(
                        "peers, \(repetition + 1) of \(repetitions), \(test.rawValue): \(row.name)")
                    if let reason = attempt(test, row, repetition, testbed, &findings) {
                        failed.insert(row.name)
                        report.fault("\(row.name), \(test.rawValue): \(reason)")
                    }
                }
            }
        }
        ComparisonTables(findings: findings, peers: peers, rows: rows, failed: failed)
            .tell(tests, &report)
        ComparisonBudgets(findings: findings).judge(&report)
    }

    /// Each repetition begins with another row, so that none always follows the same one.
    private func order(_ rows: [PeerRow], _ test: PeerTest, _ repetition: Int) -> [PeerTurn] {
        var turns = rows.filter { test.isOfRequests || $0.peer.isPlain }.map(PeerTurn.through)
        if test == .rate { turns.append(.direct) }
        let first = turns.isEmpty ? 0 : repetition % turns.count
        return Array(turns[first...] + turns[..<first])
    }

    /// - Returns: why there is no figure, where there is none.
    private func attempt(
        _ test: PeerTest, _ turn: PeerTurn, _ repetition: Int, _ testbed: Testbed,
        _ findings: inout Findings
    ) -> String? {
        defer { testbed.endProxy() }
        let run = ComparisonRun(
            test: test, turn: turn, seconds: Double(seconds), connections: connections)
        do throws(BenchmarkFault) {
            for (quantity, value) in try run.measure(testbed) {
                findings.add(value, test, turn.name, quantity, repetition: repetition)
            }
            return nil
        } catch {
            let said = testbed.complaints
            return said.isEmpty || error.reason.contains(said)
                ? error.reason : "\(error.reason); it said: \(said)"
        }
    }
}

extension Command {
    static let peers = Command(
        name: "peers",
        summary: "the same work through nginx, HAProxy, Envoy, h2o and a floor",
        options: [.tests, .peers, .repetitions, .seconds, .connections, .envoy],
        notes: """
            Default: all tests, all peers that are installed, 3 repetitions of 2 s, 32 connections;
            about ten minutes.
            Tests: \(names(PeerTest.allCases)).
            Peers that only proxy: \(names(Peer.allCases.filter(\.isPlain))).
            And more: \(names(Peer.allCases.filter { !$0.isPlain })).
            Benchmarks/Peers/README.md says what each runs. Envoy is looked for in PATH, or where
            --envoy or \(PeerProgram.envoyVariable) says.
            """
    ) { (options, report) throws(BenchmarkFault) in
        var comparison = Comparison()
        if let text = options[.tests] { comparison.tests = try PeerTest.list(text) }
        if let text = options[.peers] { comparison.peers = try Peer.list(text) }
        comparison.repetitions = try options.integer(.repetitions, in: 1...100, otherwise: 3)
        comparison.seconds = try options.integer(.seconds, in: 1...60, otherwise: 2)
        comparison.connections = try options.integer(.connections, in: 1...1000, otherwise: 32)
        comparison.envoy = options[.envoy]
        try comparison.run(on: Testbed(options.program()), &report)
    }

    private static func names<Word: RawRepresentable<String>>(_ words: [Word]) -> String {
        words.map(\.rawValue).joined(separator: ", ")
    }
}
