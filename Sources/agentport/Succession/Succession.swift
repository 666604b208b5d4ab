// SPDX-License-Identifier: Apache-2.0

import Admin
import Control
import Crypto
import Filters
import Gateway
import Identity
import Policy
import Reactor
import Telemetry

/// Lets the gateway go on with something new: what files say now, a seed or a signing key that was
/// rotated, or the end of one. Whatever fails changes nothing. Used by the control thread alone.
final class Succession {
    let gateway: Gateway
    let report: ProcessReport
    private let maker: GenerationMaker
    /// Longer than any turn of a worker's loop.
    private static let turnMilliseconds: UInt64 = 1000
    /// As the last load had it, before it was fitted to the machine.
    private(set) var wanted: Configuration
    private(set) var secrets: Secrets
    private(set) var custody: Custody
    /// What held before, with when that ended, until all workers have gone on.
    private var left: [(state: GateState, at: UInt64)] = []
    /// What a reload is made of; `nil` where there is nothing to reload.
    var sources: Sources?
    /// When the files were read, in milliseconds since the epoch.
    var loadedAt = Instant.read().wallMilliseconds
    /// What the last attempts to keep failed at: each is told once.
    private var failing: Set<String> = []

    struct Sources {
        let flags: [EnvironmentVariable: String]
        let environment: [String: String]
        /// What the listeners and tables were made for, which only a start can change.
        let started: Configuration
        var watch: FileWatch
    }

    init(
        _ gateway: Gateway, _ maker: GenerationMaker, _ report: ProcessReport,
        _ beginning: Beginning, _ custody: Custody
    ) {
        self.gateway = gateway
        self.maker = maker
        self.report = report
        wanted = beginning.configuration
        secrets = beginning.secrets
        self.custody = custody
    }

    var now: Moment {
        let instant = Instant.read()
        return Moment(
            wall: instant.wallMilliseconds,
            steady: instant.milliseconds &+ gateway.epochOffsetMilliseconds)
    }

    var state: KeptState { custody.state }

    // MARK: Going on

    /// Goes on with other files.
    ///
    /// - Parameter next: what is to be kept; `nil` where nothing of it has changed.
    /// - Returns: how many sessions have ended.
    func goOn(
        with configuration: Configuration, _ secrets: Secrets, keeping next: KeptState?
    ) throws -> Int {
        let state = next ?? custody.state
        let generation = try maker.make(
            configuration, secrets, state, after: gateway.generation)
        if let next { try custody.keep(next, now: now) }
        wanted = configuration
        self.secrets = secrets.withoutSeeds
        return publish(generation)
    }

    /// Goes on with other seeds or signing keys.
    ///
    /// - Returns: how many sessions have ended.
    @discardableResult
    func goOn(keeping next: KeptState) throws -> Int {
        try goOn(with: wanted, secrets, keeping: next)
    }

    private func publish(_ generation: Generation) -> Int {
        let previous = gateway.generation
        gateway.publish(generation)
        // A worker may have disabled one while this generation was made.
        generation.state.disableThose(of: previous.state)
        left.append((previous.state, now.steady))
        return generation.state.endSessions(of: previous.state)
    }

    func tell(_ events: [SuccessionEvent]) {
        for event in events {
            if event.isRotation { report.countRotation() }
            gateway.audit(.info, event.message, event.facts)
        }
    }

    // MARK: Calls

    /// Puts a seed in force that a call brought.
    ///
    /// - Parameter next: with that seed.
    func rotateSeed(
        keeping next: KeptState, _ done: SeedRotated, fingerprint: SHA256Digest
    ) throws {
        try goOn(keeping: next)
        tell([.seedRotatedByCall(done, fingerprint: fingerprint)])
    }

    func publishNextKey() throws -> KeptKey {
        var next = custody.state
        let key = try Settlement.newKey(SignatureAlgorithm(wanted.issuer.algorithm))
        try next.keys?.publish(key, origin: .call, now: now)
        guard let kept = next.keys?.next else { preconditionFailure("no ring of keys") }
        try goOn(keeping: next)
        tell([.keyPublished(kept)])
        return kept
    }

