// SPDX-License-Identifier: Apache-2.0

import Policy
import TestSupport
import Testing

func load(policy text: String, _ environment: [String: String] = [:]) -> ConfigurationOutcome {
    ConfigurationLoader.load(environment: environment, files: FakeFiles.policy(text))
}

@Suite struct PolicyFileTests {
    static let hash = String(repeating: "ab", count: 32)

    /// Every section, with values other than the defaults; what else upstreams and routes may say
    /// is in `UpstreamFileTests` and `RouteLimitTests`.
    static let whole = """
        // What a person would write.
        {
          "agentport": 1,
          "listen": {
            "address": "[::]:443",
            "tls": { "certificate": "cert.pem", "key": "/run/secrets/tls_key", "client_ca": null,
                     "client_certificate": "none", "client_pins_sha256": [] },
            "public_url": "https://claw.example.com/", "portal_host": null,
            "plaintext_jwks": "off",
            "trusted_proxies": ["10.0.0.0/8", "192.168.1.1"],
            "limits": { "header_bytes": "16KiB", "header_fields": 50, "request_line": "4KiB",
                        "body": "1MiB", "connections": 100, "connections_per_ip": 10,
                        "header_timeout": "1s", "body_timeout": "2s", "keepalive_timeout": "3s" },
          },
          "admin": { "address": "off" },
          "upstreams": [
            { "name": "a", "endpoints": ["http://a:1"], "balance": "least_request",
              "connect_timeout": "1s", "first_byte_timeout": "2s", "max_connections": 3,
              "max_pending": 4, "audience": "aud-a" },
            { "name": "b", "endpoints": ["http://b:2"] },
          ],
          "issuer": { "name": "iss", "audience": "aud", "algorithm": "ES256", "lifetime": "30s",
                      "reuse": false, "legacy_header": true },
          "agents": [
            { "name": "w", "user": "ops@example.com", "scopes": ["tools:read", "x"],
              "api_key_sha256": ["\(hash)"], "client_pins_sha256": [], "oauth": [],
              "totp": { "seed_file": "/run/secrets/a", "algorithm": "SHA256", "digits": 8,
                        "period": "60s" },
              "rate": { "requests": 10, "per": "1m", "burst": 5 } },
          ],
          "totp": { "skew": 2, "one_time": false, "max_failures": 3, "lockout": "1m",
                    "disable_after": 50 },
          "sessions": { "enabled": false, "lifetime": "1h", "bind": ["agent"] },
          "filters": [ { "use": "ip_rate_limit", "requests": 5, "per": "1s" }, { "use": "identity" },
                       { "use": "totp" }, { "use": "jwt" } ],
          "routes": [ { "path": "/healthz", "public": true, "upstream": "b" },
                      { "path": "/v1/", "methods": ["GET", "POST"], "upstream": "a" } ],
          "drain": { "grace": "1s", "deadline": "5s" },
        }
        """

    private static func wholeFiles() -> FakeFiles {
        var files = FakeFiles.policy(whole)
        files.files["/etc/agentport/cert.pem"] = ("x", 0o644)
        return files
    }

