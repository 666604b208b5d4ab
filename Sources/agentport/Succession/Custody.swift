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

    private(set) var state: KeptState
    private let store: StateStore?
    /// Files that this start has made.
    private(set) var made: [Secrets.MadeFile] = []

    /// Whether a change survives a restart.
    var isDurable: Bool { store != nil }

    /// - Parameter store: `nil` for memory alone.
    private init(
        _ state: KeptState = KeptState(), in store: StateStore? = nil,
        made: [Secrets.MadeFile] = []
    ) {
        self.state = state
        self.store = store
        self.made = made
    }

    /// Opens what was kept.
    ///
    /// - Parameter purpose: `checking` makes nothing.
    static func open(
        _ configuration: Configuration, for purpose: Secrets.Purpose
    ) throws(ConfigurationFault) -> Custody {
        guard let folder = configuration.stateDirectory else { return Custody() }
        let path = folder + "/" + fileName
        var made: [Secrets.MadeFile] = []
        guard let key = try key(configuration, folder, purpose, &made) else {
            guard !KeptFile.isThere(path) else {
                throw ConfigurationFault(
                    .file(path),
                    "there is state, and no \(keyName) to open it with: bring the key back, "
                        + "or move the file away to begin anew")
            }
            return Custody()
        }
        let store = StateStore(path: path, key: key)
        do throws(StateStoreFault) {
            return Custody(try store.load() ?? KeptState(), in: store, made: made)
        } catch {
            throw ConfigurationFault(.file(path), error.description)
        }
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
        guard purpose == .serving, !KeptFile.isThere(folder + "/" + fileName) else { return nil }
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
    ///
    /// - Parameters:
    ///   - now: milliseconds since the epoch.
    ///   - isSynced: false leaves that to whoever syncs what a start has made.
    mutating func keep(
        _ next: KeptState, now: UInt64, isSynced: Bool = true
    ) throws(StateStoreFault) {
        var next = next
        next.savedAt = max(state.savedAt, now)
        if let store {
            try store.save(next, isSynced: isSynced)
            if !isSynced { made.append(Secrets.MadeFile(content: "state", path: store.path)) }
        }
        state = next
    }
}
