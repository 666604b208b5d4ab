// SPDX-License-Identifier: Apache-2.0

import Bytes
import TestSupport
import Testing

@testable import TLS

@Suite("What a ClientHello offers")
struct ClientOfferTests {
    private typealias Builder = HelloBuilder

    private static let tickets = Builder.named(
        41,
        Builder.vector(Builder.vector([7, 7], size: 2) + [1, 2, 3, 4], size: 2)
            + Builder.vector(Builder.vector([UInt8](repeating: 5, count: 32), size: 1), size: 2))

    private static let whole = [
        Builder.serverName("Claw.Example.COM"), Builder.protocols(["h2", "http/1.1"]),
        Builder.versions([0x0304, 0x0303]), Builder.groups([0x11EC, 0x1D, 0x17]),
        Builder.schemes([0x0403, 0x0804, 0x0807]),
        Builder.shares([(0x11EC, 1200), (0x1D, 32)]), Builder.named(45, [1, 1]),
        Builder.named(42, []), tickets,
    ]

    private static func message(_ extensions: [[UInt8]]?) -> [UInt8] {
        var builder = Builder()
        builder.extensions = extensions
        return builder.message
    }

    private func summary(_ message: [UInt8]) throws -> OfferSummary {
        let result = OfferSummary.of(message)
        #expect(NaiveOffer.find(message) == result)
        return try result.get()
    }

    @Test func allOfIt() throws {
        let found = try summary(Self.message(Self.whole))
        let expected = OfferSummary(
            suites: [0x1301], serverName: Array("Claw.Example.COM".utf8), flags: "3ahe",
            groups: [0x1D, 0x17], schemes: [0x0403, 0x0804, 0x0807], shares: [0x1D], shareCount: 2,
            fragmentLengthCode: nil, resumesWithExchange: true, resumption: [1, 1])
        #expect(found == expected)
    }

    @Test func nothingOfIt() throws {
        #expect(try summary(Self.message(nil)) == OfferSummary(suites: [0x1301]))
        #expect(try summary(Self.message([])) == OfferSummary(suites: [0x1301]))
    }

    @Test func suitesInTheClientsOrder() throws {
        var builder = Builder()
        builder.ciphers = [0x0A, 0x0A, 0x13, 3, 0x13, 1, 0xC0, 0x2B, 0x13, 3, 0x13, 2]
        #expect(try summary(builder.message).suites == [0x1303, 0x1301, 0x1302])
        builder.ciphers = [0x13, 0x04]
        #expect(try summary(builder.message).suites == [])
    }

    /// GREASE (RFC 8701) in every place changes nothing.
    @Test func greaseIsPassedOver() throws {
        var builder = Builder()
        builder.ciphers = [0x0A, 0x0A, 0x13, 0x01]
        builder.extensions = [
            Builder.named(0x0A0A, []), Builder.protocols(["\u{2}\u{2}", "http/1.1"]),
            Builder.versions([0x1A1A, 0x0304]), Builder.groups([0x2A2A, 0x1D]),
            Builder.schemes([0x3A3A, 0x0403]), Builder.shares([(0x2A2A, 1), (0x1D, 32)]),
            Builder.named(45, [2, 0x0B, 1]), Builder.named(0xFAFA, [0]),
        ]
        let found = try summary(builder.message)
        #expect(found.flags == "3ah")
        #expect(found.groups == [0x1D] && found.schemes == [0x0403] && found.shares == [0x1D])
        #expect(found.resumesWithExchange == true)
    }

    @Test func bestOfTheGroups() throws {
        func best(_ groups: [Int], _ shares: [(Int, Int)]) throws -> [NamedGroup?] {
            let message = Self.message([Builder.groups(groups), Builder.shares(shares)])
            let offer = try ClientOffer(message.span)
            return [offer.bestGroup, offer.bestShare?.group]
        }
        #expect(try best([0x18, 0x17, 0x1D], [(0x18, 97), (0x17, 65)]) == [.x25519, .secp256r1])
        #expect(try best([0x18], []) == [.secp384r1, nil])
        #expect(try best([0x19, 0x100], [(0x19, 133)]) == [nil, nil])
    }

    @Test func aShareThatComesTwice() throws {
        for shares in [[(0x1D, 32), (0x1D, 32)], [(0x2A2A, 1), (0x17, 65), (0x2A2A, 1)]] {
            #expect(try summary(Self.message([Builder.shares(shares)])).flags == "r")
        }
    }

