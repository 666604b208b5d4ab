// SPDX-License-Identifier: Apache-2.0

import Reactor

/// What a process has in memory, in bytes.
struct ResidentMemory {
    private static let pageBytes = 4096

    /// All of it.
    let bytes: Int
    /// Without what is mapped from files (the program and libraries) or shared with others.
    let ownBytes: Int

    init(of process: Int32) {
        let file = try? Files.read("/proc/\(process)/statm", limit: 256)
        let pages = String(decoding: file?.bytes ?? [], as: UTF8.self).split(separator: " ")
            .map { Int($0) ?? 0 }
        bytes = pages.count > 2 ? pages[1] * Self.pageBytes : 0
        ownBytes = pages.count > 2 ? (pages[1] - pages[2]) * Self.pageBytes : 0
    }
}
