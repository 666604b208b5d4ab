// SPDX-License-Identifier: Apache-2.0

import Bytes
import Reactor

/// The cheapest honest HTTP/1.1 server: answers each request that has no content with the same
/// few bytes, and keeps the connection.
///
/// It looks for the empty line alone: what it is sent comes from a gateway that has parsed it.
struct Upstream: ~Copyable {
    private static let listenerToken = SlotToken(kind: 1, index: 0, generation: 1)
    private static let connectionsMax = 20_000
    /// CR LF CR LF as one number.
    private static let emptyLine: UInt32 = 0x0D0A_0D0A
    private static let answer = Array(
        ("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 27\r\n\r\n"
            + #"{"id":42,"state":"running"}"#).utf8)

    /// Not private: the compiler would crash on it as the element of a table.
    struct Peer: ~Copyable {
        let socket: Socket
        /// The last four bytes that came, the latest lowest.
        var tail: UInt32 = 0
    }

    private var loop: EventLoop
    private let listener: Listener
    private var peers = SlotTable<Peer>(kind: 2, capacity: connectionsMax)
    private var pool = SlabPool(bound: 1)

    init(_ address: SocketAddress) throws(SystemError) {
        let loop = try EventLoop()
        let listener = try Listener(address, isShared: false)
        try loop.add(listener.descriptor, .readable, token: Self.listenerToken)
        self.loop = loop
        self.listener = listener
    }

    /// Serves without end.
    mutating func run() throws(SystemError) -> Never {
        while true {
            for index in 0..<loop.wait(milliseconds: -1) {
                let event = loop.event(at: index)
                if event.token == Self.listenerToken {
                    accept()
                } else if let peer = peers.resolve(event.token), !serve(peer) {
                    _ = peers.remove(at: peer)
                }
            }
        }
    }

    private mutating func accept() {
        var address = SocketAddress.none
        while case .connection(let socket) = listener.accept(from: &address) {
            guard let index = peers.insert(Peer(socket: socket)) else { continue }
            try? loop.add(
                peers[index].socket.descriptor, .readable, token: peers.token(at: index))
        }
    }

    /// - Returns: false where the peer has gone.
    private mutating func serve(_ index: Int) -> Bool {
        var chunk = Buffer()
        guard chunk.attach(from: &pool) else { return false }
        defer { chunk.release(to: &pool) }
        switch peers[index].socket.receive(into: &chunk) {
        case .wouldBlock: return true
        case .end, .failed: return false
        case .bytes(let count):
            for offset in max(0, count - 4)..<count {
                peers[index].tail = peers[index].tail << 8 | UInt32(chunk.readable[offset])
            }
        }
        guard peers[index].tail == Self.emptyLine else { return true }
        return peers[index].socket.send(Self.answer.span) == .bytes(Self.answer.count)
    }
}
