// SPDX-License-Identifier: Apache-2.0

import Bytes
import Reactor
import Testing

@testable import Gateway

/// Parts of records, and requests for which there is no memory.
@Suite("Half records")
struct HalfRecordTests {
    private static let get = "GET /open/x HTTP/1.1\r\nhost: h\r\n\r\n"

    /// Byte by byte a connection that idles could once hold a slab for as long as it liked.
    @Test func aRecordInDropsIsCutAtTheHeaderTimeout() throws {
        let house = try House(limits: #"{ "header_timeout": "200ms", "keepalive_timeout": "60s" }"#)
        let client = try house.connect()
        let rest = client.sendPart(Self.get, leaving: 40)
        let start = Clock.monotonicNanoseconds()
        for byte in rest.dropLast() where !client.hasEnded {
            client.send(sealed: [byte])
            house.settle(client, turns: 10)
        }
        #expect(house.run(client) { client.hasEnded })
        #expect(Clock.monotonicNanoseconds() - start < 2_000_000_000)
        #expect(client.answer == "")
    }

    /// A connection with a record behind it idles as long as any other.
    @Test func aWholeRecordEndsTheWait() throws {
        let house = try House(limits: #"{ "header_timeout": "200ms", "keepalive_timeout": "60s" }"#)
        let client = try house.connect()
        for _ in 0..<3 {
            let rest = client.sendPart(Self.get, leaving: 9)
            house.settle(client)
            client.send(sealed: rest)
            #expect(house.run(client) { house.upstreamSaw.hasSuffix("\r\n\r\n") })
            house.answerEach()
            #expect(house.run(client) { client.answer.hasSuffix("ok") })
            client.forget()
            house.settle(client, turns: 300)
            #expect(!client.hasEnded)
        }
    }

    /// Once put aside for want of memory, a request was forgotten until its client said more.
    @Test(arguments: 0...3)
    func aRequestIsServedOnceThereIsMemory(slabs: Int) throws {
        let house = try House()
        let client = try house.connect()
        house.takeMemory(leaving: slabs)
        client.send(Self.get)
        house.settle(client, turns: 30)
        house.returnMemory()
        let isSeen = house.run(client) {
            house.upstreamSaw.hasSuffix("\r\n\r\n") || client.answer.contains(" 503 ")
        }
        #expect(isSeen)
    }

    /// A head that comes a byte a record holds no large slab between two of them.
    @Test func aHeadInDropsHoldsNoSlab() throws {
        let house = try House()
        let client = try house.connect()
        house.settle(client)
        let before = house.worker.context.pool.lent
        for byte in Self.get.dropLast() {
            client.send(String(byte))
            house.settle(client, turns: 4)
            let lent = house.worker.context.pool.lent
            #expect(lent == before)
        }
        client.send("\r\n")
        #expect(house.run(client) { house.upstreamSaw.hasSuffix("\r\n\r\n") })
        house.answerEach()
        #expect(house.run(client) { client.answer.hasSuffix("ok") })
    }

    /// Those who hold memory to no purpose make room for those who ask for something.
    @Test func slowPeersAreCutOffWhereMemoryIsShort() throws {
        let house = try House()
        let slow = try house.connect()
        slow.send("GET /open/x HTTP/1.1\r\nhost: h\r\nx: " + String(repeating: "y", count: 3000))
        house.settle(slow)
        house.takeMemory(leaving: 4)
        let quick = try house.connect()
        #expect(house.run(slow) { slow.hasEnded })
        quick.send(Self.get)
        #expect(house.run(quick) { house.upstreamSaw.hasSuffix("\r\n\r\n") })
        house.answerEach()
        #expect(house.run(quick) { quick.answer.hasSuffix("ok") })
    }
}