    /// Disables an agent, or enables it again.
    ///
    /// - Parameter agent: its number.
    /// - Returns: whether it was the other way until now.
    func setEnabled(_ agent: Int, named name: String, _ isEnabled: Bool) throws -> Bool {
        let state = gateway.generation.state
        // In this order nothing is enabled by half, whatever fails or dies on the way.
        var next = custody.state
        let isNews = next.seeds.note(name, isDisabled: !isEnabled)
        guard isEnabled else {
            let hasChanged = state.disable(agent: agent)
            if isNews { try custody.keep(next, now: now) }
            return hasChanged
        }
        if isNews { try custody.keep(next, now: now) }
        return state.enable(agent: agent)
    }

    // MARK: Every second

    /// - Returns: whether files have changed, so that there is more to follow.
    func tick() -> Bool {
        dropWhatWasLeft()
        keepDisabled()
        letTimePass()
        return reloadIfReplaced()
    }

    /// Workers that had not gone on yet may have let somebody in. After a while all have.
    private func dropWhatWasLeft() {
        guard !left.isEmpty else { return }
        let now = now.steady
        let present = gateway.generation.state
        let over = left.filter { $0.at + Self.turnMilliseconds <= now }
        left.removeAll { $0.at + Self.turnMilliseconds <= now }
        for (previous, _) in over {
            _ = present.endSessions(of: previous)
            present.releaseRecords(of: previous) { self.state.seeds.isSuperseded($0) }
        }
    }

    /// Workers disable an agent that codes are guessed of: by its seeds, which can change.
    private func keepDisabled() {
        let state = gateway.generation.state
        var next = custody.state
        var hasChanged = false
        for (agent, isDisabled) in zip(state.agents, state.disabledAgents) where isDisabled {
            hasChanged = next.seeds.note(agent.name, isDisabled: true) || hasChanged
        }
        guard hasChanged else { return }
        attempt("who is disabled cannot be kept") { try custody.keep(next, now: now) }
    }

    /// What fails is tried again in a second, and told once.
    private func attempt(_ complaint: String, _ body: () throws -> Void) {
        do {
            try body()
            failing.remove(complaint)
        } catch {
            guard failing.insert(complaint).inserted else { return }
            gateway.audit(.error, complaint, [("reason", "\(error)")])
        }
    }

    /// Ends superseded seeds, changes signing keys, and publishes the next where that is due.
    private func letTimePass() {
        let now = now
        var next = custody.state
        var events = next.seeds.purge(now: now).map { SuccessionEvent.seedEnded(agent: $0) }
        events += next.keys?.advance(now: now).map(SuccessionEvent.init) ?? []
        // The seeds are over whether that is kept or not.
        attempt("what has ended cannot be kept") {
            if let key = try keyThatIsDue(next.keys, now) {
                try next.keys?.publish(key, origin: .made, now: now)
                if let kept = next.keys?.next { events.append(.keyPublished(kept)) }
            }
            guard !events.isEmpty else { return }
            try goOn(keeping: next)
            tell(events)
        }
    }

    /// `issuer.rotate_every`.
    private func keyThatIsDue(_ ring: KeyRing?, _ now: Moment) throws -> SigningKey? {
        guard let period = wanted.issuer.rotateEveryMilliseconds, let ring, ring.next == nil,
            ring.signing.signsFrom.isOver(by: UInt64(period), at: now)
        else { return nil }
        return try Settlement.newKey(SignatureAlgorithm(wanted.issuer.algorithm))
    }
}

extension SuccessionEvent {
    fileprivate init(_ step: KeyRing.Step) {
        self =
            switch step {
            case .signs(let id): .keySigns(id: id)
            case .ended(let id): .keyEnded(id: id)
            }
    }
}
