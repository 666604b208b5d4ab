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
}
