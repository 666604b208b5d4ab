// SPDX-License-Identifier: Apache-2.0

import JSON

/// Truths, numbers, names of choices, durations and sizes.
extension PolicyForm<Bool> {
    static var bool: PolicyForm {
        PolicyForm(schema: .bool) { $0.bool($1) }
    }
}

extension PolicyForm<Int> {
    static var version: PolicyForm {
        PolicyForm(schema: .constant(1)) { draft, node in
            guard node.value.number?.whole == 1 else {
                draft.fault(node, "must be 1, the only version of the format there is")
                return nil
            }
            return 1
        }
    }

    static func integer(_ range: ClosedRange<Int>) -> PolicyForm {
        PolicyForm(schema: .integer(range)) { $0.integer($1, in: range) }
    }

    /// In milliseconds.
    static func duration(_ range: ClosedRange<Int>) -> PolicyForm {
        PolicyForm(
            schema: .text(DurationText.pattern(range)),
            words: Expected.sentence(Expected.duration(range))
        ) { $0.duration($1, in: range) }
    }

    /// In milliseconds; for what other programs count in seconds.
    static func wholeSeconds(_ range: ClosedRange<Int>) -> PolicyForm {
        PolicyForm(
            schema: .text(DurationText.pattern(range, step: 1000)),
            words: Expected.sentence(Expected.duration(range) + ", in whole seconds")
        ) { $0.wholeSeconds($1, in: range) }
    }

    /// In bytes.
    static func size(_ range: ClosedRange<Int>) -> PolicyForm {
        PolicyForm(
            schema: .text(SizeText.pattern(range)),
            words: Expected.sentence(Expected.size(range))
        ) { $0.size($1, in: range) }
    }
}

extension PolicyForm<UInt64> {
    /// In bytes.
    static func largeSize(_ range: ClosedRange<Int>) -> PolicyForm {
        let size = PolicyForm<Int>.size(range)
        return PolicyForm(schema: size.schema, words: size.words) { draft, node in
            size.read(&draft, node).map { UInt64($0) }
        }
    }
}

extension PolicyForm where Value: CaseIterable & RawRepresentable<String> & Sendable {
    static var choice: PolicyForm {
        PolicyForm(schema: .choice(Value.allCases.map(\.rawValue))) { $0.choice($1) }
    }
}
