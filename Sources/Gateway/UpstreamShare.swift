// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// How many connections to an upstream there may be over all workers, and how many requests may
/// wait for one.
///
/// A permit is held by each open connection. A worker that has a request in line and finds no
/// permit is *hungry*: whoever gives a permit back while others are hungry gives it to the one
/// that has waited longest, and wakes it. So no worker starves beside one that is busy.
final class UpstreamShare: Sendable {
    private struct State {
        var connectionsMax: Int
        var open = 0
        /// By worker: permits that were handed over and are not used yet; they count as open.
        var granted: [Int]
        /// By worker: since when it is hungry, in monotonic nanoseconds; 0 where it is not.
        var hungrySince: [UInt64]
    }

    private let state: Mutex<State>
    private let troubles: Troubles
    private let pending = Atomic<Int>(0)
    private let pendingMax: Atomic<Int>
    /// More are open than a new configuration allows.
    private let overfull = Atomic<Bool>(false)

    init(connections: Int, pending: Int, workers: Int, troubles: Troubles) {
        self.troubles = troubles
        pendingMax = Atomic(pending)
        state = Mutex(
            State(
                connectionsMax: connections,
                granted: Array(repeating: 0, count: workers),
                hungrySince: Array(repeating: 0, count: workers)))
    }

    /// Other bounds, from a new configuration; what is lent already stays.
    func update(connections: Int, pending: Int) {
        pendingMax.store(pending, ordering: .relaxed)
        state.withLock { state in
            state.connectionsMax = connections
            overfull.store(state.open > connections, ordering: .relaxed)
        }
    }

    /// Whether a connection that idles should be closed, since there are too many.
    var isOverfull: Bool { overfull.load(ordering: .relaxed) }

    // MARK: Permits

    /// Takes a permit for a connection that is about to be made.
    func take(worker: Int) -> Bool {
        state.withLock { state in
            if state.granted[worker] > 0 {
                state.granted[worker] -= 1
                return true
            }
            guard state.open < state.connectionsMax else { return false }
            state.open += 1
            return true
        }
    }

    /// Gives a connection's permit back.
    ///
    /// - Returns: the worker that has it now and is to be woken, if any was hungry.
    func giveBack() -> Int? {
        state.withLock { state in
            guard state.open <= state.connectionsMax, let heir = Self.longestHungry(state) else {
                state.open -= 1
                overfull.store(state.open > state.connectionsMax, ordering: .relaxed)
                return nil
            }
            state.granted[heir] += 1
            state.hungrySince[heir] = 0
            troubles.countHungry(-1)
            return heir
        }
    }

    /// Gives back a permit that nobody can use now, since descriptors, ports or memory have run
    /// out: who is hungry stays so. Handed from one to the other it would keep all of them busy.
    func drop() {
        state.withLock { state in
            state.open -= 1
            overfull.store(state.open > state.connectionsMax, ordering: .relaxed)
        }
    }

    func hasGrant(worker: Int) -> Bool {
        state.withLock { $0.granted[worker] > 0 }
    }

    /// Gives back what was handed over to a worker that has nobody in line any more.
    ///
    /// - Returns: as ``giveBack()``.
    func giveBackGrant(worker: Int) -> Int? {
        let hadGrant = state.withLock { state in
            guard state.granted[worker] > 0 else { return false }
            state.granted[worker] -= 1
            return true
        }
        return hadGrant ? giveBack() : nil
    }

    // MARK: Hunger

    /// Says whether the worker has somebody in line for whom there is no permit.
    ///
    /// - Parameter since: when the first of them came, in monotonic nanoseconds.
    /// - Returns: whether that is new, so that the others should be told.
    func setHungry(_ isHungry: Bool, worker: Int, since: UInt64) -> Bool {
        state.withLock { state in
            let wasHungry = state.hungrySince[worker] != 0
            state.hungrySince[worker] = isHungry ? max(1, since) : 0
            if wasHungry != isHungry { troubles.countHungry(isHungry ? 1 : -1) }
            return isHungry && !wasHungry
        }
    }

    /// Whether any worker is hungry.
    var isWanted: Bool { state.withLock { $0.hungrySince.contains { $0 != 0 } } }

    /// Whether there are as many connections as there may be.
    var isFull: Bool { state.withLock { $0.open >= $0.connectionsMax } }

    /// Whether another worker has been hungry since before `time` (monotonic nanoseconds).
    func isWanted(byOthersThan worker: Int, before time: UInt64) -> Bool {
        state.withLock { state in
            for index in state.hungrySince.indices where index != worker {
                let since = state.hungrySince[index]
                if since != 0, since < time { return true }
            }
            return false
        }
    }

    private static func longestHungry(_ state: State) -> Int? {
        var longest: Int?
        for index in state.hungrySince.indices where state.hungrySince[index] != 0 {
            guard let known = longest, state.hungrySince[known] <= state.hungrySince[index] else {
                longest = index
                continue
            }
        }
        return longest
    }

    // MARK: The line

    /// Counts a request in that waits for a connection, unless it is one too many.
    func enterLine() -> Bool {
        let count = pending.wrappingAdd(1, ordering: .relaxed).newValue
        guard count > pendingMax.load(ordering: .relaxed) else { return true }
        leaveLine()
        return false
    }

    /// Counts in one who was let in already.
    func moveIntoLine() {
        pending.wrappingAdd(1, ordering: .relaxed)
    }

    func leaveLine() {
        pending.wrappingSubtract(1, ordering: .relaxed)
    }
}
