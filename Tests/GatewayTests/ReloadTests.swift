// SPDX-License-Identifier: Apache-2.0

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
}
