// SPDX-License-Identifier: Apache-2.0

import Bytes
import TLS
import TestSupport
import Testing

@Suite("ClientHello")
struct ClientHelloTests {
    private struct Case {
        var bytes: [UInt8]
        var serverName = ""
        var flags = ""

        init(_ serverName: String, _ flags: String, _ change: (inout HelloBuilder) -> Void) {
            var builder = HelloBuilder()
            change(&builder)
            bytes = builder.bytes
            self.serverName = serverName
            self.flags = flags
        }
    }

    private static let whole = [
        HelloBuilder.serverName("Claw.Example.COM"), HelloBuilder.protocols(["h2", "http/1.1"]),
        HelloBuilder.versions([0x0304, 0x0303]),
    ]

    private static let cases = [
        Case("", "") { $0.extensions = nil },
        Case("", "") { _ in },
        Case("claw.example.com", "3ah") { $0.extensions = whole },
        Case("claw.example.com", "3ah") { $0.extensions = whole.reversed() },
        Case("claw.example.com", "3ah") {
            $0.extensions = whole
            $0.sessionID = Array(repeating: 9, count: 32)
        },
        Case("", "3") { $0.extensions = [HelloBuilder.versions([0x0304])] },
        Case("", "") { $0.extensions = [HelloBuilder.versions([0x0303, 0x0302])] },
        Case("", "") { $0.extensions = [HelloBuilder.versions([])] },
        Case("", "a") { $0.extensions = [HelloBuilder.protocols(["h2"])] },
        Case("", "a") { $0.extensions = [HelloBuilder.protocols(["http/1.0", "HTTP/1.1"])] },
        Case("", "a") { $0.extensions = [HelloBuilder.protocols([])] },
        Case("", "ah") { $0.extensions = [HelloBuilder.protocols(["http/1.1"])] },
        // GREASE (RFC 8701) in every place.
        Case("x", "3ah") {
            $0.ciphers = [0x0A, 0x0A, 0x13, 0x01]
            $0.extensions = [
                HelloBuilder.named(0x0A0A, []), HelloBuilder.serverName("x"),
                HelloBuilder.protocols(["\u{2}\u{2}", "http/1.1"]),
                HelloBuilder.versions([0x1A1A, 0x0304]), HelloBuilder.named(0xFAFA, [0]),
            ]
        },
        // A post-quantum key share, and a ticket behind it (RFC 8446 §4.2.11: always last).
        Case("big", "3ah") {
            $0.extensions = [
                HelloBuilder.named(51, Array(repeating: 7, count: 1300)),
                HelloBuilder.serverName("big"), HelloBuilder.protocols(["http/1.1"]),
                HelloBuilder.versions([0x0304]),
                HelloBuilder.named(41, Array(repeating: 5, count: 300)),
            ]
        },
        Case("", "") { $0.extensions = [HelloBuilder.serverName("10.0.0.1", type: 1)] },
        Case("", "") { $0.extensions = [HelloBuilder.named(0, [])] },
        Case(String(repeating: "n", count: 255), "") {
            $0.extensions = [HelloBuilder.serverName(String(repeating: "N", count: 255))]
        },
    ]

    @Test func casesAtEverySplitPoint() {
        for (number, entry) in Self.cases.enumerated() {
            let expected = Finding(
                inspection: .hello, serverName: entry.serverName, flags: entry.flags)
            for end in 0..<entry.bytes.count
            where Finding.of(Array(entry.bytes[..<end])).inspection != .needMore {
                Issue.record("case \(number): a verdict after \(end) bytes")
            }
            #expect(Finding.of(entry.bytes) == expected, "case \(number)")
            // What follows is the next message's business.
            #expect(Finding.of(entry.bytes + [23, 0, 0]) == expected, "case \(number)")
            #expect(NaiveHello.find(entry.bytes) == expected, "case \(number)")
        }
    }

    @Test(arguments: [1, 2, 3, 4, 5, 7, 50, 100])
    func aHelloOverSeveralRecords(capacity: Int) {
        var builder = HelloBuilder()
        builder.extensions = Self.whole
        builder.recordCapacity = capacity
        let bytes = builder.bytes
        for end in 0..<bytes.count {
            let finding = Finding.of(Array(bytes[..<end]))
            #expect(finding.inspection == .needMore)
        }
        let expected = Finding(inspection: .hello, serverName: "claw.example.com", flags: "3ah")
        #expect(Finding.of(bytes) == expected)
    }

