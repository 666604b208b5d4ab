// SPDX-License-Identifier: Apache-2.0

import Bytes
import COpenSSL
import Glibc
import TLS
import TestSupport
import Testing

@Suite("Handshakes")
struct HandshakeTests {
    @Test(arguments: ThrowAwayIdentity.Kind.servers, [1, 7, 100, Int.max])
    func completesHoweverItIsCut(kind: ThrowAwayIdentity.Kind, step: Int) throws {
        let identity = kind == .ecdsa ? ThrowAwayIdentity.ecdsa : ThrowAwayIdentity.rsa
        let link = try Link(try .make(identity), step: step)
        #expect(link.outcome == .complete(resumed: false))
        #expect(link.client.isConnected)
        #expect(link.client.version == TLS1_3_VERSION)
        #expect(link.client.chosenProtocol == "http/1.1")
        #expect(link.server.unread == 0)
    }

    @Test func takesOurProtocolFromAmongOthers() throws {
        let context = try TLSServerContext.make(.ecdsa)
        let link = try Link(context, protocols: ["h2", "http/1.1", "http/1.0"])
        #expect(link.outcome == .complete(resumed: false))
        #expect(link.client.chosenProtocol == "http/1.1")
    }

    @Test func servesAClientThatOffersNoProtocol() throws {
        let link = try Link(try .make(.ecdsa), protocols: nil)
        #expect(link.outcome == .complete(resumed: false))
        #expect(link.client.chosenProtocol == "")
    }

    @Test(arguments: [["h2"], ["http/1.0"], ["HTTP/1.1"], ["http/1.1 "], ["http/1"]])
    func refusesOtherProtocolsWithAnAlert(protocols: [String]) throws {
        let context = try TLSServerContext.make(.ecdsa)
        let server = try Server(context)
        let client = try TLSClient(protocols: protocols, resuming: nil, offersTLS12Alone: false)
        client.handshake()
        guard case .failed(.handshake(let reason)) = server.handshake(client.takeOutput()) else {
            Issue.record("the handshake did not fail")
            return
        }
        #expect(!reason.isEmpty && reason != "unknown")
        let output = server.takeOutput()
        // RFC 7301 §3.2: a fatal no_application_protocol, which is 120.
        #expect(Array(output.suffix(7)) == [21, 3, 3, 0, 2, 2, 120])
        client.feed(output)
        client.handshake()
        #expect(client.hasFailed)
    }

    @Test func refusesTLS12WithAnAlert() throws {
        let link = try Link(try .make(.ecdsa), offersTLS12Alone: true)
        guard case .failed(.handshake(let reason)) = link.outcome else {
            Issue.record("the handshake did not fail")
            return
        }
        #expect(reason.contains("protocol"))
        #expect(link.client.hasFailed)
        #expect(!link.client.isConnected)
    }

    @Test(arguments: 1...40)
    func garbageFailsAndDoesNoHarm(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let context = try TLSServerContext.make(.ecdsa)
        let server = try Server(context)
        let client = try TLSClient(protocols: nil, resuming: nil, offersTLS12Alone: false)
        client.handshake()
        var hello = client.takeOutput()
        for _ in 0..<Int.random(in: 1...8, using: &random) {
            // Behind the first record's header: a longer length alone asks for more.
            hello[Int.random(in: 5..<hello.count, using: &random)] = UInt8.random(
                in: 0...255, using: &random)
        }
        var outcome = server.handshake(hello)
        var sent = 0
        while outcome == .needMore, sent < 20_000 {
            outcome = server.handshake((0..<100).map { _ in .random(in: 0...255, using: &random) })
            sent += 100
            _ = server.takeOutput()
        }
        guard case .failed = outcome else {
            Issue.record("seed \(seed): \(outcome)")
            return
        }
        // What has failed stays so.
        if case .complete = server.handshake([]) { Issue.record("a failed handshake completed") }
    }

    // MARK: Resumption

    @Test func aTicketResumes() throws {
        let context = try TLSServerContext.make(.ecdsa)
        let first = try Link(context)
        #expect(first.outcome == .complete(resumed: false))
        let ticket = try #require(first.client.ticket)
        let second = try Link(context, resuming: ticket)
        #expect(second.isResumed)
        // Resumed or not, the bytes flow.
        #expect(second.server.read(second.client.write([1, 2, 3])).bytes == [1, 2, 3])
    }

    /// Each resumption brings a new ticket, for a client that uses each once.
    @Test func ticketsFollowEachOther() throws {
        let context = try TLSServerContext.make(.ecdsa)
        var ticket = try #require(try Link(context).client.ticket)
        for _ in 0..<3 {
            let link = try Link(context, resuming: ticket)
            #expect(link.isResumed)
            let next = try #require(link.client.ticket)
            #expect(next !== ticket && next.identifier != ticket.identifier)
            ticket = next
        }
    }

