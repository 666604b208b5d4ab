// SPDX-License-Identifier: Apache-2.0

import TLS
import TestSupport
import Testing

/// The flight of a client that was asked for its certificate, cut, joined, and spoilt.
@Suite("Flights of clients with certificates")
struct ClientFlightTests {
    typealias Asking = ClientProofTests
    typealias Flight = ClientFlight

    private static let leaf = ThrowAwayIdentity.make(issuer: Asking.authority)
    private static let context = Result {
        try Asking.context(Asking.proof(true, Asking.authority))
    }
    private static let pinning = Result { try Asking.context(Asking.proof(true)) }

    /// - Parameter isVouched: by an authority; else pins decide.
    private func flight(
        _ identity: ThrowAwayIdentity? = leaf, isVouched: Bool = true
    ) throws -> Flight {
        try Flight(
            isVouched ? Self.context.get() : Self.pinning.get(), Asking.offer(identity),
            now: Asking.now)
    }

    /// In two pieces, at every place.
    @Test func cutAnywhere() throws {
        let count = try flight().seal(flight().messages.flatMap { $0 }).count
        for cut in 1..<count - 30 {
            let flight = try flight()
            let records = flight.seal(flight.messages.flatMap { $0 })
            // An ECDSA signature is 70 to 72 bytes long.
            try #require(cut < records.count)
            #expect(flight.server.handshake(Array(records[..<cut])) == .needMore, "\(cut)")
            #expect(flight.server.unread == 0)
            let outcome = flight.server.handshake(Array(records[cut...]))
            #expect(outcome == .complete(resumed: false), "\(cut)")
            #expect(flight.server.clientCertificate?.pin == Asking.pin(Self.leaf))
        }
    }

    /// Messages lie in records as their sender likes (RFC 8446 §5.1).
    @Test(arguments: [1, 2, 3, 5, 50, 500, 16_384])
    func recordsOfAnySize(capacity: Int) throws {
        let joined = try flight()
        let records = joined.seal(joined.messages.flatMap { $0 }, capacity: capacity)
        var outcome = TLSSession.Handshake.needMore
        for start in stride(from: 0, to: records.count, by: 16_384) {
            outcome = joined.server.handshake(
                Array(records[start..<min(start + 16_384, records.count)]))
        }
        #expect(outcome == .complete(resumed: false))
        let apart = try flight()
        for message in apart.messages {
            outcome = apart.server.handshake(apart.seal(message, capacity: capacity))
        }
        #expect(outcome == .complete(resumed: false))
        #expect(apart.server.clientCertificate?.pin == Asking.pin(Self.leaf))
    }

    // MARK: Certificate

    @Test func lists() throws {
        let leaf = Self.leaf.encoded
        func list(_ certificates: [[UInt8]], context: [UInt8] = [], extensions: [UInt8] = [])
            -> [UInt8]
        {
            Flight.certificates(certificates, context: context, extensions: extensions)
        }
        let huge = list([leaf, [UInt8](repeating: 0x30, count: 16_384)])
        let cases: [(String, [UInt8], UInt8)] = [
            ("none", list([]), 116),
            ("a context", list([leaf], context: [1]), 47),
            ("an extension that was not asked for", list([leaf], extensions: [0, 5, 0, 0]), 110),
            ("eleven", list(Array(repeating: leaf, count: 11)), 42),
            ("an empty one", list([[]]), 50),
            ("too long", huge, 47),
            ("too long, said at once", Array(huge.prefix(4)), 47),
            ("longer than it is", Flight.message(11, [0, 0, 0, 9, 0, 0, 1, 7, 0, 0]), 50),
            ("shorter than it is", Flight.message(11, [0, 0, 0, 0, 1]), 50),
            ("no list", Flight.message(11, [0]), 50), ("nothing", Flight.message(11, []), 50),
        ]
        for (name, message, alert) in cases {
            let flight = try flight()
            #expect(try flight.alert(flight.seal(message)) == alert, "\(name)")
        }
    }

