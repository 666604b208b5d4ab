// SPDX-License-Identifier: Apache-2.0

import Bytes
import COpenSSL
import TLS
import Testing

/// A session's ticket, as a client keeps it.
@safe
package final class Ticket {
    package let session: OpaquePointer

    package init(_ session: OpaquePointer) { unsafe self.session = session }

    deinit { unsafe SSL_SESSION_free(session) }
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

    package init(protocols: [String]?, resuming: Ticket?, offersTLS12Alone: Bool) throws {
        unsafe context = try #require(unsafe SSL_CTX_new(TLS_client_method()))
        if offersTLS12Alone { unsafe co_set_max_version(context, TLS1_2_VERSION) }
        unsafe session = try #require(unsafe SSL_new(context))
        unsafe incoming = try #require(unsafe BIO_new(BIO_s_mem()))
        unsafe outgoing = try #require(unsafe BIO_new(BIO_s_mem()))
        unsafe SSL_set_bio(session, incoming, outgoing)
        unsafe SSL_set_connect_state(session)
        // SSL_CTRL_SET_TLSEXT_HOSTNAME, which is a macro.
        var name = Array("Claw.Example".utf8CString)
        _ = unsafe name.withUnsafeMutableBufferPointer {
            unsafe SSL_ctrl(session, 55, 0, $0.baseAddress)
        }
        if let protocols {
            let list = protocols.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
            unsafe SSL_set_alpn_protos(session, list, UInt32(list.count))
        }
        if let resuming { _ = unsafe SSL_set_session(session, resuming.session) }
    }

    deinit {
        // A session freed without a close would be marked as one not to resume.
        unsafe SSL_set_shutdown(session, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
        unsafe SSL_free(session)
        unsafe SSL_CTX_free(context)
    }

    package func handshake() {
        let result = unsafe SSL_do_handshake(session)
        if result != 1, unsafe SSL_get_error(session, result) == SSL_ERROR_SSL { hasFailed = true }
        ERR_clear_error()
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
            guard count > 0 else { break }
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
