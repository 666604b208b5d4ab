// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// A certificate that a peer has sent, parsed by libcrypto.
@safe
struct PeerCertificate: ~Copyable {
    /// The largest RSA key whose signatures are verified, and its exponent: a stranger chooses how
    /// much work one is.
    private static let rsaBitsMax: Int32 = 8192
    private static let rsaExponentBitsMax: Int32 = 32

    /// Invariant: owned by this value.
    let certificate: OpaquePointer

    /// - Parameter encoded: DER, and nothing behind it.
    init(_ encoded: Span<UInt8>) throws(Alert) {
        unsafe certificate = try Self.read(encoded)
    }

    deinit {
        unsafe X509_free(certificate)
    }

    /// The caller's to free.
    static func read(_ encoded: Span<UInt8>) throws(Alert) -> OpaquePointer {
        defer { ERR_clear_error() }
        // SAFETY: the bytes are readable for the call, which moves the pointer behind what it read.
        let certificate = unsafe encoded.withUnsafeBufferPointer { bytes -> OpaquePointer? in
            var place = bytes.baseAddress
            guard let found = unsafe d2i_X509(nil, &place, bytes.count) else { return nil }
            if unsafe place == bytes.baseAddress.map({ unsafe $0 + bytes.count }) {
                return unsafe found
            }
            unsafe X509_free(found)
            return nil
        }
        guard let certificate = unsafe certificate else { throw .badCertificate }
        return unsafe certificate
    }

    /// Whether the signature over a text is that of the certificate's key, which has to be of a
    /// kind and size that is taken.
    func checkSignature(
        _ scheme: SignatureScheme, _ signature: Span<UInt8>, over text: Span<UInt8>
    ) throws(Alert) {
        defer { ERR_clear_error() }
        guard let key = unsafe X509_get0_pubkey(certificate), unsafe Self.isTaken(key) else {
            throw .unsupportedCertificate
        }
        // §4.4.3: one of those asked for, and of the key.
        guard unsafe SignatureScheme.fitting(key).contains(scheme) else { throw .illegalParameter }
        guard unsafe scheme.verifies(signature, over: text, key) else { throw .decryptError }
    }

    private static func isTaken(_ key: OpaquePointer) -> Bool {
        let schemes = unsafe SignatureScheme.fitting(key)
        guard schemes.contains(.rsaPSS256) else { return !schemes.isEmpty }
        return unsafe (SignatureScheme.rsaBitsMin...rsaBitsMax).contains(EVP_PKEY_get_bits(key))
            && (1...rsaExponentBitsMax).contains(co_rsa_exponent_bits(key))
    }

    /// - Parameter now: seconds since 1970.
    func checkDates(_ now: Int64) throws(Alert) {
        defer { ERR_clear_error() }
        guard unsafe now >= co_certificate_start(certificate) else { throw .badCertificate }
        guard unsafe now < co_certificate_expiry(certificate) else { throw .certificateExpired }
    }
}
