// SPDX-License-Identifier: Apache-2.0

import Bytes

/// A worker's requests that wait for a connection to one upstream, first come first served.
///
/// One that gives up stays where it stands and is passed over: its ticket is no longer the one
/// that its exchange holds.
struct WaitingLine {
    struct Waiter: Equatable {
        let owner: SlotToken
        let ticket: UInt64
        /// Monotonic nanoseconds.
        let since: UInt64
    }

    private var waiters: [Waiter] = []
    private var first = 0
    private var lastTicket: UInt64 = 0
    /// Those that have not given up.
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    /// Since when the one at the front, or one who stood there and gave up, has waited; `.max` in
    /// an empty line.
    var frontSince: UInt64 { isEmpty || first == waiters.count ? .max : waiters[first].since }

    /// - Returns: the ticket, never 0.
    mutating func enter(_ owner: SlotToken, now: UInt64) -> UInt64 {
        lastTicket += 1
        count += 1
        waiters.append(Waiter(owner: owner, ticket: lastTicket, since: now))
        return lastTicket
    }

    /// Somebody in the line, whoever it is, has given up.
    mutating func gaveUp() {
        count -= 1
    }

    /// The one at the front, who may have given up.
    var front: Waiter? { first < waiters.count ? waiters[first] : nil }

    /// The one at the front had given up.
    mutating func passFront() {
        first += 1
        // So that those who were served, or gave up, take no more room than those who wait.
        guard first == waiters.count || first >= 64 && first * 2 >= waiters.count else { return }
        waiters.removeFirst(first)
        first = 0
    }

    /// The one at the front is served.
    mutating func removeFront() {
        count -= 1
        passFront()
    }
}
