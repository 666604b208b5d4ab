// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import Identity
import Policy
import Reactor
import TLS

/// Reads the secrets that a configuration names, and gathers every fault on the way.
///
/// The configuration's own loader has seen that the files are there and who may read them; this
/// one looks inside. No fault holds a byte of what it found there.
struct SecretsLoader: ~Copyable {
    /// A shorter key could be guessed.
    static let keyBytesMin = 16

    let configuration: Configuration
    private let purpose: Secrets.Purpose
    let previous: TLSServerContext?
    private(set) var faults: [ConfigurationFault] = []
    private(set) var warnings: [ConfigurationFault] = []
    private(set) var made: [Secrets.MadeFile] = []

    init(
        _ configuration: Configuration, _ purpose: Secrets.Purpose,
        after previous: TLSServerContext?
    ) {
        self.configuration = configuration
        self.purpose = purpose
        self.previous = previous
    }

    // MARK: Seeds

    mutating func loadSeeds() -> [TOTPSeed] {
        var seeds: [TOTPSeed] = []
        var owners: [SHA256Digest: Configuration.Agent] = [:]
        for agent in configuration.agents {
            let path = agent.totp.seedPath
            guard let text = read(path) else { continue }
            do {
                let seed = try TOTPSeed(base32: text.span, parameters: TOTPParameters(agent.totp))
                if let owner = owners.updateValue(agent, forKey: seed.fingerprint) {
                    note(
                        path,
                        "the same seed as agent `\(owner.name)` has in \(owner.totp.seedPath): "
                            + "agent `\(agent.name)` needs its own")
                }
                seeds.append(seed)
            } catch {
                note(path, error.description)
            }
        }
        return seeds
    }

    // MARK: API keys

    mutating func loadKeys() -> CredentialTable? {
        var entries: [CredentialTable.Entry] = []
        for (number, agent) in configuration.agents.enumerated() {
            for digest in digests(of: agent.keys) {
                entries.append(CredentialTable.Entry(digest: digest, agent: number))
            }
        }
        do {
            return try CredentialTable(entries)
        } catch {
            return fault(configuration.policy?.path ?? "api_key", error.description)
        }
    }

    private mutating func digests(of keys: Configuration.AgentKeys) -> [SHA256Digest] {
        switch keys {
        case .hashes(let hashes): hashes.compactMap { SHA256Digest(bytes: $0.span) }
        case .apiKeyFromSecret(let path): digest(ofKeyAt: path).map { [$0] } ?? []
        case .madeAtFirstStart: digestOfMadeKey().map { [$0] } ?? []
        }
    }

    private mutating func digest(ofKeyAt path: String) -> SHA256Digest? {
        guard let content = read(path) else { return nil }
        let key = content.span.extracting(content.trimmed)
        guard !key.isEmpty else { return fault(path, "the API key is empty") }
        guard key.count >= Self.keyBytesMin else {
            return fault(
                path,
                "the API key has fewer than \(Self.keyBytesMin) characters; "
                    + "`agentport hash-key` makes a good one")
        }
        for index in key.indices where key[index] < .space || key[index] >= 0x7F {
            return fault(
                path,
                "the API key has a character that no request can carry: visible ASCII alone, "
                    + "on one line")
        }
        do {
            var hasher = try Hasher256()
            return hasher.digest(key)
        } catch {
            return fault(path, IdentityError.cryptography.description)
        }
    }

    /// Made at the first start, and read from the state directory ever after.
    private mutating func digestOfMadeKey() -> SHA256Digest? {
        guard let folder = configuration.stateDirectory else {
            return fault(
                configuration.secretsDirectory + "/api_key",
                "no api_key secret and no writable state directory: mount one of the two")
        }
        let path = folder + "/api_key"
        if KeptFile.isThere(path) {
            if let warning = KeptFile.warning(of: path) { warnings.append(warning) }
            return digest(ofKeyAt: path)
        }
        guard purpose == .serving, faults.isEmpty else { return nil }
        var random = RandomSource()
        do {
            made.append(
                try KeptFile.make(path, content: "API key", text: APIKey.generate(&random)))
        } catch {
            return fault(path, error.reason)
        }
        return digest(ofKeyAt: path)
    }

    // MARK: The signing key

    /// The secret's, where there is one.
    mutating func loadSigningKey() -> SigningKey? {
        warnOfForgetting()
        let path = configuration.secretsDirectory + "/signing_key"
        guard Files.exists(path), let text = read(path) else { return nil }
        do {
            return try SigningKey(pem: text.span)
        } catch {
            switch error {
            case .wrongKeyType:
                return fault(path, "the signing key is none of P-256, Ed25519 or RSA")
            case .unsuitableKey:
                return fault(path, "an RSA signing key must have 2048 to 4096 bits")
            default:
                return fault(path, "the signing key is not a PEM private key without passphrase")
            }
        }
    }

    /// Once, at the start; `check` tells it in its summary.
    private mutating func warnOfForgetting() {
        guard purpose == .serving, previous == nil, configuration.stateDirectory == nil else {
            return
        }
        warnings.append(
            ConfigurationFault(
                .environment(EnvironmentVariable.stateDirectory.rawValue),
                "no writable state directory: a signing key that is made here, rotations and the "
                    + "codes that were used are forgotten when this process ends"))
    }

    // MARK: Files

    mutating func read(_ path: String) -> SecretBytes? {
        do {
            return try SecretFile.read(path)
        } catch {
            return fault(path, error.description)
        }
    }

    /// Always `nil`, for the caller to return in place of what it could not make.
    mutating func fault<Missing>(_ path: String, _ reason: String) -> Missing? {
        note(path, reason)
        return nil
    }

    mutating func note(_ path: String, _ reason: String) {
        faults.append(ConfigurationFault(.file(path), reason))
    }
}
