// SPDX-License-Identifier: Apache-2.0

import Bytes
import Synchronization

/// Wrong codes, counted per agent and client address, so that guessing is slow, then locked out,
/// then over.
///
/// An attempt takes a slot (``begin``) before its code is compared and reports what came of it
/// (``succeeded``, ``failed``, ``neutral``), so that of many parallel guesses no more are compared
/// than there are failures left. Whoever reached this table has passed the first factor.
///
/// What was decided where the promise leaves room:
/// - After `failuresMax` failures in a row each further failure locks again, for twice as long up
///   to 15 minutes; a success starts afresh.
/// - Failures elsewhere never lock an address that had a success in the last 24 hours. Any other
///   address has to share one guess a lock-out with all strangers once the agent had
///   ``TOTPLimits/failuresBeforeStrangersWait`` failures in a day.
/// - The table is a fixed number of sets of eight entries. A full set gives up its entry that was
///   used longest ago and holds no slot, a locked one last; guesses that are forgotten in this
///   way still count towards the agent's own day.
package final class TOTPFailures: Sendable {
    package enum Admission: Equatable, Sendable {
        case proceed
        /// Not to be evaluated; at least one second.
        case locked(retryAfterSeconds: Int)
    }

    package static let shardCount = 16
    /// Entries (agent and address) that are remembered at most.
    package static let capacity = shardCount * FailureShard.capacity

    /// What goes on though the limits change.
    private final class Table: Sendable {
        let shards: InlineArray<16, Mutex<FailureShard>> = InlineArray { _ in
            Mutex(FailureShard())
        }
    }

    private let limits: TOTPLimits
    private let table: Table
    private let agents: AgentFailures

    /// - Parameters:
    ///   - agents: how many agents there are; they are named by number.
    ///   - previous: whose counts go on, for the same numbers.
    package init(agents: Int, limits: TOTPLimits, after previous: TOTPFailures? = nil) {
        self.limits = limits
        self.agents = AgentFailures(agents: agents, after: previous?.agents)
        table = previous?.table ?? Table()
    }

    /// Asks whether a code may be compared. After `.proceed` exactly one of ``succeeded``,
    /// ``failed`` and ``neutral`` must follow.
    package func begin(agent: Int, address: ClientAddress, now: UInt64) -> Admission {
        let key = FailureKey(agent: agent, address: address)
        let strangersWait = agents.strangersWait(agent, now: now)
        let waitUntil = table.shards[key.shard].withLock { shard in
            shard.begin(key, now: now, limits: limits, strangersWait: strangersWait) {
                agents.claimStrangerGuess(agent, now: now, period: limits.lockoutMilliseconds)
            }
        }
        guard let waitUntil else { return .proceed }
        let seconds = (max(waitUntil, now) - now + 999) / 1000
        return .locked(retryAfterSeconds: max(1, Int(clamping: seconds)))
    }

    package func succeeded(agent: Int, address: ClientAddress, now: UInt64) {
        let key = FailureKey(agent: agent, address: address)
        table.shards[key.shard].withLock { $0.succeeded(key, now: now) }
    }

    /// - Returns: what this failure led to, for the audit log.
    @discardableResult
    package func failed(agent: Int, address: ClientAddress, now: UInt64) -> FailureOutcome {
        let key = FailureKey(agent: agent, address: address)
        let (failures, lockedUntil) = table.shards[key.shard].withLock {
            $0.failed(key, now: now, limits: limits)
        }
        let today = agents.count(agent, now: now)
        if failures >= limits.disableAfter || today >= TOTPLimits.failuresPerDayMax {
            return .exhausted
        }
        return lockedUntil > now ? .locked : .counted
    }

    /// A right code that was used already: no guess, so the slot is given back and nothing counts.
    package func neutral(agent: Int, address: ClientAddress, now: UInt64) {
        let key = FailureKey(agent: agent, address: address)
        table.shards[key.shard].withLock { $0.neutral(key, now: now) }
    }

    /// An operator's act: the agent's counters start afresh at every address.
    package func forget(agent: Int) {
        for index in table.shards.indices {
            table.shards[index].withLock { $0.forget(agent: agent) }
        }
        agents.forget(agent)
    }
}

/// What one failure led to.
package enum FailureOutcome: Equatable, Sendable {
    case counted
    /// The address is locked out from now on.
    case locked
    /// There were as many as the agent's seed bears: it is to be disabled.
    case exhausted
}
