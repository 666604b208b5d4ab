// SPDX-License-Identifier: Apache-2.0

import Bytes

/// Whole JSON members, `,"key":"name"`, escaped beforehand and found by the name's index.
struct NameTable: Sendable {
    private var bytes: [UInt8] = []
    /// Where each member ends; it begins where the one before ends.
    private var ends: [Int] = []

    init(key: StaticString, names: [String]) {
        var sink = ByteArray()
        for name in names {
            sink.append(",\"")
            sink.append(key)
            sink.append("\":\"")
            sink.append(escaped: Array(name.utf8).span)
            sink.append(.quote)
            ends.append(sink.bytes.count)
        }
        bytes = sink.bytes
    }

    /// Writes the member, or nothing for -1.
    func write(_ index: Int, into buffer: inout Buffer) {
        guard index >= 0 else { return }
        let start = index == 0 ? 0 : ends[index - 1]
        buffer.append(bytes.span.extracting(start..<ends[index]))
    }
}
