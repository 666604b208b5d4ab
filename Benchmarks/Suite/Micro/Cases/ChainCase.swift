// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import Filters
import HTTP1
import Identity
import Policy

extension MicroCase {
    /// The whole chain for a request whose session is known and whose token is cached: inspector,
    /// address limit, identity, session, agent limit, token.
    static let chainWithSession = MicroCase("chain-with-session") { measure in
        var pool = SlabPool(bound: 1)
        var bench = try ChainBench(&pool)
        defer { bench.chain.token.release(to: &pool) }
        let session = try bench.openSession()
        let bytes = ChainBench.request("X-AgentPort-Session: \(session)")
        var parser = RequestHeadParser()
        var head = RequestHead()
        _ = try parser.parse(bytes.span, limits: HeadLimits(), into: &head)
        try measure { count in
            var sum = 0
            for _ in 0..<count {
                bench.elapsedNanoseconds += 1000
                var facts = bench.facts
                guard bench.chain.run(&facts, head, bytes.span).verdict == .pass else {
                    throw BenchmarkFault.failed("refused")
                }
                sum &+= bench.chain.token.count
            }
            return sum
        }
    }
}

/// A chain with one agent, and a clock that is moved by hand.
private struct ChainBench: ~Copyable {
    private static let startSeconds: UInt64 = 1_700_000_010

    var chain: FilterChain
    var elapsedNanoseconds: UInt64 = 0
    private let seed: TOTPSeed

    init(_ pool: inout SlabPool) throws {
        var hasher = try Hasher256()
        let digest = hasher.digest(Array(Sample.key.utf8).span)
        let configuration = try Self.configuration(keyHash: digest.hex)
        let seed = try TOTPSeed.generate(
            parameters: TOTPParameters(algorithm: .sha1, digits: 6, periodSeconds: 30))
        let state = try GateState(
            configuration, keys: CredentialTable([CredentialTable.Entry(digest: digest, agent: 0)]),
            seeds: [AgentSeeds(seed)], signingKey: .generate(),
            steps: AcceptedSteps(SharedWords(count: AcceptedSteps.wordCount(records: 4))))
        let limiter = AddressRateLimiter(
            limit: RateLimit(
                requests: 1_000_000, periodNanoseconds: 1_000_000_000, burst: 1_000_000))
        chain = try FilterChain(
            configuration.filters, state: state, ipLimiter: limiter, pool: &pool)
        self.seed = seed
    }

    private static func configuration(keyHash: String) throws(BenchmarkFault) -> Configuration {
        let policy = """
            { "agentport": 1,
              "upstreams": [ { "name": "openclaw", "endpoints": ["http://127.0.0.1:1"] } ],
              "agents": [ { "name": "weather-1", "user": "ops@example.com",
                            "scopes": ["tools:read"], "api_key_sha256": ["\(keyHash)"],
                            "totp": { "seed_file": "/seed" },
                            "rate": { "requests": 1000000, "per": "1s", "burst": 1000000 } } ],
              "routes": [ { "path": "/", "upstream": "openclaw" } ] }
            """
        let outcome = ConfigurationLoader.load(
            environment: [:], policyPath: "/policy.json", files: PolicyAlone(policy: policy))
        switch outcome {
        case .valid(let configuration, _): return configuration
        case .invalid(let faults, _): throw .failed("\(faults.map(\.description))")
        }
    }

    var facts: RequestFacts {
        var facts = RequestFacts()
        facts.now = 1_000_000_000_000 + elapsedNanoseconds
        // Time stands still for sessions and tokens, so that none ends while it is measured.
        facts.wallSeconds = Self.startSeconds
        facts.steadyMilliseconds = Self.startSeconds * 1000
        facts.client = IPAddress(ipv4: 0x0A00_0001)
        return facts
    }

    static func request(_ field: String) -> [UInt8] {
        let lines = [
            "GET /v1/tools HTTP/1.1", "Host: claw.example.com",
            "Authorization: Bearer \(Sample.key)", field,
        ]
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    }

    /// The token of a session that a code has opened.
    mutating func openSession() throws -> String {
        let step = seed.parameters.step(atSeconds: Self.startSeconds)
        let bytes = Self.request("X-AgentPort-TOTP: \(try seed.code(step: step))")
        var parser = RequestHeadParser()
        var head = RequestHead()
        _ = try parser.parse(bytes.span, limits: HeadLimits(), into: &head)
        var facts = facts
        guard chain.run(&facts, head, bytes.span).verdict == .pass, let grant = facts.grant else {
            throw BenchmarkFault.failed("the code opened no session")
        }
        let token = grant.token
        return String(decoding: token.span.array, as: UTF8.self)
    }
}

/// A file system of one policy and one seed.
private struct PolicyAlone: FileReading {
    let policy: String

    func read(_ path: String, limit: Int) throws(FileFault) -> [UInt8] {
        path.hasSuffix("policy.json") ? Array(policy.utf8) : Array("x".utf8)
    }

    func status(of path: String) throws(FileFault) -> FileStatus {
        FileStatus(mode: 0o400, size: 1)
    }

    func isWritableDirectory(_ path: String) -> Bool { true }
}
