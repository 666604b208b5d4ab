// SPDX-License-Identifier: Apache-2.0

import Bytes

/// A public key of P-256 as other programs read it: SubjectPublicKeyInfo (RFC 5480 §2) in PEM.
package enum PublicKeyPEM {
    /// Everything before the coordinates is the same for all keys of this curve: the sequence,
    /// the algorithm `id-ecPublicKey`, the curve `prime256v1`, the bit string, and 4 for a point
    /// that is not compressed.
    private static let prefix: [UInt8] = [
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08,
        0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
    ]
    private static let lineCharacters = 64

    /// - Parameters x, y: 32 bytes each.
    package static func text(x: [UInt8], y: [UInt8]) -> String {
        precondition(x.count == 32 && y.count == 32)
        // 91 bytes leave one over: two signs of padding.
        let encoded = Base64URL.encode((prefix + x + y).span).map { sign in
            sign == "-" ? "+" : sign == "_" ? "/" : sign
        }
        var rest = (String(encoded) + "==")[...]
        var text = "-----BEGIN PUBLIC KEY-----\n"
        while !rest.isEmpty {
            text += rest.prefix(lineCharacters) + "\n"
            rest = rest.dropFirst(lineCharacters)
        }
        return text + "-----END PUBLIC KEY-----\n"
    }
}
