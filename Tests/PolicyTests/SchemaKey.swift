// SPDX-License-Identifier: Apache-2.0

import JSON
import Policy
import TestSupport
import Testing

/// One key of an object of the schema, and the way to it from the root.
struct SchemaKey: Sendable, CustomTestStringConvertible {
    /// In a policy in which every list has one item.
    let pointer: String
    let schema: JSONValue
    let name: String
    /// The policy up to the key's own name, and behind its value.
    private let before: String
    private let after: String

    var testDescription: String { pointer }

    static let root: JSONValue = {
        let text = Array(PolicySchema.document.utf8)
        do throws(JSONFault) {
            return try JSONReader.read(text.span)
        } catch {
            Issue.record("the schema is no JSON: \(error.reason)")
            return JSONValue(.null, offset: 0)
        }
    }()

    static let all = members(of: root, pointer: "", before: "", after: "")

    /// Through lists and alternatives, down to what is no object.
    private static func members(
        of schema: JSONValue, pointer: String, before: String, after: String
    ) -> [SchemaKey] {
        if let item = schema["items"] {
            return members(
                of: item, pointer: pointer + "/0", before: before + "[", after: "]" + after)
        }
        let alternatives = (schema["anyOf"]?.array ?? []).flatMap {
            members(of: $0, pointer: pointer, before: before, after: after)
        }
        let properties = schema["properties"]?.object ?? []
        return alternatives
            + properties.flatMap { property in
                // The name of a filter tells which keys it has.
                let use = schema["properties"]?["use"]?["enum"]?.array?.first?.string
                let told = property.name == "use" ? nil : use
                let sibling = told.map { "\"use\":\"\($0)\"," } ?? ""
                let key = SchemaKey(
                    pointer: "\(pointer)/\(property.name)", schema: property.value,
                    name: property.name, before: before + "{" + sibling, after: "}" + after)
                return [key]
                    + members(
                        of: property.value, pointer: key.pointer,
                        before: key.before + "\"\(key.name)\":", after: key.after)
            }
    }

    /// What is said of a policy in which the key has this value.
    func faults(_ value: String, suffix: String = "") -> [String] {
        load(policy: "\(before)\"\(name)\(suffix)\":\(value)\(after)").faults
    }

    /// Whether there is a fault at the value or within it.
    func isRefused(_ value: String) -> Bool {
        faults(value).contains { $0.contains(": \(pointer): ") || $0.contains(": \(pointer)/") }
    }
}

/// A validator of what is cheap to tell: types, keys, bounds. Patterns it passes over.
enum SchemaShape {
    /// The first thing that is wrong.
    static func fault(of value: JSONValue, _ schema: JSONValue) -> String? {
        if let type = schema["type"]?.string, !isOf(type, value) { return "not of type \(type)" }
        if let version = schema["const"]?.integer, value.integer != version { return "const" }
        if let names = schema["enum"]?.array, !names.contains(where: { $0.string == value.string })
        {
            return "none of its names"
        }
        if let number = value.integer {
            if let least = schema["minimum"]?.integer, number < least { return "too small" }
            if let most = schema["maximum"]?.integer, number > most { return "too large" }
        }
        if let alternatives = schema["anyOf"]?.array, schema["type"]?.string != "string",
            alternatives.allSatisfy({ fault(of: value, $0) != nil })
        {
            return "no alternative"
        }
        return faultOfItems(value, schema) ?? faultOfMembers(value, schema)
    }

    private static func faultOfItems(_ value: JSONValue, _ schema: JSONValue) -> String? {
        guard let items = value.array else { return nil }
        if let least = schema["minItems"]?.integer, items.count < least { return "too few" }
        if let most = schema["maxItems"]?.integer, items.count > most { return "too many" }
        guard let item = schema["items"] else { return nil }
        return items.lazy.compactMap { fault(of: $0, item) }.first
    }

    private static func faultOfMembers(_ value: JSONValue, _ schema: JSONValue) -> String? {
        guard let members = value.object else { return nil }
        for name in schema["required"]?.array ?? [] where value[name.string ?? ""] == nil {
            return "\(name.string ?? "") is missing"
        }
        for member in members {
            if let inner = schema["properties"]?[member.name] {
                if let fault = fault(of: member.value, inner) { return "\(member.name): \(fault)" }
            } else if schema["additionalProperties"]?.bool == false {
                return "\(member.name) is unknown"
            }
        }
        return nil
    }

    private static func isOf(_ type: String, _ value: JSONValue) -> Bool {
        switch type {
        case "object": value.object != nil
        case "array": value.array != nil
        case "string": value.string != nil
        case "integer": value.number?.whole != nil
        case "boolean": value.bool != nil
        case "null": value.isNull
        default: false
        }
    }
}
