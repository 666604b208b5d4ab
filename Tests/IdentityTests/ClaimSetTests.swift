// SPDX-License-Identifier: Apache-2.0

import Identity
import JSON
import TestSupport
import Testing

@Suite("JSON of tokens")
struct ClaimSetTests {
    /// Pieces that make objects, mostly good ones.
    static let pieces = [
        "{", "}", "[", "]", ":", ",", "\"a\"", "\"b\"", "\"\\u0061\"", "\"\"", "\"é\"", "1",
        "-0.5e3",
        "0", "01", "true", "null", " ", "\n", "{\"a\":1}", "[\"a\",\"\\n\"]", "\"\\ud83d\\ude00\"",
        "\"\\ud83d\"", "\"a\":", ",\"b\":", "tru", "\\", "\"",
    ]

    static func text(_ random: inout SeededRandom) -> String {
        var text = "{"
        for number in 0..<Int.random(in: 0..<6, using: &random) {
            if number > 0 { text += "," }
            text +=
                ["\"a\"", "\"b\"", "\"c\"", "\"\\u0062\"", "\"d\""][
                    Int.random(in: 0..<5, using: &random)]
            text += ":" + value(&random, depth: 0)
        }
        text += "}"
        // Half of them get a piece that need not fit.
        if Bool.random(using: &random), let piece = pieces.randomElement(using: &random) {
            let place = text.unicodeScalars.indices.randomElement(using: &random) ?? text.startIndex
            text.insert(contentsOf: piece, at: place)
        }
        return text
    }

    private static func value(_ random: inout SeededRandom, depth: Int) -> String {
        switch Int.random(in: 0..<(depth < 3 ? 8 : 6), using: &random) {
        case 0: "\"x\\u00e9y\""
        case 1: "\"\""
        case 2: ["1", "0", "-1.5", "2e3", "1700000000"].randomElement(using: &random) ?? "1"
        case 3: "true"
        case 4: "[\"a\",\"b\"]"
        case 5: "null"
        case 6: "{\"a\":" + value(&random, depth: depth + 1) + "}"
        default:
            "[" + value(&random, depth: depth + 1) + " , " + value(&random, depth: depth + 1) + "]"
        }
    }

    /// The reader of policies is the oracle: both take the same texts for objects, and find the
    /// same in them.
    @Test(arguments: 0..<8)
    func whatTheTreeReaderSays(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var counts = (good: 0, bad: 0)
        for _ in 0..<500 {
            let text = Self.text(&random)
            let bytes = Array(text.utf8)
            let tree = try? JSONReader.read(bytes.span)
            let claims = ClaimSet(bytes)
            guard let members = tree?.object else {
                #expect(claims == nil, "\(text)")
                counts.bad += 1
                continue
            }
            counts.good += 1
            guard let claims else {
                Issue.record("refused: \(text)")
                continue
            }
            for member in members {
                #expect(claims.has(member.name))
                #expect(claims.bytes(member.name) == member.value.string.map { Array($0.utf8) })
                let number = claims.number(member.name).map { String(decoding: $0, as: UTF8.self) }
                #expect(number == member.value.number?.text)
                let items = member.value.array?.map(\.string)
                let texts = claims.texts(member.name)
                if let items, !items.contains(nil) {
                    #expect(texts == items.map { Array(($0 ?? "").utf8) })
                } else {
                    #expect(texts == nil)
                }
            }
            for name in ["a", "b", "c", "d", "e"] {
                #expect(claims.has(name) == members.contains { $0.name == name })
            }
        }
        #expect(counts.good > 100 && counts.bad > 50)
    }

    @Test func everyCutIsRefused() {
        let text = Array(#"{"a":"\u00e9\ud83d\ude00","b":[1,-2.5e-3,"x"],"c":{"d":true}}"#.utf8)
        #expect(ClaimSet(text) != nil)
        for end in text.indices { #expect(ClaimSet(Array(text[..<end])) == nil) }
    }
}
