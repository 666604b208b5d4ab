// SPDX-License-Identifier: Apache-2.0

import Bytes
import Reactor
import Testing

@testable import Gateway

/// Connections that end in the middle of something.
@Suite("Ends, early and late")
struct UpstreamEndTests {
    private static let get = "GET /open/x HTTP/1.1\r\nhost: h\r\n\r\n"

    /// A Unix socket is connected at once, and its end is no error of the connect: only the
    /// send tells. Not a byte has left, but it can't be tried for ever.
    @Test func anUpstreamThatHangsUpAtOnceIsGivenUp() throws {
        let folder = try Files.makeTemporaryFolder(prefix: "agentport-test")
        let path = folder + "/socket"
        defer {
            Files.remove(path)
            Files.removeFolder(folder)
        }
        let house = try House(upstreamAt: path)
        house.hangsUp = true
        let client = try house.connect()
        client.send(Self.get)
        #expect(house.run(client) { client.status != nil })
        #expect(client.status == 502)
        #expect(house.hangUps < 10)
    }

    /// It waited for memory when it was answered early, and is not forgotten as it lingers.
    @Test func aClientThatStarvedIsLetGoInTheEnd() throws {
        let house = try House()
        let client = try house.connect()
        client.send("POST /open/x HTTP/1.1\r\nhost: h\r\ncontent-length: 100\r\n\r\nabc")
        #expect(house.run(client) { house.upstreamSaw.hasSuffix("abc") })
        house.takeMemory(leaving: 0)
        client.send("def")
        house.turn()
        let isStarved = house.worker.downstreams[0].isStarved
        #expect(isStarved)
        house.returnMemory()
        house.answer()
        #expect(house.run(client) { client.answer.hasSuffix("ok") })
        #expect(house.run(client) { house.gateway.connections.count == 0 })
    }

    /// The upstream was behind with the body when it began to answer, and has all of it now.
    @Test func aBodyThatStopsEndsAnAnswerThatBeganEarly() throws {
        let house = try House(limits: #"{ "body": "16MiB", "body_timeout": "500ms" }"#)
        let client = try house.connect()
        client.send("POST /open/x HTTP/1.1\r\nhost: h\r\ncontent-length: 9000000\r\n\r\n")
        try #require(house.run(client) { house.upstreamSaw.hasSuffix("\r\n\r\n") })
        house.reads = false
        var isBehind = false
        for _ in 0..<500 where !isBehind {
            client.send(String(repeating: "x", count: 14_000))
            house.settle(client, turns: 3)
            isBehind = house.worker.pool.connections[0].hasUnsent
        }
        #expect(isBehind)
        house.answer("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        #expect(house.run(client) { client.status == 200 })
        house.reads = true
        #expect(house.run(client) { !house.worker.pool.connections[0].hasUnsent })
        #expect(house.run(client) { house.gateway.connections.count == 0 })
    }

    /// Its own want of memory is no fault of the upstream's.
    @Test func aHandshakeThatThereIsNoMemoryForEjectsNobody() throws {
        let house = try House(isTLS: true)
        let client = try house.connect()
        client.send(Self.get)
        try #require(house.run(client) { house.worker.pool.connections.count == 1 })
        let isConnecting = house.worker.pool.connections[0].state == .connecting
        try #require(isConnecting)
        house.takeMemory(leaving: 0)
        #expect(house.run(client) { house.worker.pool.connections.count == 0 })
        #expect(!house.gateway.troubles.areEndpointsFailing)
        house.returnMemory()
        #expect(house.run(client) { client.hasEnded })
    }
}
