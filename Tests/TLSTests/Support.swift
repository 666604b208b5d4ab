// SPDX-License-Identifier: Apache-2.0

import Bytes
import TLS
import TestSupport

/// The gateway's end of one connection.
typealias Server = End

/// One end of a connection that is ours, with its pump and buffers, as arrays.
final class End {
    private var server: TLSSession?
    private var client: TLSClientSession?
    private let pump: TLSPump
    private var pool = SlabPool(bound: 1)
    private var outputPool: SlabPool
    private var input = Buffer()
    private var output = Buffer()

    /// - Parameters:
    ///   - room: for what is to be sent.
    ///   - recordsPerKeyMax: as of ``TLSSession``.
    init(
        _ context: TLSServerContext, room: Int = Slab.capacity, recordsPerKeyMax: UInt64? = nil,
        now: UInt64 = 0
    ) throws(TLSFault) {
        let limit = recordsPerKeyMax ?? TLSSession.recordsPerKeyMax
        server = TLSSession(context, TLSTools(), now: now, recordsPerKeyMax: limit)
        pump = try TLSPump()
        outputPool = SlabPool(bound: 1, slabCapacity: room)
        _ = input.attach(from: &pool)
        _ = output.attach(from: &outputPool)
    }

    init(_ context: TLSClientContext) throws(TLSFault) {
        let pump = try TLSPump()
        client = TLSClientSession(context, pump: pump)
        self.pump = pump
        outputPool = SlabPool(bound: 1)
        _ = input.attach(from: &pool)
        _ = output.attach(from: &outputPool)
    }

    deinit {
        input.release(to: &pool)
        output.release(to: &outputPool)
    }

    /// Ciphertext that was fed and not taken yet.
    var unread: Int { input.count }

    func handshake(_ cipher: [UInt8]) -> TLSSession.Handshake {
        feed(cipher)
        return server?.handshake(&input, &output)
            ?? client?.handshake(&input, &output, pump: pump) ?? .needMore
    }

    func feed(_ cipher: [UInt8]) {
        input.compact()
        input.append(array: cipher)
        precondition(!input.overflowed)
    }

    /// What waits to be sent.
    func takeOutput() -> [UInt8] {
        let bytes = Self.array(output)
        output.consume(bytes.count)
        return bytes
    }

    /// Reads with `room` bytes for plaintext at a time, until the session asks for more.
    func read(
        _ cipher: [UInt8] = [], room: Int = Slab.capacity
    ) -> (bytes: [UInt8], last: TLSSession.Reading) {
        feed(cipher)
        var plainPool = SlabPool(bound: 1, slabCapacity: room)
        var plain = Buffer()
        _ = plain.attach(from: &plainPool)
        defer { plain.release(to: &plainPool) }
        var bytes: [UInt8] = []
        while true {
            let result =
                server?.read(&input, into: &plain, &output)
                ?? client?.read(&input, into: &plain, &output, pump: pump) ?? .needMore
            bytes += Self.array(plain)
            plain.clear()
            guard result == .full else { return (bytes, result) }
        }
    }

    /// Seals as much as fits into `room`; the ciphertext and how much was taken.
    func write(_ plain: [UInt8], room: Int = Slab.capacity) -> (cipher: [UInt8], taken: Int?) {
        var sealedPool = SlabPool(bound: 1, slabCapacity: room)
        var sealed = Buffer()
        _ = sealed.attach(from: &sealedPool)
        defer { sealed.release(to: &sealedPool) }
        let taken =
            server != nil
            ? server?.write(plain.span, into: &sealed)
            : client?.write(plain.span, into: &sealed, pump: pump)
        return (Self.array(sealed), taken)
    }

    var clientCertificate: ClientCertificate? { server?.clientCertificate }

    func isBound(to context: TLSServerContext) -> Bool {
        server?.isBound(to: context) ?? false
    }

    func close() -> [UInt8] {
        server?.close(into: &output)
        client?.close(into: &output, pump: pump)
        return takeOutput()
    }

    var serverName: String {
        var names = SlabPool(bound: 1)
        var name = Buffer()
        _ = name.attach(from: &names)
        defer { name.release(to: &names) }
        server?.appendServerName(to: &name)
        return String(decoding: Self.array(name), as: UTF8.self)
    }

    private static func array(_ buffer: borrowing Buffer) -> [UInt8] { buffer.readable.array }
}

extension TLSServerContext {
    static func make(
        _ identity: ThrowAwayIdentity, clients: ClientProof? = nil,
        after previous: TLSServerContext? = nil
    ) throws(TLSFault) -> TLSServerContext {
        try make(identity.certificate, identity.key, clients: clients, after: previous)
    }

    static func make(
        _ certificate: String, _ key: String, clients: ClientProof? = nil,
        after previous: TLSServerContext? = nil
    ) throws(TLSFault) -> TLSServerContext {
        let certificate = Array(certificate.utf8)
        let key = Array(key.utf8)
        return try TLSServerContext(
            certificate: certificate.span, key: key.span, clients: clients, after: previous)
    }
}

/// Both ends, taken through their handshake.
final class Link {
    let server: Server
    let client: TLSClient
    private(set) var outcome = TLSSession.Handshake.needMore

    init(
        _ context: TLSServerContext, protocols: [String]? = ["http/1.1"], resuming: Ticket? = nil,
        step: Int = .max, offersTLS12Alone: Bool = false, offer: TLSOffer = .init(),
        room: Int = Slab.capacity, recordsPerKeyMax: UInt64? = nil, now: UInt64 = 0
    ) throws {
        server = try Server(context, room: room, recordsPerKeyMax: recordsPerKeyMax, now: now)
        client = try TLSClient(
            protocols: protocols, resuming: resuming, offersTLS12Alone: offersTLS12Alone,
            offer: offer)
        for _ in 0..<8 {
            client.handshake()
            var sent = client.takeOutput()[...]
            while !sent.isEmpty, outcome == .needMore {
                let piece = sent.prefix(step)
                sent = sent.dropFirst(step)
                outcome = server.handshake(Array(piece))
                sendRest()
            }
            server.feed(Array(sent))
            client.feed(server.takeOutput())
            if outcome != .needMore, client.isConnected || client.hasFailed { break }
        }
        // Tickets come with the first read.
        _ = client.read()
    }

    /// Goes on while the server has more to send than there is room for.
    private func sendRest() {
        while outcome == .needMore {
            let part = server.takeOutput()
            guard !part.isEmpty else { return }
            client.feed(part)
            outcome = server.handshake([])
        }
    }

    var isResumed: Bool { outcome == .complete(resumed: true) }
}
