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
