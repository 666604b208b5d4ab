// SPDX-License-Identifier: Apache-2.0

import Bytes
import COpenSSL
import TLS
import TestSupport
import Testing

@Suite("Sessions")
struct SessionTests {
    static let sizes = [1, 2, 100, 16_383, 16_384, 16_385, 32_768, 40_000, 100_000]
    static let rooms = [1, 23, 1000, 16_384, 36_864]

    private func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    }

    @Test(arguments: sizes, rooms)
    func clientToServer(size: Int, room: Int) throws {
        let link = try Link(try .make(.ecdsa))
        let plain = bytes(size)
        let cipher = link.client.write(plain)
        var received: [UInt8] = []
        var offset = 0
        while offset < cipher.count {
            let end = min(cipher.count, offset + 20_000)
            let part = link.server.read(Array(cipher[offset..<end]), room: room)
            #expect(part.last == .needMore)
            received += part.bytes
            offset = end
        }
        #expect(received == plain)
        #expect(link.server.unread == 0)
    }

    @Test(arguments: sizes, [23, 24, 500, 16_406, 16_407, 36_864])
    func serverToClient(size: Int, room: Int) throws {
        // The smallest rooms carry one byte a record: enough of them is enough.
        let plain = bytes(room < 100 ? min(size, 3000) : size)
        let link = try Link(try .make(.ecdsa))
        var sent = 0
        while sent < plain.count {
            let (cipher, taken) = link.server.write(Array(plain[sent...]), room: room)
            let count = try #require(taken)
            #expect(cipher.count <= room)
            guard count > 0 else { break }
            sent += count
            link.client.feed(cipher)
        }
        #expect(sent == plain.count)
        #expect(link.client.read() == plain)
    }

    @Test func takesNothingWhereNoRecordFits() throws {
        let link = try Link(try .make(.ecdsa))
        for room in 1...TLSSession.recordOverhead {
            let (cipher, taken) = link.server.write([1, 2, 3], room: room)
            #expect(taken == 0)
            #expect(cipher == [])
        }
        let (cipher, taken) = link.server.write([1, 2, 3], room: TLSSession.recordOverhead + 1)
        #expect(taken == 1)
        #expect(cipher.count == TLSSession.recordOverhead + 1)
    }

    @Test func ciphertextByteByByte() throws {
        let link = try Link(try .make(.ecdsa))
        let cipher = link.client.write(bytes(300)) + link.client.write(bytes(5))
        var received: [UInt8] = []
        for byte in cipher { received += link.server.read([byte]).bytes }
        #expect(received == bytes(300) + bytes(5))
    }

    @Test func dataRightBehindTheHandshakeIsNotLost() throws {
        let context = try TLSServerContext.make(.ecdsa)
        let server = try Server(context)
        let client = try TLSClient(protocols: nil, resuming: nil, offersTLS12Alone: false)
        client.handshake()
        _ = server.handshake(client.takeOutput())
        client.feed(server.takeOutput())
        client.handshake()
        let finished = client.takeOutput() + client.write(Array("GET".utf8))
        #expect(server.handshake(finished) == .complete(resumed: false))
        #expect(server.read().bytes == Array("GET".utf8))
    }

    // MARK: Ends

    @Test func theClientsCloseComesBehindItsData() throws {
        let link = try Link(try .make(.ecdsa))
        let cipher = link.client.write(bytes(50)) + link.client.close()
        let (received, last) = link.server.read(cipher)
        #expect(received == bytes(50))
        #expect(last == .closed)
        // The other direction goes on.
        let (answer, taken) = link.server.write(bytes(9))
        #expect(taken == 9)
        link.client.feed(answer)
        #expect(link.server.read().last == .closed)
    }

    @Test func oursIsReadAsAnEnd() throws {
        let link = try Link(try .make(.ecdsa))
        link.client.feed(link.server.write(bytes(10)).cipher)
        let closing = link.server.close()
        #expect(!closing.isEmpty)
        link.client.feed(closing)
        #expect(link.client.read() == bytes(10))
        #expect(link.client.hasClosed)
        // Once is enough, and nothing can be said after it.
        #expect(link.server.close() == [])
        #expect(link.server.write([1]).taken == nil)
        // Reading goes on.
        #expect(link.server.read(link.client.write(bytes(4))).bytes == bytes(4))
    }

    /// The caller sees the end of the stream without `closed`, and knows it was cut.
    @Test func aCutIsNoClose() throws {
        for cut in [1, 5, 23, 24, 500, 1000] {
            let link = try Link(try .make(.ecdsa))
            let all = link.client.write(bytes(1000)) + link.client.close()
            #expect(link.server.read(Array(all.dropLast(cut))).last == .needMore)
        }
    }

    // MARK: Hostile bytes

    @Test func anyChangedByteOfARecordFails() throws {
        let context = try TLSServerContext.make(.ecdsa)
        for offset in [0, 1, 3, 5, 6, 20, 33] {
            let link = try Link(context)
            var cipher = link.client.write(bytes(20))
            // Of the length: shorter, since a longer one would only ask for more.
            cipher[offset] ^= offset == 3 ? 0x80 : 0x01
            let (received, last) = link.server.read(cipher)
            guard case .failed(.protocolViolation(let reason)) = last else {
                Issue.record("byte \(offset): \(last)")
                continue
            }
            #expect(received == [])
            #expect(!reason.isEmpty)
            #expect(!link.server.takeOutput().isEmpty, "an alert")
            // What has failed stays so, and can be closed.
            if case .needMore = link.server.read().last { Issue.record("a failed session reads") }
            #expect(link.server.write([1]).taken == nil)
            _ = link.server.close()
        }
    }

    @Test func whatCameBeforeGarbageIsKept() throws {
        let link = try Link(try .make(.ecdsa))
        let (received, last) = link.server.read(
            link.client.write(bytes(20)) + Array("GET / HTTP/1.1\r\n\r\n".utf8))
        #expect(received == bytes(20))
        guard case .failed = last else {
            Issue.record("\(last)")
            return
        }
    }

    @Test func aReplayedRecordFails() throws {
        let link = try Link(try .make(.ecdsa))
        let cipher = link.client.write(bytes(20))
        #expect(link.server.read(cipher).bytes == bytes(20))
        guard case .failed = link.server.read(cipher).last else {
            Issue.record("a replayed record was taken")
            return
        }
    }

    /// Other users of libcrypto on the thread may leave errors in its queue.
    @Test func aForeignErrorIsNoFailureOfOurs() throws {
        let link = try Link(try .make(.ecdsa))
        leaveAnError()
        #expect(link.server.read(link.client.write(bytes(3))).last == .needMore)
        leaveAnError()
        #expect(link.server.read(room: 10).last == .needMore)
        leaveAnError()
        #expect(link.server.write(bytes(3)).taken == 3)
        let other = try Link(try .make(.ecdsa))
        leaveAnError()
        #expect(other.server.read(other.client.close()).last == .closed)
        ERR_clear_error()
    }

    private func leaveAnError() {
        let garbage: [UInt8] = [1, 2, 3]
        var isRead = true
        unsafe garbage.withUnsafeBufferPointer { bytes in
            var start = bytes.baseAddress
            isRead = unsafe d2i_X509(nil, &start, bytes.count) != nil
        }
        #expect(!isRead)
    }

    // MARK: Changes of keys

    @Test(arguments: [false, true])
    func theClientMayChangeItsKey(isAnswered: Bool) throws {
        let link = try Link(try .make(.ecdsa))
        for _ in 0..<3 {
            link.client.updateKey(isAnswered: isAnswered)
            let (received, last) = link.server.read(link.client.write(bytes(30)))
            #expect(received == bytes(30))
            #expect(last == .needMore)
            let (cipher, taken) = link.server.write(bytes(40))
            #expect(taken == 40)
            // The answer leaves in front of the next record.
            #expect(cipher.count == 40 + 22 + (isAnswered ? 27 : 0))
            link.client.feed(cipher)
            #expect(link.client.read() == bytes(40))
        }
    }

    /// A full buffer once ended the connection where the key's change had taken up its last bytes.
    @Test func aKeyUpdateNeedsRoomOfItsOwn() throws {
        for room in [20, 27, 40, 49, 50, 100, 200] {
            let link = try Link(try .make(.ecdsa))
            link.client.updateKey(isAnswered: true)
            _ = link.server.read(link.client.write([1]))
            let (cipher, taken) = link.server.write(bytes(300), room: room)
            #expect(taken == max(0, room - 49))
            #expect(cipher.count <= room)
            link.client.feed(cipher)
            let rest = link.server.write(Array(bytes(300)[(taken ?? 0)...]))
            link.client.feed(rest.cipher)
            #expect(link.client.read() == bytes(300))
        }
    }

    /// Whichever of the two a worker drops first.
    @Test func aSessionMayOutliveItsPump() throws {
        let context = try TLSClientContext.make()
        var pump = Optional(try TLSPump())
        var session: TLSClientSession?
        if let pump { session = TLSClientSession(context, pump: pump) }
        let isThere = session != nil
        #expect(isThere)
        pump = nil
        session = nil
    }
}
