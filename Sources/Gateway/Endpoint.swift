// SPDX-License-Identifier: Apache-2.0

import Reactor
import Synchronization

/// Where an upstream listens: a name in the configuration, and the addresses that the resolver
/// last found for it.
package final class Endpoint: Sendable {
    package let host: String
    package let port: UInt16
    private let addresses = Mutex<[SocketAddress]>([])

    package init(host: String, port: UInt16) {
        self.host = host
        self.port = port
        if let literal = SocketAddress(literal: host, port: port) {
            addresses.withLock { $0 = [literal] }
        }
    }

    /// Whether there is something to resolve.
    package var isName: Bool { SocketAddress(literal: host, port: port) == nil }

    /// The address to connect to; `nil` while the name is not resolved.
    package func address(attempt: Int) -> SocketAddress? {
        addresses.withLock { $0.isEmpty ? nil : $0[attempt % $0.count] }
    }

    /// - Returns: whether the addresses are others than before.
    @discardableResult
    package func update(_ found: [SocketAddress]) -> Bool {
        addresses.withLock { known in
            guard known != found, !found.isEmpty else { return false }
            known = found
            return true
        }
    }
}
