// SPDX-License-Identifier: Apache-2.0
import Bytes
import HTTP1
import Testing

struct ChunkedCase: CustomTestStringConvertible, Sendable {
    let name: String
    let text: String
    var content = ""
    var trailers: [[String]] = []
    var fault: BodyFault?

    init(_ name: String, _ text: String, _ content: String, trailers: [[String]] = []) {
        self.name = name
        self.text = text
        self.content = content
        self.trailers = trailers
    }

    init(_ name: String, _ text: String, _ fault: BodyFault) {
        self.name = name
        self.text = text
        self.fault = fault
    }

    var testDescription: String { name }
}

@Suite("Chunked bodies")
struct ChunkedDecoderTests {
    private static let end = "0\r\n\r\n"
    private static func times(_ text: String, _ count: Int) -> String {
        String(repeating: text, count: count)
    }

    private static let goodCases: [ChunkedCase] = [
        ChunkedCase("9112 §7.1 empty", end, ""),
        ChunkedCase("9112 §7.1 one chunk", "5\r\nhello\r\n" + end, "hello"),
        ChunkedCase("9112 §7.1 two chunks", "1\r\na\r\n2\r\nbc\r\n" + end, "abc"),
        ChunkedCase("9112 §7.1 CRLF in content", "4\r\n\r\n\r\n\r\n" + end, "\r\n\r\n"),
        ChunkedCase(
            "9112 §7.1 digits of either case", "A\r\n0123456789\r\nb\r\n0123456789a\r\n" + end,
            "01234567890123456789a"),
        ChunkedCase("9112 §7.1 leading zeros", "0000000000000003\r\nabc\r\n0000\r\n\r\n", "abc"),
        ChunkedCase(
            "9112 §7.1.1 extensions dropped",
            "3;a=b;c=\"d;\te\";f\r\nabc\r\n0;x\r\n\r\n", "abc"),
        ChunkedCase(
            "9112 §7.1.1 extension of the limit",
            "1;" + times("x", 255) + "\r\na\r\n" + end, "a"),
        ChunkedCase(
            "9112 §7.1.2 trailers", "0\r\nA: b \r\nX-Sum:c\r\n\r\n", "",
            trailers: [["A", "b"], ["X-Sum", "c"]]),
        ChunkedCase(
            "9112 §7.1.2 as many trailers as may be",
            "0\r\n" + times("a:b\r\n", 32) + "\r\n", "",
            trailers: Array(repeating: ["a", "b"], count: 32)),
        ChunkedCase(
            "9112 §7.1.2 a trailer of the limit",
            "0\r\na:" + times("b", 8188) + "\r\n\r\n", "",
            trailers: [["a", times("b", 8188)]]),
    ]

    private static let badCases: [ChunkedCase] = [
        ChunkedCase("9112 §7.1 no size", "\r\n", .chunkSize),
        ChunkedCase("9112 §7.1 sign", "+5\r\n", .chunkSize),
        ChunkedCase("9112 §7.1 prefix", "0x5\r\n", .chunkSize),
        ChunkedCase("9112 §7.1 space before", " 5\r\n", .chunkSize),
        ChunkedCase("9112 §7.1 space after", "5 \r\n", .chunkSize),
        ChunkedCase("9112 §7.1 tab before extension", "5\t;a\r\n", .chunkSize),
        ChunkedCase("9112 §7.1 17 digits", "00000000000000005\r\n", .chunkSize),
        ChunkedCase("9112 §7.1 beyond 63 bits", "8000000000000000\r\n", .chunkSize),
        ChunkedCase("9112 §7.1 all ones", "ffffffffffffffff\r\n", .chunkSize),
        ChunkedCase("9112 §7.1 size ends in LF", "5\nhello", .chunkSize),
        ChunkedCase("9112 §7.1 size ends in CR", "5\rhello", .chunkSize),
        ChunkedCase("9112 §7.1 content too long", "3\r\nabcd\r\n", .chunkDelimiter),
        ChunkedCase("9112 §7.1 content ends in LF", "3\r\nabc\n", .chunkDelimiter),
        ChunkedCase("9112 §7.1 content ends in CR", "3\r\nabc\rx", .chunkDelimiter),
        ChunkedCase("9112 §7.1 second size bad", "3\r\nabc\r\ng\r\n", .chunkSize),
        ChunkedCase("9112 §7.1.1 LF in extension", "3;a\nabc\r\n", .chunkExtension),
        ChunkedCase("9112 §7.1.1 CR in extension", "3;a\rb\r\n", .chunkSize),
        ChunkedCase("9112 §7.1.1 NUL in extension", "3;a\0\r\n", .chunkExtension),
        ChunkedCase("9112 §7.1.1 DEL in extension", "3;\u{7F}\r\n", .chunkExtension),
        ChunkedCase(
            "9112 §7.1.1 extension too long",
            "1;" + times("x", 256) + "\r\n", .chunkExtensionTooLong),
        ChunkedCase(
            "9112 §7.1.1 extensions of a body too long",
            times("1;" + times("x", 255) + "\r\na\r\n", 17), .chunkExtensionTooLong),
        ChunkedCase("9112 §7.1.2 last chunk ends in LF", "0\r\n\n", .trailer),
        ChunkedCase("9112 §7.1.2 last line ends in CR", "0\r\n\rx", .trailer),
        ChunkedCase("9112 §7.1.2 trailer ends in LF", "0\r\nA: b\n\r\n", .trailer),
        ChunkedCase("9112 §7.1.2 trailer folded", "0\r\nA: b\r\n c\r\n", .trailer),
        ChunkedCase("9112 §7.1.2 trailer without colon", "0\r\nA\r\n\r\n", .trailer),
        ChunkedCase("9112 §7.1.2 control in trailer", "0\r\nA: \u{1}\r\n\r\n", .trailer),
        ChunkedCase(
            "9110 §6.5.1 length in trailer", "0\r\nContent-Length: 3\r\n\r\n", .trailerForbidden),
        ChunkedCase(
            "9110 §6.5.1 coding in trailer",
            "0\r\ntransfer-encoding: chunked\r\n\r\n", .trailerForbidden),
        ChunkedCase("9110 §6.5.1 host in trailer", "0\r\nHOST: h\r\n\r\n", .trailerForbidden),
        ChunkedCase(
            "9112 §7.1.2 too many trailers",
            "0\r\n" + times("a:b\r\n", 101), .trailerTooLarge),
        ChunkedCase(
            "9112 §7.1.2 trailer name too long",
            "0\r\n" + times("a", 256) + ":b\r\n", .trailerTooLarge),
        ChunkedCase(
            "9112 §7.1.2 trailer too long",
            "0\r\na:" + times("b", 8189) + "\r\n\r\n", .trailerTooLarge),
        ChunkedCase(
            "9112 §7.1.2 trailers too long together",
            "0\r\n" + times("a:" + times("b", 1000) + "\r\n", 9), .trailerTooLarge),
    ]

