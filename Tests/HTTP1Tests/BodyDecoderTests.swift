// SPDX-License-Identifier: Apache-2.0
import Bytes
import HTTP1
import Testing

@Suite("Bodies")
struct BodyDecoderTests {
    private let bytes = Array("hello, next".utf8)

    @Test("without content end at once", arguments: [BodyFraming.none, .length(0)])
    func none(_ framing: BodyFraming) {
        #expect(BodyDecoder(framing).isComplete)
        #expect(readBody(framing, bytes).end == 0)
    }

    @Test("with a length end there, cut anywhere")
    func length() {
        for cut in 0...bytes.count {
            let image = readBody(.length(5), bytes, cuts: [cut])
            #expect(image.content == Array("hello".utf8))
            #expect(image.end == 5)
        }
        let longest = readBody(.length(UInt64(Int64.max)), bytes)
        #expect(longest.content == bytes)
        #expect(longest.end == nil)
    }

    @Test("until close end with the connection")
    func untilClose() throws {
        var decoder = BodyDecoder(.untilClose)
        #expect(try decoder.next(bytes.span, from: 3) == .data(3..<bytes.count))
        #expect(try decoder.next(bytes.span, from: bytes.count) == .needMore(consumed: bytes.count))
        var isComplete = decoder.isComplete
        #expect(!isComplete)
        try decoder.finish()
        isComplete = decoder.isComplete
        #expect(isComplete)
        let count = decoder.count
        #expect(count == UInt64(bytes.count - 3))
    }

    @Test("count their content")
    func count() throws {
        var decoder = BodyDecoder(.chunked)
        let bytes = Array("3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nX: y\r\n\r\n".utf8)
        var offset = 0
        while !decoder.isComplete { offset = try decoder.next(bytes.span, from: offset).consumed }
        let count = decoder.count
        #expect(count == 5)
        #expect(offset == bytes.count)
    }

    @Test(
        "cut short by the connection's end are refused",
        arguments: [BodyFraming.length(6), .chunked])
    func truncated(_ framing: BodyFraming) throws {
        var decoder = BodyDecoder(framing)
        #expect(throws: BodyFault.truncated) { try decoder.finish() }
    }
}

@Suite("Writers")
struct WriterTests {
    private func written(_ write: (inout Buffer) -> Void) -> String {
        var pool = SlabPool(bound: 1)
        var buffer = Buffer()
        _ = buffer.attach(from: &pool)
        defer { buffer.release(to: &pool) }
        write(&buffer)
        return buffer.readable.string
    }

    @Test("write heads that parse")
    func heads() {
        let path = Array("/a?b".utf8), method = Array("PATCH".utf8), value = Array("v w".utf8)
        let request = written { buffer in
            buffer.appendRequestLine(method.span, target: path.span)
            buffer.appendField("host", "h")
            buffer.appendField("x-a", value.span)
            buffer.appendField(value.span.extracting(0..<1), value.span)
            buffer.appendFraming(.length(42))
            buffer.appendHeadEnd()
        }
        #expect(
            request == "PATCH /a?b HTTP/1.1\r\nhost: h\r\nx-a: v w\r\nv: v w\r\n"
                + "content-length: 42\r\n\r\n")
        #expect(parseRequest(Array(request.utf8)).isComplete)
    }

    @Test(
        "write status lines",
        arguments: [
            (200, "HTTP/1.1 200 OK\r\n"), (422, "HTTP/1.1 422 Unprocessable Content\r\n"),
            (299, "HTTP/1.1 299 \r\n"),
        ])
    func statusLines(_ status: Int, _ expected: String) {
        #expect(written { $0.appendStatusLine(status) } == expected)
        #expect(parseResponse(Array((expected + "\r\n").utf8)).isComplete)
    }

    @Test(
        "know a reason for every status the gateway answers with",
        arguments: [
            400, 401, 403, 404, 405, 408, 413, 414, 415, 417, 422, 426, 429, 431, 500, 502,
            503, 504, 505,
        ])
    func reasons(_ status: Int) {
        #expect(Status.reason(status).utf8CodeUnitCount > 0)
    }

    @Test(
        "write the framing",
        arguments: [
            (BodyFraming.none, ""), (.untilClose, ""), (.chunked, "transfer-encoding: chunked\r\n"),
            (.length(0), "content-length: 0\r\n"),
        ])
    func framing(_ framing: BodyFraming, _ expected: String) {
        #expect(written { $0.appendFraming(framing) } == expected)
    }
}
