// SPDX-License-Identifier: Apache-2.0

import Bytes
import TestSupport
import Testing

@testable import TLS

/// A handshake's messages in records as they need not be, and as they must not be.
@Suite("Records of a handshake")
struct HandshakeRecordTests {
    private func client() throws -> TLSClient {
        try TLSClient(protocols: ["http/1.1"], resuming: nil, offersTLS12Alone: false)
    }

    /// Of a client's hello, without the record's header.
    private func hello(_ client: TLSClient) -> [UInt8] {
        client.handshake()
        return Array(client.takeOutput().dropFirst(5))
    }

    @Test(arguments: [1, 2, 3, 4, 5, 7, 50, 100])
    func aHelloOverSeveralRecords(capacity: Int) throws {
        let client = try client()
        let server = try Server(.make(.ecdsa))
        let records = HelloBuilder.records(hello(client), capacity: capacity)
        for (index, byte) in records.dropLast().enumerated() {
            #expect(server.handshake([byte]) == .needMore)
            #expect(server.takeOutput() == [], "after \(index) bytes")
        }
        #expect(server.handshake([records[records.count - 1]]) == .needMore)
        client.feed(server.takeOutput())
        client.handshake()
        #expect(client.isConnected)
        #expect(server.handshake(client.takeOutput()) == .complete(resumed: false))
    }

    /// A client that stops within a record makes the gateway hold what it has sent, in no slab.
    @Test func nothingStaysInTheInput() throws {
        let client = try client()
        let server = try Server(.make(.ecdsa))
        let hello = HelloBuilder.records(hello(client), capacity: 16_384)
        for cut in [1, 4, 5, 6, 100, hello.count - 1] {
            let server = try Server(.make(.ecdsa))
            #expect(server.handshake(Array(hello.prefix(cut))) == .needMore)
            #expect(server.unread == 0, "\(cut) bytes")
        }
        #expect(server.handshake(hello) == .needMore)
        client.feed(server.takeOutput())
        client.handshake()
        // What comes behind Finished is for whoever reads next.
        let rest = client.takeOutput() + client.write([1, 2, 3])
        for byte in rest.prefix(20) {
            #expect(server.handshake([byte]) == .needMore)
            #expect(server.unread == 0)
        }
        #expect(server.handshake(Array(rest.dropFirst(20))) == .complete(resumed: false))
        #expect(server.read().bytes == [1, 2, 3])
    }

    /// - Returns: the alert of the server, in the clear.
    private func alert(_ bytes: [UInt8]) throws -> UInt8? {
        let server = try Server(.make(.ecdsa))
        guard case .failed(.handshake(let reason)) = server.handshake(bytes) else { return nil }
        #expect(!reason.isEmpty)
        // What has failed stays so.
        guard case .failed = server.handshake([22, 3, 1, 0, 1, 1]) else { return nil }
        let output = server.takeOutput()
        guard output.count == 7, output.prefix(6) == [21, 3, 3, 0, 2, 2] else { return nil }
        return output[6]
    }

    @Test func whatIsNoHello() throws {
        let client = try client()
        let hello = hello(client)
        let cases: [([UInt8], Alert)] = [
            // Other types of record, or of message.
            ([23], .unexpectedMessage), ([20, 3, 3, 0, 1, 1], .unexpectedMessage),
            ([24, 3, 3, 0, 1], .unexpectedMessage),
            ([22, 3, 1, 0, 4, 2, 0, 0, 0], .unexpectedMessage),
            ([22, 3, 1, 0, 1, 20], .unexpectedMessage),
            // Another version's record, an empty one, one that is too long.
            ([22, 2, 0, 0, 1], .protocolVersion), ([22, 3, 1, 0, 0], .unexpectedMessage),
            ([22, 3, 1, 0x40, 1], .recordOverflow), ([22, 3, 1, 0xFF, 0xFF], .recordOverflow),
            // A message beyond the limit, said at once.
            ([22, 3, 1, 0, 4, 1, 0, 0x40, 1], .illegalParameter),
            ([22, 3, 1, 0, 4, 1, 0xFF, 0xFF, 0xFF], .illegalParameter),
            ([22, 3, 1, 0, 4, 1, 0, 0, 0], .decodeError),
            // Another record's type inside the message.
            ([22, 3, 1, 0, 1, 1, 23, 3, 1], .unexpectedMessage),
            ([22, 3, 1, 0, 1, 1, 20, 3, 1, 0, 1, 1], .unexpectedMessage),
            ([22, 3, 1, 0, 1, 1, 22, 3, 1, 0, 0], .unexpectedMessage),
            // More behind it, which must wait for the answer.
            (HelloBuilder.records(hello + [1], capacity: 16_384), .unexpectedMessage),
        ]
        for (number, (bytes, expected)) in cases.enumerated() {
            #expect(try alert(bytes) == expected.rawValue, "case \(number)")
        }
    }

