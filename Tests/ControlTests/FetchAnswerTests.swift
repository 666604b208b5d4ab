// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Control

/// Answers to a fetch, however they are framed and cut.
@Suite("Answers to fetches")
struct FetchAnswerTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let text: String
        /// `nil` where the connection's end is needed.
        var isWhole = true
        var status = 200
        var body = "hello"
    }

    static let cases = [
        Case(
            testDescription: "length", text: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
        Case(
            testDescription: "nothing", text: "HTTP/1.1 503 \r\nContent-Length: 0\r\n\r\n",
            status: 503, body: ""),
        Case(testDescription: "204", text: "HTTP/1.1 204 No\r\n\r\n", status: 204, body: ""),
        Case(
            testDescription: "chunks",
            text: "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
                + "3;a=b\r\nhel\r\n2\r\nlo\r\n0\r\nx-end: yes\r\n\r\n"),
        Case(
            testDescription: "until the end", text: "HTTP/1.1 200 OK\r\n\r\nhello",
            isWhole: false),
        Case(testDescription: "1.0", text: "HTTP/1.0 200 OK\r\n\r\nhello", isWhole: false),
        Case(
            testDescription: "interim",
            text: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nlink: x\r\n\r\n"
                + "HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 5\r\n\r\nhello",
            status: 302),
    ]

    private func expect(_ answer: FetchAnswer, is expected: Case) {
        #expect(answer.response.status == expected.status)
        #expect(answer.response.body == Array(expected.body.utf8))
    }

    @Test(arguments: cases)
    func isTakenAtEverySplit(expected: Case) throws {
        let bytes = Array(expected.text.utf8)
        for split in 0...bytes.count {
            var answer = FetchAnswer(bodyBytesMax: 5)
            let first = try answer.take(Array(bytes[..<split]))
            #expect(!first || (expected.isWhole && split == bytes.count))
            let last = first ? true : try answer.take(Array(bytes[split...]))
            #expect(last == expected.isWhole, "split at \(split)")
            if !last { try answer.finish() }
            expect(answer, is: expected)
        }
    }

    @Test(arguments: cases)
    func isTakenByteByByte(expected: Case) throws {
        var answer = FetchAnswer(bodyBytesMax: 5)
        let bytes = Array(expected.text.utf8)
        for (position, byte) in bytes.enumerated() {
            let isWhole = try answer.take([byte])
            #expect(isWhole == (expected.isWhole && position == bytes.count - 1))
        }
        if !expected.isWhole { try answer.finish() }
        expect(answer, is: expected)
    }

    @Test(arguments: cases)
    func aByteTooManyForTheBoundIsRefused(expected: Case) {
        guard !expected.body.isEmpty else { return }
        var answer = FetchAnswer(bodyBytesMax: 4)
        #expect(throws: FetchFault.tooLarge(limit: 4)) {
            _ = try answer.take(Array(expected.text.utf8))
        }
    }

    @Test(arguments: cases)
    func whatIsCutIsNoAnswer(expected: Case) throws {
        guard expected.isWhole else { return }
        let bytes = Array(expected.text.utf8)
        for count in 0..<bytes.count {
            var answer = FetchAnswer(bodyBytesMax: 5)
            _ = try answer.take(Array(bytes[..<count]))
            #expect(throws: FetchFault.cut, "cut at \(count)") { try answer.finish() }
        }
    }

    @Test func whatFollowsIsNobodysBusiness() throws {
        var answer = FetchAnswer(bodyBytesMax: 5)
        let whole = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhelloHTTP/1.1 500 No\r\n"
        #expect(try answer.take(Array(whole.utf8)))
        #expect(answer.response.status == 200)
    }

    @Test(arguments: [
        ("SSH-2.0-OpenSSH_9.2\r\n", "HTTP version"),
        ("HTTP/1.1 20 OK\r\n\r\n", "status line"),
        ("HTTP/1.1 101 Switching\r\n\r\n", "status 101"),
        ("HTTP/1.1 200 OK\nx: y\n\n", "LF without CR"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 1, 1\r\n\r\n", "Content-Length is not one decimal"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", "chunk size"),
        (String(repeating: "HTTP/1.1 100 Go\r\n\r\n", count: 9), "interim answers without end"),
        ("HTTP/1.1 200 OK\r\nx: " + String(repeating: "y", count: 40_000), "head beyond"),
    ])
    func whatIsMalformedIsNamed(text: String, reason: String) {
        var answer = FetchAnswer(bodyBytesMax: 1000)
        do throws(FetchFault) {
            _ = try answer.take(Array(text.utf8))
            Issue.record("it is taken")
        } catch {
            guard case .malformed(let said) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(said.hasPrefix(reason), "\(said)")
            #expect("\(error)".hasPrefix("malformed answer: "))
        }
    }
}
