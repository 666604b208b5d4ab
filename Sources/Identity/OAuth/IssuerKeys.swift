// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The keys that one issuer signs with, as they were fetched last: read by all workers, written by
/// whoever fetches them. Times are monotonic milliseconds.
///
/// Fetching goes on in the background. A token whose key is not known may ask for it, but once in
/// ``askMilliseconds`` at most, whoever asks: strangers must not be able to send an issuer
/// requests.
package final class IssuerKeys: Sendable {
    package static let askMilliseconds: UInt64 = 30_000
    /// For so long the last keys hold while the issuer is away. Its key that was revoked does so
    /// too, hence no longer.
    package static let staleMilliseconds: UInt64 = 60 * 60 * 1000

    private struct State {
        var set = JSONWebKeySet()
        /// 0 before the first.
        var version: UInt64 = 0
        var fetchedAt: UInt64 = 0
    }

    private let state = Mutex(State())
    /// Of the set, so that a worker need not look at it to know that there is no other.
    private let versionNow = Atomic<UInt64>(0)
    private let fetchedAt = Atomic<UInt64>(0)
    private let isUnderway = Atomic<Bool>(false)
    private let isWanted = Atomic<Bool>(false)
    /// When somebody may ask again.
    private let mayAskAt = Atomic<UInt64>(0)
    /// Called from any thread when a fetch is wanted.
    private let wake: @Sendable () -> Void

    package init(wake: @escaping @Sendable () -> Void) {
        self.wake = wake
    }

    // MARK: Workers

    /// Changes with the keys; 0 while there are none, or they are too old to be believed.
    package func version(now: UInt64) -> UInt64 {
        let version = versionNow.load(ordering: .acquiring)
        guard version > 0,
            now < fetchedAt.load(ordering: .relaxed) &+ Self.staleMilliseconds
        else { return 0 }
        return version
    }

    package var set: JSONWebKeySet { state.withLock { $0.set } }

    /// Asks for keys newer than those there are.
    ///
    /// - Returns: whether some may come soon: a fetch is underway, or begins.
    package func ask(now: UInt64) -> Bool {
        if isUnderway.load(ordering: .acquiring) || isWanted.load(ordering: .acquiring) {
            return true
        }
        let due = mayAskAt.load(ordering: .relaxed)
        guard now >= due else { return false }
        let (isFirst, _) = mayAskAt.compareExchange(
            expected: due, desired: now + Self.askMilliseconds, ordering: .acquiringAndReleasing)
        // Another thread has asked in this very moment.
        guard isFirst else { return true }
        isWanted.store(true, ordering: .releasing)
        wake()
        return true
    }

    // MARK: The fetcher

    /// Whether somebody has asked.
    package var isAsked: Bool { isWanted.load(ordering: .acquiring) }

    package func begin(now: UInt64) {
        isUnderway.store(true, ordering: .releasing)
        isWanted.store(false, ordering: .releasing)
    }

    /// - Returns: whether these are other keys than before.
    package func succeed(_ set: JSONWebKeySet, now: UInt64) -> Bool {
        let isNew = state.withLock { state in
            let isNew = state.version == 0 || state.set != set
            if isNew {
                state.set = set
                state.version += 1
            }
            state.fetchedAt = now
            fetchedAt.store(now, ordering: .relaxed)
            versionNow.store(state.version, ordering: .releasing)
            return isNew
        }
        isUnderway.store(false, ordering: .releasing)
        return isNew
    }

    package func fail() {
        isUnderway.store(false, ordering: .releasing)
    }
}
