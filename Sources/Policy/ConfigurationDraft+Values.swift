// SPDX-License-Identifier: Apache-2.0

import Bytes
import JSON

/// From a value of the policy to a value of ours. Each of these notes a fault and gives `nil`
/// where that cannot be.
extension ConfigurationDraft {
    /// An object without its unknown, unbuilt and misplaced members, all of which are faults.
    ///
    /// - Parameter misplaced: names that belong elsewhere, and `reason`, which says where.
    mutating func object(
        _ node: PolicyNode, known: [String], notBuilt: [String] = [], misplaced: [String] = [],
        reason: String = ""
    ) -> PolicyObject? {
        guard let members = node.value.object else { return mismatch(node, "an object") }
        for member in members {
            let isNamed = { (name: String) in name.utf8.elementsEqual(member.name.utf8) }
            if known.contains(where: isNamed) { continue }
            var place = PolicyNode(member.value, node.pointer.appending(member.name))
            place.offset = member.nameOffset
            if notBuilt.contains(where: isNamed) {
                fault(place, Self.notBuilt(Printable.quoted(member.name)))
                continue
            }
            if misplaced.contains(where: isNamed) {
                fault(place, Printable.quoted(member.name) + " " + reason)
                continue
            }
            let nearest = NearestName.of(member.name, in: known + notBuilt + misplaced)
            fault(
                place,
                "unknown key \(Printable.quoted(member.name))"
                    + (nearest.map { "; did you mean `\($0)`?" } ?? ""))
        }
        return PolicyObject(node: node)
    }

    static func notBuilt(_ what: String) -> String {
        "\(what) is not built yet in this version"
    }

    /// Reads one setting where it is given.
    mutating func take<Value>(
        _ node: PolicyNode?, _ setting: ConfigurationSetting,
        _ path: WritableKeyPath<Configuration, Value>,
        _ read: (inout ConfigurationDraft, PolicyNode) -> Value?
    ) {
        guard let node, let value = read(&self, node) else { return }
        set(setting, path, to: value, from: .policy, at: place(of: node))
    }

    /// Reads one value of an item of a list where it is given.
    mutating func assign<Value>(
        _ node: PolicyNode?, to target: inout Value,
        _ read: (inout ConfigurationDraft, PolicyNode) -> Value?
    ) {
        guard let node, let value = read(&self, node) else { return }
        target = value
    }

    /// Of a key that is not built yet, the value that changes nothing is let through.
    mutating func requireInert(
        _ node: PolicyNode?, _ name: String, unless inert: String, _ isInert: (JSONValue) -> Bool
    ) {
        guard let node, !isInert(node.value) else { return }
        fault(node, Self.notBuilt("`\(name)` other than \(inert)"))
    }

    mutating func items(_ node: PolicyNode, max: Int) -> [PolicyNode]? {
        guard let values = node.value.array else { return mismatch(node, "an array") }
        guard values.count <= max else {
            fault(node, "more than \(max) items")
            return nil
        }
        return values.enumerated().map { PolicyNode($1, node.pointer.appending($0)) }
    }

    mutating func string(_ node: PolicyNode) -> String? {
        node.value.string ?? mismatch(node, "a string")
    }

    mutating func bool(_ node: PolicyNode) -> Bool? {
        node.value.bool ?? mismatch(node, "true or false")
    }

