// SPDX-License-Identifier: Apache-2.0

import Bytes
import COpenSSL
import TestSupport
import Testing

@testable import TLS

/// However the handshake went, records go on under its keys and are numbered right. OpenSSL's client
/// is the judge.
@Suite("After the handshake")
struct AfterHandshakeTests {
    static let suites = [
        "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
    ]

    private func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 13) }
    }

    /// Data both ways, and each side's keys changed.
    private func expectFlow(
        _ link: Link, _ location: SourceLocation = #_sourceLocation
    ) throws {
        let sizes = [1, 500, 16_384, 40_000]
        for isUpdating in [false, true] {
            for size in sizes {
                if isUpdating { link.client.updateKey(isAnswered: true) }
                let sealed = link.client.write(bytes(size))
                var read: [UInt8] = []
                for start in stride(from: 0, to: sealed.count, by: 20_000) {
                    let part = sealed[start..<min(start + 20_000, sealed.count)]
                    read += link.server.read(Array(part)).bytes
                }
                #expect(read == bytes(size), sourceLocation: location)
                var sent = 0
                while sent < size {
                    let (cipher, taken) = link.server.write(Array(bytes(size)[sent...]))
                    sent += try #require(taken, sourceLocation: location)
                    link.client.feed(cipher)
                }
                #expect(link.client.read() == bytes(size), sourceLocation: location)
            }
        }
        link.client.feed(link.server.close())
        #expect(link.client.read() == [], sourceLocation: location)
        #expect(link.client.hasClosed, sourceLocation: location)
        let last = link.server.read(link.client.close()).last
        #expect(last == .closed, sourceLocation: location)
    }

    @Test(arguments: zip(suites, [0x1301, 0x1302, 0x1303] as [UInt16]))
    func eachSuite(name: String, number: UInt16) throws {
        var offer = TLSOffer()
        offer.suites = name
        let context = try TLSServerContext.make(.ecdsa)
        let full = try Link(context, offer: offer)
        #expect(full.outcome == .complete(resumed: false))
        #expect(full.client.suite == number)
        try expectFlow(full)
        let ticket = try #require(full.client.ticket)
        let resumed = try Link(context, resuming: ticket, offer: offer)
        #expect(resumed.isResumed)
        #expect(resumed.client.suite == number)
        try expectFlow(resumed)
    }

    /// A ticket binds the hash, not the cipher (RFC 8446 §4.6.1).
    @Test func resumedWithAnotherCipher() throws {
        let context = try TLSServerContext.make(.ecdsa)
        var offer = TLSOffer()
        offer.suites = Self.suites[0]
        let ticket = try #require(try Link(context, offer: offer).client.ticket)
        offer.suites = Self.suites[2] + ":" + Self.suites[0]
        let link = try Link(context, resuming: ticket, offer: offer)
        #expect(link.isResumed)
        #expect(link.client.suite == 0x1303)
        try expectFlow(link)
    }

    @Test(arguments: [false, true])
    func retried(isForMiddleboxes: Bool) throws {
        var offer = TLSOffer()
        // The server has not the first group, for which the client sends its share.
        offer.groups = "P-521:P-384"
        offer.isForMiddleboxes = isForMiddleboxes
        let context = try TLSServerContext.make(.ecdsa)
        let full = try Link(context, offer: offer)
        #expect(full.outcome == .complete(resumed: false))
        try expectFlow(full)
        let resumed = try Link(context, resuming: full.client.ticket, offer: offer)
        #expect(resumed.isResumed)
        try expectFlow(resumed)
    }

    @Test func withoutMiddleboxesInMind() throws {
        var offer = TLSOffer()
        offer.isForMiddleboxes = false
        try expectFlow(try Link(try .make(.ecdsa), offer: offer))
    }

    /// What could not leave at once was sealed only once.
    @Test(arguments: [1, 50, 300, 1000], [ThrowAwayIdentity.Kind.ecdsa, .rsa])
    func theFlightWithLittleRoom(room: Int, kind: ThrowAwayIdentity.Kind) throws {
        let identity = kind == .ecdsa ? ThrowAwayIdentity.ecdsa : ThrowAwayIdentity.rsa
        let context = try TLSServerContext.make(identity)
        let full = try Link(context, room: room)
        #expect(full.outcome == .complete(resumed: false))
        let ticket = try #require(full.client.ticket)
        try expectOneByOne(full)
        let resumed = try Link(context, resuming: ticket, room: room)
        #expect(resumed.isResumed)
        try expectOneByOne(resumed)
    }

    /// As `expectFlow`, but without a close, for which there may be no room.
    private func expectOneByOne(_ link: Link) throws {
        for size in [1, 500, 16_384] {
            #expect(link.server.read(link.client.write(bytes(size))).bytes == bytes(size))
            link.client.feed(link.server.write(bytes(size)).cipher)
            #expect(link.client.read() == bytes(size))
        }
    }

    // MARK: Fragments

    /// RFC 6066 §4: a smaller maximum is agreed to, which then holds for both directions.
    /// The gateway once went on with records of 16 KiB, and the client gave up.
    @Test(arguments: zip([1, 2, 3, 4] as [UInt8], [512, 1024, 2048, 4096]))
    func smallerFragments(mode: UInt8, size: Int) throws {
        var offer = TLSOffer()
        offer.fragmentMode = mode
        let context = try TLSServerContext.make(.ecdsa)
        let full = try Link(context, offer: offer)
        #expect(full.outcome == .complete(resumed: false))
        try expectFlow(full)
        let resumed = try Link(context, resuming: full.client.ticket, offer: offer)
        #expect(resumed.isResumed)
        let (cipher, taken) = resumed.server.write(bytes(20_000))
        #expect(taken == 20_000)
        #expect(cipher.count == 20_000 + 22 * ((20_000 + size - 1) / size))
        resumed.client.feed(cipher)
        #expect(resumed.client.read() == bytes(20_000))
        try expectFlow(resumed)
    }

    // MARK: Ends

    /// Its certificate may be replaced meanwhile: the ticket keys were once gone then.
    @Test func aHandshakeMayOutliveItsContext() throws {
        let client = try TLSClient(protocols: nil, resuming: nil, offersTLS12Alone: false)
        let server = try Server(try .make(.ecdsa))
        client.handshake()
        #expect(server.handshake(client.takeOutput()) == .needMore)
        client.feed(server.takeOutput())
        client.handshake()
        #expect(server.handshake(client.takeOutput()) == .complete(resumed: false))
        client.feed(server.takeOutput())
        #expect(server.read(client.write([1, 2, 3])).bytes == [1, 2, 3])
    }

    /// Dropped at any point of its handshake, a session leaves nothing behind that the next one
    /// on the same thread would stumble over.
    @Test func droppedHalfWay() throws {
        let context = try TLSServerContext.make(.ecdsa)
        for cut in stride(from: 0, through: 400, by: 25) {
            let server = try Server(context)
            let client = try TLSClient(protocols: nil, resuming: nil, offersTLS12Alone: false)
            client.handshake()
            let hello = client.takeOutput()
            _ = server.handshake(Array(hello.prefix(cut)))
        }
        let server = try Server(context)
        let client = try TLSClient(protocols: nil, resuming: nil, offersTLS12Alone: false)
        client.handshake()
        _ = server.handshake(client.takeOutput())
        client.feed(server.takeOutput())
        client.handshake()
        var finished = client.takeOutput()
        finished[finished.count - 1] ^= 1
        guard case .failed = server.handshake(finished) else {
            Issue.record("a changed Finished was taken")
            return
        }
        #expect(server.write([1]).taken == nil)
        try expectFlow(try Link(context))
    }
}
