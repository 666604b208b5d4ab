// SPDX-License-Identifier: Apache-2.0

import JSON

/// Objects, lists, and what may be `null`.
extension PolicyForm {
    static func object<Keys: PolicyKeys>(_ keys: Keys) -> PolicyForm
    where Value == PolicyObject<Keys> {
        let known = keys.all.map(\.name)
        return PolicyForm(schema: keys.schema) { draft, node in
            draft.object(node, keys, known: known)
        }
    }

    /// The items are read one by one by whoever gets them, so that each tells of its own fault.
    ///
    /// - Parameters:
    ///   - lack: the fault of a list without items; `nil` where that is none.
    ///   - isUnique: whether the schema asks that no two items be written alike. The reader's
    ///     rules are its own, since one thing can be written in several ways.
    static func list<Item>(
        of item: PolicyForm<Item>, max: Int, lack: String? = nil, isUnique: Bool = false
    ) -> PolicyForm where Value == [PolicyItem<Item>] {
        PolicyForm(
            schema: .list(of: item.described, (lack == nil ? 0 : 1)...max, isUnique: isUnique)
        ) { draft, node in
            guard let nodes = draft.items(node, max: max) else { return nil }
            if let lack, nodes.isEmpty {
                draft.fault(node, lack)
                return nil
            }
            return nodes.map { PolicyItem(node: $0, form: item) }
        }
    }

    /// `.some(nil)` for `null`, which says that there is none.
    static func nullable<Whole>(_ form: PolicyForm<Whole>) -> PolicyForm where Value == Whole? {
        PolicyForm(schema: .anyOf([form.schema, .null]), words: form.words) { draft, node in
            node.value.isNull ? .some(nil) : form.read(&draft, node).map { .some($0) }
        }
    }
}

extension PolicyForm<Never> {
    /// Of a key that is not built yet, the value that changes nothing is let through.
    static func onlyNull(_ name: String) -> PolicyForm {
        PolicyForm(schema: .null) { draft, node in
            if !node.value.isNull {
                draft.fault(
                    node, ConfigurationDraft.notBuilt("`\(name)` other than `null`"))
            }
            return nil
        }
    }
}
