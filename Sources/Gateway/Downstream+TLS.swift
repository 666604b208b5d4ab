// SPDX-License-Identifier: Apache-2.0

import Bytes
import Filters
import Reactor
import TLS
import Telemetry

extension Downstream {
    /// Tells TLS from plaintext by the first byte.
    mutating func sniff(_ context: inout WorkerContext) {
        let handshakeRecord: UInt8 = 22
        guard !opening.isEmpty else { return }
        guard opening.readable[0] != handshakeRecord else { return beginTLS(&context) }
        guard plainIn.attach(from: &context.pool) else {
            isClosing = true
            return
        }
        plainIn.append(contentsOf: opening)
        opening.release(to: &context.memoPool)
        phase = .plaintext
    }

    private mutating func beginTLS(_ context: inout WorkerContext) {
        if let limiter = context.generation.handshakeLimiter,
            !context.isTrustedProxy(client),
            limiter.take(client, now: context.now.nanoseconds) != .pass
        {
            context.metrics.tlsHandshake(result: .failed, nanoseconds: 0)
            isClosing = true
            return
        }
        guard cipherIn.attach(from: &context.pool) else {
            isClosing = true
            return
        }
        cipherIn.append(contentsOf: opening)
        opening.release(to: &context.memoPool)
        context.handshakesLeft -= 1
        session = TLSSession(
            context.generation.tls, context.tls, now: context.now.wallSeconds)
        phase = .handshaking
        shakeHands(&context)
    }

    mutating func shakeHands(_ context: inout WorkerContext) {
        guard cipherOut.attach(from: &context.pool) else {
            isClosing = true
            return
        }
        cipherOut.compact()
        var result: TLSSession.Handshake?
        var isSent = false
        var hasMore = true
        // A flight larger than a slab (a very long chain) leaves piece by piece.
        while hasMore {
            result = session?.handshake(&cipherIn, &cipherOut)
            hasMore = result == .needMore && cipherOut.room == 0
            isSent = flush(&context)
            if !isSent || !cipherOut.isEmpty { hasMore = false }
        }
        let elapsed = (context.now.milliseconds - acceptedAt) * 1_000_000
        switch result {
        case .complete(let isResumed):
            phase = .open
            certificate = session?.clientCertificate
            move(to: .idle, &context)
            context.metrics.tlsHandshake(
                result: isResumed ? .resumed : .full, nanoseconds: elapsed)
        case .needMore:
            break
        case .failed, nil:
            context.metrics.tlsHandshake(result: .failed, nanoseconds: elapsed)
            isClosing = true
        }
        if !isSent { isClosing = true }
    }

    /// Called when clients are asked to prove something else from now on.
    mutating func lookAtProof(_ tls: TLSServerContext) {
        isProofOutdated = session?.isBound(to: tls) == false
    }

    /// Opens what has come sealed.
    ///
    /// - Returns: whether there is new plaintext.
    mutating func unseal(_ context: inout WorkerContext) -> Bool {
        guard !hasClosed, !cipherIn.isEmpty else { return false }
        guard plainIn.attach(from: &context.pool), cipherOut.attach(from: &context.pool) else {
            isStarved = true
            return false
        }
        takeBackHead(&context)
        if plainIn.room < TLSSession.recordPlaintextMax { plainIn.compact() }
        guard plainIn.room > 0 else { return false }
        let before = plainIn.count
        let result = session?.read(&cipherIn, into: &plainIn, &cipherOut)
        switch result {
        case .needMore:
            isFull = false
        case .full:
            isFull = !cipherIn.isEmpty
        case .closed:
            hasClosed = true
            cipherIn.clear()
        case .failed, nil:
            isClosing = true
            hasClosed = true
            cipherIn.clear()
        }
        return plainIn.count > before
    }

    /// Seals what lies in the context's scratch space and sends it.
    ///
    /// - Returns: false where the connection is gone.
    mutating func emit(_ context: inout WorkerContext) -> Bool {
        guard !context.plain.isEmpty else { return true }
        return seal(&context) && flush(&context)
    }

    /// Moves what lies in the context's scratch space to the output.
    ///
    /// - Returns: false where there is no memory for it.
    mutating func seal(_ context: inout WorkerContext) -> Bool {
        guard cipherOut.attach(from: &context.pool) else { return false }
        exchange.record.bytesOut += UInt64(context.plain.count)
        if session == nil {
            cipherOut.append(context.plain.readable)
        } else {
            let taken = session?.write(context.plain.readable, into: &cipherOut)
            // Callers relay only into an empty output, so that all of it fits.
            guard taken == context.plain.count else { return false }
        }
        context.plain.clear()
        return true
    }

    /// Hands the kernel what it takes.
    ///
    /// - Returns: false where the connection is gone.
    mutating func flush(_ context: inout WorkerContext) -> Bool {
        while !cipherOut.isEmpty {
            switch socket.send(cipherOut.readable) {
            case .bytes(let count):
                cipherOut.consume(count)
                lastWriteAt = context.now.milliseconds
                if !cipherOut.isEmpty { return true }
            case .wouldBlock: return true
            case .end, .failed: return false
            }
        }
        return true
    }

    /// Moves the connection from one gauge to another.
    mutating func move(to next: ConnectionState, _ context: inout WorkerContext) {
        context.metrics.connectionMoved(from: state, to: next)
        state = next
    }
}
