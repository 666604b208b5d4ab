// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto

/// Identifiers that sort by time (RFC 9562 §5.7).
package enum UUIDv7 {
    package static let textCount = 36

    /// Appends 36 characters: the milliseconds since the epoch, and 74 random bits.
    package static func append(
        milliseconds: UInt64, random: inout RandomSource, to buffer: inout Buffer
    ) {
        var high = milliseconds << 16 | random.word() & 0x0FFF
        high |= 0x7000
        let low = random.word() & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        append(high, digits: 0..<8, to: &buffer)
        buffer.append(UInt8(ascii: "-"))
        append(high, digits: 8..<12, to: &buffer)
        buffer.append(UInt8(ascii: "-"))
        append(high, digits: 12..<16, to: &buffer)
        buffer.append(UInt8(ascii: "-"))
        append(low, digits: 0..<4, to: &buffer)
        buffer.append(UInt8(ascii: "-"))
        append(low, digits: 4..<16, to: &buffer)
    }

    /// For rare ones: it allocates.
    package static func text(milliseconds: UInt64, random: inout RandomSource) -> String {
        let high = milliseconds << 16 | 0x7000 | random.word() & 0x0FFF
        let low = random.word() & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        let bytes = InlineArray<16, UInt8> { index in
            let word = index < 8 ? high : low
            return UInt8(truncatingIfNeeded: word >> UInt64(56 - (index & 7) * 8))
        }
        let digits = Array(Hex.encode(bytes.span))
        return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(digits[$0]) }
            .joined(separator: "-")
    }

    private static func append(_ word: UInt64, digits: Range<Int>, to buffer: inout Buffer) {
        buffer.append(
            hexadecimalDigits: word << UInt64(4 * digits.lowerBound), count: digits.count)
    }
}
