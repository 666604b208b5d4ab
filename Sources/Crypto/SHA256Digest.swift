// SPDX-License-Identifier: Apache-2.0

import Bytes

/// 32 bytes of SHA-256, held inline.
///
/// `==` may stop at the first difference: it is for table keys and tests. Where the other side is
/// a secret, ask ``matches(_:)``.
package struct SHA256Digest: Equatable, Hashable, Sendable {
    package static let byteCount = 32

    /// The bytes as four big-endian words, in order.
    package let word0: UInt64
    package let word1: UInt64
    package let word2: UInt64
    package let word3: UInt64

    @inlinable
    package init(_ word0: UInt64, _ word1: UInt64, _ word2: UInt64, _ word3: UInt64) {
        self.word0 = word0
        self.word1 = word1
        self.word2 = word2
        self.word3 = word3
    }

    /// - Returns: `nil` unless there are exactly 32 bytes.
    package init?(bytes: Span<UInt8>) {
        guard bytes.count == Self.byteCount else { return nil }
        self.init(
            Self.word(bytes, at: 0), Self.word(bytes, at: 8),
            Self.word(bytes, at: 16), Self.word(bytes, at: 24))
    }

    /// - Parameter hex: 64 hexadecimal digits of either case.
    package init?(hex: Span<UInt8>) {
        guard hex.count == Self.byteCount * 2, let bytes = Hex.decode(hex) else { return nil }
        self.init(bytes: bytes.span)
    }

    /// Equality whose time does not depend on where the two differ.
    @inlinable
    package func matches(_ other: SHA256Digest) -> Bool {
        let difference =
            (word0 ^ other.word0) | (word1 ^ other.word1)
            | (word2 ^ other.word2) | (word3 ^ other.word3)
        return difference == 0
    }

    package var bytes: InlineArray<32, UInt8> {
        InlineArray { index in
            let word =
                switch index >> 3 {
                case 0: word0
                case 1: word1
                case 2: word2
                default: word3
                }
            return UInt8(truncatingIfNeeded: word >> UInt64(56 - (index & 7) * 8))
        }
    }

    /// 64 lower-case digits, for listings and tests.
    package var hex: String { Hex.encode(bytes.span) }

    private static func word(_ bytes: Span<UInt8>, at offset: Int) -> UInt64 {
        var word: UInt64 = 0
        for index in offset..<offset + 8 { word = word << 8 | UInt64(bytes[index]) }
        return word
    }
}
