// SPDX-License-Identifier: Apache-2.0

import Crypto
import Identity
import Policy

/// What files bring, held against what is kept: which seeds and which signing keys count from now
/// on, and what there is to say of it.
struct Settlement {
    private(set) var state: KeptState
    private(set) var hasChanged = false
    private(set) var faults: [ConfigurationFault] = []
    private(set) var warnings: [ConfigurationFault] = []
    /// For the audit log, once it holds.
    private(set) var events: [SuccessionEvent] = []

    private let configuration: Configuration
    private let now: Moment

    /// - Parameter secrets: as their files have them, and with a seed for each agent.
    init(
        _ state: KeptState, _ configuration: Configuration, _ secrets: Secrets, now: Moment
    ) {
        self.state = state
        self.configuration = configuration
        self.now = now
        endSeeds()
        meetSeeds(secrets)
        do throws(IdentityError) {
            try meetKey(secrets.signingKey)
        } catch {
            fault(keyPath, error.description)
        }
    }

    // MARK: Seeds

    /// Those whose end came while nobody was there to see it.
    private mutating func endSeeds() {
        let ended = state.seeds.purge(now: now)
        guard !ended.isEmpty else { return }
        hasChanged = true
        events += ended.map { .seedEnded(agent: $0) }
    }

    private mutating func meetSeeds(_ secrets: Secrets) {
        let names = Set(configuration.agents.map(\.name))
        let grace = UInt64(configuration.totp.rotationGraceMilliseconds)
        for (agent, seed) in zip(configuration.agents, secrets.seeds) {
            let path = agent.totp.seedPath
            let (wasKnown, countBefore) = (isKnown(agent.name), state.seeds.agents.count)
            defer {
                // One that was renamed has taken along what is known of it.
                if isKnown(agent.name) != wasKnown || state.seeds.agents.count != countBefore {
                    hasChanged = true
                }
            }
            switch state.seeds.meet(seed, of: agent.name, among: names, now: now, grace: grace) {
            case .same: break
            case .first, .renamed: hasChanged = true
            case .rotated(let end):
                hasChanged = true
                events.append(.seedRotated(agent: agent.name, path: path, oldEndsAt: end.wall))
            case .superseded where isKnown(agent.name):
                warnings.append(
                    ConfigurationFault(
                        .file(path),
                        "holds a seed that was superseded, which is ignored: agent "
                            + "`\(agent.name)` goes on with the one that took its place"))
            case .superseded:
                fault(path, "this seed was superseded and counts for nobody any more")
            case .taken(let owner): fault(path, "the same seed as agent `\(owner)` has")
            }
        }
    }

    private func isKnown(_ agent: String) -> Bool { state.seeds.agents[agent] != nil }

    // MARK: Signing keys

    private var keyPath: String { configuration.secretsDirectory + "/signing_key" }

    private mutating func meetKey(_ file: SigningKey?) throws(IdentityError) {
        let life = UInt64(configuration.issuer.lifetimeMilliseconds)
        let algorithm = SignatureAlgorithm(configuration.issuer.algorithm)
        if let file, file.algorithm != algorithm {
            return fault(
                keyPath,
                "the signing key is one for \(file.algorithm.name), and `issuer.algorithm` says "
                    + "\(algorithm.name)")
        }
        guard var ring = state.keys else {
            var key = file
            if key == nil { key = try Self.newKey(algorithm) }
            guard let key else { return }
            let kept = try KeptKey(first: key, origin: file == nil ? .made : .file, now: now)
            state.keys = KeyRing(first: kept, tokenLife: life)
            hasChanged = true
            return
        }
        if ring.tokenLifeMax < life {
            ring.note(tokenLife: life)
            hasChanged = true
        }
        if let file { try meet(file, &ring) }
        if (ring.next ?? ring.signing).key.algorithm != algorithm {
            try publish(Self.newKey(algorithm), .made, &ring)
        }
        state.keys = ring
    }

    private mutating func meet(_ file: SigningKey, _ ring: inout KeyRing) throws(IdentityError) {
        let id = try PublicJWK(file).keyID
        if id == ring.signing.id || id == ring.next?.id { return }
        guard !ring.isOver(id) else {
            warnings.append(
                ConfigurationFault(
                    .file(keyPath),
                    "holds a signing key that was superseded, which is ignored"))
            return
        }
        try publish(file, .file, &ring)
    }

    private mutating func publish(
        _ key: SigningKey, _ origin: SecretOrigin, _ ring: inout KeyRing
    ) throws(IdentityError) {
        try ring.publish(key, origin: origin, now: now)
        hasChanged = true
        if let next = ring.next { events.append(.keyPublished(next)) }
    }

    static func newKey(_ algorithm: SignatureAlgorithm) throws(IdentityError) -> SigningKey {
        do throws(CryptoError) {
            return try SigningKey.generate(algorithm)
        } catch {
            throw .cryptography
        }
    }

    private mutating func fault(_ path: String, _ reason: String) {
        faults.append(ConfigurationFault(.file(path), reason))
    }
}

extension SignatureAlgorithm {
    init(_ algorithm: Configuration.IssuerAlgorithm) {
        self =
            switch algorithm {
            case .es256: .es256
            case .edDSA: .edDSA
            case .rs256: .rs256
            }
    }
}
