// SPDX-License-Identifier: Apache-2.0

import TLS
import TestSupport
import Testing

/// What a client that idles learns from what comes: a pool keeps a connection on which nothing of
/// HTTP has come, and no other.
@Suite("Idle clients")
struct ClientIdleTests {
    private func connected(isResuming: Bool = false) throws -> (End, OpenSSLServer) {
        let client = try End(TLSClientContext.make(isResuming: isResuming))
        let server = try OpenSSLServer()
        #expect(client.shakeHands(with: server) == .complete(resumed: false))
        #expect(server.isConnected)
        let (bytes, last) = client.read()
        #expect(bytes.isEmpty && last == .needMore)
        return (client, server)
    }

    /// The connection still works both ways.
    private func expectFlow(_ client: End, _ server: OpenSSLServer) {
        #expect(server.read(client.write([1, 2, 3]).cipher) == [1, 2, 3])
        let (bytes, last) = client.read(server.write([4, 5]))
        #expect(bytes == [4, 5])
        #expect(last == .needMore)
    }

    @Test(arguments: [false, true])
    func ticketsAreNothingToHTTP(isResuming: Bool) throws {
        let (client, server) = try connected(isResuming: isResuming)
        for _ in 0..<3 {
            let ticket = server.sendTicket()
            try #require(!ticket.isEmpty)
            let (bytes, last) = client.read(ticket)
            #expect(bytes.isEmpty)
            #expect(last == .needMore)
            #expect(client.unread == 0)
        }
        expectFlow(client, server)
    }

    @Test func aTicketInPiecesIsNothingToHTTP() throws {
        let (client, server) = try connected()
        for byte in server.sendTicket() {
            let (bytes, last) = client.read([byte])
            #expect(bytes.isEmpty)
            #expect(last == .needMore)
            #expect(client.unread == 0)
        }
        expectFlow(client, server)
    }

    @Test func aTicketWhileIdleIsUsedByTheNext() throws {
        let context = try TLSClientContext.make(isResuming: true)
        let client = try End(context)
        let server = try OpenSSLServer()
        #expect(client.shakeHands(with: server) == .complete(resumed: false))
        #expect(client.read(server.sendTicket()).last == .needMore)
        // Another server cannot open it; that a ticket is offered shows in the hello's length.
        let (with, without) = (try End(context), try End(.make()))
        _ = with.handshake([])
        _ = without.handshake([])
        #expect(with.takeOutput().count > without.takeOutput().count + 100)
    }

    @Test(arguments: [false, true])
    func keyUpdatesAreNothingToHTTP(isAnswered: Bool) throws {
        let (client, server) = try connected()
        for _ in 0..<3 {
            let update = server.updateKey(isAnswered: isAnswered)
            try #require(!update.isEmpty)
            let (bytes, last) = client.read(update)
            #expect(bytes.isEmpty)
            #expect(last == .needMore)
            expectFlow(client, server)
        }
    }

    @Test func dataIsData() throws {
        let (client, server) = try connected()
        let (bytes, last) = client.read(server.sendTicket() + server.write([9]))
        #expect(bytes == [9])
        #expect(last == .needMore)
    }

    @Test func closeNotifyIsTheEnd() throws {
        let (client, server) = try connected()
        let (bytes, last) = client.read(server.sendTicket() + server.close())
        #expect(bytes.isEmpty)
        #expect(last == .closed)
    }

    @Test func whatIsNoRecordIsAFault() throws {
        let (client, _) = try connected()
        guard case .failed = client.read([23, 3, 3, 0, 32] + [UInt8](repeating: 1, count: 32)).last
        else {
            Issue.record("it is taken")
            return
        }
    }
}
