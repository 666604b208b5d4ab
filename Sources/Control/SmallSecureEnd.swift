// SPDX-License-Identifier: Apache-2.0

import Bytes
import TLS

/// A small server's end of a TLS connection.
struct SmallSecureEnd: ~Copyable {
    enum Outcome {
        /// There is more to take from the same ciphertext.
        case more
        /// More ciphertext is needed.
        case enough
        /// The peer will send no more.
        case closed
        case failed
    }

    private var session: TLSSession
    private var isOpen = false
    /// The beginning of a record.
    private var waiting: [UInt8] = []

    /// - Parameter now: seconds since 1970.
    init(_ context: TLSServerContext, _ tools: TLSTools, now: UInt64) {
        session = TLSSession(context, tools, now: now)
    }

    /// Puts what waits before what comes next.
    mutating func restore(to chunk: inout Buffer) {
        chunk.append(waiting.span)
        waiting = []
    }

    /// - Parameter sealed: gets what TLS itself has to say.
    mutating func take(
        _ chunk: inout Buffer, into plain: inout Buffer, _ sealed: inout Buffer
    ) -> Outcome {
        guard isOpen else { return shakeHands(&chunk, &sealed) }
        switch session.read(&chunk, into: &plain, &sealed) {
        case .full: return .more
        case .needMore:
            waiting = chunk.readable.array
            return .enough
        case .closed: return .closed
        case .failed: return .failed
        }
    }

    private mutating func shakeHands(_ chunk: inout Buffer, _ sealed: inout Buffer) -> Outcome {
        switch session.handshake(&chunk, &sealed) {
        case .complete:
            isOpen = true
            return .more
        case .needMore:
            // Its answer may be larger than what there is room for.
            if sealed.room == 0 { return .more }
            waiting = chunk.readable.array
            return .enough
        case .failed: return .failed
        }
    }

    /// - Parameter isLast: close_notify follows.
    /// - Returns: false where it cannot be sealed.
    mutating func seal(
        _ plain: Span<UInt8>, isLast: Bool, into output: inout [UInt8], _ pool: inout SlabPool
    ) -> Bool {
        var sealed = Buffer()
        guard sealed.attach(from: &pool) else { return false }
        defer { sealed.release(to: &pool) }
        var offset = 0
        while offset < plain.count {
            let rest = plain.extracting(offset..<plain.count)
            guard let count = session.write(rest, into: &sealed), count > 0 else { return false }
            offset += count
            output += sealed.readable.array
            sealed.clear()
        }
        if isLast {
            session.close(into: &sealed)
            output += sealed.readable.array
            sealed.clear()
        }
        return true
    }
}
