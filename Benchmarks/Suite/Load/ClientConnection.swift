// SPDX-License-Identifier: Apache-2.0

import Bytes
import HTTP1
import Reactor
import TLS

/// One keep-alive connection of a client: connects, shakes hands, and has one request in flight
/// at most.
struct ClientConnection: ~Copyable {
    private enum Phase { case connecting, handshaking, ready }

    /// What an event led to.
    enum Progress: Equatable {
        case pending
        /// The first request may be sent.
        case connected(isResumed: Bool)
        case answered(status: Int)
        /// By the server, or by a fault of either side.
        case ended
    }

    let socket: Socket
    private var session: TLSClientSession?
    private var phase = Phase.connecting
    /// Ciphertext that has not been opened.
    private var input = Buffer()
    /// Plaintext that has not been parsed.
    private var plain = Buffer()
    /// What the socket has not taken.
    private var output = Buffer()
    private var reader = AnswerReader()
    /// When the request in flight should have been sent, in monotonic nanoseconds; at first, when
    /// connecting began.
    var dueAt = Clock.monotonicNanoseconds()
    /// When it was sent.
    var sentAt: UInt64 = 0

    init(_ target: LoadTarget, _ desk: borrowing ClientDesk) throws(SystemError) {
        socket = try Socket.connect(to: target.address)
        session = target.tls.flatMap { TLSClientSession($0, pump: desk.pump) }
    }

    /// The last request that was sent, if any.
    private(set) var isAnswered = false

    var interest: Interest {
        Interest(readable: phase != .connecting, writable: phase == .connecting || !output.isEmpty)
    }

    mutating func handle(_ event: Event, _ desk: inout ClientDesk) -> Progress {
        if phase == .connecting { return finishConnecting(&desk) }
        if event.isWritable, !output.isEmpty, !flush(&desk) { return .ended }
        guard event.isReadable else { return .pending }
        return receive(&desk)
    }

    /// - Returns: false where the connection is gone.
    mutating func send(_ request: [UInt8], _ desk: inout ClientDesk) -> Bool {
        isAnswered = false
        guard output.attach(from: &desk.pool) else { return false }
        if session == nil {
            output.append(array: request)
        } else {
            let taken = session?.write(request.span, into: &output, pump: desk.pump)
            guard taken == request.count else { return false }
        }
        return flush(&desk)
    }

    /// Gives back what is only of use with a request in flight.
    mutating func rest() {
        session?.releaseBuffers()
    }

    /// To be called before the value is dropped.
    mutating func release(to pool: inout SlabPool) {
        input.release(to: &pool)
        plain.release(to: &pool)
        output.release(to: &pool)
    }

    // MARK: Connecting

    private mutating func finishConnecting(_ desk: inout ClientDesk) -> Progress {
        guard socket.connectionError == 0 else { return .ended }
        guard session != nil else {
            phase = .ready
            return .connected(isResumed: false)
        }
        phase = .handshaking
        return shakeHands(&desk)
    }

    private mutating func shakeHands(_ desk: inout ClientDesk) -> Progress {
        guard output.attach(from: &desk.pool) else { return .ended }
        let outcome = session?.handshake(&input, &output, pump: desk.pump)
        guard flush(&desk) else { return .ended }
        switch outcome {
        case .complete(let isResumed):
            phase = .ready
            return .connected(isResumed: isResumed)
        case .needMore: return .pending
        case .failed, nil: return .ended
        }
    }

    // MARK: Moving bytes

    private mutating func flush(_ desk: inout ClientDesk) -> Bool {
        while !output.isEmpty {
            switch socket.send(output.readable) {
            case .bytes(let count): output.consume(count)
            case .wouldBlock: return true
            case .end, .failed: return false
            }
        }
        output.release(to: &desk.pool)
        return true
    }

    private mutating func receive(_ desk: inout ClientDesk) -> Progress {
        guard plain.attach(from: &desk.pool) else { return .ended }
        defer {
            input.releaseIfEmpty(to: &desk.pool)
            plain.releaseIfEmpty(to: &desk.pool)
        }
        guard session != nil else {
            guard case .bytes = socket.receive(into: &plain) else { return .ended }
            return parse(&desk)
        }
        guard input.attach(from: &desk.pool) else { return .ended }
        input.compact()
        guard case .bytes = socket.receive(into: &input) else { return .ended }
        return phase == .handshaking ? shakeHands(&desk) : open(&desk)
    }

    private mutating func open(_ desk: inout ClientDesk) -> Progress {
        guard output.attach(from: &desk.pool) else { return .ended }
        let reading = session?.read(&input, into: &plain, &output, pump: desk.pump)
        guard flush(&desk) else { return .ended }
        switch reading {
        case .needMore, .full: return parse(&desk)
        case .closed:
            let progress = parse(&desk)
            return progress == .pending ? .ended : progress
        case .failed, nil: return .ended
        }
    }

    private mutating func parse(_ desk: inout ClientDesk) -> Progress {
        let progress = reader.read(&plain, &desk)
        if case .answered = progress { isAnswered = true }
        return progress
    }
}
