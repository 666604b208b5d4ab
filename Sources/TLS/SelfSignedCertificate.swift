// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// A certificate that vouches for itself, for trying things out on one machine.
package struct SelfSignedCertificate {
    private static let validSeconds = 30 * 24 * 3600

    /// PEM.
    package let certificate: [UInt8]
    /// PEM, PKCS#8, ECDSA P-256.
    package let key: [UInt8]

    /// - Parameter names: subject alternative names as OpenSSL writes them:
    ///   `DNS:localhost,IP:127.0.0.1`.
    package init(names: String) throws(TLSFault) {
        ERR_clear_error()
        guard let pair = unsafe co_p256_generate() else {
            throw TLSFault.configuration(OpenSSLErrors.take())
        }
        defer { unsafe EVP_PKEY_free(pair) }
        guard let certificate = unsafe co_self_signed(pair, names, Self.validSeconds) else {
            throw TLSFault.configuration(OpenSSLErrors.take())
        }
        defer { unsafe X509_free(certificate) }
        self.certificate = unsafe try Self.text { unsafe PEM_write_bio_X509($0, certificate) }
        key = unsafe try Self.text {
            unsafe PEM_write_bio_PrivateKey($0, pair, nil, nil, 0, nil, nil)
        }
    }

    private static func text(_ write: (OpaquePointer?) -> Int32) throws(TLSFault) -> [UInt8] {
        guard let memory = unsafe BIO_new(BIO_s_mem()), unsafe write(memory) == 1 else {
            throw TLSFault.configuration(OpenSSLErrors.take())
        }
        defer { unsafe BIO_free(memory) }
        var start: UnsafeMutablePointer<CChar>?
        let count = unsafe co_bio_contents(memory, &start)
        // SAFETY: the memory BIO holds `count` bytes at `start` until it is freed.
        let bytes = unsafe UnsafeRawBufferPointer(start: start, count: count)
        return unsafe Array(bytes)
    }
}
