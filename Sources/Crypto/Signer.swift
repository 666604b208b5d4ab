// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// Signatures in JOSE's form, with one context that is used again; one a worker.
@safe
package struct Signer: ~Copyable {
    /// Bytes of the longest signature: RSA of 4096 bits.
    package static let signatureCountMax = 512

    package let algorithm: SignatureAlgorithm
    /// Bytes of each signature.
    package let signatureCount: Int
    private let key: SigningKey
    /// Invariant: live and ours; for EdDSA an EVP_MD_CTX, else an EVP_PKEY_CTX initialised for
    /// signing SHA-256 digests.
    private let context: OpaquePointer
    private var hasher: Hasher256

    package init(_ key: SigningKey) throws(CryptoError) {
        let hasher = try Hasher256()
        // SAFETY: the algorithm is never freed, and the key lives as long as self.
        let made =
            unsafe key.algorithm == .edDSA
            ? EVP_MD_CTX_new()
            : co_signature_context(key.key, 1, key.algorithm.rsaPadding, Algorithms.sha256)
        guard let context = unsafe made else {
            ERR_clear_error()
            throw .unavailable
        }
        algorithm = key.algorithm
        signatureCount = key.members.signatureCount
        self.key = key
        unsafe self.context = context
        self.hasher = hasher
    }

    deinit {
        // SAFETY: by the invariant, and nothing uses self after this.
        if algorithm == .edDSA {
            unsafe EVP_MD_CTX_free(context)
        } else {
            unsafe EVP_PKEY_CTX_free(context)
        }
    }

    /// Signs the message.
    ///
    /// - Parameter signature: has room for `signatureCount` bytes, and gets them at its front.
    package mutating func sign(
        _ message: Span<UInt8>, into signature: inout MutableSpan<UInt8>
    ) throws(CryptoError) {
        precondition(signature.count >= signatureCount)
        let isSigned: Bool
        switch algorithm {
        case .es256: isSigned = signPoint(message, into: &signature)
        case .rs256, .ps256: isSigned = signDigest(message, into: &signature) == signatureCount
        case .edDSA: isSigned = signWhole(message, into: &signature)
        }
        guard isSigned else {
            ERR_clear_error()
            throw .signingFailed
        }
    }

    private mutating func signPoint(
        _ message: Span<UInt8>, into signature: inout MutableSpan<UInt8>
    ) -> Bool {
        // A P-256 signature is at most 72 bytes of DER.
        var der = InlineArray<80, UInt8>(repeating: 0)
        var output = der.mutableSpan
        let count = signDigest(message, into: &output)
        return count > 0
            && ECDSASignature.raw(fromDER: der.span.extracting(0..<count), into: &signature)
    }

    /// - Returns: how many bytes were written; 0 where the library refused.
    private mutating func signDigest(
        _ message: Span<UInt8>, into output: inout MutableSpan<UInt8>
    ) -> Int {
        let digest = hasher.digest(message).bytes
        var count = output.count
        let input = digest.span
        // SAFETY: the library writes no more than `count` bytes, and says how many.
        let done = unsafe output.withUnsafeMutableBufferPointer { output in
            unsafe input.withUnsafeBufferPointer { input in
                unsafe EVP_PKEY_sign(
                    context, output.baseAddress, &count, input.baseAddress, input.count)
            }
        }
        return done == 1 ? count : 0
    }

    /// Ed25519 reads the message twice (RFC 8032 §5.1.6), so that it takes no digest. The context
    /// has to begin anew each time, which costs a hundredth of the signature.
    private mutating func signWhole(
        _ message: Span<UInt8>, into signature: inout MutableSpan<UInt8>
    ) -> Bool {
        var count = signature.count
        // SAFETY: by the invariant; the key lives as long as self, and 64 bytes are written.
        return unsafe signature.withUnsafeMutableBufferPointer { output in
            unsafe message.withUnsafeBufferPointer { message in
                unsafe EVP_MD_CTX_reset(context) == 1
                    && EVP_DigestSignInit(context, nil, nil, nil, key.key) == 1
                    && EVP_DigestSign(
                        context, output.baseAddress, &count, message.baseAddress, message.count)
                        == 1
                    && count == 64
            }
        }
    }
}
