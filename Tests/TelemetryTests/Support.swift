// SPDX-License-Identifier: Apache-2.0

import Bytes
import Testing

extension String {
    var bytes: [UInt8] { Array(utf8) }
}

/// Runs `body` with a buffer that holds a slab, and gives the slab back.
func withBuffer(_ body: (inout Buffer) -> Void) {
    var pool = SlabPool(bound: 1)
    var buffer = Buffer()
    let isAttached = buffer.attach(from: &pool)
    #expect(isAttached)
    body(&buffer)
    buffer.release(to: &pool)
}

/// What a JSON object of one level says, read strictly by RFC 8259; `nil` for anything else.
///
/// An oracle for the writers here: strings are decoded, numbers and literals left as written.
struct FlatJSON {
    private(set) var members: [(key: String, value: String)] = []
    private var rest: Substring.UnicodeScalarView

    init?(line: [UInt8]) {
        guard let text = String(validating: line, as: UTF8.self), text.utf8.last == 0x0A else {
            return nil
        }
        rest = text.dropLast().unicodeScalars
        guard take("{") else { return nil }
        repeat {
            guard let key = string(), take(":"), let value = string() ?? literal() else {
                return nil
            }
            members.append((key, value))
        } while take(",")
        guard take("}"), rest.isEmpty else { return nil }
        guard Set(members.map(\.key)).count == members.count else { return nil }
    }

    subscript(key: String) -> String? { members.first { $0.key == key }?.value }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard rest.first == scalar else { return false }
        rest.removeFirst()
        return true
    }

    private mutating func literal() -> String? {
        let text = String(String.UnicodeScalarView(rest.prefix { $0 != "," && $0 != "}" }))
        guard ["true", "false", "null"].contains(text) || Int(text).map(String.init) == text else {
            return nil
        }
        rest.removeFirst(text.unicodeScalars.count)
        return text
    }

    private mutating func string() -> String? {
        guard take("\"") else { return nil }
        var text = String.UnicodeScalarView()
        while let scalar = rest.popFirst() {
            switch scalar {
            case "\"": return String(text)
            case "\\":
                guard let escaped = escape() else { return nil }
                text.append(escaped)
            case "\u{0}"..<"\u{20}": return nil
            default: text.append(scalar)
            }
        }
        return nil
    }

    private mutating func escape() -> Unicode.Scalar? {
        switch rest.popFirst() {
        case "\"": return "\""
        case "\\": return "\\"
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "u":
            let digits = String(String.UnicodeScalarView(rest.prefix(4)))
            guard digits.count == 4, let value = UInt32(digits, radix: 16) else { return nil }
            rest.removeFirst(4)
            return Unicode.Scalar(value)
        default: return nil
        }
    }
}
