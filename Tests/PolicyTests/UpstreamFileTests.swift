// SPDX-License-Identifier: Apache-2.0

import Policy
import TestSupport
import Testing

/// What an upstream may say, and where each bound lies.
@Suite struct UpstreamFileTests {
    /// One upstream, what it says besides its name on the second line.
    private func load(_ members: String, files change: (inout FakeFiles) -> Void = { _ in })
        -> ConfigurationOutcome
    {
        var files = FakeFiles.policy(
            "{\"agentport\":1,\"upstreams\":[{\"name\":\"a\",\n\(members)}]}")
        change(&files)
        return ConfigurationLoader.load(environment: [:], files: files)
    }

    private func upstream(_ members: String) throws -> Configuration.Upstream {
        let outcome = load(members) { $0.files["/etc/agentport/ca.pem"] = ("x", 0o644) }
        #expect(outcome.faults == [])
        return try #require(outcome.configuration).upstreams[0]
    }

    @Test func everyKeyCounts() throws {
        let read = try upstream(
            """
            "endpoints": ["http://a:1", "https://b", "unix:/run/c.sock"], "balance": "round_robin",
            "connect_timeout": "1s", "first_byte_timeout": "2s", "max_connections": 3,
            "max_pending": 4, "eject_after": 6,
            "health_check": { "path": "/healthz?full=1", "interval": "250ms",
                              "unhealthy_after": 2 },
            "tls": { "ca": "ca.pem", "server_name": "Claw.Internal",
                     "pins_sha256": ["\(UpstreamFaultTests.pin)",
                                     "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="] },
            "audience": "aud", "shared_audience": true
            """)
        var expected = Configuration.Upstream(
            name: "a",
            endpoints: [
                try UpstreamURL("http://a:1"), try UpstreamURL("https://b:443"),
                try UpstreamURL("unix:/run/c.sock"),
            ])
        expected.balance = .roundRobin
        expected.connectTimeoutMilliseconds = 1000
        expected.firstByteTimeoutMilliseconds = 2000
        expected.maxConnections = 3
        expected.maxPending = 4
        expected.ejectAfter = 6
        var check = Configuration.HealthCheck(path: "/healthz?full=1")
        check.intervalMilliseconds = 250
        check.unhealthyAfter = 2
        expected.healthCheck = check
        expected.tls.authorityPath = "/etc/agentport/ca.pem"
        expected.tls.serverName = "claw.internal"
        expected.tls.pins = [Array(repeating: 0xAB, count: 32), Array(repeating: 0, count: 32)]
        expected.audience = "aud"
        expected.sharedAudience = true
        #expect(read == expected)
    }

    @Test func whatIsLeftOutTakesItsDefault() throws {
        let read = try upstream("\"endpoints\":[\"http://a\"]")
        #expect(read.balance == .leastRequest)
        #expect(read.ejectAfter == 5)
        #expect(read.healthCheck == nil)
        #expect(read.tls == Configuration.UpstreamTLS())
        let check = try upstream(
            "\"endpoints\":[\"http://a\"],\"health_check\":{\"path\":\"/\"}"
        ).healthCheck
        #expect(check?.intervalMilliseconds == 5000)
        #expect(check?.unhealthyAfter == 3)
    }

    /// The example of the specification: no endpoint speaks TLS, and `tls` asks for nothing.
    @Test func whatSaysNothingIsLeftOut() throws {
        let read = try upstream(
            "\"endpoints\":[\"http://a\"],\"balance\":\"least_request\",\"health_check\":null,"
                + "\"tls\":{\"ca\":null,\"server_name\":null,\"pins_sha256\":[]}")
        #expect(read == (try upstream("\"endpoints\":[\"http://a\"],\"tls\":{}")))
    }

    /// Members besides an `https` endpoint; the place and the words of the fault, or none.
    static let bounds: [(String, String?)] = [
        ("\"eject_after\":1", nil), ("\"eject_after\":1000", nil),
        ("\"eject_after\":0", "/eject_after: must be a whole number from 1 to 1000"),
        ("\"eject_after\":1001", "/eject_after: must be a whole number from 1 to 1000"),
        check("\"interval\":\"100ms\""), check("\"interval\":\"1h\""),
        check(
            "\"interval\":\"99ms\"", "/interval: must be a duration from 100ms to 1h, as in `30s`"),
        check(
            "\"interval\":\"3600001ms\"",
            "/interval: must be a duration from 100ms to 1h, as in `30s`"),
        check("\"unhealthy_after\":1"), check("\"unhealthy_after\":100"),
        check(
            "\"unhealthy_after\":0", "/unhealthy_after: must be a whole number from 1 to 100"),
        check(
            "\"unhealthy_after\":101", "/unhealthy_after: must be a whole number from 1 to 100"),
    ]

    private static func check(_ members: String, _ fault: String? = nil) -> (String, String?) {
        (
            "\"health_check\":{\"path\":\"/\",\(members)}",
            fault.map { "/health_check" + $0 }
        )
    }

    @Test(arguments: bounds)
    func bound(members: String, fault: String?) {
        judge("\"endpoints\":[\"https://a\"],\n\(members)", fault)
    }

