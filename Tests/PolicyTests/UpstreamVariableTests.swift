// SPDX-License-Identifier: Apache-2.0

import Policy
import TestSupport
import Testing

/// `AGENTPORT_UPSTREAM`: one endpoint or several.
@Suite struct UpstreamVariableTests {
    private func load(
        _ text: String, _ rest: [String: String] = [:], files: FakeFiles = .compose
    ) -> ConfigurationOutcome {
        var environment = rest
        environment["AGENTPORT_UPSTREAM"] = text
        return ConfigurationLoader.load(environment: environment, files: files)
    }

    static let lists: [(String, [String])] = [
        ("https://a", ["https://a:443"]),
        (" http://a:1\n", ["http://a:1"]),
        ("unix:/run/a.sock", ["unix:/run/a.sock"]),
        ("http://a:1,https://b,unix:/c", ["http://a:1", "https://b:443", "unix:/c"]),
        (" http://b:1 ,\t\r\n http://a:1 ", ["http://b:1", "http://a:1"]),
        ("http://a:1,http://a:2", ["http://a:1", "http://a:2"]),
    ]

    @Test(arguments: lists)
    func list(text: String, endpoints: [String]) throws {
        let outcome = load(text)
        #expect(outcome.faults == [])
        let configuration = try #require(outcome.configuration)
        #expect(configuration.upstreams.map(\.name) == ["upstream"])
        #expect(configuration.upstreams[0].endpoints.map(\.description) == endpoints)
        #expect(configuration.sources[.upstreamEndpoint] == .environment("AGENTPORT_UPSTREAM"))
    }

    private static let schemes = "it must begin with `http://`, `https://` or `unix:/`"

    static let faults: [(String, [String])] = [
        (" ", ["it is empty"]),
        (",", ["endpoint 1: it is empty", "endpoint 2: it is empty"]),
        ("http://a,", ["endpoint 2: it is empty"]),
        ("http://a, ,http://b", ["endpoint 2: it is empty"]),
        ("http://a http://b", ["only scheme, host and port are allowed in it, no path"]),
        ("http://a;http://b", ["only scheme, host and port are allowed in it, no path"]),
        ("a:1,http://b,c", ["endpoint 1: \(schemes)", "endpoint 3: \(schemes)"]),
        ("http://a, http://A:80/", ["endpoint 2: the same endpoint twice"]),
        ("unix:/a,unix://a", ["endpoint 2: the same endpoint twice"]),
        (
            "http://a:443,https://a",
            ["endpoint 2: the same endpoint twice, with TLS and without"]
        ),
        ("http://u:secret@a,http://b", ["endpoint 1: a user or password is not allowed in it"]),
        ("http://127.0.0.1:9901", ["the endpoint 127.0.0.1:9901 is the admin address"]),
        ("http://a,http://localhost:9901", ["the endpoint localhost:9901 is the admin address"]),
        ("https://0.0.0.0:9901", ["the endpoint 0.0.0.0:9901 is the admin address"]),
    ]

    @Test(arguments: faults)
    func fault(text: String, reasons: [String]) {
        #expect(load(text).faults == reasons.map { "AGENTPORT_UPSTREAM: \($0)" })
    }

