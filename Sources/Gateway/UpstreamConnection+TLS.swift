// SPDX-License-Identifier: Apache-2.0

import Bytes
import Reactor
import TLS

/// TLS towards an upstream: the session, and ciphertext on its way in either direction.
///
/// A class, since few connections have one and those live long.
final class UpstreamTLS {
    private var session: TLSClientSession
    private let pump: PumpBox
    var input = Buffer()
    var output = Buffer()
    /// There was no room for all that could have been opened.
    private(set) var hasMore = false

    init?(_ trust: TLSClientContext, _ pump: PumpBox) {
        guard let session = TLSClientSession(trust, pump: pump.pump) else { return nil }
        self.session = session
        self.pump = pump
    }

    /// Keeps nothing while the connection idles, libssl's own record buffers (33 KB) included.
    func releaseBuffers(to pool: inout SlabPool) {
        input.release(to: &pool)
        output.release(to: &pool)
        session.releaseBuffers()
    }

    func handshake() -> TLSSession.Handshake {
        session.handshake(&input, &output, pump: pump.pump)
    }

    func read(into plaintext: inout Buffer) -> TLSSession.Reading {
        let result = session.read(&input, into: &plaintext, &output, pump: pump.pump)
        hasMore = result == .full
        return result
    }

    /// - Returns: how much was taken; `nil` where the session can't write any more.
    func write(_ plaintext: borrowing Span<UInt8>) -> Int? {
        session.write(plaintext, into: &output, pump: pump.pump)
    }

    func receive(from socket: borrowing Socket) -> Transfer {
        input.compact()
        return socket.receive(into: &input)
    }

    /// - Returns: false where the connection takes nothing more.
    func send(to socket: borrowing Socket) -> Bool {
        while !output.isEmpty {
            switch socket.send(output.readable) {
            case .bytes(let count):
                output.consume(count)
                if !output.isEmpty { return true }
            case .wouldBlock: return true
            case .end, .failed: return false
            }
        }
        return true
    }
}

extension UpstreamConnection {
    /// How far a handshake came.
    enum Handshake: Equatable {
        case underway
        case complete
        /// Why, for the log.
        case failed(String)
        /// There is no memory for it here, which says nothing of the upstream.
        case starved
    }

    /// Begins the handshake, or goes on with what has come.
    mutating func shakeHands(
        _ trust: TLSClientContext, _ context: inout WorkerContext
    ) -> Handshake {
        guard let tls = tls ?? begin(trust, &context), tls.output.attach(from: &context.pool),
            tls.input.attach(from: &context.pool)
        else { return .starved }
        var end: String?
        if state == .shakingHands {
            switch tls.receive(from: socket) {
            case .bytes, .wouldBlock: break
            case .end: end = "the upstream closed the connection"
            case .failed(let number): end = SystemError.text(number)
            }
        }
        state = .shakingHands
        let result = tls.handshake()
        // An alert that says why leaves too.
        if !tls.send(to: socket), end == nil { end = "the connection was reset" }
        tls.input.releaseIfEmpty(to: &context.pool)
        tls.output.releaseIfEmpty(to: &context.pool)
        switch result {
        case .complete: return .complete
        case .failed(let fault): return .failed("\(fault)")
        case .needMore: return end.map { .failed($0) } ?? .underway
        }
    }

    private mutating func begin(
        _ trust: TLSClientContext, _ context: inout WorkerContext
    ) -> UpstreamTLS? {
        guard let pump = context.pump() else { return nil }
        tls = UpstreamTLS(trust, pump)
        return tls
    }

    /// Seals what waits and sends it, a slab of records at a time.
    mutating func flush(_ tls: UpstreamTLS, _ context: inout WorkerContext) -> Bool {
        while !output.isEmpty || !tls.output.isEmpty {
            // Without memory it is sealed when there is room again: the loop asks for that.
            guard tls.output.attach(from: &context.pool) else { return true }
            if tls.output.isEmpty {
                guard let taken = tls.write(output.readable), taken > 0 else { return false }
                output.consume(taken)
                sentCount += taken
            }
            guard tls.send(to: socket) else { return false }
            if !tls.output.isEmpty { return true }
        }
        tls.output.release(to: &context.pool)
        return true
    }

    /// As ``receive(_:)``, opening what has come. What does not fit stays sealed, and is opened by
    /// the next call though the socket may have nothing more.
    mutating func receive(_ tls: UpstreamTLS, _ context: inout WorkerContext) -> Bool {
        guard tls.input.attach(from: &context.pool), tls.output.attach(from: &context.pool) else {
            return false
        }
        let before = input.count
        if tls.hasMore || !tls.input.isEmpty { open(tls) }
        if input.count == before, !hasEnded {
            switch tls.receive(from: socket) {
            case .bytes: open(tls)
            case .wouldBlock: break
            case .end, .failed:
                // No close_notify: somebody may have cut the answer short (RFC 8446 §6.1).
                hasEnded = true
                wasReset = true
            }
        }
        // What the protocol itself has to say: a key update's answer, an alert.
        _ = tls.send(to: socket)
        tls.input.releaseIfEmpty(to: &context.pool)
        tls.output.releaseIfEmpty(to: &context.pool)
        return input.count > before || hasEnded
    }

    private mutating func open(_ tls: UpstreamTLS) {
        switch tls.read(into: &input) {
        case .needMore, .full: break
        case .closed: hasEnded = true
        case .failed:
            hasEnded = true
            wasReset = true
        }
    }
}