    private static let faults: [([[UInt8]], Alert)] = [
        ([[0]], .decodeError), ([[0, 16, 0]], .decodeError), ([[0, 16, 0, 5]], .decodeError),
        // Twice, known or not.
        ([Builder.versions([0x0304]), Builder.versions([0x0304])], .illegalParameter),
        ([Builder.named(23, []), Builder.named(23, [])], .illegalParameter),
        ([tickets, Builder.named(23, [])], .illegalParameter),
        // Names.
        ([Builder.named(0, [])], .decodeError), ([Builder.named(0, [0, 0])], .decodeError),
        ([Builder.named(0, [0, 9, 0, 0, 9, 65])], .decodeError),
        ([Builder.serverName("")], .decodeError),
        ([Builder.serverName("10.0.0.1", type: 1)], .decodeError),
        ([Builder.serverName(String(repeating: "n", count: 256))], .unrecognizedName),
        ([Builder.serverName("a\0b")], .unrecognizedName),
        ([Builder.named(0, [0, 8, 0, 0, 1, 65, 0, 0, 1, 66])], .decodeError),
        // Lists that are empty, odd, longer or shorter than what is in them.
        ([Builder.named(16, [])], .decodeError), ([Builder.named(16, [0])], .decodeError),
        ([Builder.protocols([])], .decodeError), ([Builder.protocols([""])], .decodeError),
        ([Builder.named(16, [0, 3, 9, 65, 65])], .decodeError),
        ([Builder.named(16, [0, 2, 1, 65, 0])], .decodeError),
        ([Builder.versions([])], .decodeError), ([Builder.named(43, [1, 3])], .decodeError),
        ([Builder.named(43, [3, 3, 4, 3])], .decodeError),
        ([Builder.named(43, [4, 3, 4])], .decodeError),
        ([Builder.groups([])], .decodeError), ([Builder.named(10, [0, 1, 0])], .decodeError),
        ([Builder.named(10, [0, 2, 0, 29, 0])], .decodeError),
        ([Builder.schemes([])], .decodeError),
        ([Builder.named(13, [0, 3, 4, 3, 4])], .decodeError),
        ([Builder.shares([(0x1D, 0)])], .decodeError),
        ([Builder.named(51, [0, 4, 0, 29, 0, 1])], .decodeError),
        ([Builder.named(51, [])], .decodeError), ([Builder.named(45, [0])], .decodeError),
        ([Builder.named(45, [2, 1])], .decodeError), ([Builder.named(42, [0])], .decodeError),
        ([Builder.named(1, [])], .decodeError), ([Builder.named(1, [1, 1])], .decodeError),
        ([Builder.named(1, [0])], .illegalParameter), ([Builder.named(1, [5])], .illegalParameter),
        ([Builder.named(41, [])], .decodeError), ([Builder.named(41, [0, 0, 0, 0])], .decodeError),
        // A ticket without its age, a binder of 31 bytes.
        (
            [
                Builder.named(
                    41,
                    Builder.vector(Builder.vector([1, 2, 3], size: 2), size: 2)
                        + Builder.vector([32] + [UInt8](repeating: 5, count: 32), size: 2))
            ], .decodeError
        ),
        (
            [
                Builder.named(
                    41,
                    Builder.vector(Builder.vector([7], size: 2) + [1, 2, 3, 4], size: 2)
                        + Builder.vector([31] + [UInt8](repeating: 5, count: 32), size: 2))
            ], .decodeError
        ),
    ]

    @Test func faultsAndTheirAlerts() {
        for (number, (extensions, alert)) in Self.faults.enumerated() {
            let message = Self.message(extensions)
            #expect(OfferSummary.of(message) == .failure(alert), "fault \(number)")
            #expect(NaiveOffer.find(message) == .failure(alert), "fault \(number), the plain way")
        }
        var builder = Builder()
        for change in [
            { $0.sessionID = [UInt8](repeating: 1, count: 33) }, { $0.ciphers = [] },
            { $0.ciphers = [0x13] }, { $0.compression = [] },
        ] as [(inout Builder) -> Void] {
            builder = Builder()
            change(&builder)
            #expect(OfferSummary.of(builder.message) == .failure(.decodeError))
        }
    }

    /// A message that ends early ends with an alert, wherever it does.
    @Test func cutAnywhere() {
        let message = Self.message(Self.whole)
        for end in 4..<message.count {
            let cut = Array(message[..<end])
            let result = OfferSummary.of(cut)
            #expect(result == NaiveOffer.find(cut))
            // Without extensions it is one of an older client.
            if end != Self.message(nil).count { #expect(result == .failure(.decodeError)) }
        }
    }

    /// Wherever bytes are changed, both read the same.
    @Test(arguments: 1...20)
    func agreesWithThePlainWay(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for _ in 0..<400 {
            var extensions = Self.whole.dropLast().shuffled(using: &random)
            if Bool.random(using: &random) { extensions.append(Self.tickets) }
            var message = Self.message(extensions)
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                // Seldom in the long key share, which has nothing to read.
                let end = Bool.random(using: &random) ? message.count : min(120, message.count)
                message[Int.random(in: 4..<end, using: &random)] = UInt8.random(
                    in: 0...255, using: &random)
            }
            #expect(OfferSummary.of(message) == NaiveOffer.find(message), "seed \(seed)")
        }
    }

    @Test func readsWhatARealClientSends() throws {
        for (protocols, flags) in [
            (nil, "3"), (["h2"], "3a"), (["h2", "http/1.1"], "3ah"),
        ] as [([String]?, String)] {
            let client = try TLSClient(
                protocols: protocols, resuming: nil, offersTLS12Alone: false)
            client.handshake()
            let found = try summary(Array(client.takeOutput().dropFirst(5)))
            #expect(found.flags == flags)
            #expect(found.serverName == Array("Claw.Example".utf8))
            #expect(found.shares == [0x1D] && found.resumption == nil)
        }
        let link = try Link(.make(.ecdsa))
        let resuming = try TLSClient(
            protocols: ["http/1.1"], resuming: link.client.ticket, offersTLS12Alone: false)
        resuming.handshake()
        let found = try summary(Array(resuming.takeOutput().dropFirst(5)))
        #expect(found.flags == "3ah" && found.resumption == [1, 1])
    }
}
