// SPDX-License-Identifier: Apache-2.0

/// Asks a set of endpoints again and again whether they are well, once for the whole process.
///
/// Each is asked at once and then at its interval. Many are not asked in one turn of the loop, but
/// some milliseconds apart, and stay so.
package final class HealthChecker {
    package static let checksMax = 64
    /// Between the first checks of two targets.
    private static let spreadMilliseconds = 10
    /// Until the fetcher is asked again for a place, or a target whether it is known.
    private static let againMilliseconds: UInt64 = 100

    private struct Entry {
        var target: HealthTarget
        var state = HealthState()
        /// How many checks had no answer.
        var attempt = 0
        /// When the next check begins, in monotonic milliseconds.
        var dueAt: UInt64
        /// The check that runs.
        var check: Fetcher.ID?
    }

    private let fetcher: Fetcher
    /// By the target's id.
    private var entries: [Int: Entry] = [:]
    /// Invariant: how many entries have a check.
    private var checkCount = 0

    package init(fetcher: Fetcher) {
        self.fetcher = fetcher
    }

    /// Checks these targets from now on, and no others.
    ///
    /// One that has been there, by id and settings, keeps its state and its schedule; where it is
    /// unhealthy, its `report` is told so at once. Any other begins anew, and healthy. Of what is
    /// gone nothing is heard any more.
    ///
    /// - Parameters:
    ///   - targets: no two with one id.
    ///   - now: monotonic milliseconds.
    package func replace(_ targets: [HealthTarget], now: UInt64) {
        var kept: [Int: Entry] = [:]
        var added: [HealthTarget] = []
        for target in targets {
            precondition(kept[target.id] == nil, "two health targets with one id")
            if var entry = entries[target.id], entry.target.hasSettings(of: target) {
                entry.target = target
                kept[target.id] = entry
            } else {
                added.append(target)
            }
        }
        for (id, entry) in entries where kept[id] == nil { drop(entry) }
        entries = kept
        for (position, target) in added.enumerated() {
            precondition(entries[target.id] == nil, "two health targets with one id")
            let spread = min(Self.spreadMilliseconds * added.count, target.intervalMilliseconds)
            let delay = spread * position / added.count
            entries[target.id] = Entry(target: target, dueAt: now + UInt64(delay))
        }
        for entry in kept.values where !entry.state.isHealthy {
            entry.target.report(false, entry.state.lastFault)
        }
    }

    private func drop(_ entry: Entry) {
        guard let check = entry.check else { return }
        fetcher.cancel(check)
        checkCount -= 1
    }

    /// Begins the checks that are due, the longest due first.
    package func advance(now: UInt64) {
        guard let wakeAt, wakeAt <= now else { return }
        let due = entries.values.filter { $0.check == nil && $0.dueAt <= now }
            .sorted { ($0.dueAt, $0.target.id) < ($1.dueAt, $1.target.id) }
        for entry in due.prefix(Self.checksMax - checkCount) {
            begin(entry.target, attempt: entry.attempt, now)
        }
    }

    private func begin(_ target: HealthTarget, attempt: Int, _ now: UInt64) {
        let id = target.id
        guard target.isKnown(),
            let check = fetcher.start(
                target.request, from: target.address(attempt), tls: target.tls, now: now,
                completion: { [weak self] in self?.end(id, $0) })
        else {
            entries[id]?.dueAt = now + Self.againMilliseconds
            return
        }
        entries[id]?.check = check
        checkCount += 1
        // By the schedule, so that targets stay apart; anew where the loop has been held up.
        let interval = UInt64(target.intervalMilliseconds)
        let next = (entries[id]?.dueAt ?? now) + interval
        entries[id]?.dueAt = next > now ? next : now + interval
    }

    /// Called by the fetcher, and never for a check that was dropped.
    private func end(_ id: Int, _ result: Result<FetchResponse, FetchFault>) {
        guard var entry = entries[id] else { return }
        entry.check = nil
        checkCount -= 1
        if case .failure = result { entry.attempt &+= 1 }
        let finding = HealthState.Finding(result)
        let hasChanged = entry.state.take(finding, unhealthyAfter: entry.target.unhealthyAfter)
        entries[id] = entry
        guard hasChanged else { return }
        switch finding {
        case .passed(let reason): entry.target.report(true, reason)
        case .failed(let reason): entry.target.report(false, reason)
        }
    }

    /// When ``advance(now:)`` has something to begin, in monotonic milliseconds; `nil` where
    /// only the end of a check matters.
    package var wakeAt: UInt64? {
        guard checkCount < Self.checksMax else { return nil }
        return entries.values.lazy.filter { $0.check == nil }.map(\.dueAt).min()
    }
}
