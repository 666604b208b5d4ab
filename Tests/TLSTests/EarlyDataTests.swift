// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import TLS

/// Early data is never taken, but a client that has offered it may have sent it (RFC 8446 §4.2.10).
@Suite("Early data before a second hello")
struct EarlyDataTests {
    /// A server that has asked for another share, from a client that offers early data.
    private func askedAgain() throws -> (server: Server, second: [UInt8]) {
        typealias Builder = HelloBuilder
        var builder = Builder()
        let rest = [
            Builder.versions([0x0304]), Builder.groups([0x1D]), Builder.schemes([0x0403]),
        ]
        builder.extensions = rest + [Builder.shares([]), Builder.named(42, [])]
        let server = try Server(.make(.ecdsa))
        #expect(server.handshake(builder.bytes) == .needMore)
        #expect(server.takeOutput().first == 22)
        builder.extensions = rest + [Builder.shares([(0x1D, 32)])]
        return (server, builder.message)
    }

    private static let dropped: [UInt8] = [23, 3, 3, 0, 32] + [UInt8](repeating: 7, count: 32)

    @Test func earlyDataIsDroppedBeforeTheSecondHello() throws {
        let (server, second) = try askedAgain()
        #expect(server.handshake(Self.dropped + Self.dropped) == .needMore)
        #expect(server.handshake(HelloBuilder.records(second, capacity: 100)) == .needMore)
        #expect(server.takeOutput().prefix(6) == [22, 3, 3, 0, 90, 2])
    }

    /// What has not even a tag would never use up what may be dropped.
    @Test(arguments: [0, 1, 16])
    func aRecordTooShortIsNotDropped(count: UInt8) throws {
        let (server, _) = try askedAgain()
        let record = [23, 3, 3, 0, count] + [UInt8](repeating: 7, count: Int(count))
        #expect(server.handshake(record) == .failed(.handshake(reason: "bad record mac")))
    }

    /// §5.1: nothing comes between the pieces of a message.
    @Test func earlyDataInsideTheSecondHello() throws {
        let (server, second) = try askedAgain()
        let records = HelloBuilder.records(second, capacity: 50)
        let sent = records.prefix(55) + Self.dropped + records.dropFirst(55)
        #expect(
            server.handshake(Array(sent)) == .failed(.handshake(reason: "unexpected message")))
    }

    /// The second hello offers none, so what cannot be opened behind it is an attack.
    @Test func nothingIsDroppedBehindTheSecondHello() throws {
        let (server, second) = try askedAgain()
        let sent = HelloBuilder.records(second, capacity: 16_384) + Self.dropped
        #expect(server.handshake(sent) == .failed(.handshake(reason: "bad record mac")))
    }
}
