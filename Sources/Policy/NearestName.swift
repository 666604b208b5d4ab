// SPDX-License-Identifier: Apache-2.0

import Bytes

/// Finds what was probably meant by a name that is not known.
package enum NearestName {
    /// Longer names are not compared: the work is quadratic, and no name of ours is that long.
    private static let lengthMax = 64

    /// The candidate with the fewest edits, the first of equals; `nil` where even that one would
    /// need more than a third of its letters (at least two) changed.
    package static func of(_ name: String, in candidates: some Sequence<String>) -> String? {
        var best: (name: String, distance: Int)?
        for candidate in candidates {
            guard let distance = distance(name, candidate),
                distance <= max(2, candidate.utf8.count / 3),
                distance < candidate.utf8.count,
                distance < best?.distance ?? .max
            else { continue }
            best = (candidate, distance)
        }
        return best?.name
    }

    /// How many insertions, deletions, substitutions and swaps of neighbours turn one into the
    /// other (optimal string alignment), without regard to ASCII case.
    package static func distance(_ left: String, _ right: String) -> Int? {
        let left = left.utf8.map(\.lowercased)
        let right = right.utf8.map(\.lowercased)
        guard left.count <= lengthMax, right.count <= lengthMax else { return nil }
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for row in 0..<left.count {
            var current = [row + 1]
            for column in 0..<right.count {
                let changed = left[row] == right[column] ? 0 : 1
                var cost = min(last[column] + changed, last[column + 1] + 1, current[column] + 1)
                if row > 0, column > 0, left[row] == right[column - 1],
                    left[row - 1] == right[column]
                {
                    cost = min(cost, beforeLast[column - 1] + 1)
                }
                current.append(cost)
            }
            beforeLast = last
            last = current
        }
        return last[right.count]
    }
}
