// SPDX-License-Identifier: Apache-2.0

import Crypto
import Synchronization
import TestSupport
import Testing

@testable import TLS

/// A pin is one thing more that a server has to prove, in each handshake.
@Suite("Pins of servers")
struct ClientPinTests {
    private static let authority = ThrowAwayIdentity.make(name: "authority", isAuthority: true)
    private static let server = ThrowAwayIdentity.make(issuer: authority)
    private static let other = ThrowAwayIdentity.make(issuer: authority)

    private func context(
        pins: [ThrowAwayIdentity], name: String = "claw", trust: TLSTrust? = nil,
        isResuming: Bool = false
    ) throws -> TLSClientContext {
        let pins = pins.compactMap { SHA256Digest(bytes: $0.publicKeyDigest.span) }
        return try TLSClientContext(
            serverName: name, trust: trust ?? Self.authority.authority, pins: pins,
            isResuming: isResuming)
    }

    @Test(arguments: [ThrowAwayIdentity.Kind.ecdsa, .rsa])
    func theKeyThatIsPinnedPasses(kind: ThrowAwayIdentity.Kind) throws {
        let identity = ThrowAwayIdentity.make(kind, issuer: Self.authority)
        #expect(try ClientLink(context(pins: [identity]), .make(identity)).isComplete)
    }

    @Test func aBackupPinWillDo() throws {
        let context = try context(pins: [Self.other, Self.server])
        #expect(try ClientLink(context, .make(Self.server)).isComplete)
    }

    @Test func anotherKeyIsRefusedThoughTheChainIsGood() throws {
        let link = try ClientLink(context(pins: [Self.other]), .make(Self.server))
        expectRefusal(link, "certificate is not pinned")
    }

    /// It is the leaf's key that counts: all that an authority has issued would pass otherwise.
    @Test func theAuthoritysKeyIsNoPin() throws {
        let text = Self.server.certificate + Self.authority.certificate
        let link = try ClientLink(
            context(pins: [Self.authority]), .make(text, Self.server.key))
        expectRefusal(link, "certificate is not pinned")
    }

    @Test func aPinVouchesForNeitherChainNorNameNorTime() throws {
        let stranger = ThrowAwayIdentity.make()
        expectRefusal(
            try ClientLink(context(pins: [stranger]), .make(stranger)), "self-signed certificate")
        expectRefusal(
            try ClientLink(context(pins: [Self.server], name: "other"), .make(Self.server)),
            "hostname mismatch")
        let expired = ThrowAwayIdentity.make(seconds: -30, issuer: Self.authority)
        expectRefusal(
            try ClientLink(context(pins: [expired]), .make(expired)), "certificate has expired")
    }

    @Test func withoutAuthoritiesThePinAloneDecides() throws {
        let stranger = ThrowAwayIdentity.make()
        let context = try context(pins: [stranger], trust: .anyone)
        #expect(try ClientLink(context, .make(stranger)).isComplete)
        expectRefusal(
            try ClientLink(context, .make(Self.server)), "certificate is not pinned")
    }

    // MARK: Resumption

    @Test func aPinnedServerIsResumed() throws {
        let context = try context(pins: [Self.server], isResuming: true)
        let server = try TLSServerContext.make(Self.server)
        #expect(try ClientLink(context, server).isComplete)
        for _ in 0..<3 { #expect(try ClientLink(context, server).isResumed) }
    }

    @Test func aResumedSessionWasVerifiedOnce() throws {
        let context = try context(pins: [], isResuming: true)
        let server = try TLSServerContext.make(Self.server)
        #expect(try ClientLink(context, server).isComplete)
        #expect(try ClientLink(context, server).isResumed)
    }

    /// The server would take the ticket, and would not show a certificate.
    @Test func aTicketFromBeforeDoesNotPassUnderOtherPins() throws {
        let server = try TLSServerContext.make(Self.server)
        let before = try context(pins: [Self.server], isResuming: true)
        #expect(try ClientLink(before, server).isComplete)
        let after = try context(pins: [Self.other], isResuming: true)
        handOver(from: before, to: after)
        expectRefusal(try ClientLink(after, server), "certificate is not pinned")

        // The same ticket under pins that it satisfies: what was handed over is good.
        let same = try context(pins: [Self.other, Self.server], isResuming: true)
        handOver(from: before, to: same)
        #expect(try ClientLink(same, server).isResumed)
    }

    @Test func aTicketDoesNotOutliveItsCertificate() async throws {
        let brief = ThrowAwayIdentity.make(seconds: 3, issuer: Self.authority)
        let server = try TLSServerContext.make(brief)
        let context = try context(pins: [], isResuming: true)
        #expect(try ClientLink(context, server).isComplete)
        try await Task.sleep(for: .milliseconds(3100))
        expectRefusal(try ClientLink(context, server), "certificate has expired")
    }

    private func handOver(from: TLSClientContext, to: TLSClientContext) {
        let ticket = from.tickets?.newest.withLock { $0 }
        #expect(ticket != nil)
        to.tickets?.newest.withLock { $0 = ticket }
    }
}
