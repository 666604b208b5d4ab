// SPDX-License-Identifier: Apache-2.0

import Reactor

/// One test of one row, once.
struct ComparisonRun {
    static let perSecond = 1000
    private static let handshakesAtOnce = 8
    private static let settleMilliseconds: UInt64 = 2000
    private static let crowds: [(count: Int, quantity: Quantity)] = [
        (1000, .eachOfThousand), (5000, .eachOfFiveThousand),
    ]

    let test: PeerTest
    let turn: PeerTurn
    let seconds: Double
    let connections: Int

    /// Starts what is measured; the caller ends it.
    func measure(_ testbed: Testbed) throws(BenchmarkFault) -> [Quantity: Double] {
        guard case .through(let row) = turn else { return try direct(testbed) }
        switch test {
        case .memory: return try memory(row, testbed)
        case .start:
            testbed.quiet.wait()
            return [.firstAnswer: try FirstAnswer.milliseconds(of: row.proxy, on: testbed)]
        case .saturation, .rate, .handshake, .resumed:
            try testbed.start(row.proxy)
            let result = try testbed.quiet.measure { () throws(BenchmarkFault) in
                let result = try load(testbed).checked(row.name)
                return (outcome: result, use: result.use)
            }
            return quantities(result)
        }
    }

    private func direct(_ testbed: Testbed) throws(BenchmarkFault) -> [Quantity: Double] {
        let loop = OpenLoop(perSecond: Self.perSecond, seconds: seconds, connections: connections)
        let result = try testbed.quiet.measure { () throws(BenchmarkFault) in
            let result = try loop.run(testbed.direct, RequestMaker(.none), testbed.watch)
                .checked(turn.name)
            return (outcome: result, use: result.use)
        }
        return quantities(result).filter { $0.key != .cpu }
    }

    private func load(_ testbed: Testbed) throws(BenchmarkFault) -> LoadResult {
        let isResuming = test == .resumed
        let target = try testbed.through(isResuming: isResuming)
        switch test {
        case .saturation:
            return try ClosedLoop(seconds: seconds, connections: connections)
                .run(target, RequestMaker(testbed.credentials()), testbed.watch)
        case .rate:
            return try OpenLoop(
                perSecond: Self.perSecond, seconds: seconds, connections: connections
            ).run(target, RequestMaker(testbed.credentials()), testbed.watch)
        case .handshake, .resumed, .memory, .start:
            return try ReconnectLoop(seconds: seconds, connections: Self.handshakesAtOnce)
                .run(target, RequestMaker(.none, isLast: true), testbed.watch)
        }
    }

    private func quantities(_ result: LoadResult) -> [Quantity: Double] {
        var quantities: [Quantity: Double] = [
            .cpu: Double(result.use.proxy) / 1000 / Double(result.answered),
            .perSecond: result.perSecond,
            .p50: Double(result.latency.quantile(0.5)) / 1000,
            .p99: Double(result.latency.quantile(0.99)) / 1000,
            .others: result.use.othersShare,
        ]
        if test == .handshake || test == .resumed {
            quantities[.resumedShare] = min(1, Double(result.resumed) / Double(result.answered))
        }
        return quantities
    }

    private func memory(
        _ row: PeerRow, _ testbed: Testbed
    ) throws(BenchmarkFault) -> [Quantity: Double] {
        try testbed.start(row.proxy)
        Process.pause(milliseconds: Int(Self.settleMilliseconds))
        let idle = try testbed.memory()
        var quantities: [Quantity: Double] = [
            .resident: Double(idle.bytes), .proportional: Double(idle.proportionalBytes),
        ]
        let most = Self.crowds.map(\.count).max() ?? 1
        var crowd = try Crowd(testbed.through(), capacity: most)
        defer { crowd.leave() }
        for (count, quantity) in Self.crowds {
            try crowd.grow(to: count)
            try crowd.rest(milliseconds: Self.settleMilliseconds)
            let resident = try testbed.memory().bytes
            quantities[quantity] = Double(resident - idle.bytes) / Double(count)
        }
        return quantities
    }
}