    @Test("are taken apart", arguments: goodCases)
    func good(_ body: ChunkedCase) {
        let bytes = Array(body.text.utf8)
        let image = readBody(.chunked, bytes + Array("GET".utf8))
        #expect(image.fault == nil)
        #expect(image.content == Array(body.content.utf8))
        // A long trailer was read in the window in which it was whole.
        #expect(image.trailers == body.trailers)
        #expect(image.end == bytes.count)
    }

    @Test("are refused", arguments: badCases)
    func bad(_ body: ChunkedCase) {
        #expect(readBody(.chunked, Array(body.text.utf8)).fault == body.fault)
    }

    @Test("are judged the same, cut anywhere", arguments: goodCases + badCases)
    func split(_ body: ChunkedCase) {
        let bytes = Array(body.text.utf8)
        let whole = readBody(.chunked, bytes)
        let stride = bytes.count > 2000 ? 97 : 1
        for cut in Swift.stride(from: 0, through: bytes.count, by: stride) {
            let parts = readBody(.chunked, bytes, cuts: [cut])
            if parts != whole { Issue.record("cut at \(cut): \(parts), not \(whole)") }
        }
        if bytes.count <= 2000 {
            #expect(readBody(.chunked, bytes, cuts: Array(0..<bytes.count)) == whole)
        }
    }

    @Test("need more until their last byte", arguments: goodCases)
    func prefixes(_ body: ChunkedCase) {
        let bytes = Array(body.text.utf8)
        for count in Swift.stride(from: 0, to: bytes.count, by: bytes.count > 2000 ? 101 : 1) {
            let image = readBody(.chunked, Array(bytes[..<count]))
            #expect(image.end == nil && image.fault == nil)
        }
    }

    @Test("tell what a trailer's name is")
    func kinds() {
        let text = "0\r\nX-AgentPort-JWT: a\r\nauthorization: b\r\nX_Real_IP: c\r\nx-sum: d\r\n\r\n"
        let image = readBody(.chunked, Array(text.utf8))
        #expect(image.kinds == [.agentPortOther, .authorization, .shadow, .other])
        #expect(image.kinds.map(\.isRemovedFromRequests) == [true, true, true, false])
    }

    @Test("once refused stay refused")
    func failed() {
        var decoder = BodyDecoder(.chunked)
        let bad = Array("x".utf8)
        let good = Array("0\r\n\r\n".utf8)
        #expect(throws: BodyFault.chunkSize) { try decoder.next(bad.span, from: 0) }
        #expect(throws: BodyFault.chunkSize) { try decoder.next(good.span, from: 0) }
        let isComplete = decoder.isComplete
        #expect(!isComplete)
    }

    @Test("written are read back, cut at random", arguments: 0..<16)
    func roundTrip(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var pool = SlabPool(bound: 1)
        var buffer = Buffer()
        _ = buffer.attach(from: &pool)
        defer { buffer.release(to: &pool) }
        for _ in 0..<50 {
            buffer.clear()
            var content: [UInt8] = []
            var wire = 0
            for _ in 0..<Int.random(in: 0..<6, using: &random) {
                let count =
                    Int.random(in: 0..<5000, using: &random)
                    >> Int.random(in: 0..<12, using: &random)
                let chunk = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
                content += chunk
                buffer.appendChunk(chunk.span)
                if count > 0 { wire += count + Buffer.chunkOverhead(count) }
            }
            #expect(buffer.count == wire)
            if Bool.random(using: &random) {
                buffer.appendLastChunk()
            } else {
                buffer.appendLastChunkBeforeTrailers()
                buffer.appendField("x-sum", "1")
                buffer.appendHeadEnd()
            }
            let bytes = buffer.readable.array
            let cuts = (0..<4).map { _ in Int.random(in: 0...bytes.count, using: &random) }.sorted()
            let image = readBody(.chunked, bytes, cuts: cuts)
            #expect(image.content == content)
            #expect(image.end == bytes.count)
        }
    }
}
