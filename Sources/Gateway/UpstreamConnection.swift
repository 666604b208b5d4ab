// SPDX-License-Identifier: Apache-2.0

import Bytes
import HTTP1
import Reactor
import TLS

/// One connection to an upstream: idle in the pool, or lent to one exchange.
struct UpstreamConnection: ~Copyable {
    enum State: Equatable {
        case connecting
        /// TLS; nothing of the request has left.
        case shakingHands
        case busy
        case idle
    }

    let socket: Socket
    let upstream: Int
    /// Where its permit goes back to.
    let share: UpstreamShare
    /// Which of the upstream's endpoints it leads to, and the worker's seat of that endpoint.
    let choice: Int
    let seat: Int
    /// Which of the endpoint's addresses it leads to, as the seat counts them.
    let attempt: Int
    var state = State.connecting
    /// The client connection whose exchange this serves.
    var owner = SlotToken(rawValue: 0)
    /// `nil` for plaintext, and until the handshake begins.
    var tls: UpstreamTLS?
    /// Plaintext that has not been handed on yet.
    var output = Buffer()
    /// Plaintext that the upstream has sent and nobody has relayed yet.
    var input = Buffer()
    var parser = ResponseHeadParser()
    var interest = Interest.none
    /// Bytes of the present request that are with the kernel, or sealed for it: once there is one,
    /// the request is never sent again.
    var sentCount = 0
    var isReused = false
    /// The upstream's FIN was read, or its reset.
    var hasEnded = false
    /// It was a reset, or came without TLS's own farewell: an answer without an end of its own is
    /// not whole.
    var wasReset = false
    /// It takes nothing more of the request; what it has answered can still be read.
    var isDeaf = false
    /// epoll has reported an error while nothing was asked for, and would do so again and again:
    /// the descriptor is out of the loop, and is read when the client has room.
    var isUnwatched = false
    /// The turn of the loop in which it was parked; monotonic nanoseconds.
    var parkedAt: UInt64 = 0
    /// Links the idle connections of an endpoint.
    var nextIdle = -1

    init(
        _ socket: consuming Socket, upstream: Int, _ share: UpstreamShare, choice: Int, seat: Int,
        attempt: Int
    ) {
        self.socket = socket
        self.share = share
        self.upstream = upstream
        self.choice = choice
        self.seat = seat
        self.attempt = attempt
    }

    /// Whether something waits to be taken by the kernel.
    var hasUnsent: Bool {
        !output.isEmpty || tls?.output.isEmpty == false
    }

    var hasUnsentCiphertext: Bool { tls?.output.isEmpty == false }

    /// Forgets what waits to be sent.
    mutating func dropUnsent(to pool: inout SlabPool) {
        output.release(to: &pool)
        tls?.output.release(to: &pool)
    }

    /// Sends what waits.
    ///
    /// - Returns: false where the connection takes nothing more.
    mutating func flush(_ context: inout WorkerContext) -> Bool {
        if let tls { return flush(tls, &context) }
        while !output.isEmpty {
            switch socket.send(output.readable) {
            case .bytes(let count):
                output.consume(count)
                sentCount += count
                if !output.isEmpty { return true }
            case .wouldBlock: return true
            case .end, .failed: return false
            }
        }
        return true
    }

    /// Reads into `input`, which is attached, and notes an end.
    ///
    /// - Returns: whether anything is new: bytes, or the end.
    mutating func receive(_ context: inout WorkerContext) -> Bool {
        if let tls { return receive(tls, &context) }
        switch socket.receive(into: &input, limit: Exchange.responseReadMax) {
        case .bytes: return true
        case .wouldBlock: return false
        case .end:
            hasEnded = true
            // A send that has failed has taken the reset, and what is left of it looks like FIN.
            if isDeaf { wasReset = true }
        case .failed:
            hasEnded = true
            wasReset = true
        }
        return true
    }

    /// Whether ``receive(_:)`` has something to give though the loop may be silent about it.
    var hasHidden: Bool {
        guard !hasEnded else { return false }
        return isUnwatched || tls?.hasMore == true
    }

    /// Whether it is idle for certain: nothing unread but what TLS sends of its own, no FIN, no
    /// error.
    mutating func isQuiet(_ context: inout WorkerContext) -> Bool {
        if socket.isQuiet { return true }
        guard let tls, input.attach(from: &context.pool) else { return false }
        _ = receive(tls, &context)
        defer { releaseBuffers(to: &context.pool) }
        return !hasEnded && input.isEmpty && socket.isQuiet
    }

    mutating func releaseBuffers(to pool: inout SlabPool) {
        output.release(to: &pool)
        input.release(to: &pool)
        tls?.releaseBuffers(to: &pool)
    }

    /// Parses what has come as an answer's head.
    mutating func parseHead(
        requestMethod: Method, into head: inout ResponseHead
    ) throws(HeadFault) -> HeadProgress {
        var bytes = Buffer()
        swap(&bytes, &input)
        defer { swap(&bytes, &input) }
        return try parser.parse(
            bytes.readable, limits: HeadLimits(), requestMethod: requestMethod, into: &head)
    }
}
