// SPDX-License-Identifier: Apache-2.0

import Telemetry
import Testing

extension MetricsSchema {
    static let sample = MetricsSchema(
        routes: ["/mcp", "/v1/"], codes: ["ok", "totp_invalid", "no_route"],
        filters: ["totp", "jwt"],
        upstreams: ["openclaw"])
}

func render(_ workers: [WorkerMetrics], _ facts: ProcessFacts = ProcessFacts()) -> String {
    String(decoding: PrometheusText.render(workers: workers, facts: facts), as: UTF8.self)
}

extension WorkerMetrics {
    func request(route: Int = 0, code: Int = 0, status: Int = 200) {
        request(
            route: route, code: code, status: status, durationNanoseconds: 1_000_000,
            gatewayNanoseconds: 10_000)
    }
}

@Suite struct PrometheusTextTests {
    private func lines(_ text: String, _ prefix: String) -> [String] {
        text.split(separator: "\n").map(String.init).filter { $0.hasPrefix(prefix) }
    }

    @Test func requestsOfAllWorkersByRouteCodeAndStatus() {
        let workers = (0..<3).map { _ in WorkerMetrics(schema: .sample) }
        for worker in workers {
            worker.request()
            worker.request(status: 404)
            worker.request(route: 1, code: 1, status: 401)
        }
        workers[1].request(route: MetricsSchema.unrouted, code: 2, status: 404)
        let text = render(workers)
        #expect(
            lines(text, "agentport_requests_total") == [
                #"agentport_requests_total{route="none",code="no_route",status="404"} 1"#,
                #"agentport_requests_total{route="/mcp",code="ok",status="200"} 3"#,
                #"agentport_requests_total{route="/mcp",code="ok",status="404"} 3"#,
                #"agentport_requests_total{route="/v1/",code="totp_invalid",status="401"} 3"#,
            ])
        #expect(
            lines(text, "agentport_request_duration_seconds_count") == [
                "agentport_request_duration_seconds_count 10"
            ])
        let totals = MetricsTotals(workers)
        #expect(totals.requests(code: 0) == 6)
        #expect(totals.requests(code: 1) == 3)
        #expect(totals.requests(code: 2) == 1)
    }

    @Test(arguments: [
        (-1, 100), (0, 100), (99, 100), (100, 100), (599, 599), (600, 599),
        (Int.max, 599), (Int.min, 100),
    ])
    func aStatusOutsideTheRangeCountsAsTheNearest(status: Int, counted: Int) {
        let metrics = WorkerMetrics(schema: .sample)
        metrics.request(route: 1, status: status)
        #expect(
            lines(render([metrics]), "agentport_requests_total") == [
                #"agentport_requests_total{route="/v1/",code="ok",status="\#(counted)"} 1"#
            ])
    }

    @Test func labelsAreEscaped() {
        let schema = MetricsSchema(
            routes: ["/a\"b\\c\nd"], codes: ["ok"], filters: [], upstreams: [])
        let metrics = WorkerMetrics(schema: schema)
        metrics.request()
        #expect(render([metrics]).contains(#"route="/a\"b\\c\nd",code"#))
    }

    @Test func filtersCodesAndHandshakes() {
        let metrics = WorkerMetrics(schema: .sample)
        metrics.filter(1, nanoseconds: 700)
        metrics.rejection(filter: 0, code: 1)
        metrics.rejection(filter: 0, code: 1, mode: .shadow)
        metrics.rejection(filter: 0, code: 1, mode: .shadow)
        for result in TOTPResult.allCases { metrics.totp(result: result) }
        metrics.totp(result: .reused)
        metrics.tlsHandshake(result: .resumed, nanoseconds: 200_000)
        let text = render([metrics])
        let rejections = "agentport_filter_rejections_total"
        #expect(
            lines(text, rejections) == [
                rejections + #"{filter="totp",code="totp_invalid",mode="enforce"} 1"#,
                rejections + #"{filter="totp",code="totp_invalid",mode="shadow"} 2"#,
            ])
        #expect(
            lines(text, "agentport_filter_duration_seconds_count") == [
                #"agentport_filter_duration_seconds_count{filter="totp"} 0"#,
                #"agentport_filter_duration_seconds_count{filter="jwt"} 1"#,
            ])
        let bucket = "agentport_filter_duration_seconds_bucket"
        #expect(text.contains(bucket + #"{filter="jwt",le="0.0000005"} 0"#))
        #expect(text.contains(bucket + #"{filter="jwt",le="0.000001"} 1"#))
        #expect(
            lines(text, "agentport_totp_attempts_total") == [
                #"agentport_totp_attempts_total{result="ok"} 1"#,
                #"agentport_totp_attempts_total{result="invalid"} 1"#,
                #"agentport_totp_attempts_total{result="reused"} 2"#,
                #"agentport_totp_attempts_total{result="locked"} 1"#,
                #"agentport_totp_attempts_total{result="malformed"} 1"#,
            ])
        #expect(text.contains(#"agentport_tls_handshakes_total{result="resumed"} 1"#))
        #expect(text.contains("agentport_tls_handshake_duration_seconds_sum 0.0002\n"))
    }

    @Test func connectionGaugesFollowEachConnection() {
        let workers = [WorkerMetrics(schema: .sample), WorkerMetrics(schema: .sample)]
        for worker in workers {
            worker.connectionOpened()
            worker.connectionOpened()
            worker.connectionMoved(from: .handshaking, to: .active)
            worker.connectionMoved(from: .active, to: .active)
            worker.connectionMoved(from: .active, to: .idle)
        }
        workers[0].connectionClosed(from: .idle)
        #expect(
            lines(render(workers), "agentport_connections") == [
                #"agentport_connections{state="handshaking"} 2"#,
                #"agentport_connections{state="active"} 0"#,
                #"agentport_connections{state="idle"} 1"#,
                #"agentport_connections{state="closing"} 0"#,
            ])
        #expect(MetricsTotals(workers).connections(.idle) == 1)
    }

    @Test func upstreamsAndTheirEndpoints() {
        let workers = [WorkerMetrics(schema: .sample), WorkerMetrics(schema: .sample)]
        workers[0].upstream(0, result: .answered)
        workers[1].upstream(0, result: .timedOut)
        var facts = ProcessFacts()
        facts.endpoints = [
            EndpointFact(upstream: "openclaw", endpoint: "127.0.0.1:8080", isHealthy: true),
            EndpointFact(upstream: "openclaw", endpoint: "[::1]:8080", isHealthy: false),
        ]
        let text = render(workers, facts)
        let healthy = "agentport_upstream_healthy"
        #expect(
            lines(text, healthy) == [
                healthy + #"{upstream="openclaw",endpoint="127.0.0.1:8080"} 1"#,
                healthy + #"{upstream="openclaw",endpoint="[::1]:8080"} 0"#,
            ])
        let requests = #"agentport_upstream_requests_total{upstream="openclaw",result="#
        #expect(text.contains(requests + #""ok"} 1"#))
        #expect(text.contains(requests + #""timeout"} 1"#))
        #expect(text.contains(requests + #""reset"} 0"#))
    }

    @Test func processFacts() {
        var facts = ProcessFacts()
        facts.cpuNanoseconds = 1_500_000_000
        facts.residentBytes = 12_582_912
        facts.openDescriptors = 42
        facts.maxDescriptors = 65_536
        facts.startTimeNanoseconds = 1_780_315_200_250_000_000
        facts.sessions = 7
        facts.reloadsFailed = 1
        let without = render([], facts)
        #expect(!without.contains("certificate_expiry") && !without.contains("throttled"))
        facts.certificateExpirySeconds = 1_790_000_000
        facts.cpuThrottledNanoseconds = 20_000_000
        let metrics = WorkerMetrics(schema: .sample)
        metrics.logDropped()
        metrics.bytes(in: 10, out: 20)
        metrics.loopLag(nanoseconds: 4_000)
        let text = render([metrics], facts)
        for line in [
            "process_cpu_seconds_total 1.5", "process_resident_memory_bytes 12582912",
            "process_open_fds 42", "process_max_fds 65536",
            "process_start_time_seconds 1780315200.25", "agentport_sessions 7",
            "agentport_certificate_expiry_timestamp_seconds 1790000000",
            "agentport_cpu_throttled_seconds_total 0.02", "agentport_log_dropped_total 1",
            #"agentport_config_reload_total{result="ok"} 0"#,
            #"agentport_config_reload_total{result="failed"} 1"#,
            #"agentport_bytes_total{direction="in"} 10"#,
            #"agentport_bytes_total{direction="out"} 20"#,
            #"agentport_event_loop_lag_seconds_bucket{le="0.000005"} 1"#,
        ] {
            #expect(text.contains("\n" + line + "\n"), "\(line)")
        }
    }

    /// The rules of the text format 0.0.4: each family announced once and before its samples,
    /// its lines together; no series twice; the last line ended.
    @Test func theTextIsWellFormed() {
        let metrics = WorkerMetrics(schema: .sample)
        metrics.request()
        metrics.rejection(filter: 1, code: 2)
        let text = render([metrics])
        #expect(text.hasSuffix("\n") && !text.contains("\n\n"))
        var announced: [String: String] = [:]
        var current = ""
        var series: Set<String> = []
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 3).map(String.init)
            if line.hasPrefix("# HELP ") {
                current = words[2]
                #expect(announced[current] == nil, "\(current) announced twice")
            } else if line.hasPrefix("# TYPE ") {
                #expect(words[2] == current)
                #expect(["counter", "gauge", "histogram"].contains(words[3]))
                announced[current] = words[3]
            } else {
                let name = String(line.prefix { $0 != "{" && $0 != " " })
                let isHistogram = announced[current] == "histogram"
                let suffixes = isHistogram ? ["_bucket", "_sum", "_count"] : [""]
                #expect(suffixes.contains { current + $0 == name }, "\(line)")
                guard let space = line.lastIndex(of: " ") else { continue }
                #expect(Double(line[line.index(after: space)...]) != nil, "\(line)")
                #expect(series.insert(String(line[..<space])).inserted, "\(line) twice")
            }
        }
        #expect(announced.count >= 20)
    }
}
