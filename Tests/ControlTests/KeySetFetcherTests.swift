// SPDX-License-Identifier: Apache-2.0

import Bytes
import Control
import Crypto
import Identity
import Reactor
import TestSupport
import Testing

/// An issuer's keys, and what is told of fetching them.
final class Holder {
    let keys = IssuerKeys(wake: {})
    private(set) var news: [KeySetNews] = []

    func target(_ upstream: Upstream, id: Int = 1) -> KeySetTarget {
        let address = upstream.address
        return KeySetTarget(
            id: id, address: { _ in address }, isKnown: { true }, tls: nil, host: "idp.example",
            path: "/jwks", keys: keys
        ) { self.news.append($0) }
    }

    static func document(_ keys: [SigningKey]) throws -> Upstream.Act {
        let text = String(
            decoding: try JWKS(keys: keys.map { try PublicJWK($0) }).document, as: UTF8.self)
        return .say("HTTP/1.1 200 OK\r\ncontent-length: \(text.utf8.count)\r\n\r\n\(text)")
    }
}

@Suite("Key sets of issuers")
struct KeySetFetcherTests {
    private static let minutes5: UInt64 = 300_000

    private func bench(
        _ act: Upstream.Act
    ) throws -> (Upstream, Bench, Holder) {
        let upstream = try Upstream(act)
        let bench = try Bench(upstream)
        let holder = Holder()
        bench.keySets.replace([holder.target(upstream)], now: bench.now)
        return (upstream, bench, holder)
    }

    @Test func theyAreFetchedAtOnceAndEveryFiveMinutes() throws {
        let (upstream, bench, holder) = try bench(Holder.document([.generate()]))
        bench.run { holder.keys.version(now: bench.now) == 1 }
        #expect(upstream.requests.first?.hasPrefix("GET /jwks HTTP/1.1\r\nhost: idp") == true)
        #expect(holder.news == [.fetched(keys: 1, leftOut: 0)])
        bench.pass(milliseconds: Self.minutes5 - 1)
        bench.settle()
        #expect(upstream.requests.count == 1)
        bench.pass(milliseconds: 1)
        bench.run { upstream.requests.count == 2 && bench.fetcher.count == 0 }
        bench.settle()
        #expect(holder.keys.version(now: bench.now) == 1, "the same keys")
        #expect(holder.news.count == 1)
        upstream.act = try Holder.document([.generate(), .generate(.edDSA)])
        bench.pass(milliseconds: Self.minutes5)
        bench.run { holder.keys.version(now: bench.now) == 2 }
        #expect(holder.news.last == .fetched(keys: 2, leftOut: 0))
    }

    @Test func whoAsksIsHeardOnceInThirtySeconds() throws {
        let (upstream, bench, holder) = try bench(Holder.document([.generate()]))
        bench.run { holder.keys.version(now: bench.now) == 1 && bench.fetcher.count == 0 }
        for _ in 0..<100 { #expect(holder.keys.ask(now: bench.now), "one is on its way") }
        bench.run { upstream.requests.count == 2 && bench.fetcher.count == 0 }
        bench.settle()
        #expect(!holder.keys.ask(now: bench.now + IssuerKeys.askMilliseconds - 1))
        bench.settle()
        #expect(upstream.requests.count == 2)
        bench.pass(milliseconds: IssuerKeys.askMilliseconds)
        #expect(holder.keys.ask(now: bench.now))
        bench.run { upstream.requests.count == 3 }
    }

    @Test(arguments: [
        (Upstream.status(404), "status 404"), (Upstream.status(302), "status 302"),
        (.say("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"), "JSON, but no key set"),
        (
            .say("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n<p>"),
            "no JSON: a value was expected at byte 0"
        ),
        (
            .say("HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n{\"keys\":[]}"),
            "no key that can be used"
        ),
        (.flood("HTTP/1.1 200 OK\r\n\r\n"), "answer is larger than 262144 bytes"),
        (.reset, "connection ended before the answer did"),
    ])
    func whatIsWrongNeverReplacesKeys(act: Upstream.Act, reason: String) throws {
        let (upstream, bench, holder) = try bench(Holder.document([.generate()]))
        bench.run { holder.keys.version(now: bench.now) == 1 && bench.fetcher.count == 0 }
        let fetchedAt = bench.now
        let before = holder.keys.set
        upstream.act = act
        bench.pass(milliseconds: Self.minutes5)
        bench.run { holder.news.count == 2 }
        #expect(holder.news.last == .failed(reason))
        #expect(holder.keys.set == before)
        // It is tried again, first soon, then every half a minute, and told no more.
        var count = upstream.acceptedCount
        for seconds: UInt64 in [1, 2, 4, 8, 16, 30, 30] {
            bench.run { bench.fetcher.count == 0 }
            bench.pass(milliseconds: seconds * 1000 - 1)
            bench.settle()
            #expect(upstream.acceptedCount == count)
            bench.pass(milliseconds: 1)
            bench.run { upstream.acceptedCount == count + 1 }
            count += 1
        }
        #expect(holder.news.count == 2)
        // They hold for an hour, and not longer.
        let end = fetchedAt + IssuerKeys.staleMilliseconds
        #expect(holder.keys.version(now: end - 1) == 1)
        #expect(holder.keys.version(now: end) == 0)
        upstream.act = try Holder.document([.generate()])
        bench.pass(milliseconds: 30_000)
        bench.run { holder.keys.version(now: bench.now) == 2 }
    }

    @Test func anIssuerThatIsSilentIsGivenUpAfterFiveSeconds() throws {
        let (_, bench, holder) = try bench(.nothing)
        bench.run { bench.fetcher.count == 1 }
        bench.pass(milliseconds: 5000)
        bench.run { holder.news == [.failed("timed out after 5s")] }
        #expect(holder.keys.version(now: bench.now) == 0)
    }

    @Test func ofOneThatIsGoneNothingIsHeard() throws {
        let (upstream, bench, holder) = try bench(.nothing)
        bench.run { upstream.requests.count == 1 }
        bench.keySets.replace([], now: bench.now)
        #expect(bench.fetcher.count == 0)
        #expect(bench.keySets.wakeAt == nil)
        #expect(holder.keys.ask(now: bench.now), "nobody waits for what does not come")
        bench.settle()
        #expect(holder.news.isEmpty)
    }
}
