// SPDX-License-Identifier: Apache-2.0

import Reactor

/// What processes have in memory, in bytes.
package struct ResidentMemory {
    private static let pageBytes = 4096

    /// All of it; what two of them share counts twice.
    let bytes: Int
    /// Without what is mapped from files (the program and libraries) or shared with others.
    let ownBytes: Int
    /// A page that several processes share counts for each by its part (PSS).
    let proportionalBytes: Int

    init(of processes: [Int32]) {
        var bytes = 0
        var ownBytes = 0
        var proportionalBytes = 0
        for process in processes {
            let pages = Self.text("/proc/\(process)/statm").split(separator: " ")
                .map { Int($0) ?? 0 }
            guard pages.count > 2 else { continue }
            bytes += pages[1] * Self.pageBytes
            ownBytes += (pages[1] - pages[2]) * Self.pageBytes
            proportionalBytes += Self.proportionalBytes(Self.text("/proc/\(process)/smaps_rollup"))
        }
        self.bytes = bytes
        self.ownBytes = ownBytes
        self.proportionalBytes = proportionalBytes
    }

    /// All of it, in bytes, and no more than that: it takes microseconds, and stops nobody.
    static func total(of processes: [Int32]) -> Double {
        var pages = 0
        for process in processes {
            let words = text("/proc/\(process)/statm").split(separator: " ")
            pages += words.count > 1 ? Int(words[1]) ?? 0 : 0
        }
        return Double(pages * pageBytes)
    }

    /// The line `Pss: 8231 kB` of /proc/N/smaps_rollup; 0 where there is none.
    package static func proportionalBytes(_ rollup: String) -> Int {
        for line in rollup.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.first == "Pss:", words.count == 3 { return (Int(words[1]) ?? 0) * 1024 }
        }
        return 0
    }

    private static func text(_ path: String) -> String {
        String(decoding: (try? Files.read(path, limit: 4096))?.bytes ?? [], as: UTF8.self)
    }
}
