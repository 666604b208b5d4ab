// SPDX-License-Identifier: Apache-2.0

/// The answer of `/metrics`: all workers' counters and the process's facts.
package struct PrometheusText {
    package static var contentType: StaticString { "text/plain; version=0.0.4; charset=utf-8" }

    private let totals: MetricsTotals
    private let facts: ProcessFacts
    private var writer = PrometheusWriter()

    package static func render(workers: [WorkerMetrics], facts: ProcessFacts) -> [UInt8] {
        var text = PrometheusText(totals: MetricsTotals(workers), facts: facts)
        text.writeRequests()
        text.writeFilters()
        text.writeConnections()
        text.writeUpstreams()
        text.writeGateway()
        text.writeProcess()
        return text.writer.bytes
    }

    private init(totals: MetricsTotals, facts: ProcessFacts) {
        self.totals = totals
        self.facts = facts
    }

    private mutating func writeRequests() {
        let layout = totals.layout
        let schema = totals.schema
        let name = "agentport_requests_total"
        writer.family(name, .counter, "Answered requests; code is ok where nothing was refused.")
        for route in MetricsSchema.unrouted..<schema.routes.count {
            let label = route < 0 ? "none" : schema.routes[route]
            for status in 100...599 {
                let count = totals.word(layout.passed(route: route, status: status))
                if count > 0 { writeRequest(name, label, "ok", UInt64(status), count) }
            }
            for code in 1..<max(schema.codes.count, 1) {
                let count = totals.word(layout.refused(route: route, code: code))
                let status = totals.word(layout.codeStatus + code)
                if count > 0 { writeRequest(name, label, schema.codes[code], status, count) }
            }
        }
        writeHistogram(
            "agentport_request_duration_seconds", layout.request,
            "From the first byte of a request to the last of its answer.")
        writeHistogram(
            "agentport_gateway_duration_seconds", layout.gateway,
            "The gateway's own part of a request, without the upstream's.")
        writer.family("agentport_bytes_total", .counter, "Plaintext bytes from and to clients.")
        writer.sample("agentport_bytes_total", [("direction", "in")], totals.word(layout.bytesIn))
        writer.sample(
            "agentport_bytes_total", [("direction", "out")],
            totals.word(layout.bytesOut))
    }

    private mutating func writeRequest(
        _ name: String, _ route: String, _ code: String, _ status: UInt64, _ count: UInt64
    ) {
        writer.sample(name, [("route", route), ("code", code), ("status", "\(status)")], count)
    }

    private mutating func writeFilters() {
        let layout = totals.layout
        let schema = totals.schema
        let duration = "agentport_filter_duration_seconds"
        writer.family(duration, .histogram, "One filter's run over one request.")
        for (index, filter) in schema.filters.enumerated() {
            writer.histogram(duration, [("filter", filter)], layout.filters[index], totals.word)
        }
        let rejections = "agentport_filter_rejections_total"
        writer.family(rejections, .counter, "Requests that a filter refused, or would have.")
        for (index, filter) in schema.filters.enumerated() {
            for (code, codeName) in schema.codes.enumerated() {
                for mode in RejectionMode.allCases {
                    let place = layout.rejection(filter: index, code: code, mode: mode)
                    let count = totals.word(place)
                    guard count > 0 else { continue }
                    writer.sample(
                        rejections,
                        [("filter", filter), ("code", codeName), ("mode", mode.label)], count)
                }
            }
        }
        let attempts = "agentport_totp_attempts_total"
        writer.family(attempts, .counter, "Codes that were presented with a right first factor.")
        for result in TOTPResult.allCases {
            writer.sample(
                attempts, [("result", result.label)],
                totals.word(layout.totp + result.rawValue))
        }
        writeHistogram("agentport_jwt_sign_duration_seconds", layout.sign, "One signature.")
    }

    private mutating func writeConnections() {
        let layout = totals.layout
        let connections = "agentport_connections"
        writer.family(connections, .gauge, "Open client connections.")
        for state in ConnectionState.allCases {
            writer.sample(connections, [("state", state.label)], totals.connections(state))
        }
        writeHistogram(
            "agentport_tls_handshake_duration_seconds", layout.handshake,
            "From accept to the end of the handshake.")
        let handshakes = "agentport_tls_handshakes_total"
        writer.family(handshakes, .counter, "TLS handshakes with clients.")
        for result in TLSHandshakeResult.allCases {
            writer.sample(
                handshakes, [("result", result.label)],
                totals.word(layout.handshakes + result.rawValue))
        }
    }

    private mutating func writeUpstreams() {
        let layout = totals.layout
        let schema = totals.schema
        let requests = "agentport_upstream_requests_total"
        writer.family(requests, .counter, "Calls of an upstream, whatever its status was.")
        for (index, upstream) in schema.upstreams.enumerated() {
            for result in UpstreamResult.allCases {
                writer.sample(
                    requests, [("upstream", upstream), ("result", result.label)],
                    totals.word(layout.upstream(index, result)))
            }
        }
        let healthy = "agentport_upstream_healthy"
        writer.family(healthy, .gauge, "1 where requests go to the endpoint while they can choose.")
        for fact in facts.endpoints {
            writer.sample(
                healthy, [("upstream", fact.upstream), ("endpoint", fact.endpoint)],
                fact.isHealthy ? 1 : 0)
        }
    }

    private mutating func writeGateway() {
        writeHistogram(
            "agentport_event_loop_lag_seconds", totals.layout.lag,
            "How long an event had waited when its turn came.")
        write(
            "agentport_log_dropped_total", .counter, "Access lines dropped under pressure.",
            totals.logDropped)
        write("agentport_sessions", .gauge, "Live sessions.", UInt64(max(facts.sessions, 0)))
        write(
            "agentport_seed_rotations_total", .counter, "TOTP seeds that were rotated.",
            facts.seedRotations)
        let reloads = "agentport_config_reload_total"
        writer.family(reloads, .counter, "Attempts to load the configuration anew.")
        writer.sample(reloads, [("result", "ok")], facts.reloadsSucceeded)
        writer.sample(reloads, [("result", "failed")], facts.reloadsFailed)
        if let expiry = facts.certificateExpirySeconds {
            write(
                "agentport_certificate_expiry_timestamp_seconds", .gauge,
                "When the first certificate in use ends.", UInt64(max(expiry, 0)))
        }
        if let throttled = facts.cpuThrottledNanoseconds {
            let name = "agentport_cpu_throttled_seconds_total"
            writer.family(name, .counter, "Time for which the cgroup withheld the processor.")
            writer.sample(name, [], nanoseconds: throttled)
        }
    }

    private mutating func writeProcess() {
        let cpu = "process_cpu_seconds_total"
        writer.family(cpu, .counter, "Processor time, user and system.")
        writer.sample(cpu, [], nanoseconds: facts.cpuNanoseconds)
        write("process_resident_memory_bytes", .gauge, "Resident memory.", facts.residentBytes)
        write(
            "process_open_fds", .gauge, "Open descriptors.",
            UInt64(max(facts.openDescriptors, 0)))
        write(
            "process_max_fds", .gauge, "Most descriptors that may be open.",
            UInt64(max(facts.maxDescriptors, 0)))
        let start = "process_start_time_seconds"
        writer.family(start, .gauge, "When the process started, since the epoch.")
        writer.sample(start, [], nanoseconds: facts.startTimeNanoseconds)
    }

    private mutating func write(
        _ name: String, _ kind: PrometheusWriter.Kind, _ help: String, _ value: UInt64
    ) {
        writer.family(name, kind, help)
        writer.sample(name, [], value)
    }

    private mutating func writeHistogram(_ name: String, _ histogram: Histogram, _ help: String) {
        writer.family(name, .histogram, help)
        writer.histogram(name, [], histogram, totals.word)
    }
}
