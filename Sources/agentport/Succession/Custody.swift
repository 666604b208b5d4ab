// SPDX-License-Identifier: Apache-2.0

import Control
import Crypto
import Identity
import Policy
import Reactor

/// What must outlive the process, and the file that it lies in where there is a state directory.
///
/// It changes as a whole: whoever wants a change makes the state that is to be, and nothing holds
/// before it is kept.
struct Custody {
    private static let fileName = "state"
    private static let keyName = "state_key"
    /// Where accepted steps lie, beside it.
    static let stepsName = "totp_steps"

    private(set) var state: KeptState
    private let store: StateStore?
    /// Files that this start has made.
    private(set) var made: [Secrets.MadeFile] = []
    /// Whether nothing was kept here before.
    let isFirst: Bool
    let warnings: [ConfigurationFault]

    /// Whether a change survives a restart.
    var isDurable: Bool { store != nil }

    /// - Parameter store: `nil` for memory alone.
    private init(
        _ state: KeptState? = nil, in store: StateStore? = nil,
        made: [Secrets.MadeFile] = [], warnings: [ConfigurationFault] = []
    ) {
        self.state = state ?? KeptState()
        isFirst = state == nil
        self.store = store
        self.made = made
        self.warnings = warnings
    }

    /// Opens what was kept.
    ///
    /// - Parameters:
    ///   - purpose: `checking` makes nothing.
    ///   - now: from when on what is to come is waited for.
    static func open(
        _ configuration: Configuration, for purpose: Secrets.Purpose, at now: Moment
    ) throws(ConfigurationFault) -> Custody {
        guard let folder = configuration.stateDirectory else { return Custody() }
        let path = folder + "/" + fileName
        let wasUsed = KeptFile.isThere(folder + "/" + stepsName)
        var made: [Secrets.MadeFile] = []
        guard let key = try key(configuration, folder, purpose, &made) else {
            guard !Files.exists(path) else {
                throw ConfigurationFault(
                    .file(path),
                    "there is state, and no \(keyName) to open it with: bring the key back, "
                        + "or move the file away to begin anew")
            }
            return Custody()
        }
        let store = StateStore(path: path, key: key)
        do throws(StateStoreFault) {
            let state = try store.load(at: now)
            let isLost = state == nil && (wasUsed || (made.isEmpty && isOwn(key: folder)))
            return Custody(
                state, in: store, made: made, warnings: isLost ? [Self.lost(path)] : [])
        } catch {
            throw ConfigurationFault(.file(path), error.description)
        }
    }

    private static func lost(_ path: String) -> ConfigurationFault {
        ConfigurationFault(
            .file(path),
            "is missing in a directory that was in use: which seeds were superseded, which agents "
                + "disabled and which keys signed is not known any more")
    }

    /// Whether an earlier start has made a key here.
    private static func isOwn(key folder: String) -> Bool {
        KeptFile.isThere(folder + "/" + keyName)
    }

    /// The secret, else the one that was made; `nil` where there is none, and none may be made.
    private static func key(
        _ configuration: Configuration, _ folder: String, _ purpose: Secrets.Purpose,
        _ made: inout [Secrets.MadeFile]
    ) throws(ConfigurationFault) -> StateKey? {
        let secret = configuration.secretsDirectory + "/" + keyName
        if Files.exists(secret) { return try readKey(secret) }
        let path = folder + "/" + keyName
        if KeptFile.isThere(path) { return try readKey(path) }
        guard purpose == .serving, !Files.exists(folder + "/" + fileName) else { return nil }
        var random = RandomSource()
        do throws(KeptFile.Fault) {
            made.append(
                try KeptFile.make(
                    path, content: "state key", text: StateKey.generate(&random)))
        } catch {
            throw ConfigurationFault(.file(path), error.reason)
        }
        return try readKey(path)
    }

    private static func readKey(_ path: String) throws(ConfigurationFault) -> StateKey {
        let text: SecretBytes
        do throws(FileFault) {
            text = try SecretFile.read(path)
        } catch {
            throw ConfigurationFault(.file(path), error.description)
        }
        do throws(IdentityError) {
            return try StateKey(text: text.span.extracting(text.trimmed))
        } catch {
            throw ConfigurationFault(.file(path), error.description)
        }
    }

    /// Keeps a state; only then it holds.
    mutating func keep(_ next: KeptState, now: Moment) throws(StateStoreFault) {
        var next = next
        next.savedAt = now.wall
        next.tellEnds(at: now)
        try store?.save(next)
        state = next
    }

    /// Keeps the first state of a directory, behind the key that opens it: it must never be there
    /// without.
    mutating func keepFirst(_ first: KeptState, now: Moment) throws(StateStoreFault) {
        for file in made {
            do throws(SystemError) {
                try Files.sync(file.path)
            } catch {
                throw .unwritable(error.reason)
            }
        }
        try keep(first, now: now)
        if let store { made.append(Secrets.MadeFile(content: "state", path: store.path)) }
    }
}