    mutating func integer(_ node: PolicyNode, in range: ClosedRange<Int>) -> Int? {
        guard let number = node.value.number else { return mismatch(node, "a number") }
        guard let value = number.integer, range.contains(value) else {
            fault(node, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return value
    }

    mutating func duration(_ node: PolicyNode, in range: ClosedRange<Int>) -> Int? {
        guard let text = string(node) else { return nil }
        guard let value = DurationText.parse(text), range.contains(value) else {
            fault(node, Expected.duration(range))
            return nil
        }
        return value
    }

    /// For what other programs count in seconds.
    mutating func wholeSeconds(_ node: PolicyNode, in range: ClosedRange<Int>) -> Int? {
        guard let value = duration(node, in: range) else { return nil }
        guard value % 1000 == 0 else {
            fault(node, "must be whole seconds")
            return nil
        }
        return value
    }

    mutating func size(_ node: PolicyNode, in range: ClosedRange<Int>) -> Int? {
        guard let text = string(node) else { return nil }
        guard let value = SizeText.parse(text), range.contains(value) else {
            fault(
                node,
                "must be a size from \(SizeText.text(range.lowerBound)) to "
                    + "\(SizeText.text(range.upperBound)), as in `\"64KiB\"`")
            return nil
        }
        return value
    }

    mutating func choice<Choice: CaseIterable & RawRepresentable<String>>(
        _ node: PolicyNode, of type: Choice.Type
    ) -> Choice? {
        guard let text = string(node) else { return nil }
        guard let value = Choice(rawValue: text) else {
            fault(node, Expected.choice(type))
            return nil
        }
        return value
    }

    /// What goes into tokens and headers: 1 to 256 characters of visible ASCII, spaces within.
    mutating func claim(_ node: PolicyNode) -> String? {
        guard let text = string(node) else { return nil }
        guard Expected.isClaim(text) else {
            fault(node, Expected.claim)
            return nil
        }
        return text
    }

    /// A path; a relative one starts at the policy's folder.
    mutating func path(_ node: PolicyNode) -> String? {
        guard let text = string(node) else { return nil }
        guard !text.isEmpty, !text.utf8.contains(0) else {
            fault(node, "must be a path")
            return nil
        }
        return PathText.resolve(text, besides: policy?.path ?? "")
    }

    private mutating func mismatch<Value>(_ node: PolicyNode, _ expected: String) -> Value? {
        fault(node, "must be \(expected), not \(node.value.kind)")
        return nil
    }
}

/// An object whose names have been checked.
struct PolicyObject {
    let node: PolicyNode

    subscript(_ name: String) -> PolicyNode? {
        node.value[name].map { PolicyNode($0, node.pointer.appending(name)) }
    }
}

extension PolicyNode {
    /// The value at the end of these names, each a member of the one before.
    func member(_ names: String...) -> PolicyNode? {
        names.reduce(self) { (node: PolicyNode?, name) in
            node.flatMap { PolicyObject(node: $0)[name] }
        }
    }
}

/// What a value should have been, in words the policy and the environment share.
enum Expected {
    static let claim = "must be 1 to 256 characters of ASCII without controls or surrounding space"
    static let rate = "must be requests a period, as in `1000/1s`"
    static let address = "must be an address and a port, as in `0.0.0.0:8443` or `[::]:8443`"

    static func isClaim(_ text: String) -> Bool {
        (1...256).contains(text.utf8.count) && text.utf8.allSatisfy { (0x20...0x7E).contains($0) }
            && text.utf8.first != .space && text.utf8.last != .space
    }

    static func duration(_ range: ClosedRange<Int>) -> String {
        "must be a duration from \(DurationText.text(range.lowerBound)) to "
            + "\(DurationText.text(range.upperBound)), as in `30s`"
    }

    static func choice<Choice: CaseIterable & RawRepresentable<String>>(_: Choice.Type) -> String {
        "must be " + Choice.allCases.map { "`\($0.rawValue)`" }.joined(separator: " or ")
    }
}

enum PathText {
    /// Without `.` and empty segments, so that one file has one spelling wherever that can be
    /// told without looking at the disk.
    static func resolve(_ path: String, besides file: String) -> String {
        let folder = file.lastIndex(of: "/").map { String(file[...$0]) } ?? ""
        let whole = path.hasPrefix("/") ? path : folder + path
        let segments = whole.split(separator: "/").filter { $0 != "." }
        return (whole.hasPrefix("/") ? "/" : "") + segments.joined(separator: "/")
    }
}
