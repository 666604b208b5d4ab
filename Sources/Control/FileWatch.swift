// SPDX-License-Identifier: Apache-2.0

import Reactor

/// Notices files that were replaced: by a rename, or by a link on their way that points elsewhere,
/// as Kubernetes swaps the folder of a mounted secret.
///
/// It looks at paths rather than asking the kernel for news of folders, since a path can change
/// its meaning at any link in it. A file that is written in place is not noticed: it might be read
/// half written, so that is for a signal.
package struct FileWatch {
    /// Looks a second, so that many files cost no more than a few.
    private static let looksMax = 256

    private let paths: [String]
    private var known: [String: FileIdentity?]
    private var next = 0
    private var hasChanged = false

    /// - Parameter previous: what it knew of the same paths still counts, so that nothing which
    ///   happens meanwhile is missed.
    package init(paths: [String], after previous: FileWatch? = nil) {
        self.paths = Array(Set(paths)).sorted()
        known = [:]
        for path in self.paths { known[path] = previous?.known[path] ?? FileIdentity(at: path) }
    }

    /// Looks at the files, or some of them; to be called once a second.
    ///
    /// - Returns: true once after some have changed and all have been still for a look.
    package mutating func look() -> Bool {
        var isStill = true
        for _ in 0..<min(paths.count, Self.looksMax) {
            let path = paths[next]
            next = (next + 1) % paths.count
            let now = FileIdentity(at: path)
            guard known[path] != .some(now) else { continue }
            known[path] = .some(now)
            isStill = false
        }
        defer { hasChanged = !isStill }
        return hasChanged && isStill
    }
}
