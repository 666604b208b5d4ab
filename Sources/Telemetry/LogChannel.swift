// SPDX-License-Identifier: Apache-2.0

import Bytes
import Synchronization

/// What became of a line that a worker handed over.
package enum LogAppend: Equatable, Sendable {
    case taken
    /// Taken, and the log writer sleeps: the worker has to wake it.
    case takenWakeWriter
    /// The ring was full; to be counted.
    case dropped
}

/// From the workers to the one thread that writes the log: a ring for each worker, and a queue
/// for the audit lines that must not be lost.
///
/// A worker never waits. The log writer announces its sleep, and whoever appends first after
/// that is told to wake it: one wake-up a sleep, however many lines come.
package final class LogChannel: Sendable {
    package static var ringCapacity: Int { 256 * 1024 }

    private let rings: [ByteRing]
    private let audit = AuditQueue()
    private let writerIsAsleep = Atomic<Bool>(false)

    package init(workers: Int, ringCapacity: Int = LogChannel.ringCapacity) {
        rings = (0..<workers).map { _ in ByteRing(capacity: ringCapacity) }
    }

    package var workerCount: Int { rings.count }

    // MARK: Appending

    /// Takes a whole line, its line feed included, or nothing; only from the worker's thread.
    package func append(worker: Int, line: borrowing Span<UInt8>) -> LogAppend {
        guard rings[worker].append(line) else { return .dropped }
        return mustWakeWriter() ? .takenWakeWriter : .taken
    }

    /// Takes a line that is never dropped, from any thread.
    ///
    /// - Returns: whether the log writer sleeps and has to be woken.
    package func append(audit line: [UInt8]) -> Bool {
        audit.append(line)
        return mustWakeWriter()
    }

    private func mustWakeWriter() -> Bool {
        // Without the fence the flag could be read before the line is to be seen, while the
        // writer raises the flag and finds nothing: both would go on, and the line would lie.
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        guard writerIsAsleep.load(ordering: .relaxed) else { return false }
        return writerIsAsleep.exchange(false, ordering: .acquiringAndReleasing)
    }

    // MARK: The log writer's side

    /// Announces that the log writer is about to sleep.
    ///
    /// - Returns: whether it may; false where lines have come in the meantime.
    package func prepareToSleep() -> Bool {
        writerIsAsleep.store(true, ordering: .relaxed)
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        guard isEmpty else {
            wokeUp()
            return false
        }
        return true
    }

    /// Takes the announcement back, for a writer that woke by itself.
    package func wokeUp() {
        writerIsAsleep.store(false, ordering: .relaxed)
    }

    package var isEmpty: Bool {
        for ring in rings where ring.count > 0 { return false }
        return audit.isEmpty
    }

    /// Hands over what lies contiguously in a worker's ring; what `body` took is dropped from it.
    ///
    /// A piece may end inside a line, at the ring's wrap or where `body` took less than it was
    /// given: ``LogReader`` keeps such lines whole.
    ///
    /// - Returns: what `body` took; 0 with nothing to hand over.
    @discardableResult
    package func drain(worker: Int, _ body: (Span<UInt8>) -> Int) -> Int {
        rings[worker].take(body)
    }

    /// All audit lines that wait, in their order, joined.
    package func takeAudit() -> [UInt8] {
        audit.takeAll()
    }
}
