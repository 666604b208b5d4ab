// SPDX-License-Identifier: Apache-2.0

/// A figure that may not exceed a limit.
struct Budget {
    enum Kind: String {
        /// What others in the field need: to exceed it fails the run.
        case hard
        /// What this project promises: it fails the run with `--strict`.
        case own
    }

    let kind: Kind
    /// What is held against the limit, with its unit.
    let subject: String
    let value: Double
    let limit: Double

    var isMet: Bool { value <= limit }

    func fails(isStrict: Bool) -> Bool { !isMet && (kind == .hard || isStrict) }
}
