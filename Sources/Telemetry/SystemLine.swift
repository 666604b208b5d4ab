// SPDX-License-Identifier: Apache-2.0

import Bytes

/// One line of the log that is not about a request: start-up, warnings, audits.
///
/// For rare lines: it allocates. The access log is ``AccessLineWriter``'s.
package struct SystemLine: Sendable {
    private var sink = ByteArray()

    /// - Parameters:
    ///   - nanoseconds: since the epoch.
    ///   - audit: marks what must never be dropped: rotations, reloads, lockouts, admin calls.
    package init(
        _ level: LogLevel, _ message: String, at nanoseconds: UInt64, audit: Bool = false
    ) {
        sink.append("{\"ts\":\"")
        var timestamp = Timestamp()
        timestamp.write(nanoseconds, into: &sink)
        sink.append("\",\"level\":\"")
        sink.append(level.name)
        sink.append("\"")
        add("msg", message)
        if audit { add("audit", true) }
    }

    package mutating func add(_ key: String, _ value: String) {
        add(key: key)
        sink.append(.quote)
        sink.append(escaped: Array(value.utf8).span)
        sink.append(.quote)
    }

    package mutating func add(_ key: String, _ value: Int) {
        add(key: key)
        sink.bytes.append(contentsOf: "\(value)".utf8)
    }

    package mutating func add(_ key: String, _ value: Bool) {
        add(key: key)
        sink.append(value ? "true" : "false")
    }

    /// The line with its line feed.
    package func finished() -> [UInt8] {
        sink.bytes + [UInt8(ascii: "}"), .lineFeed]
    }

    private mutating func add(key: String) {
        sink.append(",\"")
        sink.append(escaped: Array(key.utf8).span)
        sink.append("\":")
    }
}
