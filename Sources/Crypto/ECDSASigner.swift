// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// ES256 signatures (RFC 7518 §3.4) with one context that is used again; one a worker.
@safe
package struct ECDSASigner: ~Copyable {
    /// Invariant: a live EVP_PKEY_CTX initialised for signing, which holds the key by itself.
    private let context: OpaquePointer
    private var hasher: Hasher256

    package init(_ key: SigningKey) throws(CryptoError) {
        let hasher = try Hasher256()
        // SAFETY: the key lives through the call; the context then holds it, and is ours.
        guard let context = unsafe EVP_PKEY_CTX_new_from_pkey(nil, key.key, nil) else {
            throw .unavailable
        }
        guard unsafe EVP_PKEY_sign_init(context) == 1 else {
            unsafe EVP_PKEY_CTX_free(context)
            throw .unavailable
        }
        unsafe self.context = context
        self.hasher = hasher
    }

    deinit {
        // SAFETY: by the invariant, and nothing uses self after this.
        unsafe EVP_PKEY_CTX_free(context)
    }

    /// Signs SHA-256 of the message; `raw` becomes r and s, 32 bytes each.
    package mutating func sign(
        _ message: Span<UInt8>, into raw: inout InlineArray<64, UInt8>
    ) throws(CryptoError) {
        let digest = hasher.digest(message).bytes
        var der = InlineArray<80, UInt8>(repeating: 0)
        var count = 80
        var output = der.mutableSpan
        let input = digest.span
        // SAFETY: a P-256 signature is at most 72 bytes of DER; `count` says there are 80.
        let done = unsafe output.withUnsafeMutableBufferPointer { output in
            unsafe input.withUnsafeBufferPointer { input in
                unsafe EVP_PKEY_sign(
                    context, output.baseAddress, &count, input.baseAddress, input.count)
            }
        }
        guard done == 1,
            ECDSASignature.raw(fromDER: der.span.extracting(0..<count), into: &raw)
        else { throw .signingFailed }
    }
}
