// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// The protection of one direction's records (RFC 8446 §5.2): a key, and a number that is used
/// once with it.
@safe
struct RecordProtection: ~Copyable {
    static let headerCount = 5
    static let tagCount = 16
    private static let nonceCount = 12

    /// Invariant: a live context owned by this value, for one direction; `nil` where memory has
    /// run out, and then nothing can be keyed.
    private let context: OpaquePointer?
    private let suite: CipherSuite
    private let isSealing: Bool
    /// Whether the context has the key of `secret`.
    private var isKeyed = false
    private var secret: Secret
    /// Twelve bytes, the last eight as a number: what a record's number is XORed into (§5.3).
    private var nonceHead: UInt32 = 0
    private var nonceTail: UInt64 = 0
    /// Of the next record under this key.
    private(set) var sequence: UInt64

    /// Not keyed yet: see ``setKey(_:)``.
    init(
        _ suite: CipherSuite, _ secret: consuming Secret, isSealing: Bool,
        sequence: UInt64 = 0
    ) {
        unsafe context = EVP_CIPHER_CTX_new()
        self.suite = suite
        self.isSealing = isSealing
        self.secret = secret
        self.sequence = sequence
    }

    deinit {
        // Wipes the key schedule.
        unsafe EVP_CIPHER_CTX_free(context)
    }

    /// The next generation of keys (§7.2), whose records are numbered from 0 again.
    ///
    /// - Returns: false where memory has run out. Then the old key is not used any more either.
    mutating func update() -> Bool {
        let nothing: [UInt8] = []
        let engine = HashEngine()
        do throws(Alert) {
            return rekey(try engine.expand(suite.hash, secret, "traffic upd", nothing.span), engine)
        } catch {
            isKeyed = false
            return false
        }
    }

    /// Goes on under the keys of another secret, with records numbered from 0.
    ///
    /// - Returns: false where memory has run out.
    mutating func rekey(_ next: consuming Secret, _ engine: HashEngine) -> Bool {
        secret.set(next)
        sequence = 0
        return setKey(engine)
    }

    /// The record that was just refused was none of this key's: its number is still to come.
    mutating func takeBackNumber() {
        precondition(sequence > 0 && !isSealing)
        sequence -= 1
    }

    /// Makes the key and what nonces begin with.
    ///
    /// - Returns: false where memory has run out, or libcrypto lacks the cipher.
    mutating func setKey(_ engine: HashEngine = HashEngine()) -> Bool {
        isKeyed = false
        guard unsafe context != nil, secret.count == suite.secretCount else { return false }
        let keyCount = suite.keyCount
        var head: UInt32 = 0
        var tail: UInt64 = 0
        let isDone = unsafe withUnsafeTemporaryAllocation(
            of: UInt8.self, capacity: 32 + Self.nonceCount
        ) { scratch in
            guard let key = scratch.baseAddress else { return false }
            let nonce = unsafe key + 32
            defer { unsafe OPENSSL_cleanse(key, 32 + Self.nonceCount) }
            let nothing: [UInt8] = []
            // SAFETY: the key has 32 bytes of room, the nonce twelve behind it.
            do throws(Alert) {
                unsafe try engine.expand(
                    suite.hash, secret, "key", nothing.span, into: key, keyCount)
                unsafe try engine.expand(
                    suite.hash, secret, "iv", nothing.span, into: nonce, Self.nonceCount)
            } catch {
                return false
            }
            unsafe UnsafeRawPointer(nonce).copy(to: &head, &tail)
            return unsafe EVP_CipherInit_ex2(
                context, suite.cipher, key, nonce, isSealing ? 1 : 0, nil) == 1
        }
        nonceHead = head
        nonceTail = tail
        isKeyed = isDone
        return isDone
    }

