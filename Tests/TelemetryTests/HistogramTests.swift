// SPDX-License-Identifier: Apache-2.0

import Telemetry
import Testing

/// The buckets as a scraper sees them, against a search that looks at each bound.
@Suite struct HistogramTests {
    private static let request: [UInt64] = [
        50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
        1_000_000, 2_500_000, 5_000_000, 10_000_000, 30_000_000, 60_000_000,
    ].map { $0 * 1000 }
    private static let own: [UInt64] = [
        5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000,
        250_000, 500_000, 1_000_000,
    ].map { $0 * 1000 }

    private static var durations: [UInt64] {
        var durations: [UInt64] = [0, .max, .max - 1]
        for bound in request + own { durations += [bound - 1, bound, bound + 1] }
        for shift in 0..<64 as Range<UInt64> { durations += [1 << shift, (1 << shift) - 1] }
        return durations
    }

    private func cumulative(_ text: String, _ name: String) -> [String] {
        text.split(separator: "\n").filter { $0.hasPrefix(name + "_bucket") }.map {
            String($0.split(separator: " ").last ?? "")
        }
    }

    @Test(arguments: durations) func eachDurationFallsIntoItsBucket(nanoseconds: UInt64) {
        let metrics = WorkerMetrics(schema: .sample)
        metrics.request(
            route: 0, code: 0, status: 200, durationNanoseconds: nanoseconds,
            gatewayNanoseconds: nanoseconds)
        let text = render([metrics])
        let all = cumulative(text, "agentport_request_duration_seconds")
        #expect(all == Self.request.map { nanoseconds <= $0 ? "1" : "0" } + ["1"])
        let own = cumulative(text, "agentport_gateway_duration_seconds")
        #expect(own == Self.own.map { nanoseconds <= $0 ? "1" : "0" } + ["1"])
        #expect(text.contains("agentport_request_duration_seconds_count 1\n"))
    }

    @Test func sumsAreExact() {
        let metrics = WorkerMetrics(schema: .sample)
        metrics.jwtSigned(nanoseconds: 1)
        metrics.jwtSigned(nanoseconds: 20_000)
        metrics.jwtSigned(nanoseconds: 3_000_000_000)
        let text = render([metrics])
        #expect(text.contains("\nagentport_jwt_sign_duration_seconds_sum 3.000020001\n"))
        #expect(text.contains("\nagentport_jwt_sign_duration_seconds_count 3\n"))
    }
}
