// SPDX-License-Identifier: Apache-2.0

import Telemetry
import Testing

/// A reload brings new names; counters go on, and indices that requests hold stay good.
@Suite struct MetricsReloadTests {
    private let next = MetricsSchema(
        routes: ["/new", "/v1/"], codes: ["ok", "origin_denied", "totp_invalid"],
        filters: ["inspect", "jwt"],
        upstreams: ["other", "openclaw"])

    @Test func namesKeepTheirIndices() {
        let extended = MetricsSchema.sample.extended(by: next)
        #expect(extended.routes == ["/mcp", "/v1/", "/new"])
        #expect(extended.codes == ["ok", "totp_invalid", "no_route", "origin_denied"])
        #expect(extended.filters == ["totp", "jwt", "inspect"])
        #expect(extended.upstreams == ["openclaw", "other"])
        #expect(extended.extended(by: next) == extended)
    }

    @Test func countersGoOnUnderTheNewSchema() {
        let old = WorkerMetrics(schema: .sample)
        fill(old)
        let before = samples(render([old]))
        let new = WorkerMetrics(schema: .sample.extended(by: next), carrying: old)
        let after = samples(render([new]))
        for (series, value) in before { #expect(after[series] == value, "\(series)") }
        new.connectionClosed(from: .idle)
        new.request()
        let later = samples(render([new]))
        #expect(later[#"agentport_connections{state="idle"}"#] == "0")
        #expect(later[#"agentport_requests_total{route="/mcp",code="ok",status="200"}"#] == "2")
    }

    /// Workers swap one after the other; in between the two schemas are added up by name.
    @Test func workersOfDifferentSchemasAddUp() {
        let old = WorkerMetrics(schema: .sample)
        let new = WorkerMetrics(schema: next)
        fill(old)
        new.request(route: 1, code: 2, status: 401)
        new.request(route: 0)
        new.upstream(0, result: .timedOut)
        let text = samples(render([old, new]))
        let requests = "agentport_requests_total"
        #expect(text[requests + #"{route="/v1/",code="totp_invalid",status="401"}"#] == "2")
        #expect(text[requests + #"{route="/new",code="ok",status="200"}"#] == "1")
        let calls = "agentport_upstream_requests_total"
        #expect(text[calls + #"{upstream="openclaw",result="reset"}"#] == "1")
        #expect(text[calls + #"{upstream="other",result="timeout"}"#] == "1")
    }

    @Test func theRegistrySwapsOneWorker() {
        let first = WorkerMetrics(schema: .sample)
        let second = WorkerMetrics(schema: .sample)
        let registry = MetricsRegistry(workers: [first, second])
        let replacement = WorkerMetrics(schema: next)
        registry.replace(worker: 1, with: replacement)
        #expect(registry.all.count == 2)
        #expect(registry.all[0] === first && registry.all[1] === replacement)
    }

    private func fill(_ metrics: WorkerMetrics) {
        metrics.request()
        metrics.request(route: 1, code: 1, status: 401)
        metrics.filter(0, nanoseconds: 10)
        metrics.filter(1, nanoseconds: 20_000)
        metrics.rejection(filter: 0, code: 1, mode: .shadow)
        metrics.totp(result: .reused)
        metrics.jwtSigned(nanoseconds: 20_000)
        metrics.connectionOpened(as: .idle)
        metrics.tlsHandshake(result: .full, nanoseconds: 500_000)
        metrics.bytes(in: 3, out: 4)
        metrics.upstream(0, result: .reset)
        metrics.logDropped()
        metrics.loopLag(nanoseconds: 9_000)
    }

    private func samples(_ text: String) -> [String: String] {
        var samples: [String: String] = [:]
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            guard let space = line.lastIndex(of: " ") else { continue }
            samples[String(line[..<space])] = String(line[line.index(after: space)...])
        }
        return samples
    }
}
