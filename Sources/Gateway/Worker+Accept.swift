// SPDX-License-Identifier: Apache-2.0

import Bytes
import Filters
import Policy
import Reactor
import Telemetry

extension Worker {
    /// A turn takes this many connections at most, so that those that are there get their turn.
    static let acceptsPerTurn = 64
    /// A handshake takes as long as ten requests. So many begin in a turn; what others have
    /// sent stays in the kernel, which tells of it again.
    static let handshakesPerTurn = 2

    /// - Parameter isLast: the listener is about to close, so whoever is in its queue is let in.
    /// - Returns: whether there may be more to accept.
    @discardableResult
    mutating func acceptAll(isLast: Bool = false) -> Bool {
        var peer = SocketAddress.none
        for _ in 0..<Self.acceptsPerTurn {
            guard isLast || context.handshakesLeft > 0 else { break }
            guard !context.gateway.connections.isOverfull else {
                rest(true)
                return false
            }
            guard let accepted = listener?.accept(from: &peer) else { return false }
            switch consume accepted {
            case .connection(let socket):
                open(socket, peer)
            case .lost:
                continue
            case .wouldBlock:
                return false
            // Apart, since the compiler matches no two patterns of what cannot be copied at once.
            case .exhausted:
                rest(true)
                return false
            case .failed:
                rest(true)
                return false
            }
        }
        return true
    }

    private mutating func open(_ socket: consuming Socket, _ peer: SocketAddress) {
        guard case .ip(let address, _) = peer else { return }
        let admission = context.gateway.connections.enter(
            address, isMany: context.isTrustedProxy(address))
        guard admission != .refused else {
            // Whoever takes more than its share is told nothing: a word to each would be an attack
            // on itself.
            socket.resetOnClose()
            return
        }
        let now = context.now.milliseconds
        var new = Downstream(socket, client: address, now: now)
        new.isSurplus = admission == .surplus
        if new.isSurplus { context.wasCrowded = true }
        guard let index = downstreams.insert(new) else {
            context.gateway.connections.leave(address)
            return
        }
        context.metrics.connectionOpened()
        downstreams[index].token = downstreams.token(at: index)
        downstreams[index].exchange = Exchange()
        do throws(SystemError) {
            try context.loop.add(
                downstreams[index].socket.descriptor, .readable,
                token: downstreams[index].token)
        } catch {
            apply(.reset, index)
            return
        }
        // Most often the first bytes are there already: that saves a turn of the loop.
        guard context.handshakesLeft > 0 else { return }
        apply(downstreams[index].onReadable(&context, &pool), index)
    }

    mutating func watchListener(_ interest: Interest) {
        switch listener {
        case .some(let listener):
            try? context.loop.modify(listener.descriptor, interest, token: Self.listenerToken)
        case .none: break
        }
    }
}
