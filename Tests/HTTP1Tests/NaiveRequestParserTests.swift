// SPDX-License-Identifier: Apache-2.0
import HTTP1
import Testing

@Suite("The parser and a naive one agree")
struct NaiveRequestParserTests {
    /// Bytes that matter to the grammar, to be put where they do harm.
    private static let spice = Array("\r\n\t :,;/?#*%_-\0\u{7F}\u{e9}0Aa[]@\"\\".utf8)

    private static let seeds: [[UInt8]] =
        (RequestCases.good.map(\.text) + RequestCases.bad.map(\.text)).map { Array($0.utf8) }

    @Test("on every case of the tables")
    func tables() {
        for bytes in Self.seeds { check(bytes, "table") }
    }

    @Test("on random mutations", arguments: 0..<8)
    func mutations(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for round in 0..<4000 {
            var bytes = Self.seeds[Int.random(in: 0..<Self.seeds.count, using: &random)]
            for _ in 0...Int.random(in: 0..<3, using: &random) { mutate(&bytes, &random) }
            check(bytes, "seed \(seed), round \(round)")
        }
    }

    private func mutate(_ bytes: inout [UInt8], _ random: inout SeededGenerator) {
        let place = Int.random(in: 0...bytes.count, using: &random)
        let byte = Self.spice[Int.random(in: 0..<Self.spice.count, using: &random)]
        switch Int.random(in: 0..<5, using: &random) {
        case 0: bytes.insert(byte, at: place)
        case 1: if place < bytes.count { bytes[place] = byte }
        case 2: if place < bytes.count { bytes.remove(at: place) }
        case 3:
            if place < bytes.count { bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random) }
        default:
            let other = Self.seeds[Int.random(in: 0..<Self.seeds.count, using: &random)]
            let cut = Int.random(in: 0...other.count, using: &random)
            bytes = Array(bytes[..<place]) + other[cut...]
        }
    }

    private func check(_ bytes: [UInt8], _ origin: String) {
        let naive = NaiveRequestParser.parse(bytes)
        var fast: NaiveRequestParser.Head?
        if case .complete(let image) = parseRequest(bytes) {
            fast = NaiveRequestParser.Head(
                start: [image.start[0], image.start[1], "HTTP/1.\(image.minorVersion)"],
                fields: image.fields.map { [Array($0.name.utf8), $0.value] },
                framing: image.framing, count: image.count)
        }
        if naive != fast {
            let text = String(decoding: bytes, as: UTF8.self).debugDescription
            Issue.record(
                "\(origin): \(text): naive \(String(describing: naive)), fast \(String(describing: fast))"
            )
        }
    }
}
