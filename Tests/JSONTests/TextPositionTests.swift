// SPDX-License-Identifier: Apache-2.0

import JSON
import Testing

@Suite struct TextPositionTests {
    static let cases: [(String, Int, Int, Int)] = [
        ("", 0, 1, 1), ("abc", 0, 1, 1), ("abc", 2, 1, 3), ("abc", 3, 1, 4),
        ("a\nb", 1, 1, 2), ("a\nb", 2, 2, 1), ("a\r\nb", 3, 2, 1), ("\n\n", 2, 3, 1),
        ("é€𝄞x", 2, 1, 2), ("é€𝄞x", 5, 1, 3), ("é€𝄞x", 9, 1, 4),
        ("\tx", 1, 1, 2), ("\u{FEFF}x", 3, 1, 1), ("\u{FEFF}xy", 4, 1, 2), ("\u{FEFF}", 0, 1, 1),
        // Beyond the end is the end.
        ("a\nbc", 99, 2, 3),
    ]

    @Test(arguments: cases)
    func lineAndColumn(text: String, offset: Int, line: Int, column: Int) {
        let position = TextPosition(of: offset, in: Array(text.utf8).span)
        #expect(position == TextPosition(line: line, column: column))
        #expect(position.description == "\(line):\(column)")
    }

    @Test func pointersEscape() {
        #expect(JSONPointer().description == "")
        #expect(JSONPointer().appending("a").appending(0).description == "/a/0")
        // The examples of RFC 6901 §5.
        let names = ["foo", "", "a/b", "c%d", "e^f", "g|h", "i\\j", "k\"l", " ", "m~n"]
        #expect(
            names.map { JSONPointer().appending($0).description } == [
                "/foo", "/", "/a~1b", "/c%d", "/e^f", "/g|h", "/i\\j", "/k\"l", "/ ", "/m~0n",
            ])
    }
}
