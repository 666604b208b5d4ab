// SPDX-License-Identifier: Apache-2.0

import Reactor
import TLS
import TestSupport
import Testing

@testable import Control

/// Fetches over TLS.
@Suite("Fetches over TLS")
struct SecureFetchTests {
    private static let authority = ThrowAwayIdentity.make(name: "authority", isAuthority: true)
    private static let identity = ThrowAwayIdentity.make(issuer: authority)
    private static let hello = "HTTP/1.1 200 OK\r\n\r\nhello"

    private func fetch(
        _ act: Upstream.Act, identity: ThrowAwayIdentity? = identity, name: String = "claw",
        pins: [ThrowAwayIdentity] = [], request: FetchRequest = .plain
    ) throws -> Result<FetchResponse, FetchFault>? {
        let upstream = try Upstream(act, identity: identity)
        let tls = try TLSClientContext.trusting(Self.authority, name: name, pins: pins)
        let bench = try Bench(upstream)
        defer {
            bench.run { upstream.openCount == 0 }
        }
        return bench.fetch(request, from: upstream.address, tls: tls)
    }

    @Test func anAnswerComesFromWhomTheAuthorityVouchesFor() throws {
        let expected = FetchResponse(status: 200, body: Array("ok".utf8))
        #expect(try fetch(.say(Upstream.ok)) == .success(expected))
        #expect(try fetch(.say(Upstream.ok), pins: [Self.identity]) == .success(expected))
    }

    @Test func theServerIsBiddenFarewell() throws {
        let upstream = try Upstream(identity: Self.identity)
        let bench = try Bench(upstream)
        let tls = try TLSClientContext.trusting(Self.authority)
        _ = bench.fetch(from: upstream.address, tls: tls)
        bench.run { upstream.openCount == 0 }
        #expect(upstream.farewellCount == 1)
    }

    @Test func aLongAnswerComesWhole() throws {
        let body = [UInt8](repeating: UInt8(ascii: "b"), count: 200_000)
        let text =
            "HTTP/1.1 200 OK\r\ncontent-length: \(body.count)\r\n\r\n"
            + String(decoding: body, as: UTF8.self)
        let request = FetchRequest(path: "/", host: "h", bodyBytesMax: body.count)
        let outcome = try fetch(.say(text), request: request)
        #expect(outcome == .success(FetchResponse(status: 200, body: body)))
    }

    @Test func aFloodIsCutOff() throws {
        #expect(try fetch(.flood(Self.hello)) == .failure(.tooLarge(limit: 1000)))
    }

    /// Without a length it is the close_notify that says that nothing is missing.
    @Test func onlyAnEndInGoodOrderEndsAnAnswer() throws {
        let whole = FetchResponse(status: 200, body: Array("hello".utf8))
        #expect(try fetch(.sayAndClose(Self.hello)) == .success(whole))
        #expect(try fetch(.sayAndCut(Self.hello)) == .failure(.cut))
        #expect(try fetch(.sayAndClose("HTTP/1.1 200 OK\r\n")) == .failure(.cut))
        #expect(try fetch(.reset) == .failure(.cut))
    }

    @Test func whoIsNotToBeBelievedIsNotAsked() throws {
        let expired = ThrowAwayIdentity.make(seconds: -30, issuer: Self.authority)
        let cases: [(ThrowAwayIdentity, String, [ThrowAwayIdentity], String)] = [
            (expired, "claw", [], "certificate has expired"),
            (Self.identity, "other", [], "hostname mismatch"),
            (.ecdsa, "claw", [], "self-signed certificate"),
            (Self.identity, "claw", [.ecdsa], "certificate is not pinned"),
        ]
        for (identity, name, pins, reason) in cases {
            let upstream = try Upstream(identity: identity)
            let tls = try TLSClientContext.trusting(Self.authority, name: name, pins: pins)
            let bench = try Bench(upstream)
            #expect(bench.fetch(from: upstream.address, tls: tls) == .failure(.tls(reason)))
            #expect("\(FetchFault.tls(reason))" == "tls: " + reason)
            bench.run { upstream.openCount == 0 }
            #expect(upstream.requests.isEmpty)
        }
    }

    @Test(arguments: [
        ("HTTP/1.1 400 Bad Request\r\n\r\n", "peer does not speak TLS"),
        ("", "connection ended within the handshake"),
    ])
    func whoDoesNotFinishTheHandshakeIsNamedSo(_ said: String, _ reason: String) throws {
        let greeter = try Greeter(said)
        let tls = try TLSClientContext.trusting(Self.authority)
        let bench = try Bench()
        var outcome: Result<FetchResponse, FetchFault>?
        _ = bench.start(.plain, from: greeter.address, tls: tls) { outcome = $0 }
        bench.run {
            greeter.turn()
            return outcome != nil
        }
        #expect(outcome == .failure(.tls(reason)))
    }
}

/// Says one thing to whoever connects, and no more.
private final class Greeter {
    let address: SocketAddress
    private var client: Socket?
    private let listener: Listener
    private let text: [UInt8]

    init(_ text: String) throws {
        listener = try Listener(Upstream.loopback, isShared: false)
        address = listener.address
        self.text = Array(text.utf8)
    }

    func turn() {
        var peer = SocketAddress.none
        guard case .connection(let socket) = listener.accept(from: &peer) else { return }
        let bytes = text
        _ = socket.send(bytes.span)
        socket.finishWriting()
        client = consume socket
    }
}
