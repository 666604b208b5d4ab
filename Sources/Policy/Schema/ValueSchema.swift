// SPDX-License-Identifier: Apache-2.0

import JSON

/// What the schema says of one value: keywords of JSON Schema 2020-12, written into an object that
/// is open.
///
/// Patterns keep to what every dialect of regular expressions reads alike (JSON Schema core §6.4):
/// no look-around, no `\d`, and `$` only where the whole text ends.
struct ValueSchema: Sendable {
    let write: @Sendable (inout JSONWriter) -> Void

    /// Any value.
    static let any = ValueSchema { _ in }
    static let null = type("null")
    static let bool = type("boolean")
    static let string = type("string")

    static func length(atMost count: Int) -> ValueSchema {
        ValueSchema { $0.member("maxLength", count) }
    }

    static func type(_ name: String) -> ValueSchema {
        ValueSchema { $0.member("type", name) }
    }

    static func integer(_ range: ClosedRange<Int>) -> ValueSchema {
        type("integer")
            .and { $0.member("minimum", range.lowerBound) }
            .and { $0.member("maximum", range.upperBound) }
    }

    static func constant(_ number: Int) -> ValueSchema {
        ValueSchema { $0.member("const", number) }
    }

    static func constant(_ text: String) -> ValueSchema {
        ValueSchema { $0.member("const", text) }
    }

    static func choice(_ names: [String]) -> ValueSchema {
        ValueSchema { $0.strings("enum", names) }
    }

    /// Text that matches the pattern from its first character to its last.
    static func text(_ pattern: String, lengthMax: Int? = nil) -> ValueSchema {
        let text = string.matching("^(\(pattern))$")
        return lengthMax.map { text.and(.length(atMost: $0)) } ?? text
    }

    /// - Parameter count: how many items there may be.
    static func list(
        of item: ValueSchema, _ count: ClosedRange<Int>, isUnique: Bool
    ) -> ValueSchema {
        type("array").and { writer in
            writer.schema("items", item)
            if count.lowerBound > 0 { writer.member("minItems", count.lowerBound) }
            writer.member("maxItems", count.upperBound)
            if isUnique { writer.member("uniqueItems", true) }
        }
    }

    /// What each item of a list is.
    static func items(_ item: ValueSchema) -> ValueSchema {
        ValueSchema { $0.schema("items", item) }
    }

    static func items(atLeast count: Int) -> ValueSchema {
        ValueSchema { $0.member("minItems", count) }
    }

    static func anyOf(_ schemas: [ValueSchema]) -> ValueSchema {
        ValueSchema { $0.schemas("anyOf", schemas) }
    }

    static func allOf(_ schemas: [ValueSchema]) -> ValueSchema {
        ValueSchema { $0.schemas("allOf", schemas) }
    }

    static func not(_ schema: ValueSchema) -> ValueSchema {
        ValueSchema { $0.schema("not", schema) }
    }

    /// Anywhere in the text, unless the pattern says where.
    func matching(_ pattern: String) -> ValueSchema {
        and { $0.member("pattern", pattern) }
    }

    func butNot(_ schema: ValueSchema) -> ValueSchema {
        and(.not(schema))
    }

    /// The keywords of both, of which none may be the same.
    func and(_ other: ValueSchema) -> ValueSchema {
        and(other.write)
    }

    func and(_ other: @escaping @Sendable (inout JSONWriter) -> Void) -> ValueSchema {
        let own = write
        return ValueSchema { writer in
            own(&writer)
            other(&writer)
        }
    }

    // MARK: Of objects

    /// That there are these members.
    static func required(_ names: String...) -> ValueSchema {
        ValueSchema { if !names.isEmpty { $0.strings("required", names) } }
    }

    /// What a member is, where it is there.
    static func member(_ name: String, _ schema: ValueSchema) -> ValueSchema {
        ValueSchema { writer in
            writer.name("properties")
            writer.object { $0.schema(name, schema) }
        }
    }

    /// - Parameter members: each name, and what it asks for beside itself.
    static func dependencies(_ members: [(name: String, others: [String])]) -> ValueSchema {
        ValueSchema { writer in
            writer.name("dependentRequired")
            writer.object { for member in members { $0.strings(member.name, member.others) } }
        }
    }

    /// `consequence` holds wherever `condition` does.
    static func implication(
        _ condition: ValueSchema, _ consequence: ValueSchema
    ) -> ValueSchema {
        ValueSchema { writer in
            writer.schema("if", condition)
            writer.schema("then", consequence)
        }
    }

    /// No more than one item of a list is such.
    static func atMostOne(_ item: ValueSchema) -> ValueSchema {
        ValueSchema { writer in
            writer.schema("contains", item)
            writer.member("minContains", 0)
            writer.member("maxContains", 1)
        }
    }
}

extension JSONWriter {
    mutating func schema(_ name: String, _ schema: ValueSchema) {
        self.name(name)
        object(schema.write)
    }

    mutating func schemas(_ name: String, _ schemas: [ValueSchema]) {
        self.name(name)
        array { for schema in schemas { $0.object(schema.write) } }
    }

    mutating func strings(_ name: String, _ strings: [String]) {
        self.name(name)
        array { for string in strings { $0.string(string) } }
    }
}
