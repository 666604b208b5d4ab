// SPDX-License-Identifier: Apache-2.0

import Bytes

/// Base64url of bytes that come one by one, into a buffer, without holding them.
struct Base64URLWriter {
    /// Invariant: fewer than 24 bits, those of the bytes that wait for a group of three.
    private var bits: UInt32 = 0
    private var waiting = 0

    init() {}

    /// Starts behind whole groups that were written before, with the bytes that were left over.
    init(carry: UInt32, count: Int) {
        bits = carry
        waiting = count
    }

    @inline(__always)
    mutating func append(_ byte: UInt8, to buffer: inout Buffer) {
        bits = bits << 8 | UInt32(byte)
        waiting += 1
        guard waiting == 3 else { return }
        let group = InlineArray<3, UInt8> { UInt8(truncatingIfNeeded: bits >> UInt32(16 - $0 * 8)) }
        buffer.append(base64URL: group.span)
        bits = 0
        waiting = 0
    }

    mutating func append(_ bytes: Span<UInt8>, to buffer: inout Buffer) {
        for index in bytes.indices { append(bytes[index], to: &buffer) }
    }

    mutating func append(_ text: StaticString, to buffer: inout Buffer) {
        for index in 0..<text.utf8CodeUnitCount { append(text.byte(at: index), to: &buffer) }
    }

    mutating func append(decimal value: UInt64, to buffer: inout Buffer) {
        var digits = InlineArray<20, UInt8>(repeating: 0)
        var first = 20
        var rest = value
        repeat {
            first -= 1
            digits[first] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        } while rest > 0
        append(digits.span.extracting(first..<20), to: &buffer)
    }

    /// Writes what waits, without padding.
    mutating func finish(to buffer: inout Buffer) {
        let count = waiting
        let rest = bits
        let group = InlineArray<2, UInt8> { index in
            guard index < count else { return 0 }
            return UInt8(truncatingIfNeeded: rest >> UInt32((count - 1 - index) * 8))
        }
        buffer.append(base64URL: group.span.extracting(0..<count))
        bits = 0
        waiting = 0
    }
}
