// SPDX-License-Identifier: Apache-2.0
import Bytes
import HTTP1
import Testing

@Suite("Request heads")
struct RequestHeadParserTests {
    @Test("are read", arguments: RequestCases.good)
    func good(_ head: GoodHead) throws {
        let bytes = Array(head.text.utf8)
        guard case .complete(let image) = parseRequest(bytes + Array("rest".utf8)) else {
            Issue.record("\(parseRequest(bytes))")
            return
        }
        #expect(image.count == bytes.count)
        #expect(image.framing == head.framing)
        #expect(image.keepsAlive == head.keepsAlive)
    }

    @Test("are refused", arguments: RequestCases.bad)
    func bad(_ head: BadHead) {
        #expect(parseRequest(Array(head.text.utf8)) == .fault(head.fault))
    }

    @Test("read the same, cut anywhere", arguments: RequestCases.good.map(\.text))
    func goodSplit(_ text: String) { expectSameWhenCut(Array(text.utf8)) }

    @Test("refused the same, cut anywhere", arguments: RequestCases.bad)
    func badSplit(_ head: BadHead) { expectSameWhenCut(Array(head.text.utf8)) }

    private func expectSameWhenCut(_ bytes: [UInt8]) {
        let whole = parseRequest(bytes)
        for cut in 0...bytes.count {
            let parts = parseRequest(bytes, cuts: [cut])
            if parts != whole { Issue.record("cut at \(cut): \(parts), not \(whole)") }
        }
        #expect(parseRequest(bytes, cuts: Array(0..<bytes.count)) == whole)
        if whole.isComplete {
            for cut in 0..<bytes.count {
                #expect(parseRequest(Array(bytes[..<cut])) == .needMore)
            }
        }
    }

    @Test("say what the lines mean")
    func meaning() throws {
        let text =
            "POST http://H:8/p?q HTTP/1.1\r\nhost: h:8\r\nConnection: Upgrade, X-Hop\r\n"
            + "Upgrade: websocket\r\nExpect: 100-Continue\r\nX-Hop: 1\r\nX-End: 2\r\n\r\n"
        let bytes = Array(text.utf8)
        var parser = RequestHeadParser()
        var head = RequestHead()
        let progress = try parser.parse(bytes.span, limits: HeadLimits(), into: &head)
        #expect(progress == .complete(count: bytes.count))
        let named = (0..<head.fieldCount).map { head.isNamedByConnection($0, in: bytes.span) }
        #expect(named == [false, false, true, false, true, false])
        let first = [head.first(.upgrade), head.first(.cookie)]
        #expect(first == [2, nil])
        let counts = [head.count(of: .other), head.count(of: .host), head.count(of: .date)]
        #expect(counts == [2, 1, 0])
        let value = head.value(.expect, in: bytes.span)?.string
        #expect(value == "100-Continue")
        let whole = image(head, bytes.span)
        #expect(whole.start == ["POST", "http://H:8/p?q", "/p?q", "post", "absolute"])
        #expect(whole.wantsUpgrade && whole.expectsContinue && !whole.expectationUnknown)
    }

    @Test(
        "know an expectation they cannot meet",
        arguments: [
            ("1.1", "100-continue", true, false), ("1.1", "other", false, true),
            ("1.1", "100-continue, x", false, true), ("1.0", "100-continue", false, false),
        ])
    func expectations(version: String, value: String, continues: Bool, unknown: Bool) {
        let text = "GET / HTTP/\(version)\r\nHost: h\r\nExpect: \(value)\r\n\r\n"
        guard case .complete(let image) = parseRequest(Array(text.utf8)) else {
            Issue.record("refused")
            return
        }
        #expect(image.expectsContinue == continues)
        #expect(image.expectationUnknown == unknown)
    }

    @Test(
        "want an upgrade only where Connection names it in 1.1",
        arguments: [("1.1", "upgrade", true), ("1.1", "close", false), ("1.0", "upgrade", false)])
    func upgrades(version: String, option: String, wanted: Bool) {
        let text =
            "GET / HTTP/\(version)\r\nHost: h\r\nUpgrade: websocket\r\n"
            + "Connection: \(option)\r\n\r\n"
        guard case .complete(let image) = parseRequest(Array(text.utf8)) else {
            Issue.record("refused")
            return
        }
        #expect(image.wantsUpgrade == wanted)
    }

