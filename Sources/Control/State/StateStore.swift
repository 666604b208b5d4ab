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

    /// - Parameter now: from when on what is to come is waited for.
    /// - Returns: `nil` where nothing was kept so far.
    package func load(at now: Moment) throws(StateStoreFault) -> KeptState? {
        let content: Files.Content?
        do throws(SystemError) {
            // Asked first: a named pipe would keep the start waiting.
            let isRegular = try Files.status(of: path).isRegular
            content = isRegular ? try Files.read(path, limit: Self.bytesMax) : nil
        } catch {
            if error.kind == .notFound { return nil }
            throw .unreadable(error.reason)
        }
        guard let content else { throw .unreadable("not a regular file") }
        do throws(KeptStateFault) {
            return try key.open(content.bytes.span, at: now)
        } catch {
            throw .refused(error)
        }
    }

    /// Afterwards either the state of before lies there or this one, whole, whatever happens.
    package func save(_ state: KeptState) throws(StateStoreFault) {
        let sealed: [UInt8]
        do throws(IdentityError) {
            sealed = try key.seal(state)
        } catch {
            throw .unwritable(error.description)
        }
        do throws(SystemError) {
            try Files.replace(path, with: sealed.span, mode: Self.ownerOnly)
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