    @Test func everyKeyCounts() throws {
        let outcome = ConfigurationLoader.load(environment: [:], files: Self.wholeFiles())
        #expect(outcome.faults == [])
        #expect(outcome.warnings == [])
        let configuration = try #require(outcome.configuration)
        let listen = configuration.listen
        #expect(listen.address.description == "[::]:443")
        #expect(listen.certificatePath == "/etc/agentport/cert.pem")
        #expect(listen.keyPath == "/run/secrets/tls_key")
        #expect(listen.publicURL == "https://claw.example.com")
        #expect(listen.plaintextJWKS == .off)
        #expect(listen.trustedProxies.map(\.description) == ["10.0.0.0/8", "192.168.1.1/32"])
        var limits = Configuration.Limits(connections: 100)
        limits.headerBytes = 16_384
        limits.headerFields = 50
        limits.requestLineBytes = 4096
        limits.bodyBytes = 1 << 20
        limits.connectionsPerIP = 10
        limits.headerTimeoutMilliseconds = 1000
        limits.bodyTimeoutMilliseconds = 2000
        limits.keepaliveTimeoutMilliseconds = 3000
        #expect(listen.limits == limits)
        #expect(configuration.admin == .off)
        #expect(configuration.upstreams.map(\.name) == ["a", "b"])
        #expect(configuration.upstreams.map { configuration.audience(of: $0) } == ["aud-a", "aud"])
        let upstream = configuration.upstreams[0]
        #expect(upstream.endpoints.map(\.label) == ["a:1"])
        #expect(upstream.connectTimeoutMilliseconds == 1000)
        #expect(upstream.firstByteTimeoutMilliseconds == 2000)
        #expect(upstream.maxConnections == 3)
        #expect(upstream.maxPending == 4)
        #expect(configuration.issuer.name == "iss")
        #expect(configuration.issuer.lifetimeMilliseconds == 30_000)
        #expect(!configuration.issuer.reuse)
        #expect(configuration.issuer.legacyHeader)
        #expect(configuration.drain.deadlineMilliseconds == 5000)
        #expect(configuration.policy?.path == "/etc/agentport/policy.json")
        #expect(configuration.policy?.bytes == Array(Self.whole.utf8))
    }

