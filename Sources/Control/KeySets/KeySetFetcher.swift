// SPDX-License-Identifier: Apache-2.0

import Identity

/// Keeps the key sets of token issuers up to date: at once, then every few minutes, and whenever a
/// token has come whose key is not known. Driven by the control loop.
package final class KeySetFetcher {
    private static let againMilliseconds: UInt64 = 300_000
    private static let retryMillisecondsMin: UInt64 = 1000
    private static let retryMillisecondsMax: UInt64 = 30_000
    /// Until a name that is being resolved is looked at again.
    private static let unknownMilliseconds: UInt64 = 20

    private struct Entry {
        var target: KeySetTarget
        /// When the next fetch begins, in monotonic milliseconds.
        var dueAt: UInt64
        /// Failures in a row.
        var failures = 0
        var fetch: Fetcher.ID?
    }

    private let fetcher: Fetcher
    /// By the target's id.
    private var entries: [Int: Entry] = [:]
    /// What has come since the last turn.
    private var answers: [(id: Int, result: Result<FetchResponse, FetchFault>)] = []

    package init(fetcher: Fetcher) {
        self.fetcher = fetcher
    }

    /// Fetches these from now on, and no others. One that has been there, by id, goes on.
    package func replace(_ targets: [KeySetTarget], now: UInt64) {
        var kept: [Int: Entry] = [:]
        for target in targets {
            var entry = entries[target.id] ?? Entry(target: target, dueAt: now)
            entry.target = target
            kept[target.id] = entry
        }
        for (id, entry) in entries where kept[id] == nil {
            if let fetch = entry.fetch { fetcher.cancel(fetch) }
            entry.target.keys.fail()
        }
        entries = kept
    }

    /// Takes what has come, and begins what is due or was asked for.
    package func advance(now: UInt64) {
        for (id, result) in answers { end(id, result, now: now) }
        answers = []
        for (id, entry) in entries where entry.fetch == nil {
            if entry.dueAt <= now || entry.target.keys.isAsked { begin(id, entry.target, now) }
        }
    }

    private func begin(_ id: Int, _ target: KeySetTarget, _ now: UInt64) {
        guard target.isKnown() else {
            entries[id]?.dueAt = now + Self.unknownMilliseconds
            return
        }
        let request = FetchRequest(
            path: target.path, host: target.host, userAgent: "agentport-jwks/1",
            bodyBytesMax: JSONWebKeySet.documentCountMax)
        let fetch = fetcher.start(
            request, from: target.address(entries[id]?.failures ?? 0), tls: target.tls, now: now,
            completion: { [weak self] in self?.answers.append((id, $0)) })
        guard let fetch else {
            entries[id]?.dueAt = now + Self.retryMillisecondsMin
            return
        }
        target.keys.begin(now: now)
        entries[id]?.fetch = fetch
    }

    private func end(
        _ id: Int, _ result: Result<FetchResponse, FetchFault>, now: UInt64
    ) {
        guard var entry = entries[id] else { return }
        entry.fetch = nil
        let keys = entry.target.keys
        switch Self.set(result) {
        case .success(let set):
            entry.failures = 0
            entry.dueAt = now + Self.againMilliseconds
            entries[id] = entry
            if keys.succeed(set, now: now) {
                entry.target.report(.fetched(keys: set.keys.count, leftOut: set.leftOut))
            }
        case .failure(let fault):
            let wait = Self.retryMillisecondsMin << UInt64(min(entry.failures, 5))
            entry.dueAt = now + min(wait, Self.retryMillisecondsMax)
            entry.failures += 1
            entries[id] = entry
            keys.fail()
            if entry.failures == 1 { entry.target.report(.failed(fault.reason)) }
        }
    }

    private struct Fault: Error {
        let reason: String
    }

    private static func set(
        _ result: Result<FetchResponse, FetchFault>
    ) -> Result<JSONWebKeySet, Fault> {
        switch result {
        case .failure(let fault): return .failure(Fault(reason: fault.description))
        case .success(let answer):
            guard answer.status == 200 else {
                return .failure(Fault(reason: "status \(answer.status)"))
            }
            do throws(JSONWebKeySetFault) {
                let set = try JSONWebKeySet(answer.body.span)
                // An empty set would let nobody in: rather the keys of before, for a while.
                guard !set.keys.isEmpty else {
                    return .failure(Fault(reason: "no key that can be used"))
                }
                return .success(set)
            } catch {
                return .failure(Fault(reason: error.reason))
            }
        }
    }

    /// When ``advance(now:)`` has something to begin, in monotonic milliseconds; `nil` where only
    /// the end of a fetch or somebody who asks matters.
    package var wakeAt: UInt64? {
        if !answers.isEmpty { return 0 }
        return entries.values.lazy.filter { $0.fetch == nil }.map(\.dueAt).min()
    }
}
