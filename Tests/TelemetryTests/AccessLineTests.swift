// SPDX-License-Identifier: Apache-2.0

import Bytes
import Telemetry
import Testing

@Suite struct AccessLineTests {
    private struct Texts {
        var requestID: [UInt8] = []
        var traceID: [UInt8] = []
        var spanID: [UInt8] = []
        var client: [UInt8] = []
        var agent: [UInt8] = []
        var user: [UInt8] = []
        var method: [UInt8] = []
        var path: [UInt8] = []
        var tls: [UInt8] = []
        var serverName: [UInt8] = []

        func write(
            _ record: AccessRecord, by writer: inout AccessLineWriter, into buffer: inout Buffer
        ) -> Bool {
            writer.write(
                record, requestID: requestID.span, traceID: traceID.span, spanID: spanID.span,
                client: client.span, agent: agent.span, user: user.span, method: method.span,
                path: path.span, tls: tls.span, serverName: serverName.span,
                into: &buffer)
        }
    }

    private func line(_ record: AccessRecord, _ texts: Texts) -> [UInt8] {
        var line: [UInt8] = []
        withBuffer { buffer in
            var writer = AccessLineWriter(schema: .sample)
            let isWhole = texts.write(record, by: &writer, into: &buffer)
            #expect(isWhole)
            line = buffer.readable.array
        }
        return line
    }

    @Test func everyMemberInItsPlace() {
        var record = AccessRecord()
        record.level = .warn
        record.realtimeNanoseconds = 1_780_315_200_123_456_789
        record.status = 401
        record.code = 1
        record.filter = 0
        record.route = 1
        record.upstream = 0
        record.upstreamStatus = 502
        record.bytesIn = 519
        record.bytesOut = .max
        record.durationMicroseconds = 1234
        record.gatewayMicroseconds = 56
        let texts = Texts(
            requestID: "r-1".bytes, traceID: "4bf92f3577b34da6a3ce929d0e0e4736".bytes,
            spanID: "00f067aa0ba902b7".bytes, client: "192.0.2.1".bytes,
            agent: "weather-1".bytes, user: "ops@example.com".bytes, method: "POST".bytes,
            path: "/v1/chat".bytes, tls: "TLSv1.3".bytes)
        let expected =
            #"{"ts":"2026-06-01T12:00:00.123456Z","level":"warn","msg":"request","#
            + #""request_id":"r-1","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","#
            + #""span_id":"00f067aa0ba902b7","client":"192.0.2.1","agent":"weather-1","#
            + #""user":"ops@example.com","method":"POST","path":"/v1/chat","status":401,"#
            + #""code":"totp_invalid","filter":"totp","route":"/v1/","upstream":"openclaw","#
            + #""upstream_status":502,"bytes_in":519,"bytes_out":18446744073709551615,"#
            + #""duration_us":1234,"gateway_us":56,"tls":"TLSv1.3"}"# + "\n"
        #expect(String(decoding: line(record, texts), as: UTF8.self) == expected)
    }

    @Test func whatDoesNotApplyIsLeftOut() {
        let text = String(decoding: line(AccessRecord(), Texts()), as: UTF8.self)
        #expect(
            text == #"{"ts":"1970-01-01T00:00:00.000000Z","level":"info","msg":"request","#
                + #""status":0,"code":"ok","filter":null,"bytes_in":0,"bytes_out":0,"duration_us":0,"#
                + #""gateway_us":0}"# + "\n")
    }

    @Test(arguments: [
        ("/plain", "/plain"), ("/\"q\"", "/\"q\""), ("/\\", "/\\"), ("/größe/日本/🦞", "/größe/日本/🦞"),
        ("/a\nb\rc\td", "/a\nb\rc\td"), ("/\u{0}\u{1F}\u{7F}", "/\u{0}\u{1F}\u{7F}"),
        ("/\u{80}\u{9B}\u{9F}\u{A0}", "/\u{80}\u{9B}\u{9F}\u{A0}"), ("/\u{2028}", "/\u{2028}"),
    ])
    func textsSurvive(path: String, expected: String) {
        var texts = Texts()
        texts.path = path.bytes
        let bytes = line(AccessRecord(), texts)
        #expect(FlatJSON(line: bytes)?["path"] == expected)
        let controls = bytes.dropLast().filter { $0 < 0x20 || $0 == 0x7F }
        #expect(controls.isEmpty, "nothing that a terminal obeys")
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(!text.unicodeScalars.contains { (0x80..<0xA0).contains($0.value) })
    }

