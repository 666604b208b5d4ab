// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// Which encoded points (RFC 8032 §5.1.2) may be public keys; the library takes any 32 bytes.
enum Ed25519Point {
    /// The y of the points whose order divides eight, little-endian: 0, 1, -1, and the two of
    /// order eight. Under such a key a signature can be made for any message without a private
    /// key.
    private static let smallOrder: [[UInt8]] = [
        [UInt8](repeating: 0, count: 32),
        [1] + [UInt8](repeating: 0, count: 31),
        [0xEC] + [UInt8](repeating: 0xFF, count: 30) + [0x7F],
        [
            0x26, 0xE8, 0x95, 0x8F, 0xC2, 0xB2, 0x27, 0xB0, 0x45, 0xC3, 0xF4, 0x89, 0xF2, 0xEF,
            0x98, 0xF0, 0xD5, 0xDF, 0xAC, 0x05, 0xD3, 0xC6, 0x33, 0x39, 0xB1, 0x38, 0x02, 0x88,
            0x6D, 0x53, 0xFC, 0x05,
        ],
        [
            0xC7, 0x17, 0x6A, 0x70, 0x3D, 0x4D, 0xD8, 0x4F, 0xBA, 0x3C, 0x0B, 0x76, 0x0D, 0x10,
            0x67, 0x0F, 0x2A, 0x20, 0x53, 0xFA, 0x2C, 0x39, 0xCC, 0xC6, 0x4E, 0xC7, 0xFD, 0x77,
            0x92, 0xAC, 0x03, 0x7A,
        ],
    ]

    /// Whether the bytes are a point of the curve in its one spelling, and not of small order.
    static func isSound(_ encoded: Span<UInt8>) -> Bool {
        guard encoded.count == 32 else { return false }
        // SAFETY: the shim reads 32 bytes.
        let isOnCurve = unsafe encoded.withUnsafeBufferPointer {
            unsafe co_ed25519_on_curve($0.baseAddress)
        }
        guard isOnCurve == 1 else { return false }
        // The highest bit is the sign of x.
        return !smallOrder.contains { y in
            encoded.indices.allSatisfy { index in
                y[index] == (index == 31 ? encoded[index] & 0x7F : encoded[index])
            }
        }
    }
}
