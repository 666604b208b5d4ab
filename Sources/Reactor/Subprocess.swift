// SPDX-License-Identifier: Apache-2.0

import Bytes
import CLinux

/// Another program, run to its end. For commands only: the gateway itself starts none.
package enum Subprocess {
    /// What the kernel's pipe takes at once on every Linux, so that writing cannot wait.
    package static let inputBytesMax = 4096

    /// Runs a program of `PATH` with this input; its output goes where ours does.
    ///
    /// What is secret belongs into `input`: every user of the machine can read arguments.
    ///
    /// - Returns: its exit status; `nil` where it cannot be run or was killed.
    package static func run(_ words: [String], input: borrowing Span<UInt8>) -> Int32? {
        guard let program = words.first, input.count <= inputBytesMax else { return nil }
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { return nil }
        let reading = Descriptor(owning: ends[0])
        guard feed(Descriptor(owning: ends[1]), input) else { return nil }
        var actions = unsafe posix_spawn_file_actions_t()
        // SAFETY: initialised here, destroyed on every way out.
        guard unsafe posix_spawn_file_actions_init(&actions) == 0 else { return nil }
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_adddup2(&actions, reading.rawValue, STDIN_FILENO)
        // SAFETY: each word is copied, the list ends with a null, and both outlive the call.
        var list = unsafe words.map { unsafe strdup($0) } + [nil]
        defer { unsafe list.forEach { unsafe free($0) } }
        var child: pid_t = 0
        guard unsafe posix_spawnp(&child, program, &actions, nil, &list, cl_environment()) == 0
        else { return nil }
        return status(of: child)
    }

    /// Closes the writing end when done: that is the end of the child's input.
    private static func feed(
        _ writing: consuming Descriptor, _ input: borrowing Span<UInt8>
    ) -> Bool {
        Files.writeAll(writing.rawValue, input)
    }

    private static func status(of child: pid_t) -> Int32? {
        var status: Int32 = 0
        // SAFETY: waitpid fills the number it is given.
        while unsafe waitpid(child, &status, 0) < 0 {
            guard cl_errno() == EINTR else { return nil }
        }
        let isExited = status & 0x7F == 0
        return isExited ? status >> 8 & 0xFF : nil
    }
}
