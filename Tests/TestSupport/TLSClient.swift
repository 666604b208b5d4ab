// SPDX-License-Identifier: Apache-2.0

import COpenSSL
import Testing

/// A session's ticket, as a client keeps it.
@safe
package final class Ticket {
    package let session: OpaquePointer

    package init(_ session: OpaquePointer) { unsafe self.session = session }

    deinit { unsafe SSL_SESSION_free(session) }

    /// What the server will know it by.
    package var identifier: [UInt8] {
        var bytes: UnsafePointer<UInt8>?
        var count = 0
        unsafe SSL_SESSION_get0_ticket(session, &bytes, &count)
        // SAFETY: the session keeps `count` bytes there.
        return unsafe Array(UnsafeBufferPointer(start: bytes, count: count))
    }
}

/// What a client offers; what is not said is OpenSSL's default.
package struct TLSOffer: Sendable {
    /// Colon-separated, as OpenSSL names them.
    package var suites: String?
    /// The first one's key share is sent.
    package var groups: String?
    /// RFC 6066 §4: 1 for 512 bytes, 2 for 1,024, 3 for 2,048, 4 for 4,096.
    package var fragmentMode: UInt8 = 0
    package var serverName = "Claw.Example"
    /// RFC 8446 §D.4: with a change_cipher_spec that means nothing.
    package var isForMiddleboxes = true
    /// What the client shows of itself where it is asked.
    package var identity: ThrowAwayIdentity?
    /// Behind its certificate.
    package var chain: [ThrowAwayIdentity] = []

    package init() {}
}

