// SPDX-License-Identifier: Apache-2.0

/// Builds one JSON text: commas, colons, indentation and escapes are its business.
///
/// ```swift
/// var writer = JSONWriter()
/// writer.object {
///     $0.member("name", "weather-1")
///     $0.name("keys")
///     $0.array { $0.integer(1) }
/// }
/// writer.text  // {"name":"weather-1","keys":[1]}
/// ```
package struct JSONWriter: Sendable {
    package enum Layout: Sendable {
        case compact
        /// One item a line, indented by two spaces.
        case pretty
    }

    package private(set) var text = ""
    private let layout: Layout
    private var depth = 0
    /// Whether the open array or object holds something already.
    private var needsComma = false
    /// Whether a name was just written, so that its value follows on the same line.
    private var followsName = false

    package init(_ layout: Layout = .compact) {
        self.layout = layout
    }

    package var bytes: [UInt8] { Array(text.utf8) }

    package mutating func object(_ content: (inout JSONWriter) -> Void) {
        bracketed("{", "}", content)
    }

    package mutating func array(_ content: (inout JSONWriter) -> Void) {
        bracketed("[", "]", content)
    }

    /// The name of the value written next.
    package mutating func name(_ name: String) {
        precondition(!followsName, "a name must be followed by its value")
        string(name)
        text.append(layout == .pretty ? ": " : ":")
        followsName = true
    }

    package mutating func string(_ value: String) {
        beginItem()
        text.append("\"")
        for scalar in value.unicodeScalars { append(scalar) }
        text.append("\"")
    }

    package mutating func integer(_ value: some BinaryInteger) {
        literal(String(value))
    }

    package mutating func bool(_ value: Bool) {
        literal(value ? "true" : "false")
    }

    package mutating func null() {
        literal("null")
    }

    /// A number as it was read.
    package mutating func number(_ value: JSONNumber) {
        literal(value.text)
    }

    package mutating func value(_ value: JSONValue) {
        switch value.content {
        case .null: null()
        case .bool(let value): bool(value)
        case .number(let value): number(value)
        case .string(let value): string(value)
        case .withheld: null()
        case .array(let values): array { for value in values { $0.value(value) } }
        case .object(let members):
            object {
                for member in members {
                    $0.name(member.name)
                    $0.value(member.value)
                }
            }
        }
    }

    private mutating func bracketed(
        _ open: String, _ close: String, _ content: (inout JSONWriter) -> Void
    ) {
        beginItem()
        text.append(open)
        depth += 1
        needsComma = false
        content(&self)
        precondition(!followsName, "a name must be followed by its value")
        depth -= 1
        // An empty pair of brackets stays on one line.
        if needsComma { breakLine() }
        text.append(close)
        needsComma = true
    }

    private mutating func literal(_ value: String) {
        beginItem()
        text.append(value)
    }

    private mutating func beginItem() {
        if followsName {
            followsName = false
        } else {
            if needsComma { text.append(",") }
            if depth > 0 { breakLine() }
        }
        needsComma = true
    }

    private mutating func breakLine() {
        guard layout == .pretty else { return }
        text.append("\n")
        text.append(String(repeating: "  ", count: depth))
    }

    /// RFC 8259 §7: quote, backslash and controls must be escaped. DEL and the C1 controls need
    /// not be, but are, since a terminal may act on them.
    private mutating func append(_ scalar: Unicode.Scalar) {
        switch scalar {
        case "\"": text.append("\\\"")
        case "\\": text.append("\\\\")
        case "\n": text.append("\\n")
        case "\r": text.append("\\r")
        case "\t": text.append("\\t")
        case "\u{0}"..<"\u{20}", "\u{7F}"..<"\u{A0}":
            let digits = String(scalar.value, radix: 16)
            text.append("\\u" + String(repeating: "0", count: 4 - digits.count) + digits)
        default: text.unicodeScalars.append(scalar)
        }
    }
}

extension JSONWriter {
    package mutating func member(_ name: String, _ value: String) {
        self.name(name)
        string(value)
    }

    package mutating func member(_ name: String, _ value: Bool) {
        self.name(name)
        bool(value)
    }

    package mutating func member(_ name: String, _ value: some BinaryInteger) {
        self.name(name)
        integer(value)
    }
}
