// SPDX-License-Identifier: Apache-2.0

import Bytes
import TestSupport
import Testing

@testable import TLS

/// What an authentic peer may put into its records, and what it may not (RFC 8446 §4.6.3, §5, §6).
@Suite("Record contents")
struct RecordContentTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        /// Type, content and padding of each record.
        var records: [(type: UInt8, content: [UInt8], padding: Int)]
        var alert: UInt8
        var testDescription: String { name }

        init(_ name: String, _ alert: UInt8, _ type: UInt8, _ content: [UInt8], padding: Int = 0) {
            self.init(name, alert, [(type, content, padding)])
        }

        init(_ name: String, _ alert: UInt8, _ records: [(UInt8, [UInt8], Int)]) {
            self.name = name
            self.records = records.map { ($0.0, $0.1, $0.2) }
            self.alert = alert
        }
    }

    static let unexpectedMessage: UInt8 = 10
    static let badRecordMAC: UInt8 = 20
    static let recordOverflow: UInt8 = 22
    static let illegalParameter: UInt8 = 47
    static let decodeError: UInt8 = 50
    static let update: [UInt8] = [24, 0, 0, 1, 0]
    static let large = [UInt8](repeating: 7, count: 16 * 1024)

    static let types: [Case] =
        [0, 1, 19, 20, 24, 25, 26, 128, 255].map { type in
            Case("type \(type)", unexpectedMessage, type, type == 0 ? [0] : [1, 2, 3])
        }
    static let zeros: [Case] = [0, 1, 2, 255, 16_384, 16_623].map { count in
        Case("zeros only: \(count)", unexpectedMessage, 0, [], padding: count)
    }
    static let messages: [Case] =
        [0, 1, 2, 4, 5, 8, 11, 13, 15, 20, 23, 25, 254, 255].flatMap { type in
            [
                Case("message \(type)", unexpectedMessage, 22, [type, 0, 0, 1, 0]),
                Case("first byte of message \(type)", unexpectedMessage, 22, [type]),
                Case(
                    "long message \(type)", unexpectedMessage, 22,
                    [type, 0, 1, 0] + [UInt8](repeating: 0, count: 256)),
            ]
        }
    static let updates: [Case] = [
        Case("handshake without content", unexpectedMessage, 22, []),
        Case("padded handshake without content", unexpectedMessage, 22, [], padding: 30),
        Case("update asks for 2", illegalParameter, 22, [24, 0, 0, 1, 2]),
        Case("update asks for 255", illegalParameter, 22, [24, 0, 0, 1, 255]),
        Case("update of no length", decodeError, 22, [24, 0, 0, 0]),
        Case("update of length 0 and a byte", decodeError, 22, [24, 0, 0, 0, 0]),
        Case("update of length 2", decodeError, 22, [24, 0, 0, 2, 0, 0]),
        Case("update of length 65536", decodeError, 22, [24, 1, 0, 0]),
        Case("update of length 256", decodeError, 22, [24, 0, 1, 0, 0]),
        Case("two updates in a record", unexpectedMessage, 22, update + update),
        Case("update and a byte", unexpectedMessage, 22, update + [24]),
        Case(
            "update that ends with another in the record", unexpectedMessage,
            [(22, [24, 0], 0), (22, [0, 1, 0, 24], 0)]),
        Case(
            "no length, in pieces", decodeError, [(22, [24, 0], 0), (22, [0], 0), (22, [0], 0)]),
        Case("data amid an update", unexpectedMessage, [(22, [24, 0], 0), (23, [1], 0)]),
        Case("empty data amid an update", unexpectedMessage, [(22, [24, 0], 0), (23, [], 0)]),
        Case("close amid an update", unexpectedMessage, [(22, [24, 0], 0), (21, [1, 0], 0)]),
        Case("alert amid an update", unexpectedMessage, [(22, [24, 0], 0), (21, [2, 40], 0)]),
    ]
    static let others: [Case] = [
        Case("alert without content", unexpectedMessage, 21, []),
        Case("padded alert without content", unexpectedMessage, 21, [], padding: 9),
        Case("half an alert", decodeError, 21, [1]),
        Case("an alert and a half", decodeError, 21, [1, 0, 1]),
        Case("two alerts in a record", decodeError, 21, [1, 90, 1, 0]),
        Case("a byte too much", recordOverflow, 23, large + [1]),
        Case("a byte too much, padded", recordOverflow, 23, large + [1], padding: 238),
        Case("alert too long", recordOverflow, 21, large + [1]),
        Case("33 empty records", unexpectedMessage, .init(repeating: (23, [], 0), count: 33)),
        Case("33 padded ones", unexpectedMessage, .init(repeating: (23, [], 500), count: 33)),
        Case(
            "33 times user_canceled", unexpectedMessage,
            .init(repeating: (21, [1, 90], 0), count: 33)
        ),
    ]

    @Test(arguments: types + zeros + messages + updates + others, [1, 20_000])
    func refused(_ bad: Case, room: Int) {
        let peer = LayerPeer()
        var sent = peer.seal(23, [1, 2, 3])
        for record in bad.records {
            sent += peer.seal(record.type, record.content, padding: record.padding)
        }
        let (bytes, last) = peer.read(sent, room: room)
        #expect(bytes == [1, 2, 3])
        Self.expectFailed(last, bad.alert, peer)
    }

    /// The alert is sent once, and then nothing is read or written any more.
    static func expectFailed(
        _ last: TLSSession.Reading, _ alert: UInt8, _ peer: LayerPeer,
        _ location: SourceLocation = #_sourceLocation
    ) {
        guard case .failed(.protocolViolation(let reason)) = last else {
            Issue.record("\(last)", sourceLocation: location)
            return
        }
        #expect(!reason.isEmpty, sourceLocation: location)
        #expect(peer.answers() == [.alert(alert)], sourceLocation: location)
        let (bytes, again) = peer.read(peer.seal(23, [4, 5, 6]))
        #expect(bytes == [] && again == last, sourceLocation: location)
        #expect(peer.write([1]) == nil, sourceLocation: location)
        peer.close()
        #expect(peer.answers() == [], sourceLocation: location)
    }

    // MARK: Not authentic

    @Test(
        arguments: [
            ("plaintext alert", [21, 3, 3, 0, 2, 2, 40], unexpectedMessage),
            ("plaintext close", [21, 3, 3, 0, 2, 1, 0], unexpectedMessage),
            ("change_cipher_spec", [20, 3, 3, 0, 1, 1], unexpectedMessage),
            ("plaintext ClientHello", [22, 3, 1, 0, 200], unexpectedMessage),
            ("another type", [24, 3, 3, 0, 20], unexpectedMessage),
            ("HTTP", Array("GET / HTTP/1.1\r\n".utf8), unexpectedMessage),
            ("length 0", [23, 3, 3, 0, 0], badRecordMAC),
            ("length 1", [23, 3, 3, 0, 1, 0], badRecordMAC),
            ("length 16", [23, 3, 3, 0, 16], badRecordMAC),
            ("length 17", [23, 3, 3, 0, 17] + .init(repeating: 9, count: 17), badRecordMAC),
            ("length 16640", [23, 3, 3, 65, 0] + .init(repeating: 9, count: 16_640), badRecordMAC),
            ("length 16641", [23, 3, 3, 65, 1], recordOverflow),
            ("length 65535", [23, 3, 3, 255, 255], recordOverflow),
        ] as [(String, [UInt8], UInt8)], [1, 20_000])
    func garbage(_ bad: (name: String, bytes: [UInt8], alert: UInt8), room: Int) {
        let peer = LayerPeer()
        let (bytes, last) = peer.read(peer.seal(23, [1, 2, 3]) + bad.bytes, room: room)
        #expect(bytes == [1, 2, 3])
        Self.expectFailed(last, bad.alert, peer)
    }

    @Test(arguments: [CipherSuite.aes128GCM, .aes256GCM, .chaCha20Poly1305], [1, 100])
    func anyChangedBit(suite: CipherSuite, room: Int) {
        let record = LayerPeer(suite).seal(23, [1, 2, 3, 4, 5])
        // The first byte and the length are judged before the tag.
        for index in [1, 2] + Array(5..<record.count) {
            for bit in 0..<8 {
                let peer = LayerPeer(suite)
                var changed = record
                changed[index] ^= 1 << bit
                let (bytes, last) = peer.read(changed, room: room)
                #expect(bytes == [])
                #expect(last == .failed(.protocolViolation(reason: "bad record mac")))
                #expect(peer.answers() == [.alert(Self.badRecordMAC)])
            }
        }
    }

    @Test func recordsOutOfOrder() {
        let peer = LayerPeer()
        let first = peer.seal(23, [1]), second = peer.seal(23, [2])
        Self.expectFailed(peer.read(second + first).last, Self.badRecordMAC, peer)
    }

    @Test func theOldKeyAfterAnUpdate() {
        let peer = LayerPeer()
        // Sealed as a KeyUpdate, but the key stays.
        let sent = peer.seal(22, Self.update) + peer.seal(23, [1])
        Self.expectFailed(peer.read(sent).last, Self.badRecordMAC, peer)
    }
}