    private func judge(_ members: String, _ fault: String?) {
        let faults = load(members).faults
        guard let fault else { return #expect(faults == []) }
        #expect(faults.count == 1)
        #expect(faults.first?.hasSuffix(": /upstreams/0\(fault)") == true, "\(faults)")
    }

    static let healthPaths: [(String, Bool)] = [
        ("/", true), ("/healthz?a=b&c=%20", true), ("/~!$'()*+,;=:@", true), ("//a/../b", true),
        ("/" + String(repeating: "a", count: 1023), true),
        ("/" + String(repeating: "a", count: 1024), false),
        ("", false), ("healthz", false), ("http://a/", false), ("*", false), ("/a b", false),
        ("/a#b", false), ("/é", false), ("/a\\t", false), ("/a\\r\\nHost: b", false),
        ("/\\u0000", false), ("/\\u007f", false),
    ]

    @Test(arguments: healthPaths)
    func healthPath(path: String, isGood: Bool) {
        judge(
            "\"endpoints\":[\"http://a\"],\"health_check\":{\"path\":\"\(path)\"}",
            isGood
                ? nil
                : "/health_check/path: must be `/` and at most 1023 more characters of visible "
                    + "ASCII without `#`")
    }

    static let serverNames: [(String, String?)] = [
        ("claw", "claw"), ("My_svc.NS.svc.cluster.local", "my_svc.ns.svc.cluster.local"),
        ("10.0.0.1", "10.0.0.1"), ("2001:DB8::0:1", "2001:db8::1"),
        ("", nil), ("claw:443", nil), ("https://claw", nil), ("[::1]", nil), ("*.claw", nil),
        ("claw.", nil), ("a b", nil), ("1.2.3", nil), ("bücher", nil), ("claw\\u0000", nil),
    ]

    @Test(arguments: serverNames)
    func serverName(text: String, name: String?) throws {
        let members = "\"endpoints\":[\"https://a\"],\"tls\":{\"server_name\":\"\(text)\"}"
        judge(
            members,
            name == nil
                ? "/tls/server_name: must be a host name or an address, without a port" : nil)
        if let name { #expect(try upstream(members).tls.serverName == name) }
    }

    private static let digits = String(repeating: "q", count: 42)

    static let pins: [(String, Bool)] = [
        (digits + "s=", true), ("+/" + digits.dropFirst(2) + "s=", true),
        // Bits beyond the 32 bytes, no padding, too much, too little, another alphabet.
        (digits + "t=", false), (digits + "s", false), (digits + "s==", false),
        (digits.dropFirst(4) + "s=", false), (digits + "qqqqs=", false), (digits + "qg", false),
        (digits + "g==", false), (digits + "==", false), ("-_" + digits.dropFirst(2) + "s=", false),
        (" " + digits.dropFirst(1) + "s=", false), (digits + "s=\\n", false), ("", false),
        (String(repeating: "ab", count: 32), false), ("sha256/" + digits + "s=", false),
    ]

    @Test(arguments: pins)
    func pin(text: String, isGood: Bool) {
        judge(
            "\"endpoints\":[\"https://a\"],\"tls\":{\"pins_sha256\":[\"\(text)\"]}",
            isGood ? nil : "/tls/pins_sha256/0: must be a SHA-256 in base64: 43 digits and `=`")
    }

    @Test func listsHaveAMost() {
        let endpoints = (1...64).map { "\"http://a:\($0)\"" }.joined(separator: ",")
        judge("\"endpoints\":[\(endpoints)]", nil)
        judge("\"endpoints\":[\(endpoints),\"http://b\"]", "/endpoints: more than 64 items")
        let pins = (0...15).map {
            "\"\(String($0, radix: 16, uppercase: true))" + String(repeating: "A", count: 42)
                + "=\""
        }.joined(separator: ",")
        let pinned = { (pins: String) in
            "\"endpoints\":[\"https://a\"],\"tls\":{\"pins_sha256\":[\(pins)]}"
        }
        judge(pinned(pins), nil)
        judge(
            pinned(pins + ",\"\(UpstreamFaultTests.pin)\""),
            "/tls/pins_sha256: more than 16 items")
    }

    /// Whatever holds certificates alone may be read by others; it must be there, and hold some.
    @Test func theAuthorityIsAFile() {
        let members = "\"endpoints\":[\"https://a\"],\n\"tls\":{\"ca\":\"/ca.pem\"}"
        let place = "\(FaultyPolicy.file):3:13: /upstreams/0/tls/ca: `/ca.pem`: "
        let outcome = load(members) { $0.files["/ca.pem"] = ("x", 0o644) }
        #expect(outcome.faults == [])
        #expect(!outcome.warnings.contains { $0.contains("ca.pem") })
        #expect(load(members).faults == [place + "no such file"])
        #expect(
            load(members) { $0.files["/ca.pem"] = ("", 0o644) }.faults
                == [place + "the file is empty"])
        #expect(
            load(members) { $0.faults["/ca.pem"] = .notPermitted }.faults
                == [place + "permission denied"])
    }

    @Test func twoUpstreamsMayShareAnEndpoint() {
        let text = """
            {"agentport":1,"upstreams":[
            {"name":"a","endpoints":["http://x","unix:/y"],"audience":"a"},
            {"name":"b","endpoints":["unix:/y","http://x"],"audience":"b"}],
            "routes":[{"path":"/a","upstream":"a"},{"path":"/b","upstream":"b"}]}
            """
        let outcome = ConfigurationLoader.load(environment: [:], files: FakeFiles.policy(text))
        #expect(outcome.faults == [])
    }
}
