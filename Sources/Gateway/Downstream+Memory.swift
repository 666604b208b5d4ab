// SPDX-License-Identifier: Apache-2.0

import Bytes
import HTTP1
import Reactor
import Telemetry

/// What a connection holds of the worker's memory while its peer makes it wait.
extension Downstream {
    /// Puts what has come of a record, or of a head, into small slabs until the rest comes, where
    /// it fits: whoever sends a byte and waits must not hold a large one.
    mutating func putAside(_ context: inout WorkerContext) {
        if !isFull, cipherIn.count > 0, cipherIn.count <= WorkerContext.memoCapacity,
            opening.attach(from: &context.memoPool)
        {
            opening.append(contentsOf: cipherIn)
            cipherIn.release(to: &context.pool)
        }
        // Nothing is remembered of a request whose head is not there, so that slab is free.
        if exchange.request == .awaitingHead, exchange.startedAt > 0, plainIn.count > 0,
            plainIn.count <= WorkerContext.memoCapacity, memo.attach(from: &context.memoPool)
        {
            memo.append(contentsOf: plainIn)
            plainIn.release(to: &context.pool)
        }
    }

    mutating func takeBackRecord(_ context: inout WorkerContext) {
        guard opening.isAttached, phase != .sniffing else { return }
        cipherIn.append(contentsOf: opening)
        opening.release(to: &context.memoPool)
    }

    /// The head that was put aside, into the input again, which is attached and empty.
    mutating func takeBackHead(_ context: inout WorkerContext) {
        guard memo.isAttached, exchange.request == .awaitingHead else { return }
        plainIn.append(contentsOf: memo)
        memo.release(to: &context.memoPool)
    }

    mutating func noteStarving(_ now: UInt64) {
        if !isStarved {
            starvedSince = 0
        } else if starvedSince == 0 {
            starvedSince = now
        }
    }

    /// Since when the connection has held large slabs without getting on, because its peer sends
    /// the rest of a head, or reads its answer, too slowly, or because it waits for one more slab
    /// while others wait for its own; `nil` where it holds none, or waits for an upstream.
    /// Monotonic milliseconds.
    var idlesWithSlabsSince: UInt64? {
        if isStarved {
            let holds = cipherIn.isAttached || plainIn.isAttached || cipherOut.isAttached
            return holds && exchange.connection < 0 ? max(1, starvedSince) : nil
        }
        guard phase == .open else { return nil }
        if !cipherOut.isEmpty, !isAnswerPutOff { return lastWriteAt }
        guard exchange.request == .awaitingHead, plainIn.isAttached || cipherIn.isAttached else {
            return nil
        }
        let headSince = exchange.startedAt / 1_000_000
        return headSince > 0 ? headSince : max(recordSince, acceptedAt)
    }

    /// Since when the client has taken nothing of an answer that comes from this upstream; `nil`
    /// where there is none, or it reads. Monotonic milliseconds.
    func stalledSince(on upstream: Int) -> UInt64? {
        guard exchange.connection >= 0, exchange.record.upstream == upstream, !cipherOut.isEmpty,
            !isAnswerPutOff
        else { return nil }
        return lastWriteAt
    }
}
