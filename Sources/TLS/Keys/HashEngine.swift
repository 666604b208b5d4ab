// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// Hashes, HMAC and HKDF for the handshakes of one thread: contexts of libcrypto that are made
/// once and used again and again.
@safe
final class HashEngine {
    /// Invariant: live until deinit; `nil` where memory had run out, and then every call fails.
    private let running: OpaquePointer?
    private let copy: OpaquePointer?
    private let scratch: OpaquePointer?
    private var function = HashFunction.sha256

    init() {
        unsafe running = EVP_MD_CTX_new()
        unsafe copy = EVP_MD_CTX_new()
        unsafe scratch = EVP_MD_CTX_new()
    }

    deinit {
        unsafe EVP_MD_CTX_free(running)
        unsafe EVP_MD_CTX_free(copy)
        unsafe EVP_MD_CTX_free(scratch)
    }

    // MARK: A transcript (RFC 8446 §4.4.1)

    func begin(_ function: HashFunction) throws(Alert) {
        self.function = function
        guard unsafe running != nil, unsafe EVP_DigestInit_ex2(running, function.function, nil) == 1
        else { throw failure }
    }

    func add(_ bytes: Span<UInt8>) throws(Alert) {
        // SAFETY: the span's bytes are readable for the call.
        let isDone = unsafe bytes.withUnsafeBufferPointer {
            unsafe EVP_DigestUpdate(running, $0.baseAddress, $0.count) == 1
        }
        guard isDone else { throw failure }
    }

    /// The transcript for later, when others have used the engine.
    func saved() throws(Alert) -> SavedTranscript {
        guard let context = unsafe EVP_MD_CTX_new() else { throw failure }
        let saved = unsafe SavedTranscript(owning: context, function)
        try save(into: saved)
        return saved
    }

    func save(into saved: borrowing SavedTranscript) throws(Alert) {
        guard unsafe EVP_MD_CTX_copy_ex(saved.context, running) == 1 else { throw failure }
    }

    /// Goes on with a transcript that was saved.
    func resume(_ saved: borrowing SavedTranscript) throws(Alert) {
        guard unsafe running != nil, unsafe EVP_MD_CTX_copy_ex(running, saved.context) == 1 else {
            throw failure
        }
        function = saved.function
    }

    /// Of all that was added since ``begin(_:)``; more can follow.
    func digest() throws(Alert) -> Digest {
        guard unsafe copy != nil, unsafe EVP_MD_CTX_copy_ex(copy, running) == 1 else {
            throw failure
        }
        return unsafe try finish(copy, function)
    }

    // MARK: At once

    func hash(_ function: HashFunction, _ bytes: Span<UInt8>) throws(Alert) -> Digest {
        guard unsafe scratch != nil,
            unsafe EVP_DigestInit_ex2(scratch, function.function, nil) == 1
        else { throw failure }
        // SAFETY: the span's bytes are readable for the call.
        let isDone = unsafe bytes.withUnsafeBufferPointer {
            unsafe EVP_DigestUpdate(scratch, $0.baseAddress, $0.count) == 1
        }
        guard isDone else { throw failure }
        return unsafe try finish(scratch, function)
    }

    private func finish(
        _ context: OpaquePointer?, _ function: HashFunction
    ) throws(Alert) -> Digest {
        var digest = Digest(function)
        var span = digest.bytes.mutableSpan
        // SAFETY: the room is that of the longest hash.
        let isDone = unsafe span.withUnsafeMutableBufferPointer {
            unsafe EVP_DigestFinal_ex(context, $0.baseAddress, nil) == 1
        }
        guard isDone else { throw failure }
        return digest
    }

    /// RFC 2104, with a key no longer than a block.
    ///
    /// - Parameter output: room for the function's output; may overlap neither key nor message.
    func hmac(
        _ function: HashFunction, key: UnsafePointer<UInt8>, keyCount: Int,
        message: UnsafePointer<UInt8>?, count: Int, into output: UnsafeMutablePointer<UInt8>
    ) throws(Alert) {
        let blockCount = function.blockCount
        precondition(keyCount <= blockCount)
        let isDone = unsafe withUnsafeTemporaryAllocation(
            of: UInt8.self, capacity: 128 + Digest.countMax
        ) { room in
            guard let block = room.baseAddress, unsafe scratch != nil else { return false }
            let inner = unsafe block + 128
            for index in 0..<blockCount {
                unsafe block[index] = (index < keyCount ? key[index] : 0) ^ 0x36
            }
            // SAFETY: the block has 128 bytes, the inner digest 64 behind them.
            var isDone =
                unsafe EVP_DigestInit_ex2(scratch, function.function, nil) == 1
                && EVP_DigestUpdate(scratch, block, blockCount) == 1
                && (count == 0 || EVP_DigestUpdate(scratch, message, count) == 1)
                && EVP_DigestFinal_ex(scratch, inner, nil) == 1
            for index in 0..<blockCount { unsafe block[index] ^= 0x36 ^ 0x5C }
            isDone =
                unsafe isDone && EVP_DigestInit_ex2(scratch, function.function, nil) == 1
                && EVP_DigestUpdate(scratch, block, blockCount) == 1
                && EVP_DigestUpdate(scratch, inner, function.count) == 1
                && EVP_DigestFinal_ex(scratch, output, nil) == 1
            unsafe OPENSSL_cleanse(block, room.count)
            return isDone
        }
        guard isDone else { throw failure }
    }

    private var failure: Alert {
        ERR_clear_error()
        return .internalError
    }
}

/// A transcript that waits for its next message: a few hundred bytes.
@safe
struct SavedTranscript: ~Copyable {
    /// Invariant: owned by this value.
    fileprivate let context: OpaquePointer
    fileprivate let function: HashFunction

    fileprivate init(owning context: OpaquePointer, _ function: HashFunction) {
        unsafe self.context = context
        self.function = function
    }

    deinit {
        unsafe EVP_MD_CTX_free(context)
    }
}
