// SPDX-License-Identifier: Apache-2.0

import Policy
import TestSupport
import Testing

@Suite struct EnvironmentTests {
    static let upstream = ["AGENTPORT_UPSTREAM": "http://openclaw:8080"]

    private func load(
        _ environment: [String: String], files: FakeFiles = .compose,
        flags: [EnvironmentVariable: String] = [:]
    ) -> ConfigurationOutcome {
        ConfigurationLoader.load(environment: environment, flags: flags, files: files)
    }

    /// The service of the specification, as it stands.
    @Test func theComposeServiceStarts() throws {
        let outcome = load([
            "AGENTPORT_TLS_MIN_VERSION": "1.3", "AGENTPORT_UPSTREAM": "http://openclaw:8080",
            "PATH": "/usr/bin",
        ])
        #expect(outcome.faults == [])
        #expect(outcome.warnings == [])
        let configuration = try #require(outcome.configuration)
        #expect(configuration.mode == .standalone)
        #expect(configuration.workers == nil)
        #expect(configuration.listen.address.description == "0.0.0.0:8443")
        #expect(configuration.listen.certificatePath == "/run/secrets/tls_cert")
        #expect(configuration.listen.keyPath == "/run/secrets/tls_key")
        #expect(configuration.listen.limits == Configuration.Limits(connections: 20_000))
        #expect(configuration.admin == .tcp(try #require(SocketAddressText("127.0.0.1:9901"))))
        #expect(configuration.stateDirectory == "/var/lib/agentport")
        #expect(configuration.upstreams.map(\.name) == ["upstream"])
        #expect(configuration.upstreams.flatMap(\.endpoints).map(\.label) == ["openclaw:8080"])
        #expect(configuration.routes == [Configuration.Route(path: "/", upstreamIndex: 0)])
        #expect(
            configuration.filters.map(\.name) == [
                "tls_inspector", "client_pins", "ip_rate_limit", "identity", "totp",
                "agent_rate_limit", "jwt",
            ])
        let agent = try #require(configuration.agents.first)
        #expect(configuration.agents.count == 1)
        #expect(agent.name == "default")
        #expect(agent.user == "default")
        #expect(agent.keys == .madeAtFirstStart)
        #expect(agent.totp.seedPath == "/run/secrets/totp_seed")
        #expect(agent.rate == .standard)
        #expect(configuration.policy == nil)
        #expect(configuration.sources[.upstreamEndpoint] == .environment("AGENTPORT_UPSTREAM"))
        #expect(configuration.sources[.listenAddress] == .builtIn)
    }

    @Test func sidecarDefaults() throws {
        let configuration = try #require(load(["AGENTPORT_MODE": "sidecar"]).configuration)
        #expect(configuration.mode == .sidecar)
        #expect(configuration.workers == 1)
        #expect(configuration.listen.limits.connections == 2000)
        #expect(configuration.upstreams.flatMap(\.endpoints).map(\.label) == ["127.0.0.1:8080"])
    }

    @Test func everyVariableCounts() throws {
        var files = FakeFiles.compose
        files.writable = ["/state"]
        for name in ["totp_seed", "tls_cert", "tls_key", "api_key"] {
            files.files["/s/\(name)"] = ("x", 0o400)
        }
        let outcome = load(
            [
                "AGENTPORT_UPSTREAM": "http://h:1", "AGENTPORT_LISTEN": "[::]:443",
                "AGENTPORT_ADMIN_LISTEN": "unix:/run/admin.sock", "AGENTPORT_WORKERS": "3",
                "AGENTPORT_SECRETS_DIR": "/s/", "AGENTPORT_STATE_DIR": "/state",
                "AGENTPORT_ISSUER": "me", "AGENTPORT_AUDIENCE": "you", "AGENTPORT_IP_RATE": "off",
                "AGENTPORT_AGENT_RATE": "5/1m", "AGENTPORT_TOTP_ONE_TIME": "false",
                "AGENTPORT_SESSION_LIFETIME": "off", "AGENTPORT_CONNECTIONS": "7",
                "AGENTPORT_CONNECTIONS_PER_IP": "6", "AGENTPORT_LOG_LEVEL": "warn",
                "AGENTPORT_DRAIN_GRACE": "2s", "AGENTPORT_DRAIN_DEADLINE": "20s",
            ], files: files)
        #expect(outcome.faults == [])
        let configuration = try #require(outcome.configuration)
        #expect(configuration.listen.address.description == "[::]:443")
        #expect(configuration.admin == .unix(path: "/run/admin.sock"))
        #expect(configuration.workers == 3)
        #expect(configuration.stateDirectory == "/state")
        #expect(configuration.listen.keyPath == "/s/tls_key")
        #expect(configuration.issuer.name == "me")
        #expect(configuration.issuer.audience == "you")
        #expect(!configuration.filters.map(\.name).contains("ip_rate_limit"))
        #expect(
            configuration.agents.map(\.rate)
                == [Rate(requests: 5, periodMilliseconds: 60_000, burst: 10)])
        #expect(configuration.agents.map(\.keys) == [.apiKeyFromSecret(path: "/s/api_key")])
        #expect(!configuration.totp.oneTime)
        #expect(!configuration.sessions.enabled)
        #expect(configuration.listen.limits.connections == 7)
        #expect(configuration.listen.limits.connectionsPerIP == 6)
        #expect(configuration.logLevel == .warn)
        #expect(configuration.drain.graceMilliseconds == 2000)
        #expect(configuration.drain.deadlineMilliseconds == 20_000)
    }

    /// One variable that is wrong, and the one line it makes.
    static let faults: [(String, String, String)] = [
        (
            "AGENTPORT_TLS_MIN_VERSION", "1.2",
            "must be `1.3`: the gateway speaks no older version of TLS"
        ),
        (
            "AGENTPORT_STATE_URL", "redis://x",
            "shared state for several replicas is not built yet in this version"
        ),
        ("AGENTPORT_MODE", "central", "must be `standalone` or `sidecar`"),
        (
            "AGENTPORT_LISTEN", "8443",
            "must be an address and a port, as in `0.0.0.0:8443` or `[::]:8443`"
        ),
        (
            "AGENTPORT_LISTEN", "example.com:8443",
            "must be an address and a port, as in `0.0.0.0:8443` or `[::]:8443`"
        ),
        (
            "AGENTPORT_ADMIN_LISTEN", "on",
            "must be an address and a port, as in `127.0.0.1:9901`, or `unix:/path`, or `off`"
        ),
        (
            "AGENTPORT_ADMIN_LISTEN", "unix:admin.sock",
            "`unix:` must be followed by an absolute path of at most 107 bytes"
        ),
        (
            "AGENTPORT_ADMIN_LISTEN", "0.0.0.0",
            "must be an address and a port, as in `127.0.0.1:9901`, or `unix:/path`, or `off`"
        ),
        ("AGENTPORT_WORKERS", "0", "must be a whole number from 1 to 256"),
        ("AGENTPORT_WORKERS", "two", "must be a whole number from 1 to 256"),
        ("AGENTPORT_IP_RATE", "fast", "must be requests a period, as in `1000/1s`, or `off`"),
        ("AGENTPORT_AGENT_RATE", "10", "must be requests a period, as in `1000/1s`, or `off`"),
        ("AGENTPORT_TOTP_ONE_TIME", "yes", "must be `true` or `false`"),
        (
            "AGENTPORT_SESSION_LIFETIME", "25h",
            "must be a duration from 1s to 24h, as in `30s`, or `off`"
        ),
        ("AGENTPORT_CONNECTIONS", "-1", "must be a whole number from 1 to 1000000"),
        ("AGENTPORT_LOG_LEVEL", "trace", "must be `debug` or `info` or `warn` or `error`"),
        (
            "AGENTPORT_ISSUER", " x",
            "must be 1 to 256 characters of ASCII without controls or "
                + "surrounding space"
        ),
        (
            "AGENTPORT_LISTEN", "0.0.0.0:9901",
            "the listener and the admin listener have one address"
        ),
        (
            "AGENTPORT_STATE_DIR", "/nowhere",
            "`/nowhere` is no directory that can be written to: mount one "
                + "(and, where there is no state, an `api_key` secret)"
        ),
        (
            "AGENTPORT_DRAIN_GRACE", "16s",
            "`drain.grace`, 16s, must not be longer than `drain.deadline`, 15s"
        ),
    ]

    @Test(arguments: faults)
    func oneFaultOneLine(name: String, value: String, reason: String) {
        var environment = Self.upstream
        environment[name] = value
        #expect(load(environment).faults == ["\(name): \(reason)"])
    }

    @Test func everyFaultIsTold() {
        let outcome = load(
            ["AGENTPORT_TLS_MIN_VERSION": "1.2", "AGENTPORT_WORKERS": "x"], files: FakeFiles())
        #expect(
            outcome.faults == [
                "AGENTPORT_TLS_MIN_VERSION: must be `1.3`: the gateway speaks no older version of TLS",
                "AGENTPORT_WORKERS: must be a whole number from 1 to 256",
                "AGENTPORT_UPSTREAM: required without a policy; for example `http://openclaw:8080`",
                "/run/secrets/api_key: no such file, and no writable state directory to keep a key in: "
                    + "mount one of the two",
                "/run/secrets/tls_cert: no such file",
                "/run/secrets/tls_key: no such file",
                "/run/secrets/totp_seed: no such file",
            ])
    }

    @Test func secretsAreLookedAt() {
        var files = FakeFiles.compose
        files.files["/run/secrets/tls_key"] = ("x", 0o444)
        files.files["/run/secrets/tls_cert"] = ("x", 0o644)
        files.files["/run/secrets/signing_key"] = ("x", 0o604)
        files.files["/run/secrets/totp_seed"] = ("", 0o400)
        files.faults["/run/secrets/admin_token"] = .notPermitted
        let outcome = load(Self.upstream, files: files)
        #expect(
            outcome.faults == [
                "/run/secrets/totp_seed: the file is empty",
                "/run/secrets/admin_token: permission denied",
            ])
        let warning = "this secret is readable by every user: take the right away (chmod o-r)"
        #expect(
            outcome.warnings == [
                "/run/secrets/tls_key: \(warning)", "/run/secrets/signing_key: \(warning)",
            ])
    }

    @Test func unknownVariablesDrawAWarning() {
        var environment = Self.upstream
        environment["AGENTPORT_UPSTRAEM"] = "x"
        environment["AGENTPORT_FROBNICATION_LEVEL"] = "x"
        environment["AGENTPORT_PORT"] = "8443"
        environment["OTHER_AGENTPORT"] = "x"
        #expect(
            load(environment).warnings == [
                "AGENTPORT_FROBNICATION_LEVEL: unknown variable",
                "AGENTPORT_PORT: unknown variable",
                "AGENTPORT_UPSTRAEM: unknown variable; did you mean `AGENTPORT_UPSTREAM`?",
            ])
    }

    /// A Kubernetes service named `agentport` puts these into every container beside it.
    @Test func serviceLinksAreNotOurs() {
        var environment = Self.upstream
        for name in [
            "AGENTPORT_SERVICE_HOST", "AGENTPORT_SERVICE_PORT", "AGENTPORT_SERVICE_PORT_HTTPS",
            "AGENTPORT_PORT_8443_TCP", "AGENTPORT_PORT_8443_TCP_ADDR",
            "AGENTPORT_ADMIN_SERVICE_HOST",
        ] {
            environment[name] = "10.0.0.1"
        }
        environment["AGENTPORT_PORT"] = "tcp://10.0.0.1:8443"
        #expect(load(environment).warnings == [])
    }

    @Test func emptyIsUnset() {
        var environment = Self.upstream
        for variable in EnvironmentVariable.allCases where variable != .upstream {
            environment[variable.rawValue] = ""
        }
        #expect(load(environment).faults == [])
    }

    @Test func aFlagHidesItsVariable() throws {
        var environment = Self.upstream
        environment["AGENTPORT_LISTEN"] = "broken"
        let flags = [EnvironmentVariable.listen: "127.0.0.1:4443"]
        let configuration = try #require(load(environment, flags: flags).configuration)
        #expect(configuration.listen.address.description == "127.0.0.1:4443")
        #expect(configuration.sources[.listenAddress] == .flag("--listen"))
        #expect(
            load(Self.upstream, flags: [.adminListen: "x"]).faults == [
                "--admin-listen: must be an address and a port, as in `127.0.0.1:9901`, "
                    + "or `unix:/path`, or `off`"
            ])
    }

    /// No value of a variable acts on the terminal that shows the fault.
    @Test func faultsAreOneLine() {
        var environment = Self.upstream
        environment["AGENTPORT_STATE_DIR"] = "/x\n\u{1B}[2J"
        #expect(
            load(environment).faults == [
                "AGENTPORT_STATE_DIR: `/x\\u{A}\\u{1B}[2J` is no directory that can be written to: mount one "
                    + "(and, where there is no state, an `api_key` secret)"
            ])
    }
}
