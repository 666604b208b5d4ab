// SPDX-License-Identifier: Apache-2.0

/// The groups that keys are agreed in (RFC 8446 §4.2.7), the preferred one first.
enum NamedGroup: UInt16, CaseIterable {
    case x25519 = 0x001D
    case secp256r1 = 0x0017
    case secp384r1 = 0x0018

    /// Bytes of a key share (§4.2.8.2): a u-coordinate, or a point that is not compressed.
    var shareCount: Int {
        switch self {
        case .x25519: 32
        case .secp256r1: 65
        case .secp384r1: 97
        }
    }

    /// Bytes of what is agreed on (§7.4.2).
    var secretCount: Int { self == .secp384r1 ? 48 : 32 }
}
