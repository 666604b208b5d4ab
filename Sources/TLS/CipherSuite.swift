// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// The three cipher suites of TLS 1.3 that libssl offers (RFC 8446 §B.4), with what is fetched of
/// them once.
enum CipherSuite {
    case aes128GCM, aes256GCM, chaCha20Poly1305

    /// - Parameter number: as IANA registered it.
    init?(number: UInt16) {
        switch number {
        case 0x1301: self = .aes128GCM
        case 0x1302: self = .aes256GCM
        case 0x1303: self = .chaCha20Poly1305
        default: return nil
        }
    }

    var keyCount: Int { self == .aes128GCM ? 16 : 32 }

    /// Bytes of a traffic secret: the output of the suite's hash.
    var secretCount: Int { self == .aes256GCM ? 48 : 32 }

    /// Invariant: never freed.
    var hash: OpaquePointer? { unsafe self == .aes256GCM ? EVP_sha384() : EVP_sha256() }

    /// Invariant: never freed; `nil` where libcrypto has no such cipher.
    var cipher: OpaquePointer? {
        switch self {
        case .aes128GCM: unsafe Self.aes128
        case .aes256GCM: unsafe Self.aes256
        case .chaCha20Poly1305: unsafe Self.chaCha20
        }
    }

    // An implicit fetch for each connection would cost more than the key's set-up.
    private nonisolated(unsafe) static let aes128 = unsafe EVP_CIPHER_fetch(nil, "AES-128-GCM", nil)
    private nonisolated(unsafe) static let aes256 = unsafe EVP_CIPHER_fetch(nil, "AES-256-GCM", nil)
    private nonisolated(unsafe) static let chaCha20 =
        unsafe EVP_CIPHER_fetch(nil, "ChaCha20-Poly1305", nil)
}