    @Test("one parser reads one message after another")
    func pipelined() throws {
        let first = Array("GET /1 HTTP/1.1\r\nHost: h\r\n\r\n".utf8)
        let second = Array("GET /22 HTTP/1.1\r\nHost: h\r\nA: b\r\n\r\n".utf8)
        let both = first + second
        var parser = RequestHeadParser()
        var head = RequestHead()
        #expect(
            try parser.parse(both.span, limits: HeadLimits(), into: &head)
                == .complete(count: first.count))
        let rest = both.span.extracting(first.count..<both.count)
        #expect(
            try parser.parse(rest, limits: HeadLimits(), into: &head)
                == .complete(count: second.count))
        let fieldCount = head.fieldCount
        #expect(fieldCount == 2)
    }
}

@Suite("Head limits")
struct HeadLimitTests {
    private let small = HeadLimits(requestLineBytes: 40, headBytes: 120, fieldCount: 3)

    private func check(_ text: String, _ expected: Outcome) {
        let bytes = Array(text.utf8)
        #expect(parseRequest(bytes, limits: small) == expected)
        for cut in 0...bytes.count {
            #expect(parseRequest(bytes, cuts: [cut], limits: small) == expected)
        }
    }

    @Test("a request line of the limit passes, one byte more is too long")
    func requestLine() {
        let frame = "GET / HTTP/1.1".utf8.count
        func line(_ count: Int) -> String {
            "GET /" + String(repeating: "a", count: count - frame) + " HTTP/1.1\r\nHost: h\r\n\r\n"
        }
        #expect(parseRequest(Array(line(40).utf8), limits: small).isComplete)
        check(line(41), .fault(.uriTooLong))
        check(line(200), .fault(.uriTooLong))
    }

    @Test("a request line too long is told before its end is there")
    func earlyRequestLine() {
        check("GET /" + String(repeating: "a", count: 37), .fault(.uriTooLong))
    }

    @Test("a head of the limit passes, one byte more is too large")
    func headBytes() {
        let base = "GET / HTTP/1.1\r\nHost: h\r\nA: \r\n\r\n"
        func head(_ count: Int) -> String {
            let padding = String(repeating: "b", count: count - base.utf8.count)
            return "GET / HTTP/1.1\r\nHost: h\r\nA: \(padding)\r\n\r\n"
        }
        #expect(parseRequest(Array(head(120).utf8), limits: small).isComplete)
        check(head(121), .fault(.headersTooLarge))
        check(
            "GET / HTTP/1.1\r\nA: " + String(repeating: "b", count: 101), .fault(.headersTooLarge))
    }

    @Test("as many fields as the limit pass, one more is too many")
    func fieldCount() {
        let three = "GET / HTTP/1.1\r\nHost: h\r\nA: b\r\nC: d\r\n"
        #expect(parseRequest(Array((three + "\r\n").utf8), limits: small).isComplete)
        check(three + "E: f\r\n\r\n", .fault(.headersTooLarge))
        check(three + "E: f\r\n", .fault(.headersTooLarge))
    }

    @Test("the largest limits hold a full table")
    func largest() {
        let limits = HeadLimits(
            headBytes: HeadLimits.headBytesMax,
            fieldCount: HeadLimits.fieldCountMax)
        var text = "GET / HTTP/1.1\r\nHost: h\r\n"
        for index in 1..<HeadLimits.fieldCountMax { text += "x-\(index): \(index)\r\n" }
        #expect(parseRequest(Array((text + "\r\n").utf8), limits: limits).isComplete)
        #expect(
            parseRequest(Array((text + "y: z\r\n").utf8), limits: limits)
                == .fault(.headersTooLarge))
    }
}

@Suite("Connection options")
struct ConnectionOptionTests {
    private func options(_ value: String) -> (keepsAlive: Bool, close: Bool)? {
        let text = "GET / HTTP/1.0\r\nConnection: \(value)\r\n\r\n"
        let newer = "GET / HTTP/1.1\r\nHost: h\r\nConnection: \(value)\r\n\r\n"
        guard case .complete(let old) = parseRequest(Array(text.utf8)),
            case .complete(let new) = parseRequest(Array(newer.utf8))
        else { return nil }
        return (old.keepsAlive, !new.keepsAlive)
    }

    @Test(
        "are read in any case and in company",
        arguments: [
            ("keep-alive", true, false), ("Keep-ALIVE", true, false), ("close", false, true),
            ("CLOSE", false, true), ("keep-alivf", false, false), ("keepxalive", false, false),
            ("closf", false, false), ("x, keep-alive", true, false),
            ("close,keep-alive", false, true),
        ])
    func values(_ value: String, _ keepAlive: Bool, _ close: Bool) throws {
        let found = try #require(options(value))
        #expect(found.keepsAlive == keepAlive)
        #expect(found.close == close)
    }
}
