// SPDX-License-Identifier: Apache-2.0

import Bytes

/// What lines are written into: a buffer on the hot path, an array for the rare ones.
protocol TextSink: ~Copyable {
    mutating func append(_ byte: UInt8)
    mutating func append(_ bytes: borrowing Span<UInt8>)
    mutating func append(_ text: StaticString)
}

extension Buffer: TextSink {}

struct ByteArray: TextSink {
    var bytes: [UInt8] = []

    mutating func append(_ byte: UInt8) {
        bytes.append(byte)
    }

    mutating func append(_ span: borrowing Span<UInt8>) {
        for index in span.indices { bytes.append(span[index]) }
    }

    mutating func append(_ text: StaticString) {
        bytes.append(contentsOf: text.description.utf8)
    }
}
