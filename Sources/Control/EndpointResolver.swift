// SPDX-License-Identifier: Apache-2.0

import Reactor
import Synchronization

/// Resolves host names again and again, on threads of its own, since getaddrinfo blocks: several,
/// so that a name whose server is silent does not hold up the others.
package final class EndpointResolver: Sendable {
    /// More names than this share threads.
    package static let threadsMax = 8
    private static let againMilliseconds: UInt64 = 10_000
    private static let againAfterFailureMilliseconds: UInt64 = 1000

    package struct Name: Sendable {
        let host: String
        let port: UInt16
        /// Called with the addresses found, or with why there are none; by one thread at a time.
        let update: @Sendable (Result<[SocketAddress], ResolverFault>) -> Void

        package init(
            host: String, port: UInt16,
            update: @escaping @Sendable (Result<[SocketAddress], ResolverFault>) -> Void
        ) {
            self.host = host
            self.port = port
            self.update = update
        }
    }

    private struct Entry {
        let name: Name
        /// When it is to be resolved again, in monotonic milliseconds; `.max` while it is.
        var due: UInt64
    }

    private struct State {
        var entries: [Entry] = []
        /// Changes with the names: what a thread found for those of before is dropped.
        var revision = 0
        var threads = 0
    }

    private let state = Mutex(State())
    /// One a thread, so that each can sleep until its turn.
    private let wakeups: [Wakeup]

    package init() throws(SystemError) {
        var wakeups: [Wakeup] = []
        for _ in 0..<Self.threadsMax { wakeups.append(try Wakeup()) }
        self.wakeups = wakeups
    }

    /// From now on these, and each of them at once.
    ///
    /// - Parameter start: begins a thread that runs ``run(_:)`` with this number.
    package func resolve(_ names: [Name], start: (Int) throws -> Void) rethrows {
        let threads = state.withLock { state in
            state.revision += 1
            state.entries = names.map { Entry(name: $0, due: 0) }
            return state.threads..<max(state.threads, min(names.count, Self.threadsMax))
        }
        for number in threads {
            try start(number)
            state.withLock { $0.threads = number + 1 }
        }
        for wakeup in wakeups { wakeup.signal() }
    }

    /// Never returns; the thread ends with the process.
    package func run(_ number: Int) {
        while true {
            let now = Clock.monotonicNanoseconds() / 1_000_000
            if let (name, index, revision) = take(now) {
                let isResolved = Self.resolve(name)
                finish(index, revision, isResolved: isResolved)
            } else {
                let due = state.withLock { $0.entries.map(\.due).min() ?? .max }
                wakeups[number].wait(milliseconds: due == .max ? -1 : Int(due - min(due, now)) + 1)
            }
        }
    }

    /// The name that has been due longest, which is this thread's until ``finish``.
    private func take(_ now: UInt64) -> (Name, Int, Int)? {
        state.withLock { state in
            let first = state.entries.indices.min { state.entries[$0].due < state.entries[$1].due }
            guard let first, state.entries[first].due <= now else { return nil }
            state.entries[first].due = .max
            return (state.entries[first].name, first, state.revision)
        }
    }

    private func finish(_ index: Int, _ revision: Int, isResolved: Bool) {
        let wait = isResolved ? Self.againMilliseconds : Self.againAfterFailureMilliseconds
        let due = Clock.monotonicNanoseconds() / 1_000_000 + wait
        state.withLock { state in
            guard state.revision == revision else { return }
            state.entries[index].due = due
        }
    }

    private static func resolve(_ name: Name) -> Bool {
        do throws(ResolverFault) {
            let found = try Resolver.resolve(host: name.host, port: name.port)
            name.update(.success(found))
            return true
        } catch {
            name.update(.failure(error))
            return false
        }
    }
}
