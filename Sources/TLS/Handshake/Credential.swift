// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// A certificate with its chain, and the key that proves it; changed by nobody after init, which
/// makes it shareable.
@safe
final class Credential: @unchecked Sendable {
    @safe private struct Signer {
        let scheme: SignatureScheme
        /// Invariant: owned by the credential, and only ever copied.
        let context: OpaquePointer
    }

    /// Of the longest signature: RSA with 16,384 bits.
    private static let signatureMax = 2048

    /// The handshake message (RFC 8446 §4.4.2).
    let message: [UInt8]
    /// End of the leaf's validity, in seconds since 1970.
    let expiry: Int64
    /// DER.
    private let leaf: [UInt8]
    /// The cheapest first.
    private let signers: [Signer]

    /// - Parameters:
    ///   - certificate: PEM, the leaf first, then its chain.
    ///   - key: PEM, ECDSA or RSA, without a passphrase.
    init(certificate: borrowing Span<UInt8>, key: borrowing Span<UInt8>) throws(TLSFault) {
        defer { ERR_clear_error() }
        ERR_clear_error()
        let leaf = unsafe try PEMText.leaf(certificate)
        defer { unsafe X509_free(leaf) }
        let chain = try PEMText.chain(certificate)
        let pair = unsafe try PEMText.key(key)
        defer { unsafe EVP_PKEY_free(pair) }
        guard unsafe X509_check_private_key(leaf, pair) == 1 else {
            let reason = OpenSSLErrors.take()
            throw TLSFault.configuration("key does not fit the certificate: \(reason)")
        }
        signers = unsafe try Self.signers(of: pair)
        message = try Self.message(chain)
        self.leaf = chain.first ?? []
        expiry = unsafe co_certificate_expiry(leaf)
    }

    /// Whether the certificate is one for a host of that name.
    func covers(_ name: String) -> Bool {
        guard !name.isEmpty, !name.utf8.contains(0) else { return false }
        return unsafe leaf.withUnsafeBufferPointer { bytes in
            // SAFETY: the bytes are only read, and the certificate that is made is freed here.
            var place = bytes.baseAddress
            guard let certificate = unsafe d2i_X509(nil, &place, bytes.count) else { return false }
            defer { unsafe X509_free(certificate) }
            let flags = UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS)
            return unsafe X509_check_host(certificate, name, name.utf8.count, flags, nil) == 1
        }
    }

    deinit {
        for signer in signers { unsafe EVP_PKEY_CTX_free(signer.context) }
    }

    private static func signers(of key: OpaquePointer) throws(TLSFault) -> [Signer] {
        let rsaBitsMin = SignatureScheme.rsaBitsMin
        if unsafe EVP_PKEY_is_a(key, "RSA") == 1, unsafe EVP_PKEY_get_bits(key) < rsaBitsMin {
            let bits = unsafe EVP_PKEY_get_bits(key)
            throw TLSFault.configuration(
                "key: RSA with \(bits) bits is too short; \(rsaBitsMin) are the least")
        }
        var signers: [Signer] = []
        for scheme in unsafe SignatureScheme.fitting(key) {
            guard let context = unsafe scheme.makeContext(key) else { continue }
            signers.append(unsafe Signer(scheme: scheme, context: context))
        }
        guard !signers.isEmpty else {
            throw TLSFault.configuration(
                "key must be ECDSA on P-256, P-384 or P-521, or RSA")
        }
        return signers
    }

    /// - Parameter chain: DER, the leaf first.
    private static func message(_ chain: [[UInt8]]) throws(TLSFault) -> [UInt8] {
        // Each entry: a length of three bytes, the certificate, and no extensions.
        let entries = chain.reduce(0) { $0 + 3 + $1.count + 2 }
        guard entries + 4 < 1 << 24 else {
            throw TLSFault.configuration("certificate chain is too long")
        }
        var message = HandshakeMessage(.certificate, capacity: 8 + entries)
        message.append(number: 0, size: 1)
        message.append(number: entries, size: 3)
        for certificate in chain {
            message.append(number: certificate.count, size: 3)
            message.append(certificate.span)
            message.append(number: 0, size: 2)
        }
        return message.finish()
    }

    /// The first scheme of ours that the client takes.
    func scheme(among offered: (SignatureScheme) -> Bool) -> SignatureScheme? {
        signers.first { offered($0.scheme) }?.scheme
    }

    /// Signs a digest of the scheme's hash.
    func sign(_ scheme: SignatureScheme, _ digest: Digest) throws(Alert) -> [UInt8] {
        guard let signer = signers.first(where: { $0.scheme == scheme }),
            let context = unsafe EVP_PKEY_CTX_dup(signer.context)
        else { throw .internalError }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        var count = Self.signatureMax
        let signature = unsafe [UInt8](unsafeUninitializedCapacity: count) { room, used in
            // SAFETY: libcrypto writes no more than the room it is told of.
            let isDone = unsafe digest.span.withUnsafeBufferPointer {
                unsafe EVP_PKEY_sign(context, room.baseAddress, &count, $0.baseAddress, $0.count)
            }
            // Out of memory, OpenSSL 3.0 signs ECDSA with success and a length of 2^32 - 1.
            used = isDone == 1 && count <= room.count ? count : 0
        }
        guard !signature.isEmpty else {
            ERR_clear_error()
            throw .internalError
        }
        return signature
    }
}
