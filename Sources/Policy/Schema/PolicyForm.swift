// SPDX-License-Identifier: Apache-2.0

import JSON

/// How a value of the policy is written: what the schema says of it, and how it is read. The two
/// stand side by side, made of the same bounds and names, so that they cannot say different
/// things.
struct PolicyForm<Value>: Sendable {
    let schema: ValueSchema
    /// What a description says of the form where the schema's keywords tell little to a person; a
    /// sentence, or nothing.
    var words = ""
    /// Notes a fault and gives `nil` where the value has another form.
    let read: @Sendable (inout ConfigurationDraft, PolicyNode) -> Value?

    /// The schema with the words, for what has no key of its own to be described at.
    var described: ValueSchema {
        guard !words.isEmpty else { return schema }
        return ValueSchema { [words] in $0.member("description", words) }.and(schema)
    }
}

/// One key of an object: its name, the form of its value, and what it means.
struct PolicyKey<Value>: Sendable {
    let name: String
    let isRequired: Bool
    let form: PolicyForm<Value>
    /// Whole sentences, for whoever reads the schema in an editor.
    let meaning: String

    init(_ name: String, _ form: PolicyForm<Value>, _ meaning: String) {
        self.name = name
        isRequired = false
        self.form = form
        self.meaning = meaning
    }

    init(required name: String, _ form: PolicyForm<Value>, _ meaning: String) {
        self.name = name
        isRequired = true
        self.form = form
        self.meaning = meaning
    }
}

/// A key without the type of its value.
protocol AnyPolicyKey: Sendable {
    var name: String { get }
    var isRequired: Bool { get }
    var schema: ValueSchema { get }
}

extension PolicyKey: AnyPolicyKey {
    var schema: ValueSchema {
        let description = form.words.isEmpty ? meaning : "\(meaning) \(form.words)"
        return ValueSchema { $0.member("description", description) }.and(form.schema)
    }
}

/// The keys of one kind of object. The reader asks for them by these properties and knows no
/// others, so what is not here can neither be read nor be in the schema.
protocol PolicyKeys: Sendable {
    /// Each of the properties, in the order in which people write them.
    var all: [any AnyPolicyKey] { get }
    /// Names of the finished product that this version refuses by name, so they are not in the
    /// schema.
    var notBuilt: [String] { get }
    /// Names that belong elsewhere, and the reason, which says where.
    var misplaced: (names: [String], reason: String) { get }
    /// What the keys ask of each other.
    var rules: ValueSchema { get }
}

extension PolicyKeys {
    var notBuilt: [String] { [] }
    var misplaced: (names: [String], reason: String) { ([], "") }
    var rules: ValueSchema { .any }

    var schema: ValueSchema {
        ValueSchema { writer in
            writer.member("type", "object")
            writer.name("properties")
            writer.object { for key in all { $0.schema(key.name, key.schema) } }
            let required = all.filter(\.isRequired).map(\.name)
            if !required.isEmpty { writer.strings("required", required) }
            writer.member("additionalProperties", false)
            rules.write(&writer)
        }
    }
}

/// An object whose names have been checked.
@dynamicMemberLookup
struct PolicyObject<Keys: PolicyKeys>: Sendable {
    let node: PolicyNode
    let keys: Keys

    subscript<Value>(dynamicMember key: KeyPath<Keys, PolicyKey<Value>>) -> PolicyField<Value> {
        PolicyField(object: node, key: keys[keyPath: key])
    }
}

/// Where an object has one of its keys, or could have it.
struct PolicyField<Value> {
    let object: PolicyNode
    let key: PolicyKey<Value>

    /// `nil` where it is not given.
    var node: PolicyNode? { object.member(key.name) }
}

/// One item of a list, not read yet.
struct PolicyItem<Value>: Sendable {
    let node: PolicyNode
    let form: PolicyForm<Value>
}
