// SPDX-License-Identifier: Apache-2.0

import Bytes
import Policy
import Reactor

/// What commands print. `serve` logs instead, once it has started.
enum Console {
    private static let standardOutput: Int32 = 1
    private static let standardError: Int32 = 2

    /// Prints a command's result; what it returns is the exit status of one that has succeeded.
    /// A result that was lost, on a full disk perhaps, is no success.
    static func show(_ text: String) -> Int32 {
        if Files.writeAll(standardOutput, Array(text.utf8).span) { return 0 }
        complain("agentport: standard output cannot be written to")
        return 1
    }

    /// Prints one line on standard error, whatever the text holds.
    static func complain(_ line: String) {
        _ = Files.writeAll(standardError, Array((Printable.escaped(line) + "\n").utf8).span)
    }
}
