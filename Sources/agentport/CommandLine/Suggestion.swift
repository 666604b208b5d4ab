// SPDX-License-Identifier: Apache-2.0

import Policy

/// Names what was probably meant.
enum Suggestion {
    /// A beginning in common that is shorter tells nothing.
    private static let beginningMin = 3

    /// The nearest by edits; where none is near, the one that begins alike for longest
    /// (`--policies` is far from `--policy`, and yet means it).
    static func nearest(_ name: String, in candidates: [String]) -> String? {
        if let near = NearestName.of(name, in: candidates) { return near }
        var best: (candidate: String, count: Int)?
        for candidate in candidates {
            let count = beginning(name, candidate)
            if count >= beginningMin, count > best?.count ?? 0 { best = (candidate, count) }
        }
        return best?.candidate
    }

    /// As the end of a sentence; nothing where there is nothing to suggest.
    static func asking(_ nearest: String?) -> String {
        nearest.map { "; did you mean `\($0)`?" } ?? ""
    }

    /// How many letters two names have in common from the start, without their dashes.
    private static func beginning(_ left: String, _ right: String) -> Int {
        zip(left.drop { $0 == "-" }, right.drop { $0 == "-" }).prefix { $0 == $1 }.count
    }
}