    @Test func aTicketOutlivesOneRotation() throws {
        let context = try TLSServerContext.make(.ecdsa)
        let old = try #require(try Link(context).client.ticket)
        context.rotateTicketKeys()
        let second = try Link(context, resuming: old)
        #expect(second.outcome == .complete(resumed: true))
        // The new ticket is sealed with the new key.
        let new = try #require(second.client.ticket)
        context.rotateTicketKeys()
        #expect(try Link(context, resuming: old).outcome == .complete(resumed: false))
        #expect(try Link(context, resuming: new).isResumed)
    }

    /// RFC 8446 §4.6.1: tickets that beget tickets must not let a session go on for ever.
    @Test func theCertificateIsProvenAnewInTheEnd() throws {
        let context = try TLSServerContext.make(.ecdsa)
        context.rotateTicketKeys()
        var ticket = try #require(try Link(context).client.ticket)
        for rotation in 1...TLSServerContext.resumedRotationsMax {
            context.rotateTicketKeys()
            let link = try Link(context, resuming: ticket)
            #expect(link.isResumed, "after \(rotation) rotations")
            ticket = try #require(link.client.ticket)
        }
        context.rotateTicketKeys()
        let full = try Link(context, resuming: ticket)
        #expect(full.outcome == .complete(resumed: false))
        // And from there it goes on as before.
        context.rotateTicketKeys()
        let next = try #require(full.client.ticket)
        #expect(try Link(context, resuming: next).isResumed)
    }

    @Test func anotherProcessesTicketIsAFullHandshake() throws {
        let ticket = try #require(try Link(.make(.ecdsa)).client.ticket)
        let link = try Link(.make(.ecdsa), resuming: ticket)
        #expect(link.outcome == .complete(resumed: false))
        #expect(link.client.isConnected)
    }

    // MARK: Certificates

    @Test func theChainIsSent() throws {
        let identity = ThrowAwayIdentity.make()
        let chain = identity.certificate + ThrowAwayIdentity.make(name: "issuer").certificate
        let context = try TLSServerContext.make(chain, identity.key)
        let link = try Link(context)
        #expect(link.outcome == .complete(resumed: false))
        #expect(link.client.chainCount == 2)
    }

    @Test func theExpiryIsTheLeafs() throws {
        let now = Int(time(nil))
        let identity = ThrowAwayIdentity.make(seconds: 1_000_000)
        let chain = identity.certificate + ThrowAwayIdentity.make(seconds: 5).certificate
        let expiry = try TLSServerContext.make(chain, identity.key).certificateExpiry
        #expect((now + 999_990...now + 1_000_010).contains(Int(expiry)))
    }

    /// Texts that a person can act on; no fault crashes or asks for a passphrase.
    @Test func faultsAreNamed() {
        let good = ThrowAwayIdentity.ecdsa
        let locked = ThrowAwayIdentity.make(passphrase: "secret")
        let other = ThrowAwayIdentity.make()
        let cut = String(good.certificate.dropLast(60))
        let garbledLink = good.certificate + other.certificate.replacing("MII", with: "AAA")
        let encryptedCertificate = good.certificate.replacing(
            "-----BEGIN CERTIFICATE-----\n",
            with: "-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n"
                + "DEK-Info: AES-256-CBC,00112233445566778899AABBCCDDEEFF\n\n")
        let cases: [(certificate: String, key: String, text: String)] = [
            ("", good.key, "certificate"),
            ("garbage", good.key, "certificate is not a PEM certificate"),
            (good.key, good.key, "certificate is not a PEM certificate"),
            (cut, good.key, "certificate is not a PEM certificate"),
            (encryptedCertificate, good.key, "certificate is not a PEM certificate"),
            (garbledLink, good.key, "certificate chain"),
            (good.certificate + cut, good.key, "certificate chain"),
            (good.certificate, "", "key"),
            (good.certificate, "garbage", "key is not a PEM private key"),
            (good.certificate, good.certificate, "key is not a PEM private key"),
            (good.certificate, locked.key, "without passphrase"),
            (locked.certificate, locked.key, "without passphrase"),
            (good.certificate, other.key, "key does not fit the certificate"),
            (good.certificate, ThrowAwayIdentity.rsa.key, "key does not fit the certificate"),
        ]
        for (number, entry) in cases.enumerated() {
            var fault: TLSFault?
            do throws(TLSFault) {
                _ = try TLSServerContext.make(entry.certificate, entry.key)
            } catch {
                fault = error
            }
            guard case .configuration(let text) = fault else {
                Issue.record("case \(number), which should name \(entry.text): no fault")
                continue
            }
            #expect(text.contains(entry.text), "case \(number)")
            #expect(!text.contains("too large"), "case \(number)")
        }
        // And none of them is held against whoever comes next on this thread.
        #expect(throws: Never.self) { try Link(.make(good)) }
    }
}
