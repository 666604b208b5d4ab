// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import Identity
import Policy
import Reactor

/// Reads the secrets that a configuration names, and gathers every fault on the way.
///
/// The configuration's own loader has seen that the files are there and who may read them; this
/// one looks inside. No fault holds a byte of what it found there.
struct SecretsLoader: ~Copyable {
    /// A shorter key could be guessed.
    static let keyBytesMin = 16
    private static let ownerOnly: UInt32 = 0o600

    let configuration: Configuration
    private let purpose: Secrets.Purpose
    let kept: Secrets.Kept?
    private(set) var faults: [ConfigurationFault] = []
    private(set) var warnings: [ConfigurationFault] = []
    private(set) var made: [Secrets.MadeFile] = []

    init(
        _ configuration: Configuration, _ purpose: Secrets.Purpose, keeping kept: Secrets.Kept?
    ) {
        self.configuration = configuration
        self.purpose = purpose
        self.kept = kept
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

    mutating func loadKeys() -> APIKeys? {
        var entries: [APIKeys.Entry] = []
        for (number, agent) in configuration.agents.enumerated() {
            for digest in digests(of: agent.keys) {
                entries.append(
                    APIKeys.Entry(digest: digest, agent: number, credential: entries.count))
            }
        }
        do {
            return try APIKeys(entries)
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
        if isKept(path) {
            warnIfOthersRead(path)
            return digest(ofKeyAt: path)
        }
        guard purpose == .serving, faults.isEmpty else { return nil }
        var random = RandomSource()
        let key = Array(APIKey.generate(&random).utf8)
        guard write(key.span, to: path, content: "API key") else { return nil }
        return digest(ofKeyAt: path)
    }

    // MARK: The signing key

    /// The secret, else the state directory's, else one of this process.
    mutating func loadSigningKey() -> SigningKey? {
        let secretPath = configuration.secretsDirectory + "/signing_key"
        warnOfForgetting()
        if Files.exists(secretPath) { return signingKey(at: secretPath) }
        let path = configuration.stateDirectory.map { $0 + "/signing_key.pem" }
        if let path, isKept(path) {
            warnIfOthersRead(path)
            return signingKey(at: path)
        }
        return kept?.signingKey ?? newSigningKey(keptIn: path)
    }

    private mutating func newSigningKey(keptIn path: String?) -> SigningKey? {
        do {
            let key = try SigningKey.generate()
            guard let path, purpose == .serving, faults.isEmpty else { return key }
            let text = try key.pem()
            return write(text.span, to: path, content: "signing key") ? key : nil
        } catch {
            return fault(path ?? "signing_key", IdentityError.cryptography.description)
        }
    }

    private mutating func signingKey(at path: String) -> SigningKey? {
        guard let text = read(path) else { return nil }
        do {
            return try SigningKey(pem: text.span)
        } catch {
            switch error {
            case .wrongKeyType: return fault(path, "the signing key is not one of the curve P-256")
            default:
                return fault(path, "the signing key is not a PEM private key without passphrase")
            }
        }
    }

    /// Once, at the start; `check` tells it in its summary.
    private mutating func warnOfForgetting() {
        guard purpose == .serving, kept == nil, configuration.stateDirectory == nil else {
            return
        }
        warnings.append(
            ConfigurationFault(
                .environment(EnvironmentVariable.stateDirectory.rawValue),
                "no writable state directory: a signing key that is made here and the codes that "
                    + "were used are forgotten when this process ends"))
    }

    // MARK: Files

    mutating func read(_ path: String) -> SecretBytes? {
        do {
            return try SecretFile.read(path)
        } catch {
            return fault(path, error.description)
        }
    }

    private mutating func write(_ bytes: Span<UInt8>, to path: String, content: String) -> Bool {
        do {
            // Synced once the gateway listens: a disk takes longer for it than all the rest of
            // the start (see Assembly.syncMade).
            try Files.replace(path, with: bytes, mode: Self.ownerOnly, isSynced: false)
            made.append(Secrets.MadeFile(content: content, path: path))
            return true
        } catch {
            note(path, "cannot be written: \(error.reason)")
            return false
        }
    }

    /// An empty file is what a power cut leaves of one that was not synced yet: none.
    private func isKept(_ path: String) -> Bool {
        guard Files.exists(path) else { return false }
        return (try? DiskFiles().status(of: path))?.size != 0
    }

    private mutating func warnIfOthersRead(_ path: String) {
        guard let status = try? DiskFiles().status(of: path), status.isReadableByOthers else {
            return
        }
        warnings.append(
            ConfigurationFault(
                .file(path),
                "this secret is readable by every user: take the right away (chmod o-r)"))
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
