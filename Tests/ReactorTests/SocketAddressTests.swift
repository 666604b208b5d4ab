// SPDX-License-Identifier: Apache-2.0

import Bytes
import Reactor
import Testing

@Suite("Socket addresses")
struct SocketAddressTests {
    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1:80"), ("0.0.0.0", "0.0.0.0:80"),
        ("255.255.255.255", "255.255.255.255:80"), ("::1", "[::1]:80"), ("[::1]", "[::1]:80"),
        ("::", "[::]:80"), ("2001:DB8:0:0::1", "[2001:db8::1]:80"),
        // One and the same peer, whichever family's socket it came over.
        ("::ffff:10.0.0.1", "10.0.0.1:80"),
    ])
    func literals(text: String, description: String) throws {
        let address = try #require(SocketAddress(literal: text, port: 80))
        #expect(address.description == description)
    }

    @Test(arguments: [
        "", "localhost", "1.2.3", "1.2.3.4.5", "256.0.0.1", "1.2.3.4 ", "[::1", "::1]", ":::",
        "fe80::1%eth0", "[]", "1.2.3.4:80", "12345::", "g::",
    ])
    func names(text: String) {
        #expect(SocketAddress(literal: text, port: 80) == nil)
    }

    @Test func pathsAreShownAsSuch() {
        #expect(SocketAddress.unix(path: "/run/x.sock").description == "unix:/run/x.sock")
    }

    @Test(arguments: ["127.0.0.1", "::1"])
    func aConnectionKnowsItsPeer(host: String) throws {
        let address = try #require(SocketAddress(literal: host, port: 0))
        let listener = try Listener(address, isShared: false)
        guard case .ip(_, let port) = listener.address else { throw SystemError("bind", number: 0) }
        #expect(port != 0)
        let client = try Socket.connect(to: listener.address)
        #expect(readable(listener.descriptor, withinMilliseconds: 2000) == true)
        var peer = SocketAddress.none
        if case .connection = listener.accept(from: &peer) {
        } else {
            Issue.record("nothing to accept")
        }
        guard case .ip(let found, let peerPort) = peer else {
            throw SystemError("accept", number: 0)
        }
        #expect(found == IPAddress(host))
        #expect(peerPort != port)
        #expect(client.connectionError == 0)
    }

    @Test func anIPv4ClientOfADualStackListenerIsAnIPv4Client() throws {
        let any = try #require(SocketAddress(literal: "::", port: 0))
        let listener = try Listener(any, isShared: false)
        guard case .ip(_, let port) = listener.address else { throw SystemError("bind", number: 0) }
        let client = try Socket.connect(to: .ip(IPAddress(ipv4: 0x7F00_0001), port: port))
        #expect(readable(listener.descriptor, withinMilliseconds: 2000) == true)
        var peer = SocketAddress.none
        if case .connection = listener.accept(from: &peer) {
        } else {
            Issue.record("nothing to accept")
        }
        #expect(peer.description.hasPrefix("127.0.0.1:"))
        #expect(client.connectionError == 0)
    }
}
