// SPDX-License-Identifier: Apache-2.0

/// What the loader asks of the file system; the caller answers, so that nothing here makes a
/// system call and a test needs no files.
package protocol FileReading {
    /// The whole of a regular file of at most `limit` bytes.
    func read(_ path: String, limit: Int) throws(FileFault) -> [UInt8]

    /// Opens a regular file for reading without reading it: a secret's bytes must not lie about
    /// in memory that nobody wipes.
    func status(of path: String) throws(FileFault) -> FileStatus

    /// Whether files can be made in this directory.
    func isWritableDirectory(_ path: String) -> Bool
}

package struct FileStatus: Sendable, Equatable {
    /// The permission bits of `st_mode`.
    package let mode: UInt32
    package let size: Int

    package init(mode: UInt32, size: Int) {
        self.mode = mode
        self.size = size
    }

    package var isReadableByOthers: Bool { mode & 0o004 != 0 }
}

package enum FileFault: Error, Equatable, Sendable {
    case notFound
    case notPermitted
    case notAFile
    case tooLarge(limit: Int)
    /// Anything else, in the system's words.
    case other(String)
}

extension FileFault: CustomStringConvertible {
    package var description: String {
        switch self {
        case .notFound: "no such file"
        case .notPermitted: "permission denied"
        case .notAFile: "not a regular file"
        case .tooLarge(let limit): "larger than \(SizeText.text(limit))"
        case .other(let text): text
        }
    }
}