/// An OpenSSL client between two memory BIOs.
@safe
package final class TLSClient {
    private let context: OpaquePointer
    private let session: OpaquePointer
    /// Owned by the session.
    private let incoming: OpaquePointer
    private let outgoing: OpaquePointer
    package private(set) var hasFailed = false
    /// The number of the alert that the server has sent, if any.
    package private(set) var alert: UInt8?
    /// What the client's records are sealed with up to its Finished; empty before.
    package fileprivate(set) var handshakeSecret: [UInt8] = []

    package init(
        protocols: [String]?, resuming: Ticket?, offersTLS12Alone: Bool, offer: TLSOffer = .init()
    ) throws {
        unsafe context = try #require(unsafe SSL_CTX_new(TLS_client_method()))
        unsafe Self.prepare(context, offer)
        if offersTLS12Alone { unsafe co_set_max_version(context, TLS1_2_VERSION) }
        unsafe session = try #require(unsafe SSL_new(context))
        unsafe incoming = try #require(unsafe BIO_new(BIO_s_mem()))
        unsafe outgoing = try #require(unsafe BIO_new(BIO_s_mem()))
        unsafe SSL_set_bio(session, incoming, outgoing)
        unsafe SSL_set_connect_state(session)
        // SSL_CTRL_SET_TLSEXT_HOSTNAME, which is a macro.
        var name = Array(offer.serverName.utf8CString)
        _ = unsafe name.withUnsafeMutableBufferPointer {
            unsafe SSL_ctrl(session, 55, 0, $0.baseAddress)
        }
        if let protocols {
            let list = protocols.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
            unsafe SSL_set_alpn_protos(session, list, UInt32(list.count))
        }
        if let resuming { _ = unsafe SSL_set_session(session, resuming.session) }
        if let identity = offer.identity { unsafe Self.show(identity, offer.chain, in: session) }
        // SAFETY: the session does not outlive self.
        unsafe SSL_set_ex_data(session, 0, Unmanaged.passUnretained(self).toOpaque())
    }

    /// Whatever it is: what OpenSSL thinks of a key's size is not what is tried.
    private static func show(
        _ identity: ThrowAwayIdentity, _ chain: [ThrowAwayIdentity], in session: OpaquePointer
    ) {
        unsafe SSL_set_security_level(session, 0)
        let own = unsafe identity.makeCertificate()
        let key = unsafe co_private_key_from_pem(identity.key, Int32(identity.key.utf8.count))
        unsafe SSL_use_certificate(session, own)
        unsafe SSL_use_PrivateKey(session, key)
        unsafe X509_free(own)
        unsafe EVP_PKEY_free(key)
        for link in chain {
            let certificate = unsafe link.makeCertificate()
            // SSL_CTRL_CHAIN_CERT with a reference of its own, which is a macro.
            unsafe SSL_ctrl(session, 89, 1, UnsafeMutableRawPointer(certificate))
            unsafe X509_free(certificate)
        }
    }

    private static func prepare(_ context: OpaquePointer, _ offer: TLSOffer) {
        if let suites = offer.suites { unsafe SSL_CTX_set_ciphersuites(context, suites) }
        if let groups = offer.groups { _ = unsafe co_set_groups(context, groups) }
        if offer.fragmentMode > 0 {
            unsafe SSL_CTX_set_tlsext_max_fragment_length(context, offer.fragmentMode)
        }
        // SSL_OP_ENABLE_MIDDLEBOX_COMPAT, which is a macro.
        if !offer.isForMiddleboxes { unsafe SSL_CTX_clear_options(context, 1 << 20) }
        unsafe SSL_CTX_set_keylog_callback(context, noteSecret)
    }

    deinit {
        // A session freed without a close would be marked as one not to resume.
        unsafe SSL_set_shutdown(session, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
        unsafe SSL_free(session)
        unsafe SSL_CTX_free(context)
    }

    package func handshake() {
        let result = unsafe SSL_do_handshake(session)
        if result != 1, unsafe SSL_get_error(session, result) == SSL_ERROR_SSL { fail() }
        ERR_clear_error()
    }

    private func fail() {
        hasFailed = true
        let reason = ERR_GET_REASON(ERR_peek_last_error())
        if reason > SSL_AD_REASON_OFFSET { alert = UInt8(clamping: reason - SSL_AD_REASON_OFFSET) }
    }

    package var isConnected: Bool { unsafe SSL_is_init_finished(session) == 1 }
    package var version: Int32 { unsafe SSL_version(session) }
    package var hasClosed: Bool { unsafe SSL_get_shutdown(session) & SSL_RECEIVED_SHUTDOWN != 0 }

    package var chosenProtocol: String {
        var start: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        unsafe SSL_get0_alpn_selected(session, &start, &count)
        // SAFETY: the session keeps `count` bytes there.
        return unsafe String(
            decoding: UnsafeBufferPointer(start: start, count: Int(count)), as: UTF8.self)
    }

    /// As IANA registered it.
    package var suite: UInt16 {
        guard let cipher = unsafe SSL_get_current_cipher(session) else { return 0 }
        return unsafe SSL_CIPHER_get_protocol_id(cipher)
    }

    /// How many certificates came.
    package var chainCount: Int {
        let chain = unsafe SSL_get_peer_cert_chain(session)
        return unsafe Int(OPENSSL_sk_num(chain))
    }

    package var ticket: Ticket? {
        guard let kept = unsafe SSL_get1_session(session) else { return nil }
        guard unsafe SSL_SESSION_is_resumable(kept) == 1 else {
            unsafe SSL_SESSION_free(kept)
            return nil
        }
        return unsafe Ticket(kept)
    }

    package func feed(_ cipher: [UInt8]) {
        guard !cipher.isEmpty else { return }
        unsafe BIO_write(incoming, cipher, Int32(cipher.count))
    }

    package func takeOutput() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: unsafe BIO_ctrl_pending(outgoing))
        if !bytes.isEmpty { unsafe BIO_read(outgoing, &bytes, Int32(bytes.count)) }
        return bytes
    }

    package func read() -> [UInt8] {
        var all: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = unsafe SSL_read(session, &part, Int32(part.count))
            guard count > 0 else {
                if unsafe SSL_get_error(session, count) == SSL_ERROR_SSL { fail() }
                break
            }
            all += part[..<Int(count)]
        }
        ERR_clear_error()
        return all
    }

    /// Seals all of it; the records.
    package func write(_ plain: [UInt8]) -> [UInt8] {
        if !plain.isEmpty { unsafe SSL_write(session, plain, Int32(plain.count)) }
        return takeOutput()
    }

    /// - Parameter isAnswered: asks the server to change its key too.
    package func updateKey(isAnswered: Bool) {
        unsafe SSL_key_update(
            session, isAnswered ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED)
    }

    package func close() -> [UInt8] {
        unsafe SSL_shutdown(session)
        ERR_clear_error()
        return takeOutput()
    }
}

/// Called by libssl with a line of a key log for each secret.
private func noteSecret(_ session: OpaquePointer?, _ line: UnsafePointer<CChar>?) {
    guard let line = unsafe line, let place = unsafe SSL_get_ex_data(session, 0) else { return }
    let words = unsafe String(cString: line).split(separator: " ")
    guard words.count == 3, words[0] == "CLIENT_HANDSHAKE_TRAFFIC_SECRET" else { return }
    // SAFETY: the client has stored itself there, and owns the session.
    let client = unsafe Unmanaged<TLSClient>.fromOpaque(place).takeUnretainedValue()
    let digits = Array(words[2])
    client.handshakeSecret = stride(from: 0, to: digits.count - 1, by: 2).compactMap {
        UInt8(String(digits[$0...$0 + 1]), radix: 16)
    }
}
