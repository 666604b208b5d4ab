// SPDX-License-Identifier: Apache-2.0

import Bytes
import Reactor

/// What the program prints.
enum Output {
    static func show(_ line: String) {
        _ = Files.writeAll(1, Array((line + "\n").utf8).span)
    }

    static func complain(_ line: String) {
        _ = Files.writeAll(2, Array((line + "\n").utf8).span)
    }

    static func row(_ name: String, _ first: String, _ second: String, _ third: String) {
        var line = name + spaces(22 - name.utf8.count) + padded(first) + padded(second)
        if !third.isEmpty { line += padded(third) }
        show(line)
    }

    /// With one digit behind the point.
    static func decimal(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }

    private static func padded(_ text: String) -> String { spaces(14 - text.utf8.count) + text }

    private static func spaces(_ count: Int) -> String {
        String(repeating: " ", count: max(1, count))
    }
}