    @Test(arguments: 0...255 as ClosedRange<UInt8>)
    func anyOtherFirstByteIsPlaintext(first: UInt8) {
        let expected: ClientHello.Inspection = first == 22 ? .needMore : .plaintext
        #expect(Finding.of([first]).inspection == expected)
        #expect(Finding.of([]).inspection == .needMore)
        #expect(Finding.of([first, 3, 1]).inspection == expected)
    }

    @Test func malformedHellos() {
        func hello(_ change: (inout [UInt8]) -> Void) -> [UInt8] {
            var builder = HelloBuilder()
            builder.extensions = Self.whole
            var message = builder.message
            change(&message)
            return HelloBuilder.records(message, capacity: 16_384)
        }
        func extended(_ list: [UInt8]...) -> [UInt8] {
            var builder = HelloBuilder()
            builder.extensions = list
            return builder.bytes
        }
        let cases: [[UInt8]] = [
            [22, 2], [22, 3, 1, 0, 0], [22, 3, 1, 0x40, 1], [22, 3, 1, 0, 4, 2, 0, 0, 0],
            [22, 3, 1, 0, 4, 1, 0, 0x40, 1], [22, 3, 1, 0, 4, 1, 0xFF, 0xFF, 0xFF],
            [22, 3, 1, 0, 4, 1, 0, 0, 0], [22, 3, 1, 0, 1, 1, 23, 3, 1],
            [22, 3, 1, 0, 1, 1, 22, 4],
            // The message a byte shorter or longer than what is in it.
            hello { $0[3] -= 1 },
            hello {
                $0[3] += 1
                $0.append(0)
            },
            // The session id, the ciphers or the extensions longer than the message.
            hello { $0[38] = 255 }, hello { $0[39] = 255 }, hello { $0[45] += 1 },
            extended([0]), extended([0, 16, 0]), extended([0, 16, 0, 5]),
            extended(HelloBuilder.named(0, [0, 9, 0, 0, 9, 65])),
            extended(HelloBuilder.serverName(String(repeating: "n", count: 256))),
            extended(HelloBuilder.named(16, [])), extended(HelloBuilder.named(16, [0])),
            extended(HelloBuilder.named(16, [0, 3, 9, 65, 65])),
            extended(HelloBuilder.named(16, [0, 2, 1])),
            extended(HelloBuilder.named(16, [0, 0, 0])),
            extended(HelloBuilder.named(43, [])), extended(HelloBuilder.named(43, [1, 3])),
            extended(HelloBuilder.named(43, [4, 3, 4])),
            extended(HelloBuilder.named(43, [0, 3, 4])),
        ]
        for (number, bytes) in cases.enumerated() {
            #expect(Finding.of(bytes).inspection == .malformed, "case \(number)")
        }
    }

    /// Wherever a byte is changed, both read the same, or one of them sooner that it is no hello.
    @Test(arguments: 1...20)
    func agreesWithThePlainWay(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for _ in 0..<400 {
            var builder = HelloBuilder()
            builder.extensions = Self.whole.shuffled(using: &random)
            var message = builder.message
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                message[Int.random(in: 0..<message.count, using: &random)] = UInt8.random(
                    in: 0...255, using: &random)
            }
            let bytes = HelloBuilder.records(
                message, capacity: Int.random(in: 1...200, using: &random))
            let naive = NaiveHello.find(bytes)
            let finding = Finding.of(bytes)
            if naive.inspection == .needMore {
                #expect(finding.inspection != .hello, "seed \(seed): \(bytes)")
            } else if naive.serverName.utf8.allSatisfy({ $0 < 128 }) {
                #expect(finding == naive, "seed \(seed): \(bytes)")
            }
        }
    }

    @Test func readsWhatARealClientSends() throws {
        for (protocols, flags) in [
            (nil, "3"), (["h2"], "3a"), (["h2", "http/1.1"], "3ah"),
        ] as [([String]?, String)] {
            let client = try TLSClient(
                protocols: protocols, resuming: nil, offersTLS12Alone: false)
            client.handshake()
            let bytes = client.takeOutput()
            let expected = Finding(inspection: .hello, serverName: "claw.example", flags: flags)
            #expect(Finding.of(bytes) == expected)
            for end in 0..<bytes.count {
                #expect(Finding.of(Array(bytes[..<end])).inspection == .needMore)
            }
        }
        let old = try TLSClient(protocols: nil, resuming: nil, offersTLS12Alone: true)
        old.handshake()
        #expect(Finding.of(old.takeOutput()).flags == "")
        let link = try Link(.make(.ecdsa))
        let resuming = try TLSClient(
            protocols: ["http/1.1"], resuming: link.client.ticket, offersTLS12Alone: false)
        resuming.handshake()
        #expect(Finding.of(resuming.takeOutput()).flags == "3ah")
    }
}