    /// What an offer must have, and what must fit together.
    @Test func offersThatCannotBeAnswered() throws {
        typealias Builder = HelloBuilder
        let versions = Builder.versions([0x0304])
        let groups = Builder.groups([0x1D, 0x17])
        let schemes = Builder.schemes([0x0403])
        let share = Builder.shares([(0x1D, 32)])
        func ticket(_ binders: Int) -> [UInt8] {
            let binder = Builder.vector([UInt8](repeating: 5, count: 32), size: 1)
            return Builder.named(
                41,
                Builder.vector(Builder.vector([7, 7], size: 2) + [1, 2, 3, 4], size: 2)
                    + Builder.vector(
                        Array(repeating: binder, count: binders).flatMap { $0 }, size: 2)
            )
        }
        let cases: [([[UInt8]], Alert)] = [
            ([], .protocolVersion),
            ([Builder.versions([0x0303]), groups, schemes, share], .protocolVersion),
            ([versions, schemes, share], .missingExtension),
            ([versions, groups, schemes], .missingExtension),
            ([versions, groups, share], .missingExtension),
            ([versions, Builder.groups([0x19]), schemes, Builder.shares([])], .handshakeFailure),
            ([versions, groups, Builder.schemes([0x0804]), share], .handshakeFailure),
            ([versions, Builder.groups([0x17]), schemes, share], .illegalParameter),
            (
                [versions, groups, schemes, Builder.shares([(0x1D, 32), (0x1D, 32)])],
                .illegalParameter
            ),
            ([versions, groups, schemes, Builder.shares([(0x1D, 31)])], .illegalParameter),
            // Nines are no point: they do not begin as one.
            ([versions, groups, schemes, Builder.shares([(0x17, 65)])], .illegalParameter),
            (
                [versions, groups, schemes, share, Builder.protocols(["h2"])],
                .noApplicationProtocol
            ),
            ([versions, groups, schemes, share, ticket(1)], .missingExtension),
            (
                [versions, groups, schemes, share, Builder.named(45, [1, 1]), ticket(2)],
                .illegalParameter
            ),
        ]
        for (number, (extensions, expected)) in cases.enumerated() {
            var builder = Builder()
            builder.extensions = extensions
            #expect(try alert(builder.bytes) == expected.rawValue, "case \(number)")
        }
        var builder = Builder()
        builder.extensions = [versions, groups, schemes, share]
        builder.ciphers = [0x13, 0x04, 0xC0, 0x2B]
        #expect(try alert(builder.bytes) == Alert.handshakeFailure.rawValue)
        builder.ciphers = [0x13, 0x01]
        builder.compression = [0, 1]
        #expect(try alert(builder.bytes) == Alert.illegalParameter.rawValue)
    }

    /// A point of small order, from which all agree on zeros (RFC 7748 §6.1).
    @Test func aShareThatAgreesOnNothing() throws {
        var builder = HelloBuilder()
        builder.extensions = [
            HelloBuilder.versions([0x0304]), HelloBuilder.groups([0x1D]),
            HelloBuilder.schemes([0x0403]),
            HelloBuilder.named(51, [0, 36, 0, 0x1D, 0, 32] + [UInt8](repeating: 0, count: 32)),
        ]
        #expect(try alert(builder.bytes) == Alert.illegalParameter.rawValue)
    }

    @Test func aClientThatGivesUpIsNotAnswered() throws {
        let server = try Server(.make(.ecdsa))
        guard case .failed = server.handshake([21, 3, 1, 0, 2, 2, 40]) else {
            Issue.record("the handshake goes on")
            return
        }
        #expect(server.takeOutput() == [])
    }

    /// Changed in any byte, the client's Finished ends the handshake with an alert under the keys
    /// that the client knows.
    @Test func aChangedFinished() throws {
        let context = try TLSServerContext.make(.ecdsa)
        for offset in [0, 1, 3, 5, 20, -1] {
            let client = try client()
            let server = try Server(context)
            client.handshake()
            #expect(server.handshake(client.takeOutput()) == .needMore)
            client.feed(server.takeOutput())
            client.handshake()
            // Behind the change_cipher_spec that OpenSSL's client sends.
            var finished = Array(client.takeOutput().dropFirst(6))
            finished[offset < 0 ? finished.count - 1 : offset] ^= offset == 3 ? 0x80 : 1
            guard case .failed = server.handshake(finished) else {
                Issue.record("byte \(offset)")
                continue
            }
            client.feed(server.takeOutput())
            _ = client.read()
            #expect(client.hasFailed, "byte \(offset)")
        }
    }

    /// A change_cipher_spec has no meaning and does no harm, but there is an end to it (§5).
    @Test func changesOfCipherSpec() throws {
        let change: [UInt8] = [20, 3, 3, 0, 1, 1]
        let context = try TLSServerContext.make(.ecdsa)
        for (count, isTaken) in [(0, true), (1, true), (31, true), (33, false)] {
            let client = try client()
            let server = try Server(context)
            client.handshake()
            _ = server.handshake(client.takeOutput())
            client.feed(server.takeOutput())
            client.handshake()
            let flood = Array(repeating: change, count: count).flatMap { $0 }
            let finished = Array(client.takeOutput().dropFirst(6))
            let outcome = server.handshake(flood + finished)
            #expect((outcome == .complete(resumed: false)) == isTaken, "\(count)")
        }
        for other in [[20, 3, 3, 0, 1, 2], [20, 3, 3, 0, 2, 1, 1], [20, 3, 3, 0, 0]] as [[UInt8]] {
            let client = try client()
            let server = try Server(context)
            client.handshake()
            _ = server.handshake(client.takeOutput())
            guard case .failed = server.handshake(other) else {
                Issue.record("\(other)")
                continue
            }
        }
    }
}
