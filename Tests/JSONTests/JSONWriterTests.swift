// SPDX-License-Identifier: Apache-2.0

import JSON
import Testing

@Suite struct JSONWriterTests {
    private func example(_ layout: JSONWriter.Layout) -> String {
        var writer = JSONWriter(layout)
        writer.object {
            $0.member("name", "weather-1")
            $0.name("keys")
            $0.array {
                $0.integer(1)
                $0.object { $0.member("on", true) }
                $0.array { _ in }
            }
            $0.name("none")
            $0.object { _ in }
            $0.member("count", UInt64.max)
            $0.name("end")
            $0.null()
        }
        return writer.text
    }

    @Test func compactHasNoSpace() {
        #expect(
            example(.compact)
                == #"{"name":"weather-1","keys":[1,{"on":true},[]],"none":{},"count":18446744073709551615,"end":null}"#
        )
    }

    @Test func prettyHasOneItemALine() {
        #expect(
            example(.pretty) == """
                {
                  "name": "weather-1",
                  "keys": [
                    1,
                    {
                      "on": true
                    },
                    []
                  ],
                  "none": {},
                  "count": 18446744073709551615,
                  "end": null
                }
                """)
    }

    /// Whatever a string holds, what is written reads back as it was.
    @Test func stringsSurvive() throws {
        var text = ""
        for value in UInt32(0)...0x2FF { text.unicodeScalars.append(Unicode.Scalar(value) ?? "?") }
        text += "\u{2028}\u{FEFF}\u{10FFFF}𝄞e\u{301}"
        for layout in [JSONWriter.Layout.compact, .pretty] {
            var writer = JSONWriter(layout)
            writer.array { $0.string(text) }
            let items = try #require(try read(writer.text).array)
            #expect(items.first?.string.map { Array($0.utf8) } == Array(text.utf8))
            #expect(!writer.text.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" })
        }
    }

    /// Tree to text to tree to text changes nothing.
    @Test func prettyAndCompactSayTheSame() throws {
        let pretty = example(.pretty)
        #expect(compact(try read(pretty)) == example(.compact))
    }
}
