// SPDX-License-Identifier: Apache-2.0

import TLS
import TestSupport
import Testing

/// Tickets of clients that were asked for their certificates.
@Suite("Tickets of clients with certificates")
struct ClientTicketTests {
    typealias Asking = ClientProofTests

    private let leaf = ThrowAwayIdentity.make(seconds: 1000, issuer: Asking.authority)

    private func link(
        _ context: TLSServerContext, _ ticket: Ticket? = nil, with identity: ThrowAwayIdentity?,
        after seconds: UInt64 = 0
    ) throws -> Link {
        try Link(
            context, resuming: ticket, offer: Asking.offer(identity), now: Asking.now + seconds)
    }

    @Test func whatWasProvenGoesOn() throws {
        let context = try Asking.context(Asking.proof(true, Asking.authority))
        let first = try link(context, with: leaf)
        var ticket = try #require(first.client.ticket)
        for _ in 0..<3 {
            // The client has none to show any more, and is not asked.
            let next = try link(context, ticket, with: nil)
            #expect(next.isResumed)
            #expect(next.server.clientCertificate == first.server.clientCertificate)
            #expect(next.server.clientCertificate?.pin == Asking.pin(leaf))
            ticket = try #require(next.client.ticket)
        }
    }

    @Test func whoHadNoneHasNone() throws {
        let context = try Asking.context(Asking.proof(false, Asking.authority))
        let ticket = try #require(try link(context, with: nil).client.ticket)
        let next = try link(context, ticket, with: nil)
        #expect(next.isResumed)
        #expect(next.server.clientCertificate == nil)
    }

    @Test func anExpiredOneIsProvenAnew() throws {
        let context = try Asking.context(Asking.proof(true, Asking.authority))
        let ticket = try #require(try link(context, with: leaf).client.ticket)
        #expect(try link(context, ticket, with: leaf, after: 900).isResumed)
        let late = try link(context, ticket, with: leaf, after: 1100)
        #expect(late.client.alert == 45)
        let another = ThrowAwayIdentity.make(seconds: 5000, issuer: Asking.authority)
        let anew = try link(context, ticket, with: another, after: 1100)
        #expect(anew.outcome == .complete(resumed: false))
        #expect(anew.server.clientCertificate?.pin == Asking.pin(another))
    }

    /// Under other rules a ticket proves nothing, and the handshake is a whole one.
    @Test func otherRulesAskAnew() throws {
        let other = ThrowAwayIdentity.make(name: "other", isAuthority: true)
        let proofs: [ClientProof?] = try [
            nil, Asking.proof(false), Asking.proof(true), Asking.proof(false, Asking.authority),
            Asking.proof(true, Asking.authority), Asking.proof(true, Asking.authority, other),
        ]
        for (old, before) in proofs.enumerated() {
            let context = try Asking.context(before)
            let ticket = try #require(try link(context, with: leaf).client.ticket)
            for (new, after) in proofs.enumerated() {
                let reloaded = try TLSServerContext.make(.ecdsa, clients: after, after: context)
                let next = try link(reloaded, ticket, with: leaf)
                #expect(next.outcome == .complete(resumed: old == new), "\(old) \(new)")
                #expect((next.server.clientCertificate == nil) == (after == nil))
            }
        }
    }

    /// The same rules, made anew by a reload, are the same.
    @Test func aReloadForgetsNothing() throws {
        let context = try Asking.context(Asking.proof(true, Asking.authority))
        let first = try link(context, with: leaf)
        let reloaded = try TLSServerContext.make(
            .ecdsa, clients: Asking.proof(true, Asking.authority), after: context)
        #expect(try link(reloaded, first.client.ticket, with: nil).isResumed)
        #expect(first.server.isBound(to: reloaded))
        let stricter = try TLSServerContext.make(
            .ecdsa, clients: Asking.proof(true), after: reloaded)
        #expect(!first.server.isBound(to: stricter))
        #expect(!first.server.isBound(to: try .make(.ecdsa, after: reloaded)))
    }
}
