// SPDX-License-Identifier: Apache-2.0

import Reactor

/// Results go to standard output, all else to standard error.
enum Console {
    private static let standardOutput: Int32 = 1
    private static let standardError: Int32 = 2

    static func show(_ text: String) {
        _ = Files.writeAll(standardOutput, Array(text.utf8).span)
    }

    /// One line about what is going on.
    static func progress(_ line: String) {
        _ = Files.writeAll(standardError, Array((line + "\n").utf8).span)
    }
}
