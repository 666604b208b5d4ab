// SPDX-License-Identifier: Apache-2.0
import HTTP1
import Testing

struct ResponseCase: CustomTestStringConvertible, Sendable {
    let name: String
    let text: String
    var method = Method.get
    var framing = BodyFraming.untilClose
    var keepsAlive = false

    var testDescription: String { name }
}

@Suite("Response heads")
struct ResponseHeadParserTests {
    private static func ok(_ fields: String, status: Int = 200, version: String = "1.1") -> String {
        "HTTP/\(version) \(status) Fine\r\n" + fields + (fields.isEmpty ? "" : "\r\n") + "\r\n"
    }

    private static let goodCases: [ResponseCase] = [
        ResponseCase(name: "9112 §6.3 neither: until close", text: ok("Server: x")),
        ResponseCase(name: "9112 §6.3 no fields", text: ok("")),
        ResponseCase(
            name: "9112 §6.3 length", text: ok("Content-Length: 5"),
            framing: .length(5), keepsAlive: true),
        ResponseCase(
            name: "9112 §6.3 chunked", text: ok("Transfer-Encoding: Chunked"),
            framing: .chunked, keepsAlive: true),
        ResponseCase(
            name: "9112 §9.3 close", text: ok("Content-Length: 5\r\nConnection: close"),
            framing: .length(5)),
        ResponseCase(
            name: "9112 §9.3 HTTP/1.0", text: ok("Content-Length: 5", version: "1.0"),
            framing: .length(5)),
        ResponseCase(
            name: "9112 §9.3 HTTP/1.0 keep-alive",
            text: ok("Content-Length: 5\r\nConnection: keep-alive", version: "1.0"),
            framing: .length(5), keepsAlive: true),
        ResponseCase(
            name: "9110 §9.3.2 HEAD with length", text: ok("Content-Length: 5"),
            method: .head, framing: .none, keepsAlive: true),
        ResponseCase(
            name: "9110 §9.3.2 HEAD with coding", text: ok("Transfer-Encoding: chunked"),
            method: .head, framing: .none, keepsAlive: true),
        ResponseCase(
            name: "9110 §15.4.5 304 with length", text: ok("Content-Length: 5", status: 304),
            framing: .none, keepsAlive: true),
        ResponseCase(
            name: "9110 §15.3.5 204", text: ok("", status: 204),
            framing: .none, keepsAlive: true),
        ResponseCase(
            name: "9110 §8.6 204 with length 0", text: ok("Content-Length: 0", status: 204),
            framing: .none, keepsAlive: true),
        ResponseCase(
            name: "9110 §15.2 100", text: ok("", status: 100),
            framing: .none, keepsAlive: true),
        ResponseCase(
            name: "9110 §15.2.2 101",
            text: ok(
                "Upgrade: websocket\r\nConnection: upgrade",
                status: 101),
            framing: .none, keepsAlive: true),
        ResponseCase(name: "9112 §4 empty reason", text: "HTTP/1.1 599 \r\n\r\n"),
        ResponseCase(name: "9112 §4 no second space", text: "HTTP/1.1 200\r\n\r\n"),
        ResponseCase(name: "9112 §4 opaque reason", text: "HTTP/1.1 200 \u{e9}\ta b \r\n\r\n"),
        ResponseCase(
            name: "9110 §7.6.1 Connection names a coding",
            text: ok("Transfer-Encoding: chunked\r\nConnection: Transfer-Encoding"),
            framing: .chunked, keepsAlive: true),
    ]

