// SPDX-License-Identifier: Apache-2.0

import Bytes
import Testing
import benchmarks

@Suite("Peers")
struct PeerTests {
    /// The key of RFC 7515 §A.3.1, as OpenSSL writes it.
    @Test func aPublicKeyIsWrittenAsOpenSSLWritesIt() throws {
        let x = Base64URL.decode(Array("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU".utf8).span)
        let y = Base64URL.decode(Array("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0".utf8).span)
        #expect(
            try PublicKeyPEM.text(x: #require(x), y: #require(y)) == """
                -----BEGIN PUBLIC KEY-----
                MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV7
                6e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==
                -----END PUBLIC KEY-----

                """)
    }

    @Test func namesAreTakenInTheirOrderAndOnce() throws {
        #expect(try Peer.list("nginx,floor,nginx") == [.nginx, .floor])
        #expect(try PeerTest.list("rate") == [.rate])
    }

    @Test(arguments: ["", "nginx,", "Nginx", "apache"])
    func anUnknownPeerIsAnsweredWithTheKnownOnes(text: String) throws {
        let fault = #expect(throws: BenchmarkFault.self) { try Peer.list(text) }
        for peer in Peer.allCases {
            #expect(fault?.reason.contains(peer.rawValue) == true)
        }
        #expect(fault?.status == 2)
    }

    @Test func anUnknownTestIsAnsweredWithTheKnownOnes() throws {
        let fault = #expect(throws: BenchmarkFault.self) { try PeerTest.list("latency") }
        for test in PeerTest.allCases {
            #expect(fault?.reason.contains(test.rawValue) == true)
        }
    }

    /// Each row but the floor's and the gateway's reads a file, in which nothing is left open.
    @Test(arguments: Peer.allCases)
    func aRowHasAConfigurationUnlessItNeedsNone(peer: Peer) {
        #expect(peer.chain.count > 10)
        #expect(peer.configuration.isEmpty == !peer.program.isForeign)
    }
}
