// SPDX-License-Identifier: Apache-2.0

import Bytes
import Filters
import Identity
import Testing

@testable import Gateway

/// What becomes of a request whose filter waits.
@Suite("A request that stands still")
struct PauseTests {
    private static let post =
        "POST /open/x HTTP/1.1\r\nhost: h\r\ncontent-length: 6\r\n\r\n"
    private static let get = "GET /open/x HTTP/1.1\r\nhost: h\r\n\r\n"

    @Test func itGoesOnWhereItStoodOnceItsBodyHasCome() throws {
        let house = try House()
        let client = try house.connect()
        house.hold(.wait(.body), at: 1)
        client.send(Self.post + "abc")
        house.settle(client)
        #expect(house.upstreamConnections == 0)
        #expect(client.answer == "")
        house.hold(.pass)
        // Nothing new: nobody is asked again.
        house.settle(client)
        #expect(house.upstreamConnections == 0)
        client.send("def")
        #expect(house.run(client) { house.upstreamSaw.hasSuffix("\r\n\r\nabcdef") })
        #expect(house.upstreamSaw.hasPrefix("POST /open/x HTTP/1.1\r\n"))
        house.answer()
        #expect(house.run(client) { client.answer.hasSuffix("ok") })
        // The connection is in step: the next request is answered.
        client.forget()
        client.send(Self.get)
        house.settle(client)
        house.answer()
        #expect(house.run(client) { client.answer.hasSuffix("ok") })
        #expect(house.upstreamConnections == 1)
    }

    @Test func itIsAskedAgainWhileItWaitsForState() throws {
        let house = try House()
        let client = try house.connect()
        house.hold(.wait(.state), at: 1)
        client.send(Self.get + Self.get)
        house.settle(client)
        #expect(house.upstreamConnections == 0)
        house.hold(.pass)
        for _ in 0..<2 {
            #expect(house.run(client) { house.upstreamSaw.hasSuffix("\r\n\r\n") })
            house.answer()
            #expect(house.run(client) { client.answer.hasSuffix("ok") })
            client.forget()
        }
    }

    /// The filters before the one that waits have done their part: the code is taken once, and
    /// the session that it opened is announced.
    @Test func nothingIsDoneTwice() throws {
        let house = try House()
        let client = try house.connect()
        let beforeJWT = house.worker.context.chain.order.count - 2
        house.hold(.wait(.state), at: beforeJWT)
        let code = try house.code()
        client.send(
            "GET / HTTP/1.1\r\nhost: h\r\nauthorization: Bearer \(House.key)\r\n"
                + "x-agentport-totp: \(code)\r\n\r\n")
        house.settle(client, turns: 40)
        #expect(house.upstreamConnections == 0)
        #expect(house.gateway.generation.state.sessions.count == 1)
        house.hold(.pass)
        #expect(house.run(client) { house.upstreamSaw.hasSuffix("\r\n\r\n") })
        #expect(house.upstreamSaw.contains("\r\nx-agentport-jwt: ey"))
        house.answer()
        #expect(house.run(client) { client.answer.hasSuffix("ok") })
        #expect(client.status == 200)
        #expect(client.answer.contains("\r\nx-agentport-session: "))
        #expect(house.gateway.generation.state.sessions.count == 1)
    }

    @Test func othersAreServedMeanwhile() throws {
        let house = try House()
        let waiting = try house.connect()
        house.hold(.wait(.body), at: 1)
        waiting.send(Self.post + "abc")
        house.settle(waiting)
        house.hold(.pass)
        let other = try house.connect()
        other.send("GET /open/other HTTP/1.1\r\nhost: h\r\n\r\n")
        #expect(house.run(other) { house.upstreamSaw.hasSuffix("\r\n\r\n") })
        house.answer()
        #expect(house.run(other) { other.answer.hasSuffix("ok") })
        waiting.send("def")
        #expect(house.run(waiting) { house.upstreamSaw.hasSuffix("abcdef") })
        #expect(house.upstreamSaw.contains("POST /open/x "))
    }

