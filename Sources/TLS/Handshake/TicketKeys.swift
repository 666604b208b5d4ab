// SPDX-License-Identifier: Apache-2.0

import Bytes
import COpenSSL
import Crypto
import Synchronization

/// The keys that session tickets are sealed with (RFC 5077 §4): one for new tickets, and the one
/// before it for tickets that are still about. All workers share them.
///
/// A ticket is the key's name, a nonce, and what resumes a session under AES-256-GCM. How long it
/// is good for is its key's life: no clock is read. A ticket begets the next, but not for ever: so
/// many rotations after the certificate was proven it is to be proven anew (RFC 8446 §4.6.1).
final class TicketKeys: Sendable {
    /// What a ticket resumes.
    struct Session: ~Copyable {
        let key: Secret
        /// How many rotations there had been when the certificate was proven.
        let provenAt: UInt32
        /// `nil` where the client was not asked for a certificate.
        let client: Client?
    }

    /// What a client was asked to prove, and has proven.
    struct Client {
        /// Of the ``ClientProof``.
        let rules: SHA256Digest
        let certificate: ClientCertificate?
    }

    private struct Keys {
        var current = TicketKey()
        var previous: TicketKey?
        var rotations: UInt32 = 0
    }

    private static let nonceCount = 12
    private static let tagCount = 16
    private static let headCount = TicketKey.nameCount + nonceCount
    /// The hash's number, the key's length, when the certificate was proven, and what is said of
    /// the client: nothing, what it was asked, and what it has proven besides.
    private static let fixedCount = 2 + 4 + 1
    private static let clientCounts = [0, 32, 32 + 32 + 8]
    /// What is said of the client follows, the key, and the server's name.
    private static let contentMax =
        fixedCount + 72 + Secret.countMax + ClientOffer.serverNameMax
    static let rotationsMax: UInt32 = 24

    private let keys = Mutex(Keys())

    /// The present key becomes the previous one; tickets of the one before can't resume any more.
    func rotate() {
        let next = TicketKey()
        keys.withLock {
            $0.previous = $0.current
            $0.current = next
            $0.rotations &+= 1
        }
    }

    // MARK: Sealing

    /// - Parameter provenAt: of the session that goes on; `nil` where a new one begins.
    func seal(
        _ hash: HashFunction, _ key: borrowing Secret, provenAt: UInt32?,
        serverName: Span<UInt8>, client: Client?
    ) throws(Alert) -> [UInt8] {
        precondition(serverName.count <= ClientOffer.serverNameMax)
        let (current, rotations) = keys.withLock { ($0.current, $0.rotations) }
        var content: [UInt8] = [hash == .sha384 ? 2 : 1, UInt8(key.count)]
        content.reserveCapacity(Self.contentMax)
        for place in stride(from: 24, through: 0, by: -8) {
            content.append(UInt8(truncatingIfNeeded: (provenAt ?? rotations) >> UInt32(place)))
        }
        Self.append(client, to: &content)
        for index in 0..<key.count { content.append(unsafe key.bytes[index]) }
        for index in serverName.indices { content.append(serverName[index]) }
        defer { Self.wipe(&content) }
        let sealed = unsafe [UInt8](
            unsafeUninitializedCapacity: Self.headCount + content.count + Self.tagCount
        ) { room, used in
            used = 0
            guard let base = room.baseAddress else { return }
            for index in 0..<TicketKey.nameCount { unsafe base[index] = current.name[index] }
            let nonce = unsafe base + TicketKey.nameCount
            let body = unsafe base + Self.headCount
            // SAFETY: name, nonce, content and tag fill the room.
            let isDone = unsafe content.withUnsafeBufferPointer { plain in
                unsafe RAND_bytes(nonce, Int32(Self.nonceCount)) == 1
                    && Self.run(
                        current, nonce, isSealing: true, plain.baseAddress, plain.count,
                        name: base, into: body, tag: body + plain.count)
            }
            if isDone { used = room.count }
        }
        guard !sealed.isEmpty else { throw .internalError }
        return sealed
    }

    // MARK: Opening

    /// - Returns: what to resume with; `nil` where the ticket is none of ours, of another hash or
    ///   for another name, or the certificate was proven too long ago.
    func open(_ ticket: Span<UInt8>, _ hash: HashFunction, serverName: Span<UInt8>) -> Session? {
        let count = ticket.count - Self.headCount - Self.tagCount
        guard count >= Self.fixedCount, count <= Self.contentMax, let key = key(named: ticket)
        else { return nil }
        var content = [UInt8](repeating: 0, count: count)
        defer { Self.wipe(&content) }
        // SAFETY: the ticket is readable as long as it counts; the tag is only read.
        let isDone = unsafe ticket.withUnsafeBufferPointer { source in
            guard let base = source.baseAddress else { return false }
            return unsafe content.withUnsafeMutableBufferPointer { room in
                guard let output = room.baseAddress else { return false }
                let body = unsafe base + Self.headCount
                return unsafe Self.run(
                    key, base + TicketKey.nameCount, isSealing: false, body, count, name: base,
                    into: output, tag: UnsafeMutablePointer(mutating: body + count))
            }
        }
        guard isDone else { return nil }
        return session(in: content.span, hash, serverName: serverName)
    }

