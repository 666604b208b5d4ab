// SPDX-License-Identifier: Apache-2.0

import Bytes

/// Line and column of a byte, both counted from 1 as editors show them.
///
/// Lines end with LF, so CRLF ends one too. A column is a Unicode scalar value, and a byte order
/// mark takes none.
package struct TextPosition: Sendable, Hashable, Comparable {
    package let line: Int
    package let column: Int

    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    /// The position of the byte at `offset`; that of the end where `offset` lies beyond it.
    package init(of offset: Int, in text: Span<UInt8>) {
        var line = 1
        var column = 1
        var index = JSONReader.hasByteOrderMark(text) ? 3 : 0
        while index < min(offset, text.count) {
            let byte = text[index]
            if byte == .lineFeed {
                line += 1
                column = 1
            } else if byte & 0xC0 != 0x80 {
                // A continuation byte belongs to the character before it.
                column += 1
            }
            index += 1
        }
        self.init(line: line, column: column)
    }

    package static func < (left: TextPosition, right: TextPosition) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}

extension TextPosition: CustomStringConvertible {
    package var description: String { "\(line):\(column)" }
}
