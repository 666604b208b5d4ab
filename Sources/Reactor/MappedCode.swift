// SPDX-License-Identifier: Apache-2.0

import CLinux

/// The code of the program and its libraries, as it is mapped.
package enum MappedCode {
    private static let mapsMax = 256 * 1024

    /// Gives back the pages of code that were used so far. Those that are used again come back from
    /// the page cache, some 16 at a time; those that only the start needed stay away, and no longer
    /// count as this process's own.
    ///
    /// Whoever has changed code in memory, a debugger with its breakpoints, loses that change.
    package static func giveBack() {
        guard let maps = try? Files.read("/proc/self/maps", limit: mapsMax) else { return }
        for line in maps.bytes.split(separator: UInt8(ascii: "\n")) {
            guard let region = region(line) else { continue }
            // SAFETY: a mapping of a file that is executable and cannot be written holds what the
            // file holds, which is read again when it is needed.
            _ = unsafe madvise(
                UnsafeMutableRawPointer(bitPattern: region.lowerBound), region.count,
                Int32(MADV_DONTNEED))
        }
    }

    /// The addresses of a mapping of code out of a file: `from-to r-xp offset device inode path`.
    private static func region(_ line: ArraySlice<UInt8>) -> Range<UInt>? {
        let words = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: true)
        guard words.count == 6, words[1].elementsEqual("r-xp".utf8),
            words[5].first == UInt8(ascii: "/")
        else { return nil }
        let ends = words[0].split(separator: UInt8(ascii: "-"))
        guard ends.count == 2,
            let start = UInt(String(decoding: ends[0], as: UTF8.self), radix: 16),
            let end = UInt(String(decoding: ends[1], as: UTF8.self), radix: 16), start < end
        else { return nil }
        return start..<end
    }
}
