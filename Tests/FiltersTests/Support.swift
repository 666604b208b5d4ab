// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import Dispatch
import Filters
import HTTP1
import Identity
import Policy
import TestSupport
import Testing

/// Two agents, `weather` (six digits, one key more) and `ledger` (eight digits), and what can be
/// said of the rest.
struct Rules {
    var totp = "{}"
    var sessions = "{}"
    var issuer = #"{ "name": "agentport", "audience": "claw", "lifetime": "60s" }"#
    var agentRate = #"{ "requests": 1000, "per": "1s" }"#
    var filters: String?
    /// Of `listen.tls`.
    var tls = "{}"
    /// A member of the agent `weather`, with a comma behind it.
    var weather = ""

    static let keys = ["ap_weather-key", "ap_ledger-key", "ap_weather-other"]

    static func digest(of key: String) throws -> SHA256Digest {
        var hasher = try Hasher256()
        return hasher.digest(Array(key.utf8).span)
    }

    func configuration() throws -> Configuration {
        let hashes = try Self.keys.map { try Self.digest(of: $0).hex }
        let filters = filters.map { #""filters": \#($0),"# } ?? ""
        let policy = """
            { "agentport": 1, "listen": { "tls": \(tls) },
              "upstreams": [ { "name": "a", "endpoints": ["http://127.0.0.1:1"],
                               "audience": "claw" },
                             { "name": "b", "endpoints": ["http://127.0.0.1:2"],
                               "audience": "b" } ],
              "issuer": \(issuer), "totp": \(totp), "sessions": \(sessions), \(filters)
              "agents": [
                { \(weather) "name": "weather", "user": "ops@example.com", "scopes": ["read", "write"],
                  "api_key_sha256": ["\(hashes[0])", "\(hashes[2])"],
                  "totp": { "seed_file": "/s/weather" }, "rate": \(agentRate) },
                { "name": "ledger", "api_key_sha256": ["\(hashes[1])"],
                  "totp": { "seed_file": "/s/ledger", "digits": 8, "period": "60s",
                            "algorithm": "SHA256" } } ],
              "routes": [ { "path": "/", "upstream": "a" },
                          { "path": "/b/", "upstream": "b" },
                          { "path": "/open", "public": true, "upstream": "a" } ] }
            """
        var files = FakeFiles.policy(policy)
        for seed in ["/s/weather", "/s/ledger"] { files.files[seed] = ("x", 0o400) }
        let outcome = ConfigurationLoader.load(
            environment: [:], policyPath: "/etc/agentport/policy.json", files: files)
        switch outcome {
        case .valid(let configuration, _): return configuration
        case .invalid(let faults, _):
            let text = faults.map(\.description).joined(separator: "; ")
            throw RulesFault(text: text)
        }
    }
}

struct RulesFault: Error {
    let text: String
}

/// What came of one request.
struct Answer {
    var verdict: Verdict
    var position: Int
    var facts: RequestFacts
    var token: String
    var hasSigned: Bool

    var problem: Problem? {
        if case .refuse(let problem) = verdict { problem } else { nil }
    }

    /// The session that the request's code opened.
    var sessionToken: String? { facts.grant.map { $0.token.span.string } }
}

/// A chain with what a worker and a process bring along, and a clock that is moved by hand.
final class Gate {
    static let start: UInt64 = 1_700_000_010

    let configuration: Configuration
    let state: GateState
    private var chain: FilterChain
    private var pool = SlabPool(bound: 1)
    private let verifier: JWTVerifier
    var client = IPAddress(ipv4: 0x0A00_0001)
    var clientPin: SHA256Digest?
    /// Milliseconds since the start, by every clock.
    var elapsed: UInt64 = 0

    init(_ rules: Rules = Rules(), ipLimit: RateLimit? = nil, sharing other: Gate? = nil) throws {
        let configuration = try rules.configuration()
        let state = try other?.state ?? Self.state(configuration)
        let limiter = ipLimit.map { AddressRateLimiter(limit: $0) }
        chain = try FilterChain(
            configuration.filters, state: state, ipLimiter: limiter, pool: &pool)
        let keys = try JWKS(keys: [PublicJWK(state.signingKey)])
        verifier = try JWTVerifier(
            JSONWebKeySet(keys.document.span), issuer: "agentport", audience: "claw")
        self.configuration = configuration
        self.state = state
    }

    deinit { chain.token.release(to: &pool) }

