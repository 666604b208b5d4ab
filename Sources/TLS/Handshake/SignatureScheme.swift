// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// How a certificate's key signs the handshake (RFC 8446 §4.2.3).
enum SignatureScheme: UInt16, CaseIterable {
    case ecdsaP256 = 0x0403
    case ecdsaP384 = 0x0503
    case ecdsaP521 = 0x0603
    /// Clients alone sign with it.
    case ed25519 = 0x0807
    case rsaPSS256 = 0x0804
    case rsaPSS384 = 0x0805
    case rsaPSS512 = 0x0806

    static let rsaBitsMin: Int32 = 2048

    /// `nil` for EdDSA, which hashes for itself.
    var hash: HashFunction? {
        switch self {
        case .ecdsaP256, .rsaPSS256: .sha256
        case .ecdsaP384, .rsaPSS384: .sha384
        case .ecdsaP521, .rsaPSS512: .sha512
        case .ed25519: nil
        }
    }

    private var isRSA: Bool {
        switch self {
        case .rsaPSS256, .rsaPSS384, .rsaPSS512: true
        case .ecdsaP256, .ecdsaP384, .ecdsaP521, .ed25519: false
        }
    }

    /// Those that a key can sign with, the cheapest first.
    static func fitting(_ key: OpaquePointer) -> [SignatureScheme] {
        if unsafe EVP_PKEY_is_a(key, "RSA") == 1 { return [.rsaPSS256, .rsaPSS384, .rsaPSS512] }
        if unsafe EVP_PKEY_is_a(key, "ED25519") == 1 { return [.ed25519] }
        guard unsafe EVP_PKEY_is_a(key, "EC") == 1 else { return [] }
        switch unsafe co_curve_bits(key) {
        case 256: return [.ecdsaP256]
        case 384: return [.ecdsaP384]
        case 521: return [.ecdsaP521]
        default: return []
        }
    }

    /// A context that signs digests of ``hash``; `nil` where there is none, or libcrypto will not.
    func makeContext(_ key: OpaquePointer) -> OpaquePointer? {
        guard let hash, let context = unsafe EVP_PKEY_CTX_new_from_pkey(nil, key, nil) else {
            return nil
        }
        let isReady =
            unsafe EVP_PKEY_sign_init(context) == 1
            && (!isRSA || co_sign_with_pss(context, hash.function) == 1)
            && EVP_PKEY_CTX_set_signature_md(context, hash.function) == 1
        guard isReady else {
            unsafe EVP_PKEY_CTX_free(context)
            return nil
        }
        return unsafe context
    }

    /// Whether a signature over a text is the key's, which this scheme fits.
    func verifies(
        _ signature: Span<UInt8>, over text: Span<UInt8>, _ key: OpaquePointer
    ) -> Bool {
        // SAFETY: both spans are readable as long as they count, for the call.
        unsafe signature.withUnsafeBufferPointer { signature in
            unsafe text.withUnsafeBufferPointer { text in
                unsafe co_verify_text(
                    key, hash?.function, isRSA ? 1 : 0, signature.baseAddress, signature.count,
                    text.baseAddress, text.count) == 1
            }
        }
    }
}
