// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// Seals what lies on a disk (AES-256-GCM, NIST SP 800-38D) under a nonce drawn for each sealing.
///
/// Random nonces bear 2^32 sealings under one key; state is written a few times a day.
package enum AES256GCM {
    package static let keyCount = 32
    package static let nonceCount = 12
    package static let tagCount = 16
    package static let overhead = nonceCount + tagCount

    /// - Parameters:
    ///   - key: ``keyCount`` bytes.
    ///   - context: authenticated with it and not in it.
    /// - Returns: nonce, ciphertext, tag.
    package static func seal(
        _ plain: Span<UInt8>, key: SecretBytes, context: Span<UInt8>
    ) throws(CryptoError) -> [UInt8] {
        precondition(key.count == keyCount)
        var sealed = Random.bytes(nonceCount)
        sealed.append(contentsOf: repeatElement(0, count: plain.count + tagCount))
        var output = sealed.mutableSpan
        // SAFETY: the output has room for nonce, ciphertext and tag; all spans outlive the call.
        let done = unsafe output.withUnsafeMutableBufferPointer { output in
            guard let base = output.baseAddress else { return false }
            return unsafe run(
                key, nonce: base, isSealing: true, context, input: plain,
                into: base + nonceCount, tag: base + nonceCount + plain.count)
        }
        guard done else { throw .unavailable }
        return sealed
    }

    /// - Returns: `nil` where key or context is another, or a bit was changed.
    package static func open(
        _ sealed: Span<UInt8>, key: SecretBytes, context: Span<UInt8>
    ) -> SecretBytes? {
        precondition(key.count == keyCount)
        let count = sealed.count - overhead
        guard count >= 0 else { return nil }
        let body = sealed.extracting(nonceCount..<nonceCount + count)
        var isOpened = false
        let plain = SecretBytes(capacity: count) { output in
            output.append(repeating: 0, count: count)
            var room = output.mutableSpan
            // SAFETY: nonce and tag lie in the sealed bytes, the tag is only read; the room has
            // as many bytes as the body.
            isOpened = unsafe sealed.withUnsafeBufferPointer { sealed in
                guard let base = sealed.baseAddress else { return false }
                return unsafe room.withUnsafeMutableBufferPointer { room in
                    guard let start = room.baseAddress else { return false }
                    return unsafe run(
                        key, nonce: base, isSealing: false, context, input: body, into: start,
                        tag: UnsafeMutablePointer(mutating: base + nonceCount + count))
                }
            }
        }
        return isOpened ? plain : nil
    }

    private static func run(
        _ key: SecretBytes, nonce: UnsafePointer<UInt8>, isSealing: Bool, _ context: Span<UInt8>,
        input: Span<UInt8>, into output: UnsafeMutablePointer<UInt8>,
        tag: UnsafeMutablePointer<UInt8>
    ) -> Bool {
        guard let cipher = unsafe Algorithms.aes256GCM,
            let state = unsafe EVP_CIPHER_CTX_new()
        else { return false }
        // Wipes the key schedule.
        defer { unsafe EVP_CIPHER_CTX_free(state) }
        defer { ERR_clear_error() }
        var written: Int32 = 0
        let tagged = Int32(tagCount)
        // SAFETY: the key has 32 bytes, the nonce 12; as much is written as is read, and a tag.
        let isReady = unsafe key.span.withUnsafeBufferPointer {
            unsafe EVP_CipherInit_ex2(
                state, cipher, $0.baseAddress, nonce, isSealing ? 1 : 0, nil) == 1
        }
        guard isReady,
            unsafe isSealing
                || EVP_CIPHER_CTX_ctrl(state, EVP_CTRL_AEAD_SET_TAG, tagged, tag) == 1
        else { return false }
        let isFed = unsafe context.withUnsafeBufferPointer {
            unsafe EVP_CipherUpdate(state, nil, &written, $0.baseAddress, Int32($0.count)) == 1
        }
        let isRun = unsafe input.withUnsafeBufferPointer {
            unsafe EVP_CipherUpdate(state, output, &written, $0.baseAddress, Int32($0.count)) == 1
        }
        return unsafe isFed && isRun
            && EVP_CipherFinal_ex(state, output + input.count, &written) == 1
            && (!isSealing
                || EVP_CIPHER_CTX_ctrl(state, EVP_CTRL_AEAD_GET_TAG, tagged, tag) == 1)
    }
}
