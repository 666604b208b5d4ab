// SPDX-License-Identifier: Apache-2.0

/// What a public key consists of, as JOSE writes it (RFC 7518 §6, RFC 8037 §2).
package enum PublicMembers: Equatable, Sendable {
    /// The point's coordinates, 32 bytes each, big-endian.
    case p256(x: [UInt8], y: [UInt8])
    /// Big-endian; of a key, without leading zeros.
    case rsa(modulus: [UInt8], exponent: [UInt8])
    /// The encoded point (RFC 8032 §5.1.2), 32 bytes.
    case ed25519([UInt8])

    /// Whether a key of this kind makes such signatures.
    package func agrees(with algorithm: SignatureAlgorithm) -> Bool {
        switch (self, algorithm) {
        case (.p256, .es256), (.rsa, .rs256), (.rsa, .ps256), (.ed25519, .edDSA): true
        default: false
        }
    }

    /// Bytes of each signature in JOSE's form.
    package var signatureCount: Int {
        switch self {
        case .p256, .ed25519: 64
        case .rsa(let modulus, _): modulus.count
        }
    }
}
