// SPDX-License-Identifier: Apache-2.0

import Testing
import benchmarks

@Suite("The request that is sent")
struct RequestMakerTests {
    private static func fields(_ request: [UInt8]) -> [String] {
        let text = String(decoding: request, as: UTF8.self)
        return text.split(separator: "\r\n").dropFirst().map(String.init)
    }

    @Test func itHasTwelveFieldsAndSome500Bytes() throws {
        var maker = RequestMaker(.none)
        try maker.prepare(wallSeconds: 0)
        let request = maker.next()
        #expect(Self.fields(request).count == 12)
        #expect((450...550).contains(request.count))
        #expect(request.suffix(4) == Array("\r\n\r\n".utf8)[...])
    }

    @Test func theLastOneSaysSo() throws {
        var maker = RequestMaker(.none, isLast: true)
        try maker.prepare(wallSeconds: 0)
        #expect(Self.fields(maker.next()).last == "connection: close")
    }

    @Test func tokensTakeTurns() throws {
        var maker = RequestMaker(.bearers(["a", "b", "c"]))
        try maker.prepare(wallSeconds: 0)
        let first = (0..<6).map { _ in Self.fields(maker.next()).last ?? "" }
        #expect(
            Set(first)
                == ["a", "b", "c"].reduce(into: []) {
                    $0.insert("authorization: Bearer \($1)")
                })
        #expect(Array(first[..<3]) == Array(first[3...]))
    }
}
