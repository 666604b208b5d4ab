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

    /// What asks for the large answer; it comes whole, in front of what is read at once.
    static let largePath = "/large"
    static let largeBytes = 8_000_000
    private static let largeRequest = Array("GET \(largePath) ".utf8)
    private static let largeHead = Array(
        "HTTP/1.1 200 OK\r\ncontent-length: \(largeBytes)\r\n\r\n".utf8)
    private static let largePiece = [UInt8](repeating: 0x61, count: 64 * 1024)

    /// Not private: the compiler would crash on it as the element of a table.
    struct Peer: ~Copyable {
        let socket: Socket
        /// The last four bytes that came, the latest lowest.
        var tail: UInt32 = 0
        /// What it was asked for last is the large answer, and so much of it has not been sent.
        var isLarge = false
        var owedCount = 0
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
                } else if let peer = peers.resolve(event.token) {
                    let isThere = peers[peer].owedCount > 0 ? goOn(peer, event) : serve(peer)
                    if !isThere { _ = peers.remove(at: peer) }
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
            if peers[index].tail == Self.emptyLine || peers[index].tail == 0 {
                peers[index].isLarge =
                    count >= Self.largeRequest.count
                    && chunk.readable.extracting(0..<Self.largeRequest.count)
                        .equals(Self.largeRequest.span)
            }
            for offset in max(0, count - 4)..<count {
                peers[index].tail = peers[index].tail << 8 | UInt32(chunk.readable[offset])
            }
        }
        guard peers[index].tail == Self.emptyLine else { return true }
        if peers[index].isLarge { return beginLarge(index) }
        return peers[index].socket.send(Self.answer.span) == .bytes(Self.answer.count)
    }

    private mutating func beginLarge(_ index: Int) -> Bool {
        guard peers[index].socket.send(Self.largeHead.span) == .bytes(Self.largeHead.count)
        else { return false }
        peers[index].owedCount = Self.largeBytes
        return sendOwed(index)
    }

    /// - Returns: false where the peer has gone.
    private mutating func goOn(_ index: Int, _ event: Event) -> Bool {
        event.isBroken ? false : sendOwed(index)
    }

    /// Sends one piece: who asks for little does not wait for who asks for much.
    private mutating func sendOwed(_ index: Int) -> Bool {
        let piece = Self.largePiece.span.extracting(
            0..<min(Self.largePiece.count, peers[index].owedCount))
        switch peers[index].socket.send(piece) {
        case .bytes(let count): peers[index].owedCount -= count
        case .wouldBlock: break
        case .end, .failed: return false
        }
        return watch(index, peers[index].owedCount > 0 ? .writable : .readable)
    }

    private mutating func watch(_ index: Int, _ interest: Interest) -> Bool {
        do throws(SystemError) {
            try loop.modify(
                peers[index].socket.descriptor, interest, token: peers.token(at: index))
            return true
        } catch { return false }
    }
}
