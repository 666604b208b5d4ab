// SPDX-License-Identifier: Apache-2.0

import Bytes
import Synchronization

/// How many client connections there are, in all and from each address (IPv6: each /64), over all
/// workers.
package final class ConnectionLimits: Sendable {
    private struct State {
        var total: Int
        var perAddress: Int
        var count = 0
        var byAddress: [IPAddress: Int] = [:]
    }

    private let open: Mutex<State>

    package init(total: Int, perAddress: Int) {
        open = Mutex(State(total: total, perAddress: perAddress))
    }

    /// Other bounds, from a new configuration; what is open already stays.
    package func update(total: Int, perAddress: Int) {
        open.withLock { open in
            open.total = total
            open.perAddress = perAddress
        }
    }

    /// Counts a new connection in, unless it is one too many.
    package func enter(_ address: IPAddress) -> Bool {
        let key = address.limitKey
        return open.withLock { open in
            guard open.count < open.total else { return false }
            let count = open.byAddress[key, default: 0]
            guard count < open.perAddress else { return false }
            open.byAddress[key] = count + 1
            open.count += 1
            return true
        }
    }

    package func leave(_ address: IPAddress) {
        let key = address.limitKey
        open.withLock { open in
            guard let count = open.byAddress[key] else { return }
            open.byAddress[key] = count > 1 ? count - 1 : nil
            open.count -= 1
        }
    }

    package var count: Int { open.withLock { $0.count } }
}
