// SPDX-License-Identifier: Apache-2.0

import Bytes
import COpenSSL

/// A private key of P-256 (RFC 7518 §3.4), shared by all workers that sign with it.
@safe
package final class SigningKey: @unchecked Sendable {
    package static let pemCapacity = 16 * 1024

    /// The public point's coordinates, 32 bytes each.
    package let x: [UInt8]
    package let y: [UInt8]
    /// Invariant: a live EVP_PKEY of P-256 that is never changed, which threads may share.
    let key: OpaquePointer

    package static func generate() throws(CryptoError) -> SigningKey {
        // SAFETY: the new key is ours; the initialiser takes it over, or frees it.
        guard let key = unsafe co_p256_generate() else { throw .unavailable }
        return unsafe try SigningKey(owning: key)
    }

    /// - Parameter pem: PKCS#8 (`PRIVATE KEY`) or SEC 1 (`EC PRIVATE KEY`), not encrypted.
    package convenience init(pem: Span<UInt8>) throws(CryptoError) {
        guard pem.count > 0, pem.count <= Self.pemCapacity else { throw .malformedKey }
        // SAFETY: the memory BIO reads the span within the call.
        let key = unsafe pem.withUnsafeBytes { pem in
            unsafe co_private_key_from_pem(pem.baseAddress, Int32(pem.count))
        }
        // A refused file leaves reasons in this thread's queue, which later calls would report.
        ERR_clear_error()
        guard let key = unsafe key else { throw .malformedKey }
        unsafe try self.init(owning: key)
    }

    private init(owning key: OpaquePointer) throws(CryptoError) {
        var point = [UInt8](repeating: 0, count: 64)
        var span = point.mutableSpan
        // SAFETY: the shim writes 64 bytes: both coordinates, each padded to 32.
        let found = unsafe span.withUnsafeMutableBufferPointer {
            unsafe co_p256_point(key, $0.baseAddress)
        }
        guard found == 1 else {
            unsafe EVP_PKEY_free(key)
            ERR_clear_error()
            throw .wrongKeyType
        }
        x = Array(point[..<32])
        y = Array(point[32...])
        unsafe self.key = key
    }

    deinit {
        // SAFETY: by the invariant; signers hold the key by themselves. The library wipes it.
        unsafe EVP_PKEY_free(key)
    }

    /// PKCS#8, not encrypted: for the state directory, where only the owner may read it.
    package func pem() throws(CryptoError) -> SecretBytes {
        // SAFETY: the BIO is ours until the defer; its memory is wiped when it is freed.
        guard let memory = unsafe BIO_new(BIO_s_secmem()) else { throw .unavailable }
        defer { unsafe BIO_free_all(memory) }
        guard unsafe PEM_write_bio_PKCS8PrivateKey(memory, key, nil, nil, 0, nil, nil) == 1 else {
            throw .unavailable
        }
        var text: UnsafeMutablePointer<CChar>?
        let count = unsafe co_bio_contents(memory, &text)
        guard count > 0, let text = unsafe text else { throw .unavailable }
        // SAFETY: the BIO keeps `count` bytes at `text` until it is freed, after the copy.
        return SecretBytes(capacity: count) { output in
            for index in 0..<count { output.append(UInt8(bitPattern: unsafe text[index])) }
        }
    }
}