    @Test func thereIsAMost() {
        let most = (1...64).map { "http://a:\($0)" }.joined(separator: ",")
        #expect(load(most).configuration?.upstreams[0].endpoints.count == 64)
        #expect(
            load(most + ",http://b").faults == ["AGENTPORT_UPSTREAM: more than 64 endpoints"])
    }

    @Test func theFlagIsNamedAtFault() {
        let outcome = ConfigurationLoader.load(
            environment: ["AGENTPORT_UPSTREAM": "http://a"], flags: [.upstream: "http://a,b"],
            files: FakeFiles.compose)
        #expect(outcome.faults == ["--upstream: endpoint 2: \(Self.schemes)"])
    }

    /// An endpoint, the listener, and whether a request to the one would come to the other.
    static let loops: [(String, String, Bool)] = [
        ("http://127.0.0.1:8443", "0.0.0.0:8443", true),
        ("https://localhost:8443", "0.0.0.0:8443", true),
        ("http://0.0.0.0:8443", "0.0.0.0:8443", true),
        ("http://0.0.0.0:8443", "127.0.0.1:8443", true),
        ("http://[::]:8443", "[::1]:8443", true),
        ("http://127.0.0.1:8443", "[::]:8443", true),
        ("http://[::1]:8443", "[::]:8443", true),
        ("http://localhost:8443", "[::1]:8443", true),
        ("http://10.0.0.1:8443", "10.0.0.1:8443", true),
        ("http://127.0.0.1:8444", "0.0.0.0:8443", false),
        ("http://[::1]:8443", "0.0.0.0:8443", false),
        ("http://[::]:8443", "127.0.0.1:8443", false),
        ("http://127.0.0.2:8443", "127.0.0.1:8443", false),
        ("http://127.0.0.1:8443", "10.0.0.1:8443", false),
        ("http://10.0.0.2:8443", "0.0.0.0:8443", false),
        ("http://claw:8443", "0.0.0.0:8443", false),
    ]

    @Test(arguments: loops)
    func loop(text: String, listener: String, isLoop: Bool) throws {
        let label = try UpstreamURL(text).label
        #expect(
            load(text, ["AGENTPORT_LISTEN": listener]).faults
                == (isLoop
                    ? [
                        "AGENTPORT_UPSTREAM: the endpoint \(label) is the gateway's own listener: "
                            + "requests would go round in a loop"
                    ] : []))
    }

    @Test func aSidecarsOwnDefaultMayBeALoop() {
        let outcome = ConfigurationLoader.load(
            environment: ["AGENTPORT_MODE": "sidecar", "AGENTPORT_LISTEN": "0.0.0.0:8080"],
            files: FakeFiles.compose)
        #expect(
            outcome.faults == [
                "AGENTPORT_UPSTREAM: the endpoint 127.0.0.1:8080 is the gateway's own listener: "
                    + "requests would go round in a loop"
            ])
    }

    @Test func theAdminSocketIsNoEndpoint() {
        let admin = ["AGENTPORT_ADMIN_LISTEN": "unix:/run/admin.sock"]
        #expect(
            load("http://a,unix:/run//admin.sock", admin).faults == [
                "AGENTPORT_UPSTREAM: the endpoint unix:/run/admin.sock is the admin address"
            ])
        #expect(load("unix:/run/claw.sock", admin).faults == [])
        #expect(load("unix:/run/admin.sock", ["AGENTPORT_ADMIN_LISTEN": "off"]).faults == [])
        #expect(load("http://127.0.0.1:9901", admin).faults == [])
    }

    /// What the policy says of an upstream stays, its endpoints do not.
    @Test func theVariableIsStrongerThanThePolicy() throws {
        let text = """
            {"agentport":1,"upstreams":[{"name":"a","endpoints":["http://127.0.0.1:9901"],
            "balance":"round_robin","eject_after":2,"tls":{"server_name":"claw"}}]}
            """
        let outcome = load("https://b,https://c", files: .policy(text))
        #expect(outcome.faults == [])
        let upstream = try #require(outcome.configuration?.upstreams.first)
        #expect(upstream.endpoints.map(\.label) == ["b:443", "c:443"])
        #expect(upstream.balance == .roundRobin)
        #expect(upstream.ejectAfter == 2)
        #expect(upstream.tls.serverName == "claw")
        // Nothing is said of the policy's endpoints where they would not hold.
        #expect(load("x", files: .policy(text)).faults == ["AGENTPORT_UPSTREAM: \(Self.schemes)"])
        #expect(
            load("http://b", files: .policy(text)).faults == [
                "\(FaultyPolicy.file):2:47: /upstreams/0/tls: has no effect: no endpoint begins "
                    + "with `https://`"
            ])
    }
}
