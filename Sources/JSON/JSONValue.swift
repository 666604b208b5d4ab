// SPDX-License-Identifier: Apache-2.0

/// A JSON text as a tree in which every value and every name knows where it stands.
///
/// Made for what is read at load: configuration, key sets, cases. Requests are judged in place.
package struct JSONValue: Sendable {
    package enum Content: Sendable {
        case null
        case bool(Bool)
        case number(JSONNumber)
        case string(String)
        case array([JSONValue])
        case object([JSONMember])
        /// A string that may be a secret: where it lies in the text, without its quotes.
        case withheld(Range<Int>)
    }

    package let content: Content
    /// Offset of the value's first byte in the text.
    package let offset: Int

    package init(_ content: Content, offset: Int) {
        self.content = content
        self.offset = offset
    }
}

/// One name and its value, in the order of the text.
package struct JSONMember: Sendable {
    package let name: String
    /// Offset of the quote that opens the name.
    package let nameOffset: Int
    package let value: JSONValue

    package init(name: String, nameOffset: Int, value: JSONValue) {
        self.name = name
        self.nameOffset = nameOffset
        self.value = value
    }
}

/// A number as it is written: nothing is rounded before someone asks for a machine type.
package struct JSONNumber: Sendable, Equatable {
    package let text: String

    package init(text: String) {
        self.text = text
    }

    /// The value where it is written as a plain integer (no fraction, no exponent) and fits.
    package var integer: Int? { Int(text) }

    /// The value where it is whole and fits, however it is written: `1.0` and `10e-1` are 1.
    package var whole: Int? {
        if let integer { return integer }
        let parts = text.split(maxSplits: 1, whereSeparator: { $0 == "e" || $0 == "E" })
        let decimal = parts[0].split(separator: ".", maxSplits: 1)
        let fraction = decimal.count == 2 ? decimal[1] : ""
        // The digits without the point, which the exponent then moves.
        var digits = String(decimal[0] + fraction)
        guard digits.contains(where: { $0 != "0" && $0 != "-" }) else { return 0 }
        guard let exponent = parts.count == 2 ? Int(parts[1]) : 0 else { return nil }
        var zeros = exponent.subtractingReportingOverflow(fraction.utf8.count)
        guard !zeros.overflow else { return nil }
        while zeros.partialValue < 0, digits.last == "0" {
            digits.removeLast()
            zeros.partialValue += 1
        }
        guard (0...Self.zerosMax).contains(zeros.partialValue) else { return nil }
        return Int(digits + String(repeating: "0", count: zeros.partialValue))
    }

    /// More of them fit into no machine type.
    private static let zerosMax = 20
}

extension JSONValue {
    package var isNull: Bool {
        if case .null = content { true } else { false }
    }

    package var bool: Bool? {
        if case .bool(let value) = content { value } else { nil }
    }

    package var number: JSONNumber? {
        if case .number(let value) = content { value } else { nil }
    }

    package var integer: Int? { number?.integer }

    package var string: String? {
        if case .string(let value) = content { value } else { nil }
    }

    package var array: [JSONValue]? {
        if case .array(let values) = content { values } else { nil }
    }

    package var object: [JSONMember]? {
        if case .object(let members) = content { members } else { nil }
    }

    /// Where a string lies that was withheld.
    package var withheld: Range<Int>? {
        if case .withheld(let range) = content { range } else { nil }
    }

    /// The member of that name, compared byte by byte: Swift's own comparison of strings holds
    /// canonically equivalent ones for equal (U+212A for `K`), JSON does not.
    package func member(_ name: String) -> JSONMember? {
        object?.first { $0.name.utf8.elementsEqual(name.utf8) }
    }

    package subscript(_ name: String) -> JSONValue? { member(name)?.value }

    /// The kind of value in words, for faults.
    package var kind: String {
        switch content {
        case .null: "null"
        case .bool: "a boolean"
        case .number: "a number"
        case .string, .withheld: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}
