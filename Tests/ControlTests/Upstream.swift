// SPDX-License-Identifier: Apache-2.0

import Bytes
import Reactor
import TLS
import TestSupport

/// A server on loopback or on a Unix socket that does to each request what it is told to.
final class Upstream {
    enum Act {
        /// These bytes; the connection stays open.
        case say(String)
        /// These bytes, then FIN (with a close_notify before it, where there is TLS).
        case sayAndClose(String)
        /// These bytes, then FIN and nothing before it.
        case sayAndCut(String)
        case nothing
        case reset
        /// These bytes, and then content without end.
        case flood(String)
    }

    static let loopback = SocketAddress.ip(IPAddress(ipv4: 0x7F00_0001), port: 0)

    let address: SocketAddress
    var act: Act
    private(set) var requests: [String] = []
    private(set) var acceptedCount = 0
    /// Connections that the other side has ended with a close_notify.
    private(set) var farewellCount = 0
    private var listener: Listener?
    private let tls: TLSServerContext?
    private var connections: [Connection] = []

    init(
        _ act: Act = .say(Upstream.ok), at place: SocketAddress = loopback,
        identity: ThrowAwayIdentity? = nil
    ) throws {
        let listener = try Listener(place, isShared: false)
        address = listener.address
        self.listener = consume listener
        self.act = act
        tls = try identity.map {
            let certificate = Array($0.certificate.utf8)
            let key = Array($0.key.utf8)
            return try TLSServerContext(certificate: certificate.span, key: key.span)
        }
    }

    static let ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
    static func status(_ number: Int) -> Act {
        .say("HTTP/1.1 \(number) X\r\ncontent-length: 0\r\n\r\n")
    }

    /// Nobody listens any more; what is connected stays so.
    func stop() { listener = nil }

    func restart() throws { listener = try Listener(address, isShared: false) }

    /// Connections that the other side has not ended.
    var openCount: Int { connections.count }

    func turn() {
        accept()
        for connection in connections {
            defer { if connection.takeFarewell() { farewellCount += 1 } }
            guard let request = connection.request() else { continue }
            requests.append(request)
            connection.perform(act)
        }
        for connection in connections { connection.flush() }
        connections.removeAll { $0.hasEnded }
    }

    private func accept() {
        var peer = SocketAddress.none
        while true {
            switch listener?.accept(from: &peer) {
            case .some(.connection(let socket)):
                acceptedCount += 1
                connections.append(Connection(socket, tls))
            default:
                return
            }
        }
    }
}

/// The server's end of one connection.
private final class Connection {
    private(set) var hasEnded = false
    private let socket: Socket
    private var tls: TLSSession?
    private var isShakingHands: Bool
    private var isFlooding = false
    private var isClosing = false
    private var hasFarewell = false
    private var pool = SlabPool(bound: 3)
    private var input: [UInt8] = []
    private var output: [UInt8] = []

    init(_ socket: consuming Socket, _ context: TLSServerContext?) {
        self.socket = socket
        if let context { tls = TLSSession(context, TLSTools(), now: 0) }
        isShakingHands = context != nil
    }

    /// The request that has come, once it has.
    func request() -> String? {
        var chunk = Buffer()
        var plain = Buffer()
        var sealed = Buffer()
        guard chunk.attach(from: &pool), plain.attach(from: &pool), sealed.attach(from: &pool)
        else { return nil }
        defer {
            chunk.release(to: &pool)
            plain.release(to: &pool)
            sealed.release(to: &pool)
        }
        switch socket.receive(into: &chunk) {
        case .wouldBlock: return nil
        case .end, .failed:
            hasEnded = true
            return nil
        case .bytes: break
        }
        if tls == nil {
            input += chunk.readable.array
        } else {
            if isShakingHands, case .complete = tls?.handshake(&chunk, &sealed) {
                isShakingHands = false
            }
            if !isShakingHands, tls?.read(&chunk, into: &plain, &sealed) == .closed {
                hasFarewell = true
            }
            input += plain.readable.array
            output += sealed.readable.array
        }
        let text = String(decoding: input, as: UTF8.self)
        guard text.hasSuffix("\r\n\r\n") else { return nil }
        input = []
        return text
    }

    /// Whether a close_notify has come since the last time.
    func takeFarewell() -> Bool {
        defer { hasFarewell = false }
        return hasFarewell
    }

    func perform(_ act: Upstream.Act) {
        switch act {
        case .nothing: break
        case .say(let text): write(text)
        case .sayAndClose(let text):
            write(text)
            sayFarewell()
            isClosing = true
        case .sayAndCut(let text):
            write(text)
            isClosing = true
        case .reset:
            socket.resetOnClose()
            hasEnded = true
        case .flood(let text):
            write(text)
            isFlooding = true
        }
    }

    private func write(_ text: String) {
        let bytes = Array(text.utf8)
        guard tls != nil else {
            output += bytes
            return
        }
        var sealed = Buffer()
        guard sealed.attach(from: &pool) else { return }
        defer { sealed.release(to: &pool) }
        var rest = bytes[...]
        while !rest.isEmpty, let count = tls?.write(rest.span, into: &sealed) {
            rest = rest.dropFirst(count)
            output += sealed.readable.array
            sealed.clear()
        }
    }

    private func sayFarewell() {
        var sealed = Buffer()
        guard sealed.attach(from: &pool) else { return }
        defer { sealed.release(to: &pool) }
        tls?.close(into: &sealed)
        output += sealed.readable.array
    }

    func flush() {
        if isFlooding, output.isEmpty { write(String(repeating: "x", count: 16_000)) }
        while !output.isEmpty {
            let bytes = output
            guard case .bytes(let count) = socket.send(bytes.span) else { return }
            output.removeFirst(count)
        }
        if isClosing {
            isClosing = false
            socket.finishWriting()
        }
    }
}