    @Test func aRefusalAfterAWaitIsAnswered() throws {
        let house = try House()
        let client = try house.connect()
        house.hold(.wait(.body), at: 1)
        client.send(Self.post)
        house.settle(client)
        house.hold(.refuse(.bodyTooLarge))
        client.send("abcdef")
        #expect(house.run(client) { client.hasEnded })
        #expect(client.status == 413)
        #expect(house.upstreamConnections == 0)
    }

    /// The body is asked for in the upstream's place, once.
    @Test func aClientThatWaitsToBeToldIsTold() throws {
        let house = try House()
        let client = try house.connect()
        house.hold(.wait(.body), at: 1)
        client.send(
            "POST /open/x HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\n"
                + "content-length: 6\r\n\r\n")
        #expect(house.run(client) { client.answer == "HTTP/1.1 100 Continue\r\n\r\n" })
        #expect(house.upstreamConnections == 0)
        client.forget()
        client.send("abc")
        house.settle(client)
        #expect(client.answer == "")
        house.hold(.pass)
        client.send("def")
        #expect(house.run(client) { house.upstreamSaw.hasSuffix("abcdef") })
        #expect(!house.upstreamSaw.contains("expect"))
        house.answer()
        #expect(house.run(client) { client.answer.hasSuffix("ok") })
        #expect(client.status == 200)
    }

    // MARK: The ends of patience

    @Test func aBodyThatDoesNotComeIsARequestTimeout() throws {
        let house = try House(limits: #"{ "body_timeout": "100ms" }"#)
        let client = try house.connect()
        house.hold(.wait(.body), at: 1)
        client.send(Self.post + "abc")
        #expect(house.run(client) { client.hasEnded })
        #expect(client.status == 408)
        #expect(house.upstreamConnections == 0)
    }

    @Test func stateThatDoesNotComeIsUnavailable() throws {
        let house = try House()
        let client = try house.connect()
        house.hold(.wait(.state), at: 1)
        client.send(Self.get)
        house.settle(client)
        // As if it had stood there for longer than it may.
        house.worker.downstreams[0].exchange.pause.since = 1
        #expect(house.run(client) { client.hasEnded })
        #expect(client.status == 503)
        #expect(client.answer.contains("state_unavailable"))
        #expect(client.answer.contains("\r\nretry-after: 1\r\n"))
    }

    @Test func aBodyThatOutgrowsTheBufferIsTooLarge() throws {
        let house = try House()
        let client = try house.connect()
        house.hold(.wait(.body), at: 1)
        client.send(
            "POST /open/x HTTP/1.1\r\nhost: h\r\ncontent-length: 100000\r\n\r\n"
                + String(repeating: "x", count: 14_000))
        house.settle(client)
        for _ in 0..<3 {
            client.send(String(repeating: "x", count: 14_000))
            house.settle(client)
        }
        #expect(house.run(client) { client.status != nil })
        #expect(client.status == 413)
        #expect(house.upstreamConnections == 0)
    }

    @Test(arguments: [true, false])
    func aClientThatLeavesIsForgotten(saysSo: Bool) throws {
        let house = try House()
        let client = try house.connect()
        house.hold(.wait(.body), at: 1)
        client.send(Self.post + "abc")
        house.settle(client)
        if saysSo { client.close() } else { client.cutOff() }
        #expect(house.run(client) { house.gateway.connections.count == 0 })
        #expect(house.upstreamConnections == 0)
    }

    /// Whoever has said that no more will come may still hear the answer.
    @Test func closeNotifyDoesNotEndAWaitForState() throws {
        let house = try House()
        let client = try house.connect()
        house.hold(.wait(.state), at: 1)
        client.send(Self.get)
        house.settle(client)
        client.sayFarewell()
        house.settle(client)
        house.hold(.pass)
        #expect(house.run(client) { house.upstreamSaw.hasSuffix("\r\n\r\n") })
    }

    /// Whoever has closed after that will not.
    @Test func closingEndsAWaitForState() throws {
        let house = try House()
        let client = try house.connect()
        house.hold(.wait(.state), at: 1)
        client.send(Self.get)
        house.settle(client)
        client.close()
        #expect(house.run(client) { house.gateway.connections.count == 0 })
        #expect(house.upstreamConnections == 0)
    }
}