    /// Reads what was sealed, and is ours therefore.
    private func session(
        in content: Span<UInt8>, _ hash: HashFunction, serverName: Span<UInt8>
    ) -> Session? {
        let keyCount = Int(content[1])
        let keyStart = Self.fixedCount + Self.clientCounts[Int(content[Self.fixedCount - 1])]
        let nameStart = keyStart + keyCount
        guard content[0] == (hash == .sha384 ? 2 : 1), keyCount == hash.count,
            content.count >= nameStart, content.extracting(nameStart...).equals(serverName)
        else { return nil }
        var provenAt: UInt32 = 0
        for index in 2..<6 { provenAt = provenAt << 8 | UInt32(content[index]) }
        guard keys.withLock({ $0.rotations }) &- provenAt <= Self.rotationsMax else { return nil }
        return Session(
            key: Secret(content.extracting(keyStart..<nameStart)), provenAt: provenAt,
            client: Self.client(in: content.extracting(Self.fixedCount..<keyStart)))
    }

    private func key(named ticket: Span<UInt8>) -> TicketKey? {
        let (current, previous) = keys.withLock { ($0.current, $0.previous) }
        if current.hasSealed(ticket) { return current }
        guard let previous, previous.hasSealed(ticket) else { return nil }
        return previous
    }

    /// AES-256-GCM over the content, with the name beside it.
    private static func run(
        _ key: TicketKey, _ nonce: UnsafePointer<UInt8>, isSealing: Bool,
        _ input: UnsafePointer<UInt8>?, _ count: Int, name: UnsafePointer<UInt8>,
        into output: UnsafeMutablePointer<UInt8>, tag: UnsafeMutablePointer<UInt8>
    ) -> Bool {
        guard let context = unsafe EVP_CIPHER_CTX_new() else { return false }
        // Wipes the key schedule.
        defer { unsafe EVP_CIPHER_CTX_free(context) }
        defer { ERR_clear_error() }
        var written: Int32 = 0
        // SAFETY: the key has 32 bytes, which stay for the call though it may just have been
        // rotated away; what is written is `count` bytes and a tag.
        let isReady = withExtendedLifetime(key) {
            unsafe EVP_CipherInit_ex2(
                context, CipherSuite.aes256GCM.cipher, key.secret.bytes, nonce,
                isSealing ? 1 : 0, nil) == 1
        }
        let tagged = Int32(tagCount)
        return unsafe isReady
            && (isSealing
                || EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, tagged, tag) == 1)
            && EVP_CipherUpdate(context, nil, &written, name, Int32(TicketKey.nameCount)) == 1
            && EVP_CipherUpdate(context, output, &written, input, Int32(count)) == 1
            && EVP_CipherFinal_ex(context, output + count, &written) == 1
            && (!isSealing
                || EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, tagged, tag) == 1)
    }

    private static func wipe(_ bytes: inout [UInt8]) {
        unsafe bytes.withUnsafeMutableBufferPointer {
            unsafe OPENSSL_cleanse($0.baseAddress, $0.count)
        }
    }
}

// MARK: What a ticket says of its client

extension TicketKeys {
    /// How much follows, as an index, and that.
    fileprivate static func append(_ client: Client?, to content: inout [UInt8]) {
        guard let client else { return content.append(0) }
        content.append(client.certificate == nil ? 1 : 2)
        content.append(digest: client.rules)
        guard let certificate = client.certificate else { return }
        content.append(digest: certificate.pin)
        for place in stride(from: 56, through: 0, by: -8) {
            content.append(UInt8(truncatingIfNeeded: certificate.notAfter >> Int64(place)))
        }
    }

    fileprivate static func client(in content: Span<UInt8>) -> Client? {
        guard content.count >= 32, let rules = SHA256Digest(bytes: content.extracting(0..<32))
        else { return nil }
        guard content.count > 64, let pin = SHA256Digest(bytes: content.extracting(32..<64)) else {
            return Client(rules: rules, certificate: nil)
        }
        var notAfter: Int64 = 0
        for index in 64..<content.count { notAfter = notAfter << 8 | Int64(content[index]) }
        return Client(
            rules: rules, certificate: ClientCertificate(pin: pin, notAfter: notAfter))
    }
}

extension [UInt8] {
    fileprivate mutating func append(digest: SHA256Digest) {
        let bytes = digest.bytes
        for index in bytes.indices { append(bytes[index]) }
    }
}
