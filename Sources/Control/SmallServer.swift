// SPDX-License-Identifier: Apache-2.0

import Bytes
import Reactor
import TLS

/// An HTTP/1.1 server for few requests, in plain or over TLS, on the control thread's loop: the
/// admin listener, and the sample upstream of `agentport dev`.
package final class SmallServer {
    private static let connectionsMax = 64
    private static let idleMilliseconds: UInt64 = 60_000
    /// How long a client that has its last answer may go on sending nothing.
    private static let lingeringMilliseconds: UInt64 = 2000

    package let address: SocketAddress
    private let listener: Listener
    private let listenerToken: SlotToken
    private var connections: SlotTable<SmallConnection>
    private var pool = SlabPool(bound: 4)
    private let tools = TLSTools()
    /// What holds now; `nil` for plain HTTP.
    private let tls: (() -> TLSServerContext)?
    private var isResting = false
    private let service: SmallService

    /// - Parameters:
    ///   - kind: names this server's events on the loop; `kind + 1` its connections'.
    ///   - tls: asked for each connection, since certificates change; `nil` for plain HTTP.
    package init(
        _ listener: consuming Listener, kind: UInt8, tls: (() -> TLSServerContext)? = nil,
        service: SmallService
    ) {
        address = listener.address
        self.listener = listener
        self.tls = tls
        self.service = service
        listenerToken = SlotToken(kind: kind, index: 0, generation: 1)
        connections = SlotTable(kind: kind + 1, capacity: Self.connectionsMax)
    }

    func start(on loop: inout EventLoop) throws(SystemError) {
        try loop.add(listener.descriptor, .readable, token: listenerToken)
    }

    /// - Returns: whether the event was this server's.
    func handle(_ event: Event, on loop: inout EventLoop, now: UInt64) -> Bool {
        if event.token == listenerToken {
            acceptAll(&loop, now)
            return true
        }
        guard event.token.kind == connections.kind else { return false }
        guard let index = connections.resolve(event.token) else { return true }
        connections[index].lastActiveAt = now
        let before = connections[index].interest
        var fate = SmallConnection.Fate.keep
        if event.isReadable {
            fate = connections[index].onReadable(&pool, service)
        } else if event.isWritable {
            fate = connections[index].onWritable(&pool, service)
        }
        if fate == .close {
            _ = connections.remove(at: index)
        } else if connections[index].interest != before {
            try? loop.modify(
                connections[index].socket.descriptor, connections[index].interest,
                token: event.token)
        }
        return true
    }

    /// No descriptor is left: to accept again at once would only spin.
    private func rest(_ loop: inout EventLoop) {
        isResting = true
        try? loop.modify(listener.descriptor, .none, token: listenerToken)
    }

    /// Called once a second.
    func wake(on loop: inout EventLoop, now: UInt64) {
        closeIdle(now)
        guard isResting else { return }
        isResting = false
        try? loop.modify(listener.descriptor, .readable, token: listenerToken)
    }

    private func acceptAll(_ loop: inout EventLoop, _ now: UInt64) {
        var peer = SocketAddress.none
        while true {
            switch listener.accept(from: &peer) {
            case .connection(let socket): open(socket, from: peer, &loop, now)
            case .lost: continue
            case .wouldBlock: return
            case .exhausted: return rest(&loop)
            case .failed: return rest(&loop)
            }
        }
    }

    private func open(
        _ socket: consuming Socket, from peer: SocketAddress, _ loop: inout EventLoop,
        _ now: UInt64
    ) {
        if connections.count == Self.connectionsMax { closeLongestIdle() }
        guard connections.count < Self.connectionsMax,
            let index = connections.insert(
                SmallConnection(
                    socket, from: peer,
                    tls.map {
                        SmallSecureEnd($0(), tools, now: Clock.wallNanoseconds() / 1_000_000_000)
                    }, now: now))
        else { return }
        do throws(SystemError) {
            try loop.add(
                connections[index].socket.descriptor, .readable,
                token: connections.token(at: index))
        } catch {
            _ = connections.remove(at: index)
        }
    }

    private func closeLongestIdle() {
        var oldest: Int?
        for index in 0..<connections.indexEnd where connections.isOccupied(index) {
            if let known = oldest,
                connections[known].lastActiveAt <= connections[index].lastActiveAt
            {
                continue
            }
            oldest = index
        }
        if let oldest { _ = connections.remove(at: oldest) }
    }

    private static func idle(_ connection: borrowing SmallConnection) -> UInt64 {
        connection.isLingering ? lingeringMilliseconds : idleMilliseconds
    }

    private func closeIdle(_ now: UInt64) {
        for index in 0..<connections.indexEnd
        where connections.isOccupied(index)
            && connections[index].lastActiveAt + Self.idle(connections[index]) < now
        {
            _ = connections.remove(at: index)
        }
    }
}
