// SPDX-License-Identifier: Apache-2.0

import Bytes
import HTTP1
import Reactor

/// One connection to an upstream: idle in the pool, or lent to one exchange.
struct UpstreamConnection: ~Copyable {
    enum State: Equatable {
        case connecting
        case busy
        case idle
    }

    let socket: Socket
    let upstream: Int
    var state = State.connecting
    /// The client connection whose exchange this serves.
    var owner = SlotToken(rawValue: 0)
    /// What the upstream has not taken yet.
    var output = Buffer()
    /// What the upstream has sent and nobody has relayed yet.
    var input = Buffer()
    var parser = ResponseHeadParser()
    var interest = Interest.none
    /// Bytes of the present request that are with the kernel: once there is one, the request is
    /// never sent again.
    var sentCount = 0
    var isReused = false
    /// The upstream's FIN was read, or its reset.
    var hasEnded = false
    /// It was a reset: an answer without an end of its own is not whole.
    var wasReset = false
    /// epoll has reported an error while nothing was asked for, and would do so again and again:
    /// the descriptor is out of the loop, and is read when the client has room.
    var isUnwatched = false
    /// The turn of the loop in which it was parked; monotonic nanoseconds.
    var parkedAt: UInt64 = 0
    /// Links the idle connections of an upstream.
    var nextIdle = -1

    init(_ socket: consuming Socket, upstream: Int) {
        self.socket = socket
        self.upstream = upstream
    }

    /// Sends what waits in `output`.
    ///
    /// - Returns: false where the connection is gone.
    mutating func flush() -> Bool {
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

    mutating func receive() -> Transfer { socket.receive(into: &input) }

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
