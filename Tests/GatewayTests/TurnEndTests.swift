// SPDX-License-Identifier: Apache-2.0

import Bytes
import Reactor
import Testing

@testable import Gateway

/// What is put off to the end of a turn is neither lost nor mixed up.
@Suite("The end of a turn")
struct TurnEndTests {
    private static let get = "GET /open/x HTTP/1.1\r\nhost: h\r\n\r\n"

    private func house(asked client: inout HouseClient?) throws -> House {
        let house = try House()
        let new = try house.connect()
        new.send(Self.get)
        #expect(house.run(new) { house.upstreamSaw.hasSuffix("\r\n\r\n") })
        client = new
        return house
    }

    /// The answer and the client's end are found in one turn.
    @Test(arguments: [true, false])
    func aClientThatEndsAsItsAnswerComesIsAnswered(saysGoodbye: Bool) throws {
        var asked: HouseClient?
        let house = try house(asked: &asked)
        let client = try #require(asked)
        house.answer()
        if saysGoodbye { client.close() } else { client.cutOff() }
        #expect(house.run(client) { client.hasEnded })
        #expect(client.answer.hasSuffix("ok"))
        #expect(house.worker.downstreams.count == 0)
    }

    /// The next request and the answer to the last are found in one turn.
    @Test func aRequestThatComesWithTheLastOnesAnswerIsServed() throws {
        var asked: HouseClient?
        let house = try house(asked: &asked)
        let client = try #require(asked)
        for _ in 0..<3 {
            house.answerEach()
            client.send(Self.get + Self.get)
            #expect(house.run(client) { client.answer.hasSuffix("ok") })
            client.forget()
            #expect(house.run(client) { house.upstreamSaw.hasSuffix("\r\n\r\n") })
            house.answerEach()
            #expect(house.run(client) { client.answer.hasSuffix("ok") })
            client.forget()
            #expect(house.run(client) { house.upstreamSaw.hasSuffix("\r\n\r\n") })
        }
        #expect(house.upstreamConnections == 1)
    }

    /// More in one turn than may be put off.
    @Test func allOfACrowdAreServed() throws {
        let house = try House()
        let clients = try (0..<SendQueue.capacity + 8).map { _ in try house.connect() }
        for _ in 0..<3 {
            for client in clients {
                client.forget()
                client.send(Self.get)
            }
            let last = clients[clients.count - 1]
            #expect(
                house.run(last) {
                    house.answerEach()
                    for client in clients { client.exchange() }
                    return clients.allSatisfy { $0.answer.hasSuffix("ok") }
                })
        }
        let isDone = house.worker.context.requests.isEmpty && house.worker.context.answers.isEmpty
        #expect(isDone)
    }

    /// An upstream that closes its idle connection while a request for it is put off: it was never
    /// sent there, so it is made on another.
    @Test func aRequestIsMovedFromAConnectionThatHasJustEnded() throws {
        var asked: HouseClient?
        let house = try house(asked: &asked)
        let client = try #require(asked)
        house.answer("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
        #expect(house.run(client) { client.answer.hasSuffix("ok") })
        client.forget()
        house.endUpstreamConnections()
        client.send(Self.get)
        #expect(house.run(client) { house.upstreamConnections == 2 })
        #expect(house.run(client) { house.upstreamSaw.hasSuffix("\r\n\r\n") })
        house.answer()
        #expect(house.run(client) { client.answer.hasSuffix("ok") })
    }

    /// Else the other workers, which have what it waits for, hear of it by chance.
    @Test func whoIsPutInLineThenIsAnnouncedAtOnce() throws {
        let house = try House()
        let share = house.worker.pool.upstreams[0].share
        while share.take(worker: 0) {}
        house.worker.putSomebodyInLine()
        let start = Clock.monotonicNanoseconds()
        house.worker.turn(atMost: 2000)
        #expect(Clock.monotonicNanoseconds() - start < 1_000_000_000)
        #expect(share.isWanted)
    }
}

extension Worker {
    fileprivate mutating func putSomebodyInLine() {
        let somebody = SlotToken(kind: Downstream.kind, index: 0, generation: 99)
        _ = pool.lend(upstream: 0, to: somebody, tried: 0, &context)
    }
}

@Suite("The queue of sends")
struct SendQueueTests {
    private func token(_ index: Int) -> SlotToken {
        SlotToken(kind: 3, index: index, generation: 1)
    }

    private func taken(_ queue: inout SendQueue) -> SlotToken? { queue.next() }

    @Test func theyLeaveInTheOrderTheyCame() {
        var queue = SendQueue()
        for round in 0..<3 {
            queue.append(token(round))
            queue.append(token(round + 1))
            #expect(taken(&queue) == token(round))
            // One that comes while others leave goes behind them.
            queue.append(token(round + 2))
            #expect(taken(&queue) == token(round + 1))
            #expect(taken(&queue) == token(round + 2))
            let isEmpty = queue.isEmpty
            #expect(!isEmpty)
            #expect(taken(&queue) == nil)
            let isDone = queue.isEmpty
            #expect(isDone)
        }
    }

    @Test func itHoldsNoMoreThanItSays() {
        var queue = SendQueue()
        for index in 0..<SendQueue.capacity {
            let isFull = queue.isFull
            #expect(!isFull)
            queue.append(token(index))
        }
        let isFull = queue.isFull
        #expect(isFull)
    }
}
