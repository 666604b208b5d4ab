// SPDX-License-Identifier: Apache-2.0

import CBenchmarks
import Reactor

/// A process and all that it has started: some proxies are a master and its workers.
package enum ProcessTree {
    private static let processesMax = 65_536

    /// - Returns: the root first; it alone where it has started none.
    static func members(of root: Int32) -> [Int32] {
        var processes = [Int32](repeating: 0, count: processesMax)
        // SAFETY: no more numbers are written than there is room for.
        let count = unsafe processes.withUnsafeMutableBufferPointer { room in
            unsafe cb_processes(room.baseAddress, Int32(room.count))
        }
        var parents: [Int32: Int32] = [:]
        for process in processes.prefix(Int(count)) {
            guard let file = try? Files.read("/proc/\(process)/stat", limit: 4096) else { continue }
            parents[process] = parent(String(decoding: file.bytes, as: UTF8.self))
        }
        return members(of: root, parents: parents)
    }

    /// - Parameter parents: of each process.
    package static func members(of root: Int32, parents: [Int32: Int32]) -> [Int32] {
        var members = [root]
        var next = 0
        while next < members.count {
            let parent = members[next]
            next += 1
            members += parents.filter { $0.value == parent && !members.contains($0.key) }.keys
                .sorted()
        }
        return members
    }

    /// The fourth field of /proc/N/stat. The second is a name in parentheses, in which anything
    /// may stand, spaces and parentheses too.
    package static func parent(_ stat: String) -> Int32? {
        guard let end = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        return fields.count > 1 ? Int32(fields[1]) : nil
    }
}
