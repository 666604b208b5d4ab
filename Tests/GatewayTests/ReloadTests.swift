// SPDX-License-Identifier: Apache-2.0

import Filters
import Testing

@testable import Gateway

/// A worker that finds another generation and requests in one turn.
@Suite("Reload, in a worker")
struct ReloadTests {
    private static let get = "GET /open/x HTTP/1.1\r\nhost: h\r\n\r\n"
    private static let routesWithout = #"{ "path": "/" }"#

    /// The request's bytes were there first, but nobody had looked at them.
    @Test func whatIsPublishedHoldsForARequestOfTheSameTurn() throws {
        let house = try House()
        let client = try house.connect()
        client.send(Self.get)
        client.exchange()
        try house.publish(routes: Self.routesWithout)
        house.turn()
        #expect(house.run(client) { client.answer.contains("credentials_missing") })
        #expect(house.upstreamConnections == 0)
    }

    @Test func aRequestUpstreamIsAnsweredUnderWhatItBeganWith() throws {
        let house = try House()
        let client = try house.connect()
        client.send(Self.get)
        #expect(house.run(client) { house.upstreamSaw.hasSuffix("\r\n\r\n") })
        try house.publish(routes: Self.routesWithout)
        house.settle(client)
        house.answer()
        #expect(house.run(client) { client.answer.hasSuffix("ok") })
        client.forget()
        client.send(Self.get)
        #expect(house.run(client) { client.answer.contains("credentials_missing") })
    }

    // MARK: Requests that stand still

    private func paused(_ house: House) throws -> HouseClient {
        let client = try house.connect()
        house.hold(.wait(.state), at: 1)
        let filling = String(repeating: "x", count: 2000)
        client.send("GET /open/x HTTP/1.1\r\nhost: h\r\nx: \(filling)\r\n\r\n")
        house.settle(client)
        #expect(client.answer == "")
        return client
    }

    /// Nobody was asked who it is from, and now the route wants to know.
    @Test func aPublicRequestThatStandsStillIsJudgedAnewWhereItsRouteIsNot() throws {
        let house = try House()
        let client = try paused(house)
        try house.publish(routes: Self.routesWithout)
        #expect(house.run(client) { client.answer.contains("credentials_missing") })
        #expect(house.upstreamConnections == 0)
    }

    /// Its head is read again, by limits that it was not let in by.
    @Test func aRequestThatStandsStillIsRefusedWhereItsHeadIsTooLargeNow() throws {
        let house = try House()
        let client = try paused(house)
        try house.publish(limits: #"{ "header_bytes": "1KiB", "request_line": "256B" }"#)
        #expect(house.run(client) { client.status == 431 })
        #expect(house.run(client) { client.hasEnded })
        #expect(house.upstreamConnections == 0)
    }
}