    /// Each bad byte becomes one U+FFFD: the naive oracle takes the shortest valid prefix at
    /// each place, or gives one byte up.
    @Test(
        arguments: [
            [0x80], [0xC3], [0xC3, 0x28], [0xC0, 0xAF], [0xE2, 0x82], [0xE2, 0x82, 0xAC, 0xE2],
            [0xED, 0xA0, 0x80], [0xF0, 0x9F, 0xA6], [0xF4, 0x90, 0x80, 0x80], [0xF8, 0x88, 0x80],
            [0xFF, 0xFE], [0x61, 0xFF, 0x22, 0xFF, 0x5C, 0xFF, 0x0A],
        ] as [[UInt8]])
    func badBytesAreReplacedOneByOne(path: [UInt8]) {
        for padding in 0..<9 {
            let padded = [UInt8](repeating: 0x61, count: padding) + path
            var texts = Texts()
            texts.path = padded
            let value = FlatJSON(line: line(AccessRecord(), texts))?["path"]
            #expect(value == repaired(padded), "\(padded)")
        }
    }

    private func repaired(_ bytes: [UInt8]) -> String {
        var text = ""
        var offset = 0
        next: while offset < bytes.count {
            for length in 1...4 where offset + length <= bytes.count {
                let piece = Array(bytes[offset..<(offset + length)])
                guard let valid = String(validating: piece, as: UTF8.self) else { continue }
                text += valid
                offset += length
                continue next
            }
            text += "\u{FFFD}"
            offset += 1
        }
        return text
    }

    @Test(arguments: 0..<40 as Range<UInt64>) func randomBytesMakeValidLines(seed: UInt64) {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        func random() -> [UInt8] {
            (0..<Int(state % 300)).map { _ in
                state ^= state << 13
                state ^= state >> 7
                state ^= state << 17
                return UInt8(truncatingIfNeeded: state >> 24)
            }
        }
        let texts = Texts(
            requestID: random(), traceID: random(), spanID: random(), client: random(),
            agent: random(), user: random(), method: random(), path: random(), tls: random())
        let parsed = FlatJSON(line: line(AccessRecord(), texts))
        #expect(parsed != nil, "seed \(seed)")
        if texts.agent.count <= AccessLineWriter.textLengthMax, !texts.agent.isEmpty {
            #expect(parsed?["agent"] == repaired(texts.agent), "seed \(seed)")
        }
    }

    @Test(arguments: [(1023, false), (1024, false), (1025, true), (8192, true)])
    func longPathsAreCut(length: Int, isCut: Bool) {
        var texts = Texts()
        texts.path = [UInt8](repeating: UInt8(ascii: "p"), count: length)
        let path = FlatJSON(line: line(AccessRecord(), texts))?["path"]
        let kept = String(repeating: "p", count: min(length, 1024))
        #expect(path == kept + (isCut ? "…" : ""))
    }

    /// The cut falls between characters, wherever the limit lies in one.
    @Test(arguments: ["ü", "日", "🦞"]) func cutsBetweenCharacters(character: String) {
        for padding in 0..<4 {
            var texts = Texts()
            let text =
                String(repeating: "x", count: padding)
                + String(repeating: character, count: 300)
            texts.user = text.bytes
            let user = FlatJSON(line: line(AccessRecord(), texts))?["user"]
            let characters = (256 - padding) / character.utf8.count
            #expect(
                user == String(repeating: "x", count: padding)
                    + String(repeating: character, count: characters) + "…")
        }
    }

    @Test func aLineThatDoesNotFitLeavesTheBufferAsItWas() {
        var writer = AccessLineWriter(schema: .sample)
        var texts = Texts()
        texts.path = "/some/path".bytes
        let length = line(AccessRecord(), texts).count
        for room in stride(from: 0, through: length, by: 1) {
            withBuffer { buffer in
                let before = [UInt8](repeating: 7, count: Slab.capacity - room)
                buffer.append(array: before)
                let isWhole = texts.write(AccessRecord(), by: &writer, into: &buffer)
                let (count, overflowed) = (buffer.count, buffer.overflowed)
                #expect(isWhole == (room == length))
                #expect(count == before.count + (isWhole ? length : 0))
                #expect(!overflowed, "whether the line fitted is said by the result alone")
            }
        }
    }

    @Test func theLongestLineFitsASlab() {
        let bad = [UInt8](repeating: 0xFF, count: 9000)
        let texts = Texts(
            requestID: bad, traceID: bad, spanID: bad, client: bad, agent: bad, user: bad,
            method: bad, path: bad, tls: bad)
        let length = line(AccessRecord(), texts).count
        #expect(length < Slab.capacity)
    }
}
