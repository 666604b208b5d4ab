// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import Filters
import HTTP1
import Identity
import Policy
import TestSupport
import Testing

/// The seeds of one agent over restarts, reloads, rotations and clocks that step, with what an
/// oracle needs to know of them.
///
/// What survives is what a disk would hold: the words of accepted steps, and the kept state.
final class SeedLife {
    static let skew = 1
    private static let grace: UInt64 = 120_000
    static let path = "/s/weather"

    private let configuration: Configuration
    private let words = SharedWords(count: AcceptedSteps.wordCount(records: 64))
    /// As it lies on the disk.
    private var kept: [UInt8] = []
    private var keptState = KeptState()
    private var file: TOTPSeed
    private var state: GateState
    private var chain: FilterChain
    private var pool = SlabPool(bound: 1)
    private let signingKey: SigningKey
    private let other: TOTPSeed

    /// By the wall clock, in milliseconds.
    var wall: UInt64 = 1_700_000_000_000
    /// Of the process; never steps back.
    private(set) var monotonic: UInt64 = 5_000_000
    private var offset: UInt64 = 0

    /// Every seed there ever was.
    private(set) var seeds: [TOTPSeed] = []

    init(oneTime: Bool) throws {
        var rules = Rules()
        rules.totp =
            "{\"one_time\": \(oneTime), \"rotation_grace\": \"2m\", \"max_failures\": 1000, "
            + "\"disable_after\": 100000}"
        rules.sessions = "{\"enabled\": false}"
        configuration = try rules.configuration()
        signingKey = try .generate()
        file = try .generate(parameters: .standard)
        other = try .generate(parameters: Self.ledgerParameters())
        seeds = [file]
        let steps = try AcceptedSteps(words)
        let live = try Self.settle(
            &keptState, file, other, now: Moment(wall: wall, steady: wall))
        state = try GateState(
            configuration, keys: try Self.keys(configuration), seeds: live,
            signingKey: signingKey, steps: steps)
        chain = try FilterChain(
            configuration.filters, state: state, ipLimiter: nil, pool: &pool)
        offset = wall - monotonic
        kept = try keptState.encodedBytes()
    }

    deinit { chain.token.release(to: &pool) }

    private static func ledgerParameters() throws -> TOTPParameters {
        try TOTPParameters(algorithm: .sha256, digits: 8, periodSeconds: 60)
    }

    private static func keys(_ configuration: Configuration) throws -> CredentialTable {
        var entries: [CredentialTable.Entry] = []
        for (agent, key) in [(0, Rules.keys[0]), (1, Rules.keys[1])] {
            entries.append(
                CredentialTable.Entry(digest: try Rules.digest(of: key), agent: agent))
        }
        return try CredentialTable(entries)
    }

    private static func settle(
        _ state: inout KeptState, _ file: TOTPSeed, _ other: TOTPSeed, now: Moment
    ) throws -> [AgentSeeds] {
        let names: Set<String> = ["weather", "ledger"]
        _ = state.seeds.meet(file, of: "weather", among: names, now: now, grace: grace)
        _ = state.seeds.meet(other, of: "ledger", among: names, now: now, grace: grace)
        let weather = try #require(state.seeds.agents["weather"])
        let ledger = try #require(state.seeds.agents["ledger"])
        return [try weather.seeds(.standard), try ledger.seeds(ledgerParameters())]
    }

    var steady: UInt64 { monotonic + offset }
    var now: Moment { Moment(wall: wall, steady: steady) }

    // MARK: What happens

    func pass(_ milliseconds: UInt64) {
        wall += milliseconds
        monotonic += milliseconds
    }

    private func adopt(after previous: GateState?) throws {
        let live = try Self.settle(&keptState, file, other, now: now)
        keptState.savedAt = wall
        kept = try keptState.encodedBytes()
        let next = try GateState(
            configuration, keys: try Self.keys(configuration), seeds: live,
            signingKey: signingKey, steps: AcceptedSteps(words), after: previous)
        if let previous {
            _ = next.endSessions(of: previous)
            next.releaseRecords(of: previous) { keptState.seeds.isSuperseded($0) }
        }
        state = next
        chain.token.release(to: &pool)
        chain = try FilterChain(
            configuration.filters, state: state, ipLimiter: nil, pool: &pool)
    }

    /// What the control loop does every second.
    func tick() throws {
        var next = keptState
        guard !next.seeds.purge(now: now).isEmpty else { return }
        keptState = next
        try adopt(after: state)
    }

    func reload() throws { try adopt(after: state) }

    /// A process is killed, and another one begins with what lies on the disk.
    func restart() throws {
        monotonic = UInt64.random(in: 1_000_000...9_000_000)
        offset = wall - monotonic
        keptState = try KeptState(decoding: kept.span, at: now)
        _ = keptState.seeds.purge(now: now)
        try adopt(after: nil)
    }

    func rotateByFile() throws {
        file = try .generate(parameters: .standard)
        seeds.append(file)
        try reload()
    }

    /// A file of before comes back.
    func bringBack(_ seed: TOTPSeed) throws {
        file = seed
        try reload()
    }

    func rotateByCall(graceMilliseconds: UInt64) throws {
        let seed = try TOTPSeed.generate(parameters: .standard)
        seeds.append(seed)
        keptState.seeds.rotate(
            "weather", to: KeptSeed(seed, since: wall, origin: .call),
            oldEnds: Deadline(in: graceMilliseconds, from: now), now)
        try adopt(after: state)
    }

    // MARK: What is asked

    /// The seeds that count now.
    var live: [TOTPSeed] {
        let agent = state.seeds[0]
        let previous = agent.previous.flatMap { $0.end.hasPassed(at: now) ? nil : $0.seed }
        return [agent.current] + (previous.map { [$0] } ?? [])
    }

    func step(of milliseconds: UInt64) -> UInt64 { milliseconds / 30_000 }

    func ask(_ code: String) throws -> Verdict {
        let text =
            "GET / HTTP/1.1\r\nHost: claw\r\nAuthorization: Bearer \(Rules.keys[0])\r\n"
            + "X-AgentPort-TOTP: \(code)\r\n\r\n"
        let bytes = Array(text.utf8)
        var parser = RequestHeadParser()
        var head = RequestHead()
        _ = try parser.parse(bytes.span, limits: HeadLimits(), into: &head)
        var facts = RequestFacts()
        facts.now = monotonic * 1_000_000
        facts.wallSeconds = wall / 1000
        facts.steadyMilliseconds = steady
        facts.client = IPAddress(ipv4: 0x0A00_0001)
        return chain.run(&facts, head, bytes.span).verdict
    }
}

extension KeptState {
    fileprivate func encodedBytes() throws -> [UInt8] { Self.bytes(try encoded()) }

    private static func bytes(_ secret: SecretBytes) -> [UInt8] { secret.span.array }
}
