// SPDX-License-Identifier: Apache-2.0

import COpenSSL

package enum HMACAlgorithm: Sendable, Equatable {
    case sha1, sha256, sha512

    /// Bytes of one authentication code.
    package var byteCount: Int {
        switch self {
        case .sha1: 20
        case .sha256: 32
        case .sha512: 64
        }
    }
}

/// HMAC (RFC 2104) under one key, whose context is keyed once and then only rewound.
///
/// A context is for one thread; each worker has its own.
@safe
package struct HMACKey: ~Copyable {
    package let algorithm: HMACAlgorithm
    /// Invariant: a live, keyed EVP_MAC_CTX owned by this value.
    private let context: OpaquePointer

    package init(_ algorithm: HMACAlgorithm, key: Span<UInt8>) throws(CryptoError) {
        // An empty key would be taken for "keep the key there is".
        guard key.count > 0 else { throw .malformedKey }
        // SAFETY: the algorithm is never freed; the context is ours, and freed where keying fails.
        guard let hmac = unsafe Algorithms.hmac, let context = unsafe EVP_MAC_CTX_new(hmac) else {
            throw .unavailable
        }
        let keyed = unsafe Self.setKey(context, algorithm, key)
        guard keyed else {
            unsafe EVP_MAC_CTX_free(context)
            throw .unavailable
        }
        self.algorithm = algorithm
        unsafe self.context = context
    }

    deinit {
        // SAFETY: by the invariant. The library wipes the key with the context.
        unsafe EVP_MAC_CTX_free(context)
    }

    /// - Returns: how many bytes of `code` were written, from its front: 20, 32 or 64.
    @discardableResult
    package mutating func authenticate(
        _ message: Span<UInt8>, into code: inout InlineArray<64, UInt8>
    ) -> Int {
        var written = 0
        var output = code.mutableSpan
        // SAFETY: without a key the context is rewound to the one it has; 64 bytes hold the
        // longest of the three codes; both spans outlive the calls.
        let done = unsafe message.withUnsafeBufferPointer { input in
            unsafe output.withUnsafeMutableBufferPointer { output in
                unsafe EVP_MAC_init(context, nil, 0, nil) == 1
                    && EVP_MAC_update(context, input.baseAddress, input.count) == 1
                    && EVP_MAC_final(context, output.baseAddress, &written, output.count) == 1
            }
        }
        precondition(done && written == algorithm.byteCount, "HMAC context")
        return written
    }

    private static func setKey(
        _ context: OpaquePointer, _ algorithm: HMACAlgorithm, _ key: Span<UInt8>
    ) -> Bool {
        // SAFETY: the key is read within the call and copied by the library.
        unsafe key.withUnsafeBufferPointer { key in
            unsafe co_hmac_init(context, name(algorithm), key.baseAddress, key.count) == 1
        }
    }

    private static func name(_ algorithm: HMACAlgorithm) -> Int32 {
        switch algorithm {
        case .sha1: 1
        case .sha256: 256
        case .sha512: 512
        }
    }
}
