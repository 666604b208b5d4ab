// SPDX-License-Identifier: Apache-2.0

import Policy
import TestSupport
import Testing

@Suite struct EffectiveSummaryTests {
    private static let policy = """
        { "agentport": 1,
          "listen": { "limits": { "body": "1MiB" } },
          "upstreams": [{ "name": "claw", "endpoints": ["http://claw:8080"] }],
          "agents": [{ "name": "weather-1", "user": "ops@example.com", "scopes": ["a", "b"],
                       "api_key_sha256": ["\(PolicyFileTests.hash)"],
                       "totp": { "seed_file": "/run/secrets/a" } }],
          "routes": [{ "path": "/healthz", "public": true },
                     { "path": "/", "methods": ["POST"] }] }
        """

    private func lines(_ outcome: ConfigurationOutcome) throws -> [String] {
        let text = EffectiveSummary(try #require(outcome.configuration)).description
        #expect(text.hasSuffix("\n"))
        return text.split(separator: "\n").map {
            $0.split(separator: " ").joined(separator: " ")
        }
    }

    @Test func everyValueHasItsSource() throws {
        let lines = try lines(
            load(
                policy: Self.policy,
                [
                    "AGENTPORT_LISTEN": "[::]:443", "AGENTPORT_MODE": "sidecar",
                ]))
        #expect(lines.contains("mode sidecar AGENTPORT_MODE"))
        #expect(lines.contains("workers 1 default"))
        #expect(lines.contains("listen [::]:443, TLS 1.3 AGENTPORT_LISTEN"))
        #expect(lines.contains("body 1MiB policy"))
        #expect(lines.contains("connections 2000 default"))
        #expect(lines.contains("admin 127.0.0.1:9901 default"))
        #expect(
            lines.contains(
                "chain tls_inspector > client_pins > ip_rate_limit > identity > totp > "
                    + "agent_rate_limit > jwt default"))
        #expect(lines.contains("client certificate not asked for default"))
        #expect(lines.contains("ip rate 1000/1s, burst 2000 default"))
    }

    @Test func routesAndAgentsCanBeReviewed() throws {
        let lines = try lines(load(policy: Self.policy))
        #expect(
            lines.contains(
                "/healthz any method, PUBLIC, tls_inspector > client_pins > ip_rate_limit > claw"))
        #expect(lines.contains("/* POST, whole chain > claw"))
        #expect(
            lines.contains(
                "weather-1 user ops@example.com, scopes a b, 1 key, "
                    + "1000/1s, burst 2000 policy"))
        #expect(lines.contains("claw http://claw:8080, 1024 connections policy"))
        #expect(lines.contains("health check none policy"))
        #expect(lines.contains("ejected after 5 failures in a row policy"))
        // What there is nothing to say of has no line.
        for name in ["balance", "tls", "limits", "timeouts"] {
            #expect(!lines.contains { $0.hasPrefix(name + " ") })
        }
        #expect(lines.contains("audience openclaw-prod default"))
        // Half a minute's reading.
        #expect(lines.count < 60)
    }

    @Test func severalEndpointsCanBeReviewed() throws {
        let text = """
            { "agentport": 1,
              "upstreams": [
                { "name": "claw", "endpoints": ["http://a:1", "https://b", "unix:/run/c.sock"],
                  "balance": "round_robin", "max_connections": 8, "eject_after": 1,
                  "health_check": { "path": "/healthz", "interval": "90s", "unhealthy_after": 2 },
                  "tls": { "ca": "/run/secrets/a", "server_name": "claw.internal",
                           "pins_sha256": ["\(UpstreamFaultTests.pin)"] } },
                { "name": "other", "endpoints": ["https://d", "https://e"], "audience": "x" }],
              "routes": [{ "path": "/a", "upstream": "claw",
                           "limits": { "body": "16MiB", "body_timeout": "1m",
                                       "request_line": "4KiB", "header_bytes": "16KiB",
                                       "header_fields": 50 },
                           "timeouts": { "first_byte": "2m", "idle": "1500ms" } },
                         { "path": "/b", "upstream": "other", "limits": { "body": "0B" },
                           "timeouts": { "idle": "30s" } }] }
            """
        let lines = try lines(load(policy: text))
        let upstreams = try #require(lines.firstIndex(of: "upstreams 2 policy"))
        #expect(
            lines[(upstreams + 1)...].prefix(10) == [
                "claw http://a:1 https://b:443 unix:/run/c.sock, 8 connections policy",
                "balance round_robin policy",
                "health check /healthz every 90s, unhealthy after 2 failures in a row policy",
                "ejected after 1 failure policy",
                "tls ca /run/secrets/a, server name claw.internal, 1 pin policy",
                "other https://d:443 https://e:443, audience x, 1024 connections policy",
                "balance least_request policy",
                "health check none policy",
                "ejected after 5 failures in a row policy",
                "tls ca of the system, server name of each endpoint, no pins policy",
            ])
        let routes = try #require(lines.firstIndex(of: "routes 2 policy"))
        #expect(
            lines[(routes + 1)...].prefix(6) == [
                "/a any method, whole chain > claw",
                "limits request line 4KiB, header bytes 16KiB, header fields 50, body 16MiB, "
                    + "body timeout 1m policy",
                "timeouts first byte 2m, idle 1500ms policy",
                "/b any method, whole chain > other",
                "limits body 0B policy",
                "timeouts idle 30s policy",
            ])
        // The pin can be counted, not read.
        #expect(!lines.contains { $0.contains("q6urq6") })
    }

    @Test func whoSetTheEndpoints() throws {
        let lines = try lines(
            load(policy: Self.policy, ["AGENTPORT_UPSTREAM": "http://a, http://b"]))
        #expect(
            lines.contains(
                "claw http://a:80 http://b:80, 1024 connections AGENTPORT_UPSTREAM"))
        #expect(lines.contains("balance least_request policy"))
    }

    @Test func noHashIsShown() throws {
        let text = EffectiveSummary(try #require(load(policy: Self.policy).configuration))
            .description
        #expect(!text.contains("abab"))
    }
}
