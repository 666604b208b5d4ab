// SPDX-License-Identifier: Apache-2.0

import Bytes
import COpenSSL

/// One TLS connection, server side: ciphertext to plaintext and back, without a socket.
@safe
package struct TLSSession: ~Copyable {
    /// What a record adds to its plaintext at most: header, content type, tag (RFC 8446 §5.2).
    package static let recordOverhead = 22
    package static let recordPlaintextMax = 16 * 1024
    /// A KeyUpdate (RFC 8446 §4.6.3): five bytes in a record.
    private static let keyUpdateCount = 5 + recordOverhead

    package enum Handshake: Equatable {
        case needMore
        case complete(resumed: Bool)
        /// The alert, if any, is in the output.
        case failed(TLSFault)
    }

    package enum Reading: Equatable {
        /// All ciphertext was taken; the plaintext, if any, was appended.
        case needMore
        /// The plaintext's buffer is full; call again when there is room.
        case full
        /// The peer sent close_notify; what came before it was appended.
        case closed
        case failed(TLSFault)
    }

    /// Invariant: valid until deinit, used by one thread.
    private let session: OpaquePointer

    /// - Returns: `nil` when memory has run out.
    package init?(_ context: TLSServerContext, pump: borrowing TLSPump) {
        guard let session = unsafe SSL_new(context.context) else { return nil }
        unsafe self.session = session
        unsafe BIO_up_ref(pump.bio)
        unsafe SSL_set_bio(session, pump.bio, pump.bio)
        unsafe SSL_set_accept_state(session)
    }

    deinit {
        // Quiet: what is worth telling the peer has been told by close(into:).
        unsafe SSL_free(session)
    }

    package mutating func handshake(
        _ input: inout Buffer, _ output: inout Buffer, pump: borrowing TLSPump
    ) -> Handshake {
        ERR_clear_error()
        let (result, error) = pump.run(&input, &output) {
            let result = unsafe SSL_do_handshake(session)
            return (result, result == 1 ? 0 : unsafe SSL_get_error(session, result))
        }
        if result == 1 { return .complete(resumed: unsafe co_session_reused(session) == 1) }
        if error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE { return .needMore }
        return .failed(.handshake(reason: OpenSSLErrors.take()))
    }

    /// Decrypts what is in `input` into the room of `plaintext`.
    ///
    /// - Parameter output: for what the protocol itself must answer (an alert).
    package mutating func read(
        _ input: inout Buffer, into plaintext: inout Buffer, _ output: inout Buffer,
        pump: borrowing TLSPump
    ) -> Reading {
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
        default: return .failed(.protocolViolation(reason: OpenSSLErrors.take()))
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
            let count = min(plaintext.count - taken, room, Self.recordPlaintextMax)
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
        guard unsafe SSL_get_shutdown(session) & SSL_SENT_SHUTDOWN == 0, output.isAttached else {
            return
        }
        var nothing = Buffer()
        _ = pump.run(&nothing, &output) { unsafe SSL_shutdown(session) }
        ERR_clear_error()
    }

    /// Gives back libssl's record buffers (about 33 KB) while the connection idles. They come
    /// back by themselves; with a record half read nothing happens.
    package mutating func releaseBuffers() {
        _ = unsafe SSL_free_buffers(session)
    }

    /// Appends the name that the client asked for (SNI), if it did.
    package func appendServerName(to buffer: inout Buffer) {
        guard let name = unsafe SSL_get_servername(session, TLSEXT_NAMETYPE_host_name) else {
            return
        }
        var index = 0
        // SAFETY: libssl ends the name with a zero byte and keeps it as long as the session.
        while unsafe name[index] != 0 {
            buffer.append(unsafe UInt8(bitPattern: name[index]))
            index += 1
        }
    }

    /// Plaintext that libssl has decrypted and still holds.
    package var pending: Int { Int(unsafe SSL_pending(session)) }
}
