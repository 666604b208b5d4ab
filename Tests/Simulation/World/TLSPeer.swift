// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// A client's session, to be resumed.
@safe
final class Ticket {
    let session: OpaquePointer

    init(_ session: OpaquePointer) { unsafe self.session = session }

    deinit { unsafe SSL_SESSION_free(session) }
}

/// A TLS client of OpenSSL's between two memory BIOs. All share one context, which is dear.
@safe
final class TLSPeer {
    @safe private struct Shared: @unchecked Sendable {
        let context: OpaquePointer?
    }
    private static let shared = unsafe Shared(context: SSL_CTX_new(TLS_client_method()))

    private let session: OpaquePointer
    /// Owned by the session.
    private let incoming: OpaquePointer
    private let outgoing: OpaquePointer
    private(set) var hasFailed = false

    /// Makes what all share, so that no world's random numbers go into it.
    static func prepare() { _ = unsafe shared.context }

    init?(resuming ticket: Ticket?) {
        guard let session = unsafe SSL_new(Self.shared.context),
            let incoming = unsafe BIO_new(BIO_s_mem()), let outgoing = unsafe BIO_new(BIO_s_mem())
        else { return nil }
        unsafe self.session = session
        unsafe self.incoming = incoming
        unsafe self.outgoing = outgoing
        unsafe SSL_set_bio(session, incoming, outgoing)
        unsafe SSL_set_connect_state(session)
        if let ticket { _ = unsafe SSL_set_session(session, ticket.session) }
    }

    deinit {
        // A session freed without a close would be marked as one not to resume.
        unsafe SSL_set_shutdown(session, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
        unsafe SSL_free(session)
    }

    var isConnected: Bool { unsafe SSL_is_init_finished(session) == 1 }
    var wasResumed: Bool { unsafe co_session_reused(session) == 1 }
    /// The server's close_notify has come. A fatal alert sets the same flag.
    var hasClosed: Bool {
        unsafe !hasFailed && SSL_get_shutdown(session) & SSL_RECEIVED_SHUTDOWN != 0
    }

    func handshake() {
        let result = unsafe SSL_do_handshake(session)
        if result != 1, unsafe SSL_get_error(session, result) == SSL_ERROR_SSL { hasFailed = true }
        ERR_clear_error()
    }

    var ticket: Ticket? {
        guard let kept = unsafe SSL_get1_session(session) else { return nil }
        guard unsafe SSL_SESSION_is_resumable(kept) == 1 else {
            unsafe SSL_SESSION_free(kept)
            return nil
        }
        return unsafe Ticket(kept)
    }

    func feed(_ cipher: borrowing Span<UInt8>) {
        // SAFETY: the BIO copies `count` bytes.
        _ = unsafe cipher.withUnsafeBufferPointer {
            unsafe BIO_write(incoming, $0.baseAddress, Int32($0.count))
        }
    }

    func takeOutput(into output: inout [UInt8]) {
        let count = unsafe BIO_ctrl_pending(outgoing)
        guard count > 0 else { return }
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            // SAFETY: the BIO writes as many bytes as it said were pending, at most.
            filled = Int(unsafe BIO_read(outgoing, buffer.baseAddress, Int32(count)))
        }
        output += bytes
    }

    func read(into plain: inout [UInt8]) {
        while true {
            var count: Int32 = 0
            let part = unsafe [UInt8](unsafeUninitializedCapacity: 16_384) { buffer, filled in
                // SAFETY: at most 16,384 bytes are written to a buffer of that size.
                count = unsafe SSL_read(session, buffer.baseAddress, 16_384)
                filled = max(0, Int(count))
            }
            guard count > 0 else {
                if unsafe SSL_get_error(session, count) == SSL_ERROR_SSL { hasFailed = true }
                break
            }
            plain += part
        }
        ERR_clear_error()
    }

    func write(_ plain: ArraySlice<UInt8>) {
        guard !plain.isEmpty else { return }
        // SAFETY: SSL_write copies `count` bytes.
        _ = unsafe plain.withUnsafeBufferPointer {
            unsafe SSL_write(session, $0.baseAddress, Int32($0.count))
        }
        ERR_clear_error()
    }

    func close() {
        _ = unsafe SSL_shutdown(session)
        ERR_clear_error()
    }

    /// Takes new keys, and asks the server for new ones too.
    func updateKeys() {
        _ = unsafe SSL_key_update(session, SSL_KEY_UPDATE_REQUESTED)
    }
}
