// SPDX-License-Identifier: Apache-2.0

import JSON
import Telemetry

/// Answers operators and their tools, from snapshots: it changes nothing and holds nothing.
///
/// What is built: `/livez`, `/readyz` and `/metrics`. The other calls of the admin listener are
/// answered as not built.
package struct AdminService: Sendable {
    /// Whether new requests should come here, and if not, why.
    package enum Readiness: Sendable, Equatable {
        case ready
        case draining
        case noUpstream

        fileprivate var reason: String {
            switch self {
            case .ready: "ok"
            case .draining: "draining"
            case .noUpstream: "no upstream has an address yet"
            }
        }
    }

    package struct Answer: Sendable, Equatable {
        package var status: Int
        package var type: String
        package var body: [UInt8]
        /// Methods for `Allow`; empty where that is not the fault.
        package var allow = ""
    }

    private let readiness: @Sendable () -> Readiness
    private let metrics: @Sendable () -> [UInt8]
    /// Host names that this listener may be called by; empty: any (a Unix socket).
    private let hosts: [String]

    package init(
        hosts: [String], readiness: @escaping @Sendable () -> Readiness,
        metrics: @escaping @Sendable () -> [UInt8]
    ) {
        self.hosts = hosts
        self.readiness = readiness
        self.metrics = metrics
    }

    /// - Parameters:
    ///   - host, origin: those fields of the request; `nil` where it has none.
    package func answer(method: String, path: String, host: String?, origin: String?) -> Answer {
        // A page in an operator's browser must reach nothing here, under whatever name its
        // resolver gives our address (DNS rebinding).
        guard origin == nil, isOwn(host) else {
            return problem(403, "origin_denied", "The admin listener is not for browsers' pages")
        }
        guard ["/livez", "/readyz", "/metrics"].contains(path) else {
            return problem(404, "no_route", "There is no such call, or it is not built yet")
        }
        guard method == "GET" || method == "HEAD" else {
            var answer = problem(405, "method_not_allowed", "The method is not allowed here")
            answer.allow = "GET, HEAD"
            return answer
        }
        switch path {
        case "/livez":
            return text(200, "ok\n")
        case "/readyz":
            let readiness = readiness()
            return text(readiness == .ready ? 200 : 503, readiness.reason + "\n")
        default:
            return Answer(status: 200, type: "\(PrometheusText.contentType)", body: metrics())
        }
    }

    private func isOwn(_ host: String?) -> Bool {
        guard !hosts.isEmpty, let host else { return true }
        let name = host.hasPrefix("[") ? host.prefix { $0 != "]" } + "]" : host.prefix { $0 != ":" }
        return hosts.contains(name.lowercased())
    }

    private func text(_ status: Int, _ text: String) -> Answer {
        Answer(status: status, type: "text/plain; charset=utf-8", body: Array(text.utf8))
    }

    /// RFC 9457.
    private func problem(_ status: Int, _ code: String, _ title: String) -> Answer {
        var writer = JSONWriter(.compact)
        writer.object { writer in
            writer.member("type", "https://agentport.dev/problems/\(code)")
            writer.member("title", title)
            writer.member("status", status)
            writer.member("code", code)
        }
        return Answer(
            status: status, type: "application/problem+json",
            body: writer.bytes + [UInt8(ascii: "\n")])
    }
}
