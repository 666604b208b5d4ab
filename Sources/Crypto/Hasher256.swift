// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// SHA-256 with one context that is used again for every message; one a worker.
@safe
package struct Hasher256: ~Copyable {
    /// Invariant: a live EVP_MD_CTX owned by this value, never initialised for signing (such a
    /// context cannot go back to plain digests).
    private let context: OpaquePointer
    private let algorithm: OpaquePointer

    package init() throws(CryptoError) {
        // SAFETY: the algorithm is never freed; the context is ours from here on.
        guard let algorithm = unsafe Algorithms.sha256, let context = unsafe EVP_MD_CTX_new() else {
            throw .unavailable
        }
        unsafe self.algorithm = algorithm
        unsafe self.context = context
    }

    deinit {
        // SAFETY: by the invariant, and nothing uses self after this.
        unsafe EVP_MD_CTX_free(context)
    }

    package mutating func digest(_ bytes: Span<UInt8>) -> SHA256Digest {
        begin()
        update(bytes)
        return finish()
    }

    /// The digest of the parts one after the other, without a separator.
    package mutating func digest(_ first: Span<UInt8>, _ second: Span<UInt8>) -> SHA256Digest {
        begin()
        update(first)
        update(second)
        return finish()
    }

    package mutating func digest(
        _ first: Span<UInt8>, _ second: Span<UInt8>, _ third: Span<UInt8>
    ) -> SHA256Digest {
        begin()
        update(first)
        update(second)
        update(third)
        return finish()
    }

    // MARK: In parts

    /// Starts a message, dropping one that was not finished.
    package mutating func begin() {
        // SAFETY: both pointers live as long as self. A digest over a reused context allocates
        // nothing, so these calls fail only if we broke the invariant.
        let done = unsafe EVP_DigestInit_ex2(context, algorithm, nil)
        precondition(done == 1, "SHA-256 context")
    }

    package mutating func update(_ bytes: Span<UInt8>) {
        // SAFETY: the library reads `count` bytes of the span, which outlives the call.
        let done = unsafe bytes.withUnsafeBytes {
            unsafe EVP_DigestUpdate(context, $0.baseAddress, $0.count)
        }
        precondition(done == 1, "SHA-256 context")
    }

    package mutating func finish() -> SHA256Digest {
        var output = InlineArray<32, UInt8>(repeating: 0)
        var span = output.mutableSpan
        // SAFETY: SHA-256 writes exactly 32 bytes.
        let done = unsafe span.withUnsafeMutableBufferPointer {
            unsafe EVP_DigestFinal_ex(context, $0.baseAddress, nil)
        }
        precondition(done == 1, "SHA-256 context")
        guard let digest = SHA256Digest(bytes: output.span) else {
            preconditionFailure("32 bytes make a digest")
        }
        return digest
    }
}
