// SPDX-License-Identifier: Apache-2.0

import Bytes
import COpenSSL

/// A public key that signatures are checked under, shared by all threads.
@safe
package final class PublicKey: @unchecked Sendable {
    package let members: PublicMembers
    /// Invariant: a live EVP_PKEY without a private half that is never changed, which threads may
    /// share.
    private let key: OpaquePointer

    /// - Throws: `invalidPoint` for what lies on no curve of ours, or is of small order;
    ///   `unsuitableKey` for an RSA key outside of 2048 to 8192 bits, with an even modulus, or
    ///   with an exponent that is even, less than 3 or longer than 64 bits.
    package init(_ members: PublicMembers) throws(CryptoError) {
        // What is refused leaves reasons in this thread's queue, which later calls would report.
        defer { ERR_clear_error() }
        switch members {
        case .p256(let x, let y):
            self.members = members
            unsafe key = try Self.p256(x, y)
        case .ed25519(let point):
            self.members = members
            unsafe key = try Self.ed25519(point)
        case .rsa(let modulus, let exponent):
            guard
                let members = RSABounds.members(
                    modulus: modulus, exponent: exponent, bits: RSABounds.believedBits)
            else { throw .unsuitableKey }
            self.members = members
            unsafe key = try Self.rsa(members)
        }
    }

    deinit {
        // SAFETY: by the invariant, and nothing uses self after this.
        unsafe EVP_PKEY_free(key)
    }

    private static func p256(_ x: [UInt8], _ y: [UInt8]) throws(CryptoError) -> OpaquePointer {
        guard x.count == 32, y.count == 32 else { throw .invalidPoint }
        let point = [0x04] + x + y
        // SAFETY: the shim reads 65 bytes within the call, and checks that they are on the curve.
        // The form of an uncompressed point has none for infinity.
        let key = unsafe point.span.withUnsafeBufferPointer {
            unsafe co_p256_public($0.baseAddress, $0.count)
        }
        guard let key = unsafe key else { throw .invalidPoint }
        return unsafe key
    }

    private static func ed25519(_ point: [UInt8]) throws(CryptoError) -> OpaquePointer {
        guard Ed25519Point.isSound(point.span) else { throw .invalidPoint }
        // SAFETY: the library copies 32 bytes within the call.
        let key = unsafe point.span.withUnsafeBufferPointer {
            unsafe EVP_PKEY_new_raw_public_key_ex(nil, "ED25519", nil, $0.baseAddress, $0.count)
        }
        guard let key = unsafe key else { throw .invalidPoint }
        return unsafe key
    }

    private static func rsa(_ members: PublicMembers) throws(CryptoError) -> OpaquePointer {
        guard case .rsa(let modulus, let exponent) = members else { throw .unsuitableKey }
        // SAFETY: the shim copies both numbers within the call.
        let key = unsafe modulus.span.withUnsafeBufferPointer { modulus in
            unsafe exponent.span.withUnsafeBufferPointer { exponent in
                unsafe co_rsa_public(
                    modulus.baseAddress, modulus.count, exponent.baseAddress, exponent.count)
            }
        }
        guard let key = unsafe key else { throw .unsuitableKey }
        return unsafe key
    }

    // MARK: Signatures

    /// Whether `signature`, in JOSE's form, is one of the message under this key.
    ///
    /// A key of another kind than the algorithm's believes nothing, nor does a signature that is
    /// a byte too long or too short.
    package func verify(
        _ algorithm: SignatureAlgorithm, message: Span<UInt8>, signature: Span<UInt8>
    ) -> Bool {
        guard members.agrees(with: algorithm), signature.count == members.signatureCount else {
            return false
        }
        let isRight: Bool
        switch algorithm {
        case .edDSA: isRight = verifyWhole(message, signature)
        case .rs256, .ps256: isRight = verifyDigest(algorithm, message, signature)
        case .es256:
            var der = InlineArray<80, UInt8>(repeating: 0)
            let count = ECDSASignature.der(fromRaw: signature, into: &der)
            isRight = verifyDigest(algorithm, message, der.span.extracting(0..<count))
        }
        if !isRight { ERR_clear_error() }
        return isRight
    }

    private func verifyDigest(
        _ algorithm: SignatureAlgorithm, _ message: Span<UInt8>, _ signature: Span<UInt8>
    ) -> Bool {
        // SAFETY: the algorithm is never freed; the context is ours until the defer.
        guard let sha256 = unsafe Algorithms.sha256,
            let context = unsafe co_signature_context(key, 0, algorithm.rsaPadding, sha256)
        else { return false }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        var digest = InlineArray<32, UInt8>(repeating: 0)
        var output = digest.mutableSpan
        // SAFETY: SHA-256 writes exactly 32 bytes; the message outlives the call.
        let isHashed = unsafe output.withUnsafeMutableBufferPointer { output in
            unsafe message.withUnsafeBufferPointer { message in
                unsafe EVP_Digest(
                    message.baseAddress, message.count, output.baseAddress, nil, sha256, nil)
            }
        }
        guard isHashed == 1 else { return false }
        let input = digest.span
        // SAFETY: both spans outlive the call.
        return unsafe signature.withUnsafeBufferPointer { signature in
            unsafe input.withUnsafeBufferPointer { input in
                unsafe EVP_PKEY_verify(
                    context, signature.baseAddress, signature.count, input.baseAddress,
                    input.count) == 1
            }
        }
    }

    /// Ed25519 takes the message itself, twice (RFC 8032 §5.1.7).
    private func verifyWhole(_ message: Span<UInt8>, _ signature: Span<UInt8>) -> Bool {
        // SAFETY: the context is ours until the defer.
        guard let context = unsafe EVP_MD_CTX_new() else { return false }
        defer { unsafe EVP_MD_CTX_free(context) }
        // SAFETY: the key lives as long as self; both spans outlive the call.
        guard unsafe EVP_DigestVerifyInit(context, nil, nil, nil, key) == 1 else { return false }
        return unsafe signature.withUnsafeBufferPointer { signature in
            unsafe message.withUnsafeBufferPointer { message in
                unsafe EVP_DigestVerify(
                    context, signature.baseAddress, signature.count, message.baseAddress,
                    message.count) == 1
            }
        }
    }
}
