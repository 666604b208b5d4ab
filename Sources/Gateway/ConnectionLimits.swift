// SPDX-License-Identifier: Apache-2.0

import Bytes
import Synchronization

/// How many client connections there are, in all and from each address (IPv6: each /64), over all
/// workers.
///
/// Beyond the total some more are let in, to be told that there are too many; beyond these nobody
/// is accepted.
package final class ConnectionLimits: Sendable {
    package enum Admission: Equatable {
        case welcome
        /// One of the surplus: its requests are refused.
        case surplus
        /// One too many from its address.
        case refused
    }

    private struct State {
        var total: Int
        var perAddress: Int
        var count = 0
        var byAddress: [IPAddress: Int] = [:]
    }

    private let open: Mutex<State>
    /// The same as in the state, to be read without the lock.
    private let total: Atomic<Int>
    private let countNow = Atomic<Int>(0)

    package init(total: Int, perAddress: Int) {
        self.total = Atomic(total)
        open = Mutex(State(total: total, perAddress: perAddress))
    }

    /// How many may be told that there are too many, at a time.
    package static func surplus(of total: Int) -> Int { min(256, max(16, total / 16)) }

    /// Whether there are as many as there may be: nobody should stay without need.
    package var isFull: Bool {
        countNow.load(ordering: .relaxed) >= total.load(ordering: .relaxed)
    }

    /// Whether not even the surplus has room.
    package var isOverfull: Bool {
        let total = total.load(ordering: .relaxed)
        return countNow.load(ordering: .relaxed) >= total + Self.surplus(of: total)
    }

    /// Other bounds, from a new configuration; what is open already stays.
    package func update(total: Int, perAddress: Int) {
        open.withLock { open in
            open.total = total
            self.total.store(total, ordering: .relaxed)
            open.perAddress = perAddress
        }
    }

    /// Counts a new connection in, unless it is refused.
    ///
    /// - Parameter isMany: the address stands for many others.
    package func enter(_ address: IPAddress, isMany: Bool = false) -> Admission {
        let key = address.limitKey
        return open.withLock { open in
            let count = open.byAddress[key, default: 0]
            guard count < open.perAddress || isMany else { return .refused }
            open.byAddress[key] = count + 1
            open.count += 1
            countNow.store(open.count, ordering: .relaxed)
            return open.count > open.total ? .surplus : .welcome
        }
    }

    package func leave(_ address: IPAddress) {
        let key = address.limitKey
        open.withLock { open in
            guard let count = open.byAddress[key] else { return }
            open.byAddress[key] = count > 1 ? count - 1 : nil
            open.count -= 1
            countNow.store(open.count, ordering: .relaxed)
        }
    }

    package var count: Int { countNow.load(ordering: .relaxed) }
}
