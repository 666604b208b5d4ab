// SPDX-License-Identifier: Apache-2.0

import COpenSSL
import TLS
import TestSupport
import Testing

/// A server of another make between two memory BIOs: what ours would never do, it does.
@safe
final class OpenSSLServer {
    private let context: OpaquePointer
    private let session: OpaquePointer
    /// Owned by the session.
    private let incoming: OpaquePointer
    private let outgoing: OpaquePointer

    /// - Parameters:
    ///   - versionMax: as OpenSSL numbers them.
    ///   - asksForCertificate: and refuses a client that has none.
    init(
        _ identity: ThrowAwayIdentity = .ecdsa, versionMax: Int32 = TLS1_3_VERSION,
        asksForCertificate: Bool = false
    ) throws {
        unsafe context = try #require(unsafe SSL_CTX_new(TLS_server_method()))
        _ = unsafe co_set_max_version(context, versionMax)
        // A ticket is sent when a test says so.
        unsafe SSL_CTX_set_num_tickets(context, 0)
        if asksForCertificate {
            let mode = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT
            unsafe SSL_CTX_set_verify(context, mode, nil)
        }
        unsafe try Self.use(identity, in: context)
        unsafe session = try #require(unsafe SSL_new(context))
        unsafe incoming = try #require(unsafe BIO_new(BIO_s_mem()))
        unsafe outgoing = try #require(unsafe BIO_new(BIO_s_mem()))
        unsafe SSL_set_bio(session, incoming, outgoing)
        unsafe SSL_set_accept_state(session)
    }

    private static func use(_ identity: ThrowAwayIdentity, in context: OpaquePointer) throws {
        let leaf = unsafe try #require(unsafe identity.makeCertificate())
        let key = unsafe co_private_key_from_pem(identity.key, Int32(identity.key.utf8.count))
        unsafe SSL_CTX_use_certificate(context, leaf)
        unsafe SSL_CTX_use_PrivateKey(context, key)
        unsafe EVP_PKEY_free(key)
        unsafe X509_free(leaf)
    }

    deinit {
        unsafe SSL_free(session)
        unsafe SSL_CTX_free(context)
    }

    var isConnected: Bool { unsafe SSL_is_init_finished(session) == 1 }

    /// - Returns: what it answers.
    func handshake(_ cipher: [UInt8]) -> [UInt8] {
        feed(cipher)
        _ = unsafe SSL_do_handshake(session)
        ERR_clear_error()
        return takeOutput()
    }

    func read(_ cipher: [UInt8]) -> [UInt8] {
        feed(cipher)
        var part = [UInt8](repeating: 0, count: 16_384)
        let count = unsafe SSL_read(session, &part, Int32(part.count))
        ERR_clear_error()
        return Array(part.prefix(max(0, Int(count))))
    }

    func write(_ plain: [UInt8]) -> [UInt8] {
        unsafe SSL_write(session, plain, Int32(plain.count))
        return takeOutput()
    }

    /// A NewSessionTicket and nothing else (RFC 8446 §4.6.1).
    func sendTicket() -> [UInt8] {
        unsafe SSL_new_session_ticket(session)
        _ = unsafe SSL_do_handshake(session)
        return takeOutput()
    }

    /// A KeyUpdate and nothing else (RFC 8446 §4.6.3).
    func updateKey(isAnswered: Bool) -> [UInt8] {
        unsafe SSL_key_update(
            session, isAnswered ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED)
        _ = unsafe SSL_do_handshake(session)
        return takeOutput()
    }

    func close() -> [UInt8] {
        unsafe SSL_shutdown(session)
        ERR_clear_error()
        return takeOutput()
    }

    private func feed(_ cipher: [UInt8]) {
        if !cipher.isEmpty { unsafe BIO_write(incoming, cipher, Int32(cipher.count)) }
    }

    private func takeOutput() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: unsafe BIO_ctrl_pending(outgoing))
        if !bytes.isEmpty { unsafe BIO_read(outgoing, &bytes, Int32(bytes.count)) }
        return bytes
    }
}

extension End {
    /// Shakes hands with a server of another make; what the last call of ours came to.
    func shakeHands(with server: OpenSSLServer) -> TLSSession.Handshake {
        var outcome = handshake([])
        for _ in 0..<4 where outcome == .needMore {
            outcome = handshake(server.handshake(takeOutput()))
        }
        guard case .complete = outcome else { return outcome }
        feed(server.handshake(takeOutput()))
        return outcome
    }
}
