// SPDX-License-Identifier: Apache-2.0

import Crypto
import Glibc
import TLS
import TestSupport
import Testing

/// Clients that are asked for their certificates, and do as they should.
@Suite("Certificates of clients")
struct ClientProofTests {
    typealias Identity = ThrowAwayIdentity

    static let authority = Identity.make(name: "authority", isAuthority: true)
    static let leaf = Identity.make(issuer: authority)
    static let now = UInt64(time(nil))

    static func proof(_ isRequired: Bool, _ authorities: Identity?...) throws -> ClientProof {
        let text = authorities.compactMap { $0.map { Array($0.certificate.utf8) } }
        return try ClientProof(
            isRequired: isRequired, authorities: text.isEmpty ? nil : text.flatMap { $0 })
    }

    static func context(_ proof: ClientProof?) throws -> TLSServerContext {
        try .make(.ecdsa, clients: proof)
    }

    static func offer(_ identity: Identity?, chain: [Identity] = []) -> TLSOffer {
        var offer = TLSOffer()
        offer.identity = identity
        offer.chain = chain
        return offer
    }

    static func pin(_ identity: Identity) -> SHA256Digest? {
        SHA256Digest(bytes: identity.publicKeyDigest.span)
    }

    private func link(
        _ proof: ClientProof, _ identity: Identity?, chain: [Identity] = [], step: Int = .max,
        now: UInt64 = Self.now
    ) throws -> Link {
        try Link(
            try Self.context(proof), step: step, offer: Self.offer(identity, chain: chain), now: now
        )
    }

    @Test(arguments: Identity.Kind.clients, [1, 7, 100, Int.max])
    func isProvenHoweverItIsCut(kind: Identity.Kind, step: Int) throws {
        let leaf = Identity.make(kind, seconds: 1000, issuer: Self.authority)
        let link = try link(Self.proof(true, Self.authority), leaf, step: step)
        #expect(link.outcome == .complete(resumed: false))
        let proven = try #require(link.server.clientCertificate)
        #expect(proven.pin == Self.pin(leaf))
        #expect((990...1010).contains(proven.notAfter - Int64(Self.now)))
        #expect(link.server.read(link.client.write([1, 2, 3])).bytes == [1, 2, 3])
        #expect(link.client.ticket != nil)
    }

    /// Without an authority a certificate may vouch for itself: its pin decides.
    @Test(arguments: Identity.Kind.clients)
    func vouchesForItself(kind: Identity.Kind) throws {
        let own = Identity.make(kind)
        let link = try link(Self.proof(true), own)
        #expect(link.outcome == .complete(resumed: false))
        #expect(link.server.clientCertificate?.pin == Self.pin(own))
    }

    @Test func noneWhereItMayBeMissing() throws {
        let link = try link(Self.proof(false, Self.authority), nil)
        #expect(link.outcome == .complete(resumed: false))
        #expect(link.server.clientCertificate == nil)
        #expect(link.server.read(link.client.write([1])).bytes == [1])
    }

    @Test func noneIsAskedForWhereNoneIsWanted() throws {
        let link = try Link(Self.context(nil), offer: Self.offer(Self.leaf))
        #expect(link.outcome == .complete(resumed: false))
        #expect(link.server.clientCertificate == nil)
    }

    @Test func chainsOverOthers() throws {
        let middle = Identity.make(name: "middle", isAuthority: true, issuer: Self.authority)
        let leaf = Identity.make(issuer: middle)
        let whole = try link(Self.proof(true, Self.authority), leaf, chain: [middle])
        #expect(whole.server.clientCertificate?.pin == Self.pin(leaf))
        // An authority in the middle is one as well, and vouches for its own alone.
        let low = try link(Self.proof(true, middle), leaf)
        #expect(low.server.clientCertificate?.pin == Self.pin(leaf))
        let beside = try link(Self.proof(true, middle), Self.leaf)
        #expect(beside.client.alert == 48)
        // Who leaves out the middle is not known.
        #expect(try link(Self.proof(true, Self.authority), leaf).client.alert == 48)
        // Several authorities.
        let other = Identity.make(name: "other", isAuthority: true)
        let either = try link(Self.proof(true, other, Self.authority), Self.leaf)
        #expect(either.server.clientCertificate?.pin == Self.pin(Self.leaf))
    }

    /// What is proven ends with the first certificate of the chain that does.
    @Test func theChainExpiresWithItsFirst() throws {
        let middle = Identity.make(
            name: "middle", seconds: 500, isAuthority: true, issuer: Self.authority)
        let leaf = Identity.make(seconds: 1000, issuer: middle)
        let link = try link(Self.proof(true, Self.authority), leaf, chain: [middle])
        let end = try #require(link.server.clientCertificate).notAfter
        #expect((490...510).contains(end - Int64(Self.now)))
    }

    @Test func refusals() throws {
        let stranger = Identity.make(name: "authority", isAuthority: true)
        let required = try Self.proof(true, Self.authority)
        let cases: [(String, ClientProof, Identity?, UInt8)] = [
            ("none", required, nil, 116),
            ("none, pinned", try Self.proof(true), nil, 116),
            ("itself", required, Identity.make(), 48),
            ("another authority of that name", required, Identity.make(issuer: stranger), 42),
            ("expired", required, Identity.make(seconds: -30, issuer: Self.authority), 45),
            ("expired, pinned", try Self.proof(true), Identity.make(seconds: -30), 45),
            ("not yet", required, Identity.make(begins: 600, issuer: Self.authority), 42),
            ("not yet, pinned", try Self.proof(false), Identity.make(begins: 600), 42),
            (
                "a server's", required,
                Identity.make(issuer: Self.authority, usage: "serverAuth"), 43
            ),
            ("of an agent that is none", required, Identity.make(issuer: Self.leaf), 48),
        ]
        for (name, proof, identity, alert) in cases {
            let link = try link(proof, identity)
            guard case .failed(.handshake) = link.outcome else {
                Issue.record("\(name): \(link.outcome)")
                continue
            }
            #expect(link.client.alert == alert, "\(name)")
            #expect(link.server.clientCertificate == nil)
        }
    }

    @Test func faultsOfAuthorities() {
        let good = Self.authority.certificate
        let many = String(repeating: "x", count: 60)
        let crowd = (0..<220).map { Identity.make(name: "\(many)\($0)").certificate }.joined()
        for (text, reason) in [
            ("", "not PEM"), ("garbage", "not PEM"), (Self.authority.key, "not PEM"),
            (good + good.replacing("MII", with: "AAA"), "not PEM"), (crowd, "their names have"),
        ] {
            var fault: TLSFault?
            do throws(TLSFault) {
                _ = try ClientProof(isRequired: true, authorities: Array(text.utf8))
            } catch {
                fault = error
            }
            #expect(fault?.reason.contains(reason) ?? false, "\(fault?.reason ?? "none")")
        }
    }
}