    @Test func agentsAndTheirRules() throws {
        let outcome = ConfigurationLoader.load(environment: [:], files: Self.wholeFiles())
        let configuration = try #require(outcome.configuration)
        var totp = Configuration.AgentTOTP(seedPath: "/run/secrets/a")
        totp.algorithm = .sha256
        totp.digits = 8
        totp.periodMilliseconds = 60_000
        #expect(
            configuration.agents == [
                Configuration.Agent(
                    name: "w", user: "ops@example.com", scopes: ["tools:read", "x"],
                    keys: .hashes([Array(repeating: 0xAB, count: 32)]), totp: totp,
                    rate: Rate(requests: 10, periodMilliseconds: 60_000, burst: 5))
            ])
        #expect(configuration.totp.skew == 2)
        #expect(!configuration.totp.oneTime)
        #expect(configuration.totp.maxFailures == 3)
        #expect(configuration.totp.lockoutMilliseconds == 60_000)
        #expect(configuration.totp.disableAfter == 50)
        #expect(!configuration.sessions.enabled)
        #expect(configuration.sessions.lifetimeMilliseconds == 3_600_000)
        #expect(!configuration.sessions.bindAddress)
        #expect(
            configuration.filters == [
                .ipRateLimit(Rate(requests: 5, periodMilliseconds: 1000, burst: 10)), .identity,
                .totp, .jwt,
            ])
        #expect(
            configuration.routes == [
                Configuration.Route(path: "/healthz", isPublic: true, upstreamIndex: 1),
                Configuration.Route(path: "/v1/", methods: ["GET", "POST"], upstreamIndex: 0),
            ])
        #expect(configuration.routes.map(\.isPrefix) == [false, true])
        #expect(configuration.filters(on: configuration.routes[0]).map(\.name) == ["ip_rate_limit"])
        #expect(configuration.filters(on: configuration.routes[1]) == configuration.filters)
    }

    @Test func sectionsLeftOutTakeTheirDefaults() throws {
        let outcome = load(policy: "{\"agentport\":1}")
        #expect(outcome.faults == [])
        #expect(
            outcome.warnings == [
                "/etc/agentport/policy.json:1:1: there are no agents, "
                    + "so only public routes can be used"
            ])
        let configuration = try #require(outcome.configuration)
        #expect(configuration.agents == [])
        #expect(configuration.upstreams.map(\.name) == ["openclaw"])
        #expect(configuration.upstreams.flatMap(\.endpoints).map(\.label) == ["127.0.0.1:8080"])
        #expect(configuration.routes == [Configuration.Route(path: "/", upstreamIndex: 0)])
        #expect(configuration.filters.count == 7)
        #expect(configuration.listen.certificatePath == "/run/secrets/tls_cert")
    }

    @Test func whereAllIsPublicTheChainIsShort() throws {
        let outcome = load(
            policy: "{\"agentport\":1,\"routes\":[{\"path\":\"/\",\"public\":true}]}")
        #expect(outcome.configuration?.filters == [.tlsInspector])
    }

    /// A variable is stronger than the policy, a flag stronger than both.
    @Test func precedence() throws {
        let text = """
            { "agentport": 1, "listen": { "address": "0.0.0.0:1000", "limits": { "connections": 9 } },
              "upstreams": [{ "name": "up", "endpoints": ["http://p:1"] }],
              "agents": [{ "name": "w", "api_key_sha256": ["\(Self.hash)"],
                           "totp": { "seed_file": "/run/secrets/a" },
                           "rate": { "requests": 1, "per": "1s" } }],
              "totp": { "one_time": false }, "sessions": { "enabled": false } }
            """
        let environment = [
            "AGENTPORT_LISTEN": "0.0.0.0:2000", "AGENTPORT_UPSTREAM": "http://e:2",
            "AGENTPORT_AGENT_RATE": "7/1s", "AGENTPORT_TOTP_ONE_TIME": "true",
            "AGENTPORT_SESSION_LIFETIME": "10m", "AGENTPORT_IP_RATE": "3/1s",
        ]
        let outcome = ConfigurationLoader.load(
            environment: environment, flags: [.listen: "0.0.0.0:3000"],
            files: FakeFiles.policy(text))
        #expect(outcome.faults == [])
        let configuration = try #require(outcome.configuration)
        #expect(configuration.listen.address.port == 3000)
        #expect(configuration.sources[.listenAddress] == .flag("--listen"))
        #expect(configuration.listen.limits.connections == 9)
        #expect(configuration.sources[.connections] == .policy)
        #expect(configuration.upstreams.map(\.name) == ["up"])
        #expect(configuration.upstreams.flatMap(\.endpoints).map(\.label) == ["e:2"])
        #expect(configuration.sources[.upstreamEndpoint] == .environment("AGENTPORT_UPSTREAM"))
        #expect(configuration.sources[.upstreams] == .policy)
        #expect(configuration.agents.map(\.rate.requests) == [7])
        #expect(configuration.totp.oneTime)
        #expect(configuration.sessions.lifetimeMilliseconds == 600_000)
        // The lifetime does not switch on what the policy switched off.
        #expect(!configuration.sessions.enabled)
        #expect(
            configuration.filters.contains(
                .ipRateLimit(Rate(requests: 3, periodMilliseconds: 1000, burst: 6))))
        #expect(configuration.sources[.mode] == .builtIn)
    }

    @Test func theFlagNamesThePolicy() {
        var files = FakeFiles.compose
        files.files["conf/p.json"] = (
            "{\"agentport\":1,\"listen\":{\"tls\":{\"key\":\"k.pem\"}}}", 0o644
        )
        files.files["conf/k.pem"] = ("x", 0o400)
        let outcome = ConfigurationLoader.load(
            environment: ["AGENTPORT_POLICY": "/none"], policyPath: "conf/p.json", files: files)
        #expect(outcome.configuration?.listen.keyPath == "conf/k.pem")
        #expect(outcome.configuration?.sources[.policyFile] == .flag("--policy"))
    }

    @Test func aPolicyThatCannotBeReadIsNeverPassedOver() {
        let environment = ["AGENTPORT_UPSTREAM": "http://a:1"]
        var files = FakeFiles.compose
        files.faults["/etc/agentport/policy.json"] = .notPermitted
        #expect(
            ConfigurationLoader.load(environment: environment, files: files).faults
                == ["/etc/agentport/policy.json: permission denied"])
        #expect(
            ConfigurationLoader.load(
                environment: environment, policyPath: "/none.json", files: files
            ).faults
                == ["/none.json: no such file"])
        files = .policy(String(repeating: " ", count: 1 << 20) + "{}")
        #expect(
            ConfigurationLoader.load(environment: environment, files: files).faults
                == ["/etc/agentport/policy.json: larger than 1MiB"])
    }
}
