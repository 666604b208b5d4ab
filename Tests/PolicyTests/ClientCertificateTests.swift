// SPDX-License-Identifier: Apache-2.0

import Policy
import TestSupport
import Testing

/// What a policy asks of clients' certificates, and what of that does not fit together.
@Suite struct ClientCertificateTests {
    /// 32 bytes of one value, as a policy writes them.
    static let zeros = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    static let ones = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="

    /// Its listener on the second line, its agents on the third, its filters on the fourth.
    private static func policy(
        _ tls: String, agents: [String] = [], filters: String? = nil
    ) -> String {
        let filters = filters.map { ",\n\"filters\":\($0)" } ?? ""
        return "{\"agentport\":1,\n\"listen\":{\"tls\":{\(tls)}},\n"
            + "\"agents\":[\(agents.joined(separator: ","))]\(filters)}"
    }

    private static func agent(_ name: String, _ members: String) -> String {
        "{\"name\":\"\(name)\",\(members),\"totp\":{\"seed_file\":\"/run/secrets/\(name)\"}}"
    }

    private static func pins(_ pins: String...) -> String {
        "\"client_pins_sha256\":[\(pins.map { "\"\($0)\"" }.joined(separator: ","))]"
    }

    private static let key = "\"api_key_sha256\":[\"\(String(repeating: "ab", count: 32))\"]"
    private static let unasked =
        "since no client is asked for its certificate: write `client_certificate`, "
        + "`optional` or `required`, in `listen.tls`"

    static let faulty: [FaultyPolicy] = [
        FaultyPolicy(
            "kinds",
            policy(
                "\"client_certificate\":\"always\",\"client_ca\":\"\","
                    + "\"client_pins_sha256\":[\"x\",7,\"\(zeros)\",\"\(zeros)\"]"),
            "2:39: /listen/tls/client_certificate: must be `none` or `optional` or `required`",
            "2:60: /listen/tls/client_ca: must be a path",
            "2:85: /listen/tls/client_pins_sha256/0: must be a SHA-256 in base64: 43 digits and `=`",
            "2:89: /listen/tls/client_pins_sha256/1: must be a string, not a number",
            "2:138: /listen/tls/client_pins_sha256/3: the same pin twice"),
        FaultyPolicy(
            "nobody is asked",
            policy(
                "\"client_ca\":\"ca.pem\"," + pins(zeros),
                agents: [agent("a", key + "," + pins(ones))]),
            "2:60: /listen/tls/client_pins_sha256: has no effect, \(unasked)",
            "3:130: /agents/0/client_pins_sha256: can never be used, \(unasked)"),
        FaultyPolicy(
            "nothing to judge by", policy("\"client_certificate\":\"required\""),
            "2:39: /listen/tls/client_certificate: a certificate that nobody vouches for and "
                + "nobody pins proves nothing: write `client_ca`, `client_pins_sha256`, or "
                + "`client_pins_sha256` of agents"),
        FaultyPolicy(
            "no key and no pin",
            policy(
                "\"client_certificate\":\"optional\"," + pins(zeros),
                agents: [agent("a", "\"api_key_sha256\":[],\"client_pins_sha256\":[]")]),
            "3:40: /agents/0/api_key_sha256: the agent has no key, pin or OAuth "
                + "binding"),
        FaultyPolicy(
            "one pin of two agents",
            policy(
                "\"client_certificate\":\"optional\"",
                agents: [agent("a", pins(zeros)), agent("b", pins(ones, zeros))]),
            "3:213: /agents/1/client_pins_sha256/1: the same pin is agent `a`'s already"),
        FaultyPolicy(
            "pins that no filter judges",
            policy(
                "\"client_certificate\":\"optional\"," + pins(zeros),
                filters: "[{\"use\":\"identity\"},{\"use\":\"totp\"},{\"use\":\"jwt\"}]"),
            "2:71: /listen/tls/client_pins_sha256: the chain has no `client_pins`, so this has no "
                + "effect"),
        FaultyPolicy(
            "any certificate will do",
            policy(
                "\"client_certificate\":\"required\"", agents: [agent("a", pins(zeros))],
                filters: "[{\"use\":\"identity\"},{\"use\":\"totp\"},{\"use\":\"jwt\"}]"),
            "2:39: /listen/tls/client_certificate: without `client_ca` anybody can make a "
                + "certificate, and without the filter `client_pins` any will do: write one of "
                + "the two"),
        FaultyPolicy(
            "too late in the chain",
            policy(
                "\"client_certificate\":\"required\"," + pins(zeros),
                filters: "[{\"use\":\"identity\"},{\"use\":\"client_pins\"},{\"use\":\"totp\"},"
                    + "{\"use\":\"jwt\"}]"),
            "4:12: /filters/0: `identity` must come after `client_pins`"),
    ]

    @Test(arguments: faulty)
    func isToldWhatIsWrong(_ policy: FaultyPolicy) { policy.check() }

    @Test func itIsReadAsItIsWritten() throws {
        let text = Self.policy(
            "\"client_certificate\":\"required\",\"client_ca\":\"ca.pem\","
                + Self.pins(Self.zeros),
            agents: [Self.agent("a", Self.pins(Self.ones)), Self.agent("b", Self.key)])
        var files = FakeFiles.policy(text)
        files.files["/etc/agentport/ca.pem"] = ("x", 0o644)
        let outcome = ConfigurationLoader.load(
            environment: [:], policyPath: FaultyPolicy.file, files: files)
        #expect(outcome.faults == [])
        let configuration = try #require(outcome.configuration)
        let rules = configuration.listen.clientCertificates
        #expect(rules.demand == .required)
        #expect(rules.authorityPath == "/etc/agentport/ca.pem")
        #expect(rules.pins == [[UInt8](repeating: 0, count: 32)])
        #expect(configuration.agents[0].keys == .hashes([]))
        #expect(configuration.agents[0].clientPins == [[UInt8](repeating: 1, count: 32)])
        #expect(configuration.agents[1].clientPins == [])
        #expect(configuration.filters[1] == .clientPins)
        let summary = EffectiveSummary(configuration).description.split(separator: "\n").map {
            $0.split(separator: " ").joined(separator: " ")
        }
        #expect(summary.contains("client certificate required policy"))
        #expect(summary.contains("client ca /etc/agentport/ca.pem policy"))
        #expect(summary.contains("client pins 2, 1 of agents policy"))
        #expect(summary.contains { $0.hasPrefix("a scopes none, 1 pin, 1000/1s") })
    }

    @Test func anEmptyAuthorityIsAFault() {
        var files = FakeFiles.policy(
            Self.policy("\"client_certificate\":\"required\",\"client_ca\":\"ca.pem\""))
        files.files["/etc/agentport/ca.pem"] = ("", 0o644)
        let outcome = ConfigurationLoader.load(
            environment: [:], policyPath: FaultyPolicy.file, files: files)
        #expect(
            outcome.faults == [
                "\(FaultyPolicy.file):2:62: /listen/tls/client_ca: `/etc/agentport/ca.pem`: the "
                    + "file is empty"
            ])
    }

    /// A chain of one's own may go without the filter where an authority vouches.
    @Test func anAuthorityIsEnough() {
        var files = FakeFiles.policy(
            Self.policy(
                "\"client_certificate\":\"required\",\"client_ca\":\"ca.pem\"",
                filters: "[{\"use\":\"identity\"},{\"use\":\"totp\"},{\"use\":\"jwt\"}]"))
        files.files["/etc/agentport/ca.pem"] = ("x", 0o644)
        let outcome = ConfigurationLoader.load(
            environment: [:], policyPath: FaultyPolicy.file, files: files)
        #expect(outcome.faults == [])
    }
}
