// SPDX-License-Identifier: Apache-2.0

import Bytes

/// What one call to ``LogReader/drain(_:_:)`` came to.
package enum LogDrain: Equatable, Sendable {
    /// Nothing is left.
    case empty
    /// The output took less than it was given; to be called again when it takes more.
    case stalled
}

/// The log writer's place in the channel, so that no line of one source is cut by another's.
package struct LogReader: ~Copyable {
    /// Audit lines that were taken and not yet written whole.
    private var audit: [UInt8] = []
    private var auditOffset = 0
    /// The worker whose line is half written; it comes first.
    private var unfinished: Int?

    package init() {}

    /// Writes what waits: the audit lines, then each worker's ring to its end.
    ///
    /// - Parameter write: is given bytes and says how many of them the output took.
    package mutating func drain(
        _ channel: LogChannel, _ write: (Span<UInt8>) -> Int
    ) -> LogDrain {
        if let worker = unfinished, !drain(channel, worker: worker, write) { return .stalled }
        guard drainAudit(channel, write) else { return .stalled }
        for worker in 0..<channel.workerCount {
            guard drain(channel, worker: worker, write) else { return .stalled }
        }
        return .empty
    }

    /// - Returns: whether the ring was written to the end of a line and is done with.
    private mutating func drain(
        _ channel: LogChannel, worker: Int, _ write: (Span<UInt8>) -> Int
    ) -> Bool {
        // A worker that never stops writing must not keep the others' lines waiting.
        var budget = 2 * LogChannel.ringCapacity
        var isWhole = unfinished != worker
        var isStalled = false
        while !isStalled, budget > 0 || !isWhole {
            let taken = channel.drain(worker: worker) { bytes in
                let taken = write(bytes)
                isStalled = taken < bytes.count
                if taken > 0 { isWhole = bytes[taken - 1] == .lineFeed }
                return taken
            }
            if taken == 0 { break }
            budget -= taken
        }
        unfinished = isWhole ? nil : worker
        return !isStalled
    }

    /// - Returns: whether all audit lines are written.
    private mutating func drainAudit(
        _ channel: LogChannel, _ write: (Span<UInt8>) -> Int
    ) -> Bool {
        guard drainTakenAudit(write) else { return false }
        audit = channel.takeAudit()
        auditOffset = 0
        return drainTakenAudit(write)
    }

    private mutating func drainTakenAudit(_ write: (Span<UInt8>) -> Int) -> Bool {
        while auditOffset < audit.count {
            let taken = write(audit.span.extracting(auditOffset..<audit.count))
            auditOffset += taken
            if taken == 0 { return false }
        }
        return true
    }
}
