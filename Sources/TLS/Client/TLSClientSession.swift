// SPDX-License-Identifier: Apache-2.0

import Bytes
import COpenSSL

/// A client's end of one TLS connection, by libssl: ciphertext to plaintext and back, without a
/// socket.
@safe
package struct TLSClientSession: ~Copyable {
    private static let recordOverhead = TLSSession.recordOverhead
    /// A KeyUpdate (RFC 8446 §4.6.3): five bytes in a record.
    private static let keyUpdateCount = 5 + recordOverhead

    /// Invariant: owned by this value, used by one thread.
    private let session: OpaquePointer
    /// Kept alive: libssl calls what belongs to it, for a certificate or a ticket, while the
    /// session lasts.
    private let context: TLSClientContext

    /// Its first ``handshake(_:_:pump:)`` writes the ClientHello.
    ///
    /// - Returns: `nil` when memory has run out.
    package init?(_ context: TLSClientContext, pump: borrowing TLSPump) {
        guard let session = unsafe SSL_new(context.context) else { return nil }
        unsafe BIO_up_ref(pump.bio)
        unsafe SSL_set_bio(session, pump.bio, pump.bio)
        unsafe SSL_set_connect_state(session)
        if let name = context.indicatedName {
            var name = name.utf8CString
            // SAFETY: libssl copies the text, which ends with a zero byte. What
            // SSL_set_tlsext_host_name does, which is a macro.
            _ = unsafe name.withUnsafeMutableBufferPointer { text in
                unsafe SSL_ctrl(
                    session, SSL_CTRL_SET_TLSEXT_HOSTNAME, Int(TLSEXT_NAMETYPE_host_name),
                    text.baseAddress)
            }
        }
        unsafe context.offerTicket(in: session)
        unsafe self.session = session
        self.context = context
    }

    deinit {
        // Quiet: what is worth telling the peer has been told by close(into:). libssl takes a
        // connection that ends without a close for a reason never to use its ticket again, which
        // would undo what `TLSTickets` keeps.
        unsafe SSL_set_shutdown(session, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
        unsafe SSL_free(session)
    }

    package mutating func handshake(
        _ input: inout Buffer, _ output: inout Buffer, pump: borrowing TLSPump
    ) -> TLSSession.Handshake {
        ERR_clear_error()
        let (result, error) = pump.run(&input, &output) {
            let result = unsafe SSL_do_handshake(session)
            return (result, result == 1 ? 0 : unsafe SSL_get_error(session, result))
        }
        if result == 1 { return unsafe .complete(resumed: co_session_reused(session) == 1) }
        if error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE { return .needMore }
        return .failed(.handshake(reason: unsafe ClientFault.take(from: session)))
    }

    /// Decrypts what is in `input` into the room of `plaintext`.
    ///
    /// What is nothing to HTTP is none of the plaintext: a ticket or a key update that comes while
    /// the connection idles is `.needMore` with nothing appended, data is plaintext, and the end is
    /// `.closed`.
    ///
    /// - Parameter output: for what the protocol itself must answer (an alert).
    package mutating func read(
        _ input: inout Buffer, into plaintext: inout Buffer, _ output: inout Buffer,
        pump: borrowing TLSPump
    ) -> TLSSession.Reading {
        // SSL_get_error takes any error in the thread's queue for the session's own.
        ERR_clear_error()
        let error = pump.run(&input, &output) {
            while plaintext.room > 0 {
                var error: Int32 = 0
                let count = unsafe plaintext.fill { region in
                    let result = unsafe SSL_read(
                        session, region.baseAddress, Int32(clamping: region.count))
                    if result <= 0 { error = unsafe SSL_get_error(session, result) }
                    return max(0, Int(result))
                }
                if count == 0 { return error }
            }
            return SSL_ERROR_NONE
        }
        switch error {
        case SSL_ERROR_NONE: return .full
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .needMore
        case SSL_ERROR_ZERO_RETURN: return .closed
        default:
            return .failed(.protocolViolation(reason: unsafe ClientFault.take(from: session)))
        }
    }

    /// Encrypts the front of `plaintext`: as many records as surely fit into the output's room.
    ///
    /// - Returns: how much plaintext was taken, or `nil` where the session can't write any more.
    package mutating func write(
        _ plaintext: borrowing Span<UInt8>, into output: inout Buffer, pump: borrowing TLSPump
    ) -> Int? {
        var taken = 0
        var nothing = Buffer()
        while taken < plaintext.count {
            // A key update that the peer asked for leaves in front of the next record.
            let isUpdating = unsafe SSL_get_key_update_type(session) != SSL_KEY_UPDATE_NONE
            let overhead = Self.recordOverhead + (isUpdating ? Self.keyUpdateCount : 0)
            let room = output.room - overhead
            guard room > 0 else { break }
            let count = min(plaintext.count - taken, room, TLSSession.recordPlaintextMax)
            // SAFETY: the range lies in the span.
            let result = unsafe plaintext.withUnsafeBufferPointer { source in
                pump.run(&nothing, &output) {
                    unsafe SSL_write(
                        session, source.baseAddress.map { unsafe $0 + taken }, Int32(count))
                }
            }
            guard result > 0 else {
                ERR_clear_error()
                return nil
            }
            taken += Int(result)
        }
        return taken
    }

    /// Appends close_notify: nothing will be written after it. Reading may go on.
    package mutating func close(into output: inout Buffer, pump: borrowing TLSPump) {
        guard output.isAttached, unsafe SSL_get_shutdown(session) & SSL_SENT_SHUTDOWN == 0
        else { return }
        var nothing = Buffer()
        _ = pump.run(&nothing, &output) { unsafe SSL_shutdown(session) }
        ERR_clear_error()
    }

    /// Gives back libssl's record buffers (about 33 KB) while the connection idles. They come back
    /// by themselves; with a record half read nothing happens.
    package mutating func releaseBuffers() {
        _ = unsafe SSL_free_buffers(session)
    }
}
