// SPDX-License-Identifier: Apache-2.0

import Bytes

/// The signatures of JOSE that are made or believed here; none of them is keyed with a secret
/// that both sides have.
package enum SignatureAlgorithm: Sendable, Equatable, CaseIterable {
    /// ECDSA on P-256 with SHA-256 (RFC 7518 §3.4).
    case es256
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 §3.3).
    case rs256
    /// RSASSA-PSS with SHA-256, MGF1 with SHA-256 and a salt of 32 bytes (RFC 7518 §3.5).
    case ps256
    /// Ed25519 (RFC 8037 §3.1); never Ed448.
    case edDSA

    /// As `alg` spells it.
    package var name: StaticString {
        switch self {
        case .es256: "ES256"
        case .rs256: "RS256"
        case .ps256: "PS256"
        case .edDSA: "EdDSA"
        }
    }

    /// - Parameter name: compared byte by byte, `alg` being case-sensitive (RFC 7515 §4.1.1).
    package init?(name: [UInt8]) {
        let found = Self.allCases.first { name.span.equals($0.name) }
        guard let found else { return nil }
        self = found
    }

    /// How the C shim tells the paddings of RSA apart.
    var rsaPadding: Int32 {
        switch self {
        case .es256, .edDSA: 0
        case .rs256: 1
        case .ps256: 2
        }
    }
}
