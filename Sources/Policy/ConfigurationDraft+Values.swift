// SPDX-License-Identifier: Apache-2.0

import Bytes
import JSON

/// From a value of the policy to a value of ours. Each of these notes a fault and gives `nil`
/// where that cannot be.
extension ConfigurationDraft {
    /// An object without its unknown, unbuilt and misplaced members, all of which are faults.
    ///
    /// - Parameter known: the names of its keys.
    mutating func object<Keys: PolicyKeys>(
        _ node: PolicyNode, _ keys: Keys, known: [String]
    ) -> PolicyObject<Keys>? {
        guard let members = node.value.object else { return mismatch(node, "an object") }
        let notBuilt = keys.notBuilt
        let misplaced = keys.misplaced
        for member in members {
            let isNamed = { (name: String) in name.utf8.elementsEqual(member.name.utf8) }
            if known.contains(where: isNamed) { continue }
            var place = PolicyNode(member.value, node.pointer.appending(member.name))
            place.offset = member.nameOffset
            if notBuilt.contains(where: isNamed) {
                fault(place, Self.notBuilt(Printable.quoted(member.name)))
                continue
            }
            if misplaced.names.contains(where: isNamed) {
                fault(place, Printable.quoted(member.name) + " " + misplaced.reason)
                continue
            }
            let nearest = NearestName.of(member.name, in: known + notBuilt + misplaced.names)
            fault(
                place,
                "unknown key \(Printable.quoted(member.name))"
                    + (nearest.map { "; did you mean `\($0)`?" } ?? ""))
        }
        return PolicyObject(node: node, keys: keys)
    }

    static func notBuilt(_ what: String) -> String {
        "\(what) is not built yet in this version"
    }

    // MARK: Members and items

    /// `nil` where it is not given (a fault where it must be), or cannot be read.
    mutating func read<Value>(_ field: PolicyField<Value>) -> Value? {
        if field.key.isRequired { return required(field) }
        guard let node = field.node else { return nil }
        return field.key.form.read(&self, node)
    }

    /// What holds where it is not given; `nil` where it is, and cannot be read.
    mutating func read<Value>(_ field: PolicyField<Value>, or missing: Value) -> Value? {
        field.node == nil ? missing : read(field)
    }

    /// A member that must be there.
    mutating func required<Value>(_ field: PolicyField<Value>) -> Value? {
        guard let node = field.node else {
            fault(field.object, "`\(field.key.name)` is missing")
            return nil
        }
        return field.key.form.read(&self, node)
    }

    mutating func read<Value>(_ item: PolicyItem<Value>) -> Value? {
        item.form.read(&self, item.node)
    }

    /// Those items that can be read. One that is there twice is a fault.
    ///
    /// - Parameter name: what an item is called.
    mutating func distinct<Value: Equatable>(
        _ items: [PolicyItem<Value>], _ name: String
    ) -> [(value: Value, node: PolicyNode)] {
        var found: [(value: Value, node: PolicyNode)] = []
        for item in items {
            guard let value = read(item) else { continue }
            if found.contains(where: { $0.value == value }) {
                fault(item.node, "the same \(name) twice")
            }
            found.append((value, item.node))
        }
        return found
    }

    /// Reads one setting where it is given.
    mutating func take<Value>(
        _ field: PolicyField<Value>, _ setting: ConfigurationSetting,
        _ path: WritableKeyPath<Configuration, Value>
    ) {
        guard let value = read(field), let node = field.node else { return }
        set(setting, path, to: value, from: .policy, at: place(of: node))
    }

    mutating func take<Value>(
        _ field: PolicyField<Value>, _ setting: ConfigurationSetting,
        _ path: WritableKeyPath<Configuration, Value?>
    ) {
        guard let value = read(field), let node = field.node else { return }
        set(setting, path, to: value, from: .policy, at: place(of: node))
    }

    /// Reads one value of an item of a list where it is given.
    mutating func assign<Value>(_ field: PolicyField<Value>, to target: inout Value) {
        if let value = read(field) { target = value }
    }

    mutating func assign<Value>(_ field: PolicyField<Value>, to target: inout Value?) {
        if let value = read(field) { target = value }
    }

    // MARK: Values

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
        guard let value = number.whole, range.contains(value) else {
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
            fault(node, Expected.size(range))
            return nil
        }
        return value
    }

    mutating func choice<Choice: CaseIterable & RawRepresentable<String>>(
        _ node: PolicyNode
    ) -> Choice? {
        guard let text = string(node) else { return nil }
        guard let value = Choice(rawValue: text) else {
            fault(node, Expected.choice(Choice.self))
            return nil
        }
        return value
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

extension PolicyNode {
    /// The value at the end of these names, each a member of the one before.
    func member(_ names: String...) -> PolicyNode? {
        names.reduce(self) { (node: PolicyNode?, name) in
            node.flatMap { node in
                node.value[name].map { PolicyNode($0, node.pointer.appending(name)) }
            }
        }
    }
}

/// What a value should have been, in words the policy and the environment share.
enum Expected {
    static let claim = "must be 1 to 256 characters of ASCII without controls or surrounding space"
    static let rate = "must be requests a period, as in `1000/1s`"
    static let address = "must be an address and a port, as in `0.0.0.0:8443` or `[::]:8443`"

    static func isClaim(_ text: String.UTF8View) -> Bool {
        (1...256).contains(text.count) && text.allSatisfy { (0x20...0x7E).contains($0) }
            && text.first != .space && text.last != .space
    }

    static func size(_ range: ClosedRange<Int>) -> String {
        "must be a size from \(SizeText.text(range.lowerBound)) to "
            + "\(SizeText.text(range.upperBound)), as in `\"64KiB\"`"
    }

    /// For a description.
    static func sentence(_ expected: String) -> String { "It \(expected)." }

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
        // By bytes: Swift takes a slash and an accent behind it for one character.
        let slash = UInt8(ascii: "/")
        let folder = file.utf8.lastIndex(of: slash).map { String(file[...$0]) } ?? ""
        let isAbsolute = path.utf8.first == slash
        let whole = isAbsolute ? path : folder + path
        let segments = whole.utf8.split(separator: slash).filter { !$0.elementsEqual(".".utf8) }
        return (whole.utf8.first == slash ? "/" : "")
            + segments.map { String(Substring($0)) }.joined(separator: "/")
    }
}
