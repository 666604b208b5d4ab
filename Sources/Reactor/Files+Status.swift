// SPDX-License-Identifier: Apache-2.0

import CLinux

extension Files {
    package struct Status: Sendable, Equatable {
        /// Permission bits.
        package let mode: UInt32
        package let size: Int
        package let isRegular: Bool
    }

    /// Opens the file for reading, so that a missing right shows, and reads nothing.
    package static func status(of path: String) throws(SystemError) -> Status {
        // Without waiting: the other end of a named pipe may never come.
        let number = unsafe cl_open(path, O_RDONLY | O_NONBLOCK, 0)
        guard number >= 0 else { throw SystemError("open") }
        let file = Descriptor(owning: number)
        var facts = stat()
        // SAFETY: fstat fills the structure it is given.
        guard unsafe fstat(file.rawValue, &facts) == 0 else { throw SystemError("stat") }
        let mode = UInt32(facts.st_mode)
        let typeBits: UInt32 = 0o170_000
        let regular: UInt32 = 0o100_000
        return Status(
            mode: mode & 0o7777, size: max(0, Int(facts.st_size)),
            isRegular: mode & typeBits == regular)
    }
}

/// Which file lies at a path: another one where it was replaced, whether by a rename or because a
/// link on the way points elsewhere now.
package struct FileIdentity: Sendable, Equatable {
    private let device: UInt64
    private let inode: UInt64

    /// `nil` where there is none.
    package init?(at path: String) {
        var facts = stat()
        // SAFETY: stat fills the structure it is given.
        guard unsafe stat(path, &facts) == 0 else { return nil }
        device = UInt64(facts.st_dev)
        inode = UInt64(facts.st_ino)
    }
}