    /// What is no certificate, or is one of a key that is not taken, with a signature behind it.
    @Test func certificatesThatAreNone() throws {
        let leaf = Self.leaf.encoded
        let cases: [(String, [[UInt8]], UInt8)] = [
            ("garbage", [[1, 2, 3]], 42), ("cut", [Array(leaf.dropLast())], 42),
            ("a byte too many", [leaf + [0]], 42),
            ("a length of 2^31", [[0x30, 0x84, 0x80, 0, 0, 0]], 42),
            ("garbage behind the leaf", [leaf, [0x30, 0x03, 1, 1, 0xFF]], 42),
            ("secp256k1", [ThrowAwayIdentity.make(.secp256k1).encoded], 43),
            ("Ed448", [ThrowAwayIdentity.make(.ed448).encoded], 43),
            ("RSA with 1024 bits", [ThrowAwayIdentity.make(.rsa1024).encoded], 43),
        ]
        for (name, list, alert) in cases {
            let flight = try flight()
            // It is not judged before it is proven.
            let shown = flight.server.handshake(flight.seal(Flight.certificates(list)))
            #expect(shown == .needMore, "\(name)")
            let garbled = name == "garbage behind the leaf"
            // Changed, the transcript is not what the client has signed.
            #expect(
                try flight.alert(flight.seal(flight.proof)) == (garbled ? 51 : alert), "\(name)")
        }
    }

    /// OpenSSL's client signs with a key that is too short for us.
    @Test func aShortKeyThatSigns() throws {
        let flight = try flight(.make(.rsa1024), isVouched: false)
        #expect(try flight.alert(flight.seal(flight.messages.flatMap { $0 })) == 43)
    }

    // MARK: CertificateVerify

    @Test(arguments: [ThrowAwayIdentity.Kind.ecdsa, .ed25519, .rsa])
    func signatures(kind: ThrowAwayIdentity.Kind) throws {
        let own = ThrowAwayIdentity.make(kind)
        let proof = try flight(own, isVouched: false).proof
        let scheme = Int(proof[4]) << 8 | Int(proof[5])
        let signature = Array(proof[8...])
        var changed = signature
        changed[changed.count - 1] ^= 1
        let cases: [(String, [UInt8], UInt8)] = [
            ("changed", Flight.proof(scheme, changed), 51),
            ("cut", Flight.proof(scheme, Array(signature.dropLast())), 51),
            ("of another handshake", proof, 51),
            ("empty", Flight.proof(scheme, []), 51),
            ("zeros", Flight.proof(scheme, [UInt8](repeating: 0, count: signature.count)), 51),
            // What was not asked for: PKCS #1 v1.5, SHA-1, RSASSA-PSS keys, numbers of nobody.
            ("rsa_pkcs1_sha256", Flight.proof(0x0401, signature), 47),
            ("rsa_pkcs1_sha1", Flight.proof(0x0201, signature), 47),
            ("ecdsa_sha1", Flight.proof(0x0203, signature), 47),
            ("rsa_pss_pss_sha256", Flight.proof(0x0809, signature), 47),
            ("0", Flight.proof(0, signature), 47), ("0xFFFF", Flight.proof(0xFFFF, signature), 47),
            // Asked for, and not the key's.
            ("ecdsa_secp384r1_sha384", Flight.proof(0x0503, signature), 47),
            ("cut off", Flight.message(15, [8]), 50),
            ("a byte too many", Flight.message(15, Array(proof[4...]) + [0]), 50),
            ("huge", Flight.message(15, [UInt8](repeating: 8, count: 2000)), 47),
        ]
        for (name, message, alert) in cases {
            let flight = try flight(own, isVouched: false)
            let shown = flight.server.handshake(flight.seal(flight.certificates))
            #expect(shown == .needMore)
            #expect(try flight.alert(flight.seal(message)) == alert, "\(name)")
        }
    }

    /// The certificate of another, whom the client can watch, and its own signature.
    @Test func anothersCertificate() throws {
        let flight = try flight(.make(), isVouched: false)
        let stolen = Flight.certificates([Self.leaf.encoded])
        #expect(flight.server.handshake(flight.seal(stolen)) == .needMore)
        #expect(try flight.alert(flight.seal(flight.proof)) == 51)
    }

    // MARK: Order

    @Test func outOfOrder() throws {
        let cases: [(String, [Int], Int)] = [
            ("Finished at once", [2], 10), ("the proof first", [1, 0, 2], 10),
            ("without the proof", [0, 2], 10), ("twice the certificate", [0, 0, 1, 2], 10),
            ("twice the proof", [0, 1, 1, 2], 10),
        ]
        for isJoined in [true, false] {
            for (name, order, alert) in cases {
                let flight = try flight()
                let messages = order.map { flight.messages[$0] }
                let records =
                    isJoined
                    ? flight.seal(messages.flatMap { $0 })
                    : messages.flatMap { flight.seal($0) }
                #expect(try flight.alert(records) == UInt8(alert), "\(name)")
            }
        }
        // More behind Finished, under its keys.
        let flight = try flight()
        let all = flight.messages.flatMap { $0 }
        #expect(try flight.alert(flight.seal(all + [24])) == 10)
    }

    /// Nothing but the messages: no data, no message in the clear, no alert within one.
    @Test func betweenMessages() throws {
        let data = try flight()
        let certificates = data.seal(data.certificates)
        #expect(try data.alert(certificates + data.seal([1, 2, 3], type: 23)) == 10)
        let within = try flight()
        let half = within.seal(Array(within.certificates.prefix(100)))
        #expect(try within.alert(half + within.seal([1, 0], type: 21)) == 10)
        let clear = try flight()
        #expect(try clear.alert([22, 3, 3, 0, 4, 11, 0, 0, 0]) == 10)
        let forged = try flight()
        var records = forged.seal(forged.certificates)
        records[records.count - 1] ^= 1
        #expect(try forged.alert(records) == 20)
        // A client that gives up is not answered.
        let gone = try flight()
        guard case .failed = gone.server.handshake(gone.seal([2, 42], type: 21)) else {
            Issue.record("the handshake goes on")
            return
        }
        #expect(gone.server.takeOutput() == [])
    }

    @Test func aFalseFinished() throws {
        let flight = try flight()
        var finished = flight.finished
        finished[finished.count - 1] ^= 1
        let records = flight.seal(flight.certificates + flight.proof + finished)
        guard case .failed = flight.server.handshake(records) else {
            Issue.record("the handshake goes on")
            return
        }
        flight.client.feed(flight.server.takeOutput())
        _ = flight.client.read()
        #expect(flight.client.alert == 51)
    }
}
