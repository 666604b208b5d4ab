// SPDX-License-Identifier: Apache-2.0

import Bytes
import COpenSSL

/// A private key, shared by all workers that sign with it.
@safe
package final class SigningKey: @unchecked Sendable {
    package static let pemCapacity = 16 * 1024

    /// What it signs with: its kind decides, but that RSA can do both paddings.
    package let algorithm: SignatureAlgorithm
    package let members: PublicMembers
    /// Invariant: a live EVP_PKEY that is never changed, which threads may share.
    let key: OpaquePointer

    /// A new key; one of RSA has 2048 bits.
    package static func generate(
        _ algorithm: SignatureAlgorithm = .es256
    ) throws(CryptoError) -> SigningKey {
        // SAFETY: the new key is ours; the initialiser takes it over, or frees it.
        let key =
            switch algorithm {
            case .es256: unsafe co_p256_generate()
            case .rs256, .ps256: unsafe co_rsa_generate(RSABounds.generatedBits)
            case .edDSA: unsafe co_ed25519_generate()
            }
        guard let key = unsafe key else {
            ERR_clear_error()
            throw .unavailable
        }
        return unsafe try SigningKey(owning: key, rsa: algorithm)
    }

    /// - Parameters:
    ///   - pem: PKCS#8 (`PRIVATE KEY`), or the older forms of EC (SEC 1) and RSA (PKCS#1); not
    ///     encrypted.
    ///   - rsa: what an RSA key signs with: `rs256` or `ps256`.
    /// - Throws: `wrongKeyType` for other kinds than P-256, Ed25519 and RSA; `unsuitableKey` for
    ///   RSA outside of 2048 to 4096 bits, or with an exponent out of bounds.
    package convenience init(
        pem: Span<UInt8>, rsa: SignatureAlgorithm = .rs256
    ) throws(CryptoError) {
        guard pem.count > 0, pem.count <= Self.pemCapacity else { throw .malformedKey }
        // SAFETY: the memory BIO reads the span within the call.
        let key = unsafe pem.withUnsafeBytes { pem in
            unsafe co_private_key_from_pem(pem.baseAddress, Int32(pem.count))
        }
        // A refused file leaves reasons in this thread's queue, which later calls would report.
        ERR_clear_error()
        guard let key = unsafe key else { throw .malformedKey }
        unsafe try self.init(owning: key, rsa: rsa)
    }

    private init(owning key: OpaquePointer, rsa: SignatureAlgorithm) throws(CryptoError) {
        defer { ERR_clear_error() }
        do throws(CryptoError) {
            members = unsafe try Self.members(of: key)
        } catch {
            // SAFETY: the key is ours, and no object holds it.
            unsafe EVP_PKEY_free(key)
            throw error
        }
        algorithm =
            switch members {
            case .p256: .es256
            case .ed25519: .edDSA
            case .rsa: rsa == .ps256 ? .ps256 : .rs256
            }
        unsafe self.key = key
    }

    deinit {
        // SAFETY: by the invariant; signers hold this object. The library wipes the key.
        unsafe EVP_PKEY_free(key)
    }

    private static func members(of key: OpaquePointer) throws(CryptoError) -> PublicMembers {
        var bytes = [UInt8](repeating: 0, count: RSABounds.byteCountMax)
        if unsafe EVP_PKEY_is_a(key, "RSA") == 1 {
            let modulus = unsafe number(0, of: key, &bytes)
            let exponent = unsafe number(1, of: key, &bytes)
            let members = RSABounds.members(
                modulus: modulus, exponent: exponent, bits: RSABounds.signingBits)
            guard let members else { throw .unsuitableKey }
            return members
        }
        var span = bytes.mutableSpan
        if unsafe EVP_PKEY_is_a(key, "ED25519") == 1 {
            var count = 32
            // SAFETY: the library writes 32 bytes.
            let done = unsafe span.withUnsafeMutableBufferPointer {
                unsafe EVP_PKEY_get_raw_public_key(key, $0.baseAddress, &count)
            }
            guard done == 1, count == 32 else { throw .wrongKeyType }
            return .ed25519(Array(bytes[..<32]))
        }
        // SAFETY: the shim writes 64 bytes: both coordinates, each padded to 32.
        let done = unsafe span.withUnsafeMutableBufferPointer {
            unsafe co_p256_point(key, $0.baseAddress)
        }
        guard done == 1 else { throw .wrongKeyType }
        return .p256(x: Array(bytes[..<32]), y: Array(bytes[32..<64]))
    }

    private static func number(
        _ which: Int32, of key: OpaquePointer, _ bytes: inout [UInt8]
    ) -> [UInt8] {
        var span = bytes.mutableSpan
        // SAFETY: the shim writes no more than there is room for.
        let count = unsafe span.withUnsafeMutableBufferPointer {
            unsafe co_rsa_number(key, which, $0.baseAddress, $0.count)
        }
        return Array(bytes[..<count])
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
