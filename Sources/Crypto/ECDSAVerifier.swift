// SPDX-License-Identifier: Apache-2.0

import Bytes
import COpenSSL

/// Checks ES256 signatures under one public key; for one thread.
@safe
package struct ECDSAVerifier: ~Copyable {
    /// Invariant: a live EVP_PKEY_CTX initialised for verifying, which holds the key by itself.
    private let context: OpaquePointer
    private var hasher: Hasher256

    /// - Parameters x, y: the point's coordinates, 32 bytes each.
    package init(x: Span<UInt8>, y: Span<UInt8>) throws(CryptoError) {
        guard x.count == 32, y.count == 32 else { throw .invalidPoint }
        let hasher = try Hasher256()
        var point: [UInt8] = [0x04]
        for index in x.indices { point.append(x[index]) }
        for index in y.indices { point.append(y[index]) }
        // SAFETY: the shim reads 65 bytes within the call and checks that they are on the curve.
        let made = unsafe point.span.withUnsafeBufferPointer {
            unsafe co_p256_verify_context($0.baseAddress, $0.count)
        }
        ERR_clear_error()
        guard let context = unsafe made else { throw .invalidPoint }
        unsafe self.context = context
        self.hasher = hasher
    }

    deinit {
        // SAFETY: by the invariant, and nothing uses self after this.
        unsafe EVP_PKEY_CTX_free(context)
    }

    /// Whether `raw` (r and s, 32 bytes each) signs SHA-256 of the message.
    package mutating func verify(_ message: Span<UInt8>, signature raw: Span<UInt8>) -> Bool {
        guard raw.count == 64 else { return false }
        var der = InlineArray<80, UInt8>(repeating: 0)
        let count = ECDSASignature.der(fromRaw: raw, into: &der)
        let digest = hasher.digest(message).bytes
        let signature = der.span.extracting(0..<count)
        let input = digest.span
        // SAFETY: both spans outlive the call.
        let verdict = unsafe signature.withUnsafeBufferPointer { signature in
            unsafe input.withUnsafeBufferPointer { input in
                unsafe EVP_PKEY_verify(
                    context, signature.baseAddress, signature.count, input.baseAddress, input.count)
            }
        }
        if verdict != 1 { ERR_clear_error() }
        return verdict == 1
    }
}
