// SPDX-License-Identifier: Apache-2.0

import TestSupport

/// Writes ClientHellos (RFC 8446 §4.1.2) as tests need them.
struct HelloBuilder {
    var sessionID: [UInt8] = []
    var ciphers: [UInt8] = [0x13, 0x01]
    var compression: [UInt8] = [0]
    /// `nil`: none, not even their length.
    var extensions: [[UInt8]]? = []
    /// Bytes of the message in each record.
    var recordCapacity = 16 * 1024

    static func number(_ value: Int, size: Int) -> [UInt8] {
        (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * (size - 1 - $0))) }
    }

    /// A list behind its length.
    static func vector(_ bytes: [UInt8], size: Int) -> [UInt8] {
        number(bytes.count, size: size) + bytes
    }

    static func named(_ type: Int, _ content: [UInt8]) -> [UInt8] {
        number(type, size: 2) + vector(content, size: 2)
    }

    static func serverName(_ name: String, type: UInt8 = 0) -> [UInt8] {
        named(0, vector([type] + vector(Array(name.utf8), size: 2), size: 2))
    }

    static func protocols(_ names: [String]) -> [UInt8] {
        named(16, vector(names.flatMap { vector(Array($0.utf8), size: 1) }, size: 2))
    }

    static func versions(_ list: [Int]) -> [UInt8] {
        named(43, vector(list.flatMap { number($0, size: 2) }, size: 1))
    }

    static func groups(_ list: [Int]) -> [UInt8] {
        named(10, vector(list.flatMap { number($0, size: 2) }, size: 2))
    }

    static func schemes(_ list: [Int]) -> [UInt8] {
        named(13, vector(list.flatMap { number($0, size: 2) }, size: 2))
    }

    /// - Parameter list: groups, and how long the share of each is.
    static func shares(_ list: [(group: Int, count: Int)]) -> [UInt8] {
        let entries = list.flatMap { entry in
            number(entry.group, size: 2)
                + vector([UInt8](repeating: 9, count: entry.count), size: 2)
        }
        return named(51, vector(entries, size: 2))
    }

    var message: [UInt8] {
        var body: [UInt8] = [3, 3] + (0..<32).map { UInt8($0) }
        body += Self.vector(sessionID, size: 1) + Self.vector(ciphers, size: 2)
        body += Self.vector(compression, size: 1)
        if let extensions { body += Self.vector(extensions.flatMap { $0 }, size: 2) }
        return [1] + Self.vector(body, size: 3)
    }

    var bytes: [UInt8] { Self.records(message, capacity: recordCapacity) }

    static func records(_ message: [UInt8], capacity: Int) -> [UInt8] {
        stride(from: 0, to: message.count, by: capacity).flatMap { start in
            let end = min(start + capacity, message.count)
            return [22, 3, 1] + vector(Array(message[start..<end]), size: 2)
        }
    }
}
