// SPDX-License-Identifier: Apache-2.0

import COpenSSL
import Testing

/// A throw-away certificate with its key, made in this process.
package struct ThrowAwayIdentity {
    package enum Kind: Sendable, CaseIterable { case ecdsa, rsa }

    package let certificate: String
    package let key: String

    package static let ecdsa = make(.ecdsa)
    package static let rsa = make(.rsa)

    /// - Parameters:
    ///   - seconds: from now to the end of validity.
    ///   - passphrase: encrypts the key.
    ///   - isAuthority: may vouch for others.
    ///   - issuer: an authority that vouches for it; without one it does so itself.
    package static func make(
        _ kind: Kind = .ecdsa, name: String = "claw", seconds: Int = 86_400,
        passphrase: String? = nil, isAuthority: Bool = false, issuer: ThrowAwayIdentity? = nil
    ) -> ThrowAwayIdentity {
        // SAFETY: each object is freed below; what fails leaves an empty text, which no test takes
        // for an identity.
        let pair = unsafe kind == .ecdsa ? co_p256_generate() : rsaPair()
        guard let pair = unsafe pair, let leaf = unsafe X509_new() else {
            return ThrowAwayIdentity(certificate: "", key: "")
        }
        defer {
            unsafe EVP_PKEY_free(pair)
            unsafe X509_free(leaf)
        }
        unsafe X509_set_version(leaf, 2)
        unsafe ASN1_INTEGER_set(X509_get_serialNumber(leaf), 1)
        unsafe X509_gmtime_adj(X509_getm_notBefore(leaf), -60)
        unsafe X509_gmtime_adj(X509_getm_notAfter(leaf), seconds)
        unsafe X509_set_pubkey(leaf, pair)
        let subject = unsafe X509_get_subject_name(leaf)
        unsafe X509_NAME_add_entry_by_txt(
            subject, "CN", MBSTRING_UTF8, name, Int32(name.utf8.count), -1, 0)
        unsafe X509_set_issuer_name(leaf, subject)
        if isAuthority { unsafe allowIssuing(leaf) }
        if let issuer {
            unsafe issuer.sign(leaf)
        } else {
            unsafe X509_sign(leaf, pair, EVP_sha256())
        }
        return ThrowAwayIdentity(
            certificate: unsafe text { unsafe PEM_write_bio_X509($0, leaf) },
            key: unsafe text { bio in
                guard let passphrase else {
                    return unsafe PEM_write_bio_PKCS8PrivateKey(bio, pair, nil, nil, 0, nil, nil)
                }
                return unsafe PEM_write_bio_PKCS8PrivateKey(
                    bio, pair, EVP_aes_256_cbc(), passphrase, Int32(passphrase.utf8.count), nil,
                    nil)
            })
    }

    private static func allowIssuing(_ certificate: OpaquePointer) {
        let extent = unsafe X509V3_EXT_conf_nid(
            nil, nil, NID_basic_constraints, "critical,CA:TRUE")
        unsafe X509_add_ext(certificate, extent, -1)
        unsafe X509_EXTENSION_free(extent)
    }

    private func sign(_ leaf: OpaquePointer) {
        let pair = unsafe co_private_key_from_pem(key, Int32(key.utf8.count))
        let own = unsafe makeCertificate()
        unsafe X509_set_issuer_name(leaf, X509_get_subject_name(own))
        unsafe X509_sign(leaf, pair, EVP_sha256())
        unsafe X509_free(own)
        unsafe EVP_PKEY_free(pair)
    }

    /// The certificate, which is the caller's to free.
    package func makeCertificate() -> OpaquePointer? {
        var text = certificate
        // SAFETY: a memory BIO reads in place, and is gone before the text.
        return text.withUTF8 { bytes in
            let bio = unsafe co_memory_bio(bytes.baseAddress, Int32(bytes.count))
            defer { unsafe BIO_free(bio) }
            return unsafe PEM_read_bio_X509(bio, nil, nil, nil)
        }
    }

    /// SHA-256 of the SubjectPublicKeyInfo, from the private key: 32 bytes.
    package var publicKeyDigest: [UInt8] {
        let pair = unsafe co_private_key_from_pem(key, Int32(key.utf8.count))
        defer { unsafe EVP_PKEY_free(pair) }
        var info: UnsafeMutablePointer<UInt8>?
        let count = unsafe i2d_PUBKEY(pair, &info)
        var digest = [UInt8](repeating: 0, count: 32)
        unsafe EVP_Digest(info, Int(count), &digest, nil, EVP_sha256(), nil)
        unsafe CRYPTO_free(info, nil, 0)
        return digest
    }

    private static func rsaPair() -> OpaquePointer? {
        guard let maker = unsafe EVP_PKEY_CTX_new_id(EVP_PKEY_RSA, nil) else { return nil }
        defer { unsafe EVP_PKEY_CTX_free(maker) }
        var pair: OpaquePointer?
        unsafe EVP_PKEY_keygen_init(maker)
        unsafe EVP_PKEY_CTX_set_rsa_keygen_bits(maker, 2048)
        unsafe EVP_PKEY_keygen(maker, &pair)
        return unsafe pair
    }

    private static func text(_ write: (OpaquePointer) -> Int32) -> String {
        guard let bio = unsafe BIO_new(BIO_s_mem()) else { return "" }
        defer { unsafe BIO_free(bio) }
        guard unsafe write(bio) == 1 else { return "" }
        var start: UnsafeMutablePointer<CChar>?
        let count = unsafe co_bio_contents(bio, &start)
        // SAFETY: the BIO keeps `count` bytes there until it is freed.
        let bytes = unsafe UnsafeBufferPointer(start: start, count: count)
        return unsafe String(decoding: bytes.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
