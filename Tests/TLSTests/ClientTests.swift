// SPDX-License-Identifier: Apache-2.0

import Bytes
import TLS
import TestSupport
import Testing

@Suite("Clients")
struct ClientTests {
    private static let steps = [1, 2, 3, 7, 64, 1000, Int.max]

    private func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 11) }
    }

    // MARK: Handshakes

    @Test(arguments: steps)
    func completesHoweverItIsCut(step: Int) throws {
        let link = try ClientLink(.make(), .make(.ecdsa), step: step)
        #expect(link.clientOutcome == .complete(resumed: false))
        #expect(link.serverOutcome == .complete(resumed: false))
        #expect(link.server.serverName == "claw")
        #expect(link.client.unread == 0)
    }

    @Test(arguments: ["127.0.0.1", "::1"])
    func anAddressIsNotIndicated(name: String) throws {
        let link = try ClientLink(.make(name), .make(.ecdsa))
        #expect(link.isComplete)
        #expect(link.server.serverName == "")
    }

    /// Whoever drops a context, at a reload for instance, may still have connections of it.
    @Test func aSessionKeepsItsContextAlive() throws {
        weak var seen: TLSClientContext?
        var client: End?
        do {
            let context = try TLSClientContext.make(isResuming: true)
            seen = context
            client = try End(context)
        }
        #expect(seen != nil)
        #expect(client?.handshake([]) == .needMore)
        client = nil
        #expect(seen == nil)
    }

    @Test(arguments: 1...40)
    func garbageFailsAndDoesNoHarm(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let client = try End(TLSClientContext.make())
        _ = client.handshake([])
        let server = try End(TLSServerContext.make(.ecdsa))
        _ = server.handshake(client.takeOutput())
        var answer = server.takeOutput()
        // Behind the first record's header: a longer length alone asks for more.
        let bit = UInt8(1) << Int.random(in: 0..<8, using: &random)
        answer[Int.random(in: 5..<answer.count, using: &random)] ^= bit
        switch client.handshake(answer) {
        case .failed: break
        case .needMore: Issue.record("seed \(seed): it goes on")
        case .complete:
            // It was the ticket, which is read like data.
            guard case .failed = client.read().last else {
                Issue.record("seed \(seed): it is taken")
                return
            }
        }
    }

    // MARK: Data

    @Test(arguments: [1, 100, 16_384, 16_385, 32_768], [1, 2, 5, 22, 1000, Int.max])
    func dataGoesBothWaysHoweverItIsCut(size: Int, step: Int) throws {
        let link = try ClientLink(.make(), .make(.ecdsa))
        for (from, to) in [(link.client, link.server), (link.server, link.client)] {
            var received: [UInt8] = []
            var rest = bytes(size)[...]
            while !rest.isEmpty {
                let (cipher, taken) = from.write(Array(rest))
                let count = try #require(taken)
                rest = rest.dropFirst(count)
                var sent = cipher[...]
                while !sent.isEmpty {
                    received += to.read(Array(sent.prefix(min(step, 20_000)))).bytes
                    sent = sent.dropFirst(min(step, 20_000))
                }
            }
            #expect(received == bytes(size))
        }
    }

    @Test func theServersCloseComesBehindItsData() throws {
        let link = try ClientLink(.make(), .make(.ecdsa))
        let cipher = link.server.write(bytes(50)).cipher + link.server.close()
        let (received, last) = link.client.read(cipher)
        #expect(received == bytes(50))
        #expect(last == .closed)
    }

    // MARK: Resumption

    @Test func resumesWithTheNewestTicket() throws {
        let context = try TLSClientContext.make(isResuming: true)
        let server = try TLSServerContext.make(.ecdsa)
        #expect(try ClientLink(context, server).clientOutcome == .complete(resumed: false))
        // None of these is closed: a connection that is dropped spoils no ticket.
        for step in Self.steps {
            let link = try ClientLink(context, server, step: step)
            #expect(link.isResumed, "step \(step): \(link.clientOutcome), \(link.serverOutcome)")
        }
    }

    @Test func doesNotResumeUnlessToldTo() throws {
        let context = try TLSClientContext.make()
        let server = try TLSServerContext.make(.ecdsa)
        for _ in 0..<3 {
            #expect(try ClientLink(context, server).clientOutcome == .complete(resumed: false))
        }
    }

    @Test func shakesHandsInFullWhereTheServerForgotTheKey() throws {
        let context = try TLSClientContext.make(isResuming: true)
        let server = try TLSServerContext.make(.ecdsa)
        _ = try ClientLink(context, server)
        server.rotateTicketKeys()
        #expect(try ClientLink(context, server).isResumed)
        server.rotateTicketKeys()
        server.rotateTicketKeys()
        #expect(try ClientLink(context, server).clientOutcome == .complete(resumed: false))
        #expect(try ClientLink(context, server).isResumed)
    }
}