    /// Makes the context ready for the next record.
    private mutating func start() -> Bool {
        guard isKeyed else { return false }
        precondition(sequence < .max, "no number is used twice")
        var nonce = (nonceHead, (nonceTail.bigEndian ^ sequence).bigEndian)
        sequence += 1
        return unsafe withUnsafeTemporaryAllocation(
            of: UInt8.self, capacity: Self.nonceCount
        ) { bytes in
            guard let base = bytes.baseAddress else { return false }
            // SAFETY: four and eight bytes fill the twelve.
            unsafe memcpy(base, &nonce.0, 4)
            unsafe memcpy(base + 4, &nonce.1, 8)
            return unsafe EVP_CipherInit_ex2(context, nil, nil, base, isSealing ? 1 : 0, nil) == 1
        }
    }

    /// Seals one record: header, content, type and tag, 22 bytes more than the content.
    ///
    /// - Parameters:
    ///   - count: at most 16,384.
    ///   - output: room for the record; does not overlap the content.
    mutating func seal(
        _ content: UnsafePointer<UInt8>?, _ count: Int, type: UInt8,
        into output: UnsafeMutablePointer<UInt8>
    ) -> Bool {
        let length = count + 1 + Self.tagCount
        unsafe output[0] = ContentType.applicationData
        unsafe output[1] = 3
        unsafe output[2] = 3
        unsafe output[3] = UInt8(truncatingIfNeeded: length >> 8)
        unsafe output[4] = UInt8(truncatingIfNeeded: length)
        let body = unsafe output + Self.headerCount
        let end = unsafe body + count
        var type = type
        var written: Int32 = 0
        // SAFETY: what is written is `count`, one and sixteen bytes, all in the output's room.
        return unsafe start()
            && EVP_EncryptUpdate(context, nil, &written, output, Int32(Self.headerCount)) == 1
            && (count == 0
                || EVP_EncryptUpdate(context, body, &written, content, Int32(count)) == 1)
            && EVP_EncryptUpdate(context, end, &written, &type, 1) == 1
            && EVP_EncryptFinal_ex(context, end + 1, &written) == 1
            && EVP_CIPHER_CTX_ctrl(
                context, EVP_CTRL_AEAD_GET_TAG, Int32(Self.tagCount), end + 1) == 1
    }

    /// Opens one record.
    ///
    /// - Parameters:
    ///   - record: its header, and `length` bytes behind it; at least a tag's.
    ///   - output: room for `length` less the tag's bytes; apart from the record, or right where
    ///     its body begins.
    /// - Returns: false where the record is not authentic; what then lies in the output is nothing.
    mutating func open(
        _ record: UnsafePointer<UInt8>, length: Int, into output: UnsafeMutablePointer<UInt8>
    ) -> Bool {
        let body = unsafe record + Self.headerCount
        let count = length - Self.tagCount
        var written: Int32 = 0
        // SAFETY: the record's bytes are readable, the output's writable, as said above; the tag
        // is only read, whatever the type of the parameter.
        return unsafe start()
            && EVP_CIPHER_CTX_ctrl(
                context, EVP_CTRL_AEAD_SET_TAG, Int32(Self.tagCount),
                UnsafeMutablePointer(mutating: body + count)) == 1
            && EVP_DecryptUpdate(context, nil, &written, record, Int32(Self.headerCount)) == 1
            && EVP_DecryptUpdate(context, output, &written, body, Int32(count)) == 1
            && EVP_DecryptFinal_ex(context, output + count, &written) == 1
    }
}

/// RFC 8446 §5.1.
enum ContentType {
    static let changeCipherSpec: UInt8 = 20
    static let alert: UInt8 = 21
    static let handshake: UInt8 = 22
    static let applicationData: UInt8 = 23
}

extension UnsafeRawPointer {
    /// Twelve bytes as they lie, in two numbers.
    fileprivate func copy(to head: inout UInt32, _ tail: inout UInt64) {
        unsafe head = loadUnaligned(as: UInt32.self)
        unsafe tail = loadUnaligned(fromByteOffset: 4, as: UInt64.self)
    }
}
