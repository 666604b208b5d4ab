// SPDX-License-Identifier: Apache-2.0

import Bytes
import Reactor
import TLS

/// One connection of an attacker: shakes hands, and then has little to do but to hold on.
struct Attacker: ~Copyable {
    enum Phase { case connecting, handshaking, holding }

    /// What an event led to.
    enum Progress { case pending, holding, ended }

    /// Of an answer that it does not read to its end.
    private static let readBytesMax = 4096

    let socket: Socket
    private let kind: AttackKind
    private(set) var phase = Phase.connecting
    /// For the handshake alone: what is sent later is sealed right behind it.
    private var session: TLSClientSession?
    private var input = Buffer()
    private var output = Buffer()
    /// All that it will ever say, in records.
    private var sealed: [UInt8] = []
    private var sentCount = 0
    private var readCount = 0

    init(
        _ target: LoadTarget, _ kind: AttackKind, _ desk: borrowing ClientDesk
    ) throws(SystemError) {
        socket = try Socket.connect(to: target.address)
        self.kind = kind
        session = target.tls.flatMap { TLSClientSession($0, pump: desk.pump) }
    }

    var interest: Interest {
        if phase == .connecting { return .writable }
        // Its answer is of no interest, only that it was cut off.
        let hasEnough = kind == .stalled && readCount >= Self.readBytesMax
        return hasEnough ? .peerClosed : .readable
    }

    mutating func handle(_ event: Event, _ desk: inout ClientDesk) -> Progress {
        switch phase {
        case .connecting:
            guard socket.connectionError == 0 else { return .ended }
            phase = .handshaking
            return shakeHands(&desk)
        case .handshaking:
            guard input.attach(from: &desk.pool) else { return .ended }
            input.compact()
            guard case .bytes = socket.receive(into: &input) else { return .ended }
            return shakeHands(&desk)
        case .holding:
            return event.isBroken || event.isPeerClosed ? .ended : drop(&desk)
        }
    }

    /// Sends the next of its records, if there is one left.
    ///
    /// - Returns: false where the connection is gone.
    mutating func drip() -> Bool {
        guard phase == .holding, sentCount < sealed.count else { return true }
        let next = min(sealed.count, sentCount + kind.recordBytes)
        switch socket.send(sealed.span.extracting(sentCount..<next)) {
        case .bytes(let count):
            sentCount += count
            return true
        case .wouldBlock: return true
        case .end, .failed: return false
        }
    }

    /// To be called before the value is dropped.
    mutating func release(to pool: inout SlabPool) {
        input.release(to: &pool)
        output.release(to: &pool)
    }

    private mutating func shakeHands(_ desk: inout ClientDesk) -> Progress {
        guard output.attach(from: &desk.pool) else { return .ended }
        let outcome = session?.handshake(&input, &output, pump: desk.pump)
        guard flush() else { return .ended }
        switch outcome {
        case .needMore: return .pending
        case .failed, nil: return .ended
        case .complete: break
        }
        guard seal(desk) else { return .ended }
        session = nil
        release(to: &desk.pool)
        phase = .holding
        return drip() ? .holding : .ended
    }

    private mutating func flush() -> Bool {
        while !output.isEmpty {
            // A flight of the client is far smaller than any socket's room.
            guard case .bytes(let count) = socket.send(output.readable) else { return false }
            output.consume(count)
        }
        return true
    }

    private mutating func seal(_ desk: borrowing ClientDesk) -> Bool {
        for piece in kind.pieces {
            guard session?.write(piece.span, into: &output, pump: desk.pump) == piece.count else {
                return false
            }
            for index in 0..<output.count {
                let byte = output.readable[index]
                sealed.append(byte)
            }
            output.clear()
        }
        return true
    }

    /// Reads what came and forgets it.
    private mutating func drop(_ desk: inout ClientDesk) -> Progress {
        guard input.attach(from: &desk.pool) else { return .ended }
        defer { input.release(to: &desk.pool) }
        switch socket.receive(into: &input, limit: Self.readBytesMax) {
        case .bytes(let count):
            readCount += count
            return .pending
        case .wouldBlock: return .pending
        case .end, .failed: return .ended
        }
    }
}
