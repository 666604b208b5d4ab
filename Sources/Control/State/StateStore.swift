// SPDX-License-Identifier: Apache-2.0

import Bytes
import Identity
import Reactor

/// The file in the state directory that holds rotated seeds and signing keys, sealed.
package struct StateStore: Sendable {
    /// What 65,536 fingerprints and 20,000 agents take, and as much again.
    private static let bytesMax = 16 << 20
    private static let ownerOnly: UInt32 = 0o600

    package let path: String
    private let key: StateKey

    package init(path: String, key: StateKey) {
        self.path = path
        self.key = key
    }

    /// - Returns: `nil` where nothing was kept so far. An empty file is what a power cut leaves of
    ///   one that was not synced yet.
    package func load() throws(StateStoreFault) -> KeptState? {
        let content: Files.Content
        do throws(SystemError) {
            content = try Files.read(path, limit: Self.bytesMax)
        } catch {
            if error.kind == .notFound { return nil }
            throw .unreadable(error.reason)
        }
        if content.bytes.isEmpty { return nil }
        do throws(KeptStateFault) {
            return try key.open(content.bytes.span)
        } catch {
            throw .refused(error)
        }
    }

    /// Afterwards either the state of before lies there or this one, whole, whatever happens.
    ///
    /// - Parameter isSynced: false leaves the syncing to a later `Files.sync`.
    package func save(_ state: KeptState, isSynced: Bool = true) throws(StateStoreFault) {
        let sealed: [UInt8]
        do throws(IdentityError) {
            sealed = try key.seal(state)
        } catch {
            throw .unwritable(error.description)
        }
        do throws(SystemError) {
            try Files.replace(
                path, with: sealed.span, mode: Self.ownerOnly, isSynced: isSynced)
        } catch {
            throw .unwritable(error.reason)
        }
    }
}

package enum StateStoreFault: Error, Equatable, CustomStringConvertible {
    case unreadable(String)
    case refused(KeptStateFault)
    case unwritable(String)

    package var description: String {
        switch self {
        case .unreadable(let reason): "cannot be read: \(reason)"
        case .refused(let fault): fault.description
        case .unwritable(let reason): "cannot be written: \(reason)"
        }
    }
}