    private static let badCases: [BadHead] = [
        BadHead("9112 §4 empty line before", "\r\n" + ok(""), .version),
        BadHead("9112 §4 bare LF", "HTTP/1.1 200 OK\n\r\n", .bareLineFeed),
        BadHead("9112 §4 bare LF after status", "HTTP/1.1 200\n\r\n", .bareLineFeed),
        BadHead("9112 §4 bare CR", "HTTP/1.1 200 O\rK\r\n\r\n", .bareCarriageReturn),
        BadHead("9112 §4 NUL in reason", "HTTP/1.1 200 O\0K\r\n\r\n", .control),
        BadHead("9112 §4 two spaces", "HTTP/1.1  200 OK\r\n\r\n", .statusLine),
        BadHead("9112 §4 two digits", "HTTP/1.1 20 OK\r\n\r\n", .statusLine),
        BadHead("9112 §4 four digits", "HTTP/1.1 2000 OK\r\n\r\n", .statusLine),
        BadHead("9112 §4 no digits", "HTTP/1.1 2x0 OK\r\n\r\n", .statusLine),
        BadHead("9112 §4 tab", "HTTP/1.1 200\tOK\r\n\r\n", .statusLine),
        BadHead("9110 §15 below 100", "HTTP/1.1 099 OK\r\n\r\n", .status),
        BadHead("9110 §15 above 599", "HTTP/1.1 600 OK\r\n\r\n", .status),
        BadHead("9112 §2.3 HTTP/2.0", "HTTP/2.0 200 OK\r\n\r\n", .versionUnsupported),
        BadHead("9112 §2.3 ICY", "ICY 200 OK\r\n\r\n", .version),
        BadHead("9112 §5.2 folded line", ok("A: b\r\n c"), .foldedLine),
        BadHead("9112 §5.1 space before colon", ok("A : b"), .fieldName),
        BadHead("9112 §2.2 bare LF in fields", ok("A: b\nC: d"), .bareLineFeed),
        BadHead(
            "9112 §6.3 CL with TE",
            ok("Content-Length: 3\r\nTransfer-Encoding: chunked"), .lengthWithCoding),
        BadHead(
            "9112 §6.3 equal lengths",
            ok("Content-Length: 3\r\nContent-Length: 3"), .contentLengthRepeated),
        BadHead("9112 §6.3 listed lengths", ok("Content-Length: 3, 3"), .contentLength),
        BadHead("9112 §6.1 other coding", ok("Transfer-Encoding: gzip, chunked"), .transferCoding),
        BadHead(
            "9112 §6.1 coding in HTTP/1.0",
            ok("Transfer-Encoding: chunked", version: "1.0"), .transferCodingVersion),
        BadHead(
            "9110 §8.6 length on 204", ok("Content-Length: 3", status: 204), .lengthWithoutBody),
        BadHead(
            "9110 §8.6 length on 103", ok("Content-Length: 3", status: 103), .lengthWithoutBody),
        BadHead(
            "9112 §6.1 coding on 204",
            ok("Transfer-Encoding: chunked", status: 204), .transferCodingWithoutBody),
        BadHead(
            "9112 §6.1 coding on 100",
            ok("Transfer-Encoding: chunked", status: 100), .transferCodingWithoutBody),
        BadHead(
            "9112 §6.1 coding on 101",
            ok("Transfer-Encoding: chunked", status: 101), .transferCodingWithoutBody),
    ]

    @Test("are read", arguments: goodCases)
    func good(_ response: ResponseCase) {
        let bytes = Array(response.text.utf8)
        let whole = parseResponse(bytes + [65], to: response.method)
        guard case .complete(let image) = whole else {
            Issue.record("\(whole)")
            return
        }
        #expect(image.count == bytes.count)
        #expect(image.framing == response.framing)
        #expect(image.keepsAlive == response.keepsAlive)
    }

    @Test("are refused", arguments: badCases)
    func bad(_ head: BadHead) {
        #expect(parseResponse(Array(head.text.utf8)) == .fault(head.fault))
    }

    @Test(
        "are judged the same, cut anywhere",
        arguments: goodCases.map { ($0.text, $0.method) } + badCases.map { ($0.text, Method.get) })
    func split(_ text: String, _ method: Method) {
        let bytes = Array(text.utf8)
        let whole = parseResponse(bytes, to: method)
        for cut in 0...bytes.count {
            #expect(parseResponse(bytes, cuts: [cut], to: method) == whole)
        }
        #expect(parseResponse(bytes, cuts: Array(0..<bytes.count), to: method) == whole)
    }

    @Test("have limits")
    func limits() {
        let limits = HeadLimits(headBytes: 60, fieldCount: 2)
        let frame = "HTTP/1.1 200 \r\n\r\n".utf8.count
        func reason(_ count: Int) -> [UInt8] {
            let text = String(repeating: "x", count: count - frame)
            return Array("HTTP/1.1 200 \(text)\r\n\r\n".utf8)
        }
        #expect(parseResponse(reason(60), limits: limits).isComplete)
        #expect(parseResponse(reason(61), limits: limits) == .fault(.headersTooLarge))
        let three = Array("HTTP/1.1 200 OK\r\nA:b\r\nC:d\r\nE:f\r\n\r\n".utf8)
        #expect(parseResponse(three, limits: limits) == .fault(.headersTooLarge))
        #expect(parseResponse(three).isComplete)
    }
}
