// SPDX-License-Identifier: Apache-2.0

import Reactor
import TestSupport
import Testing

@testable import Control

/// Fetches from a real server.
@Suite("Fetches")
struct FetcherTests {
    private func expect(
        _ outcome: Result<FetchResponse, FetchFault>?, _ status: Int, _ body: String,
        _ location: SourceLocation = #_sourceLocation
    ) {
        let expected = FetchResponse(status: status, body: Array(body.utf8))
        #expect(outcome == .success(expected), sourceLocation: location)
    }

    @Test func saysWhatItIsToldTo() throws {
        let upstream = try Upstream()
        let bench = try Bench(upstream)
        expect(bench.fetch(from: upstream.address), 200, "ok")
        let sent =
            "GET /x?y HTTP/1.1\r\nhost: claw:80\r\nuser-agent: agentport\r\n"
            + "accept: */*\r\nconnection: close\r\n\r\n"
        #expect(upstream.requests == [sent])
        #expect(bench.fetcher.count == 0)
        #expect(bench.fetcher.wakeAt == nil)
        bench.run { upstream.openCount == 0 }
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ])
    func takesEachFraming(text: String) throws {
        let upstream = try Upstream(.sayAndClose(text))
        expect(try Bench(upstream).fetch(from: upstream.address), 200, "hello")
    }

    @Test func anAnswerIsTakenOverAUnixSocket() throws {
        let place = try Place()
        let upstream = try Upstream(at: place.address)
        expect(try Bench(upstream).fetch(from: place.address), 200, "ok")
    }

    @Test func aLongAnswerComesWhole() throws {
        let body = String(repeating: "0123456789", count: 50_000)
        let upstream = try Upstream(
            .say("HTTP/1.1 200 OK\r\ncontent-length: \(body.utf8.count)\r\n\r\n" + body))
        let request = FetchRequest(path: "/", host: "h", bodyBytesMax: 500_000)
        expect(try Bench(upstream).fetch(request, from: upstream.address), 200, body)
    }

    // MARK: Faults

    @Test func whoeverDoesNotListenRefuses() throws {
        let upstream = try Upstream()
        upstream.stop()
        let outcome = try Bench().fetch(from: upstream.address)
        #expect(outcome == .failure(.connect("Connection refused")))
    }

    @Test func aSocketThatIsNotThereIsNamedSo() throws {
        let place = try Place()
        let outcome = try Bench().fetch(from: place.address)
        #expect(outcome == .failure(.connect("No such file or directory")))
    }

    @Test func aNameThatIsNotResolvedIsAFault() throws {
        #expect(try Bench().fetch(from: nil) == .failure(.connect("name is not resolved")))
    }

    @Test(arguments: ["x", "", "/a b", "/\r\nx: y", "/\u{7F}", "/ä"])
    func aPathThatWouldEndItsLineIsNotSent(path: String) throws {
        let upstream = try Upstream()
        let bench = try Bench(upstream)
        let request = FetchRequest(path: path, host: "h")
        #expect(bench.fetch(request, from: upstream.address) == .failure(.request))
        let host = FetchRequest(path: "/", host: "h\r\nx: y")
        #expect(bench.fetch(host, from: upstream.address) == .failure(.request))
        bench.settle()
        #expect(upstream.acceptedCount == 0)
    }

    @Test(arguments: [
        "", "HTTP/1.1 2", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nhalf",
    ])
    func halfAnAnswerIsNone(text: String) throws {
        let upstream = try Upstream(.sayAndClose(text))
        #expect(try Bench(upstream).fetch(from: upstream.address) == .failure(.cut))
    }

    @Test func aResetIsTheEnd() throws {
        let upstream = try Upstream(.reset)
        #expect(try Bench(upstream).fetch(from: upstream.address) == .failure(.cut))
    }

    @Test func garbageIsMalformed() throws {
        let upstream = try Upstream(.say("220 mail.example ESMTP\r\n"))
        let outcome = try Bench(upstream).fetch(from: upstream.address)
        #expect(outcome == .failure(.malformed("HTTP version")))
    }

    @Test(arguments: ["", "transfer-encoding: chunked\r\n"])
    func aFloodIsCutOff(field: String) throws {
        let chunk = field.isEmpty ? "" : "ffffffff\r\n"
        let upstream = try Upstream(.flood("HTTP/1.1 200 OK\r\n\(field)\r\n\(chunk)"))
        let bench = try Bench(upstream)
        #expect(bench.fetch(from: upstream.address) == .failure(.tooLarge(limit: 1000)))
        bench.run { upstream.openCount == 0 }
    }

    @Test func anAnnouncedFloodIsNotWaitedFor() throws {
        let upstream = try Upstream(.say("HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n"))
        let outcome = try Bench(upstream).fetch(from: upstream.address)
        #expect(outcome == .failure(.tooLarge(limit: 1000)))
    }

    @Test(arguments: [Upstream.Act.nothing, .say("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx")])
    func allOfItHasOneDeadline(act: Upstream.Act) throws {
        let upstream = try Upstream(act)
        let bench = try Bench(upstream)
        var outcome: Result<FetchResponse, FetchFault>?
        let request = FetchRequest(path: "/", host: "h", timeoutMilliseconds: 1500)
        _ = bench.start(request, from: upstream.address) { outcome = $0 }
        let start = bench.now
        bench.run { upstream.requests.count == 1 }
        #expect(bench.fetcher.wakeAt == start + 1500)
        bench.pass(milliseconds: 1499)
        bench.settle()
        #expect(outcome == nil)
        bench.pass(milliseconds: 1)
        #expect(outcome == .failure(.timedOut(milliseconds: 1500)))
        #expect("\(FetchFault.timedOut(milliseconds: 1500))" == "timed out after 1500ms")
        #expect("\(FetchFault.timedOut(milliseconds: 2000))" == "timed out after 2s")
        bench.run { upstream.openCount == 0 }
    }

    // MARK: Many

    @Test func manyRunAtOnceUpToTheBound() throws {
        let upstream = try Upstream(.nothing)
        let bench = try Bench(upstream)
        var outcomes: [Result<FetchResponse, FetchFault>] = []
        for _ in 0..<Fetcher.fetchesMax {
            let id = bench.start(.plain, from: upstream.address) { outcomes.append($0) }
            #expect(id != nil)
        }
        let refused = bench.start(.plain, from: upstream.address) { outcomes.append($0) }
        #expect(refused == nil)
        bench.run { upstream.requests.count == Fetcher.fetchesMax }
        bench.pass(milliseconds: 5000)
        #expect(outcomes.count == Fetcher.fetchesMax)
        #expect(outcomes.allSatisfy { $0 == .failure(.timedOut(milliseconds: 5000)) })
        upstream.act = .say(Upstream.ok)
        expect(bench.fetch(from: upstream.address), 200, "ok")
    }

    @Test func aFetchThatIsCancelledIsForgotten() throws {
        let upstream = try Upstream(.nothing)
        let bench = try Bench(upstream)
        var ended = 0
        let first = try #require(bench.start(.plain, from: upstream.address) { _ in ended += 1 })
        let failed = try #require(bench.start(.plain, from: nil) { _ in ended += 1 })
        bench.fetcher.cancel(failed)
        bench.run { upstream.requests.count == 1 }
        bench.fetcher.cancel(first)
        #expect(bench.fetcher.count == 0)
        bench.run { upstream.openCount == 0 }
        bench.pass(milliseconds: 60_000)
        #expect(ended == 0)
    }

    @Test func aCompletionMayFetchAgain() throws {
        let upstream = try Upstream()
        let bench = try Bench(upstream)
        var bodies: [Result<FetchResponse, FetchFault>] = []
        _ = bench.start(.plain, from: nil) { [unowned bench] in
            bodies.append($0)
            _ = bench.start(.plain, from: upstream.address) { bodies.append($0) }
        }
        bench.run { bodies.count == 2 }
        #expect(bodies[0] == .failure(.connect("name is not resolved")))
        expect(bodies[1], 200, "ok")
    }
}
