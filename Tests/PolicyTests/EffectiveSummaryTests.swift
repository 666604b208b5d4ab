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
                "chain tls_inspector > ip_rate_limit > identity > totp > "
                    + "agent_rate_limit > jwt default"))
        #expect(lines.contains("ip rate 1000/1s, burst 2000 default"))
    }

    @Test func routesAndAgentsCanBeReviewed() throws {
        let lines = try lines(load(policy: Self.policy))
        #expect(lines.contains("/healthz any method, PUBLIC, tls_inspector > ip_rate_limit > claw"))
        #expect(lines.contains("/* POST, whole chain > claw"))
        #expect(
            lines.contains(
                "weather-1 user ops@example.com, scopes a b, 1 key, "
                    + "1000/1s, burst 2000 policy"))
        #expect(lines.contains("claw http://claw:8080, 1024 connections policy"))
        #expect(lines.contains("audience openclaw-prod default"))
        // Half a minute's reading.
        #expect(lines.count < 60)
    }

    @Test func noHashIsShown() throws {
        let text = EffectiveSummary(try #require(load(policy: Self.policy).configuration))
            .description
        #expect(!text.contains("abab"))
    }
}