    private static func state(_ configuration: Configuration) throws -> GateState {
        var entries: [CredentialTable.Entry] = []
        for (agent, rule) in configuration.agents.enumerated() {
            guard case .hashes(let hashes) = rule.keys else { continue }
            for hash in hashes {
                guard let digest = SHA256Digest(bytes: hash.span) else { continue }
                entries.append(CredentialTable.Entry(digest: digest, agent: agent))
            }
        }
        let seeds = try configuration.agents.map { agent in
            let algorithm: HMACAlgorithm = agent.totp.algorithm == .sha1 ? .sha1 : .sha256
            return AgentSeeds(
                try .generate(
                    parameters: TOTPParameters(
                        algorithm: algorithm, digits: agent.totp.digits,
                        periodSeconds: UInt64(agent.totp.periodMilliseconds / 1000))))
        }
        let words = SharedWords(count: AcceptedSteps.wordCount(records: 4))
        return try GateState(
            configuration, keys: CredentialTable(entries), seeds: seeds, signingKey: .generate(),
            steps: AcceptedSteps(words))
    }

    var wallSeconds: UInt64 { Self.start + elapsed / 1000 }

    /// The agent's code for the step that is `steps` away from now.
    func code(_ agent: Int = 0, steps: Int = 0) throws -> String {
        let seed = state.seeds[agent].current
        let step = Int(seed.parameters.step(atSeconds: wallSeconds)) + steps
        return try seed.code(step: UInt64(step))
    }

    /// Six digits that are no code of the agent's now.
    func wrongCode() throws -> String {
        let right = Set(try (-3...3).map { try code(steps: $0) })
        return (0..<10).map { String(repeating: "\($0)", count: 6) }.first { !right.contains($0) }
            ?? "000000"
    }

    /// - Parameter fields: header fields, `Host` apart.
    func ask(
        _ fields: [String], upstream: Int = 0, isPublic: Bool = false, from position: Int = 0
    ) throws -> Answer {
        let text = (["GET / HTTP/1.1", "Host: claw"] + fields).joined(separator: "\r\n")
        let bytes = Array((text + "\r\n\r\n").utf8)
        var parser = RequestHeadParser()
        var head = RequestHead()
        let progress = try parser.parse(bytes.span, limits: HeadLimits(), into: &head)
        guard case .complete = progress else { throw RulesFault(text: "incomplete: \(text)") }
        var facts = RequestFacts()
        facts.now = 1_000_000_000_000 + elapsed * 1_000_000
        facts.wallSeconds = wallSeconds
        facts.steadyMilliseconds = Self.start * 1000 + elapsed
        facts.client = client
        facts.clientPin = clientPin
        facts.upstream = upstream
        facts.isPublic = isPublic
        let outcome = chain.run(&facts, head, bytes.span, from: position)
        return Answer(
            verdict: outcome.verdict, position: outcome.position, facts: facts,
            token: Self.text(of: chain.token), hasSigned: chain.hasSigned)
    }

    var totpResult: String { chain.totpResult.map { "\($0)" } ?? "none" }

    private static func text(of buffer: borrowing Buffer) -> String { buffer.readable.string }

    func bearer(_ code: String, key: String = Rules.keys[0]) -> [String] {
        ["Authorization: Bearer \(key)", "X-AgentPort-TOTP: \(code)"]
    }

    func withSession(_ token: String, key: String = Rules.keys[0]) -> [String] {
        ["Authorization: Bearer \(key)", "X-AgentPort-Session: \(token)"]
    }

    /// A session that was opened by a code.
    func openSession(key: String = Rules.keys[0]) throws -> String {
        let answer = try ask(bearer(try code(), key: key))
        return try #require(answer.sessionToken)
    }

    func claims(_ token: String) throws -> VerifiedClaims {
        let bytes = Array(token.utf8)
        return try verifier.verify(bytes.span, now: wallSeconds)
    }

    func basic(_ text: String) -> [String] {
        ["Authorization: Basic \(Self.base64(Array(text.utf8)))"]
    }

    private static func base64(_ bytes: [UInt8]) -> String {
        let text = Base64URL.encode(bytes.span).replacing("-", with: "+").replacing("_", with: "/")
        return text + String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
    }
}

/// A gate that is handed to the one thread that uses it from then on.
struct Sent: @unchecked Sendable {
    let gate: Gate
}

/// Runs `body` on so many threads and waits for all.
func runInParallel(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    let group = DispatchGroup()
    for number in 0..<count {
        DispatchQueue.global().async(group: group) { body(number) }
    }
    group.wait()
}
