// SPDX-License-Identifier: Apache-2.0

import COpenSSL
import Testing

/// A throw-away certificate with its key, made in this process.
package struct ThrowAwayIdentity {
    package enum Kind: Sendable, CaseIterable {
        case ecdsa, rsa, p384, p521, ed25519
        /// Those that no gateway takes.
        case rsa1024, secp256k1, ed448

        /// Those that a gateway can have for itself, and those that its clients can have.
        package static let servers: [Kind] = [.ecdsa, .rsa]
        package static let clients: [Kind] = [.ecdsa, .p384, .p521, .ed25519, .rsa]
    }

    package let certificate: String
    package let key: String

    package static let ecdsa = make(.ecdsa)
    package static let rsa = make(.rsa)

    /// - Parameters:
    ///   - begins: seconds from now to the begin of validity.
    ///   - seconds: from now to the end of validity.
    ///   - passphrase: encrypts the key.
    ///   - isAuthority: may vouch for others.
    ///   - issuer: an authority that vouches for it; without one it does so itself.
    ///   - usage: what the key is for, as OpenSSL names it.
    package static func make(
        _ kind: Kind = .ecdsa, name: String = "claw", begins: Int = -60, seconds: Int = 86_400,
        passphrase: String? = nil, isAuthority: Bool = false, issuer: ThrowAwayIdentity? = nil,
        usage: String? = nil
    ) -> ThrowAwayIdentity {
        // SAFETY: each object is freed below; what fails leaves an empty text, which no test takes
        // for an identity.
        let pair = unsafe makePair(kind)
        guard let pair = unsafe pair, let leaf = unsafe X509_new() else {
            return ThrowAwayIdentity(certificate: "", key: "")
        }
        defer {
            unsafe EVP_PKEY_free(pair)
            unsafe X509_free(leaf)
        }
        unsafe X509_set_version(leaf, 2)
        unsafe ASN1_INTEGER_set(X509_get_serialNumber(leaf), 1)
        unsafe X509_gmtime_adj(X509_getm_notBefore(leaf), begins)
        unsafe X509_gmtime_adj(X509_getm_notAfter(leaf), seconds)
        unsafe X509_set_pubkey(leaf, pair)
        let subject = unsafe X509_get_subject_name(leaf)
        unsafe X509_NAME_add_entry_by_txt(
            subject, "CN", MBSTRING_UTF8, name, Int32(name.utf8.count), -1, 0)
        unsafe X509_set_issuer_name(leaf, subject)
        if isAuthority {
            unsafe extend(leaf, NID_basic_constraints, "critical,CA:TRUE")
        }
        if let usage { unsafe extend(leaf, NID_ext_key_usage, usage) }
        if let issuer {
            unsafe issuer.sign(leaf)
        } else {
            unsafe X509_sign(leaf, pair, hash(for: pair))
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

    private static func extend(_ certificate: OpaquePointer, _ kind: Int32, _ value: String) {
        let extent = unsafe X509V3_EXT_conf_nid(nil, nil, kind, value)
        unsafe X509_add_ext(certificate, extent, -1)
        unsafe X509_EXTENSION_free(extent)
    }

    private func sign(_ leaf: OpaquePointer) {
        let pair = unsafe co_private_key_from_pem(key, Int32(key.utf8.count))
        let own = unsafe makeCertificate()
        unsafe X509_set_issuer_name(leaf, X509_get_subject_name(own))
        unsafe X509_sign(leaf, pair, Self.hash(for: pair))
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

    /// DER.
    package var encoded: [UInt8] {
        let own = unsafe makeCertificate()
        defer { unsafe X509_free(own) }
        var bytes: UnsafeMutablePointer<UInt8>?
        let count = unsafe Int(i2d_X509(own, &bytes))
        defer { unsafe CRYPTO_free(bytes, nil, 0) }
        // SAFETY: libcrypto has allocated `count` bytes there.
        return unsafe Array(UnsafeBufferPointer(start: bytes, count: count))
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

    /// Edwards curves hash for themselves.
    private static func hash(for pair: OpaquePointer?) -> OpaquePointer? {
        unsafe EVP_PKEY_get_base_id(pair) == EVP_PKEY_ED25519
            || EVP_PKEY_get_base_id(pair) == EVP_PKEY_ED448 ? nil : EVP_sha256()
    }

    private static func makePair(_ kind: Kind) -> OpaquePointer? {
        switch kind {
        case .ecdsa: unsafe generate(co_curve_maker("P-256"))
        case .p384: unsafe generate(co_curve_maker("P-384"))
        case .p521: unsafe generate(co_curve_maker("P-521"))
        case .secp256k1: unsafe generate(co_curve_maker("secp256k1"))
        case .ed25519: unsafe generate(co_maker("ED25519", nil))
        case .ed448: unsafe generate(co_maker("ED448", nil))
        case .rsa: unsafe rsaPair(2048)
        case .rsa1024: unsafe rsaPair(1024)
        }
    }

    private static func generate(_ maker: OpaquePointer?) -> OpaquePointer? {
        defer { unsafe EVP_PKEY_CTX_free(maker) }
        var pair: OpaquePointer?
        unsafe EVP_PKEY_generate(maker, &pair)
        return unsafe pair
    }

    private static func rsaPair(_ bits: Int32) -> OpaquePointer? {
        guard let maker = unsafe EVP_PKEY_CTX_new_id(EVP_PKEY_RSA, nil) else { return nil }
        defer { unsafe EVP_PKEY_CTX_free(maker) }
        var pair: OpaquePointer?
        unsafe EVP_PKEY_keygen_init(maker)
        unsafe EVP_PKEY_CTX_set_rsa_keygen_bits(maker, bits)
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
