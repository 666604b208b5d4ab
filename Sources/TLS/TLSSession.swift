// SPDX-License-Identifier: Apache-2.0

import Bytes
import COpenSSL

/// One TLS connection, from either side: ciphertext to plaintext and back, without a socket.
///
/// libssl shakes hands. A server's session then goes on without it, in a ``RecordLayer``, and gives
/// back all that libssl held for it; a client's stays with it, for it has to read tickets.
@safe
package struct TLSSession: ~Copyable {
    /// What a record adds to its plaintext at most: header, content type, tag (RFC 8446 §5.2).
    package static let recordOverhead = 22
    package static let recordPlaintextMax = 16 * 1024
    package static let recordsPerKeyMax = RecordLayer.recordsPerKeyMax
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

    /// Invariant: owned by this value, used by one thread; `nil` once `records` has taken over.
    private var session: OpaquePointer?
    /// Of a server's handshake, while it lasts.
    private var notes: HandshakeNotes?
    private var records: RecordLayer?
    private let recordsPerKeyMax: UInt64
    /// What the client asked for (SNI); empty where it did not.
    private var serverName: [UInt8] = []

    /// The server's side.
    ///
    /// - Parameter recordsPerKeyMax: how many records one key seals; then it is changed.
    /// - Returns: `nil` when memory has run out.
    package init?(
        _ context: TLSServerContext, pump: borrowing TLSPump,
        recordsPerKeyMax: UInt64 = Self.recordsPerKeyMax
    ) {
        guard let session = unsafe SSL_new(context.context) else { return nil }
        let notes = HandshakeNotes(context)
        unsafe HandshakeNotes.attach(notes, to: session)
        unsafe BIO_up_ref(pump.bio)
        unsafe SSL_set_bio(session, pump.bio, pump.bio)
        unsafe SSL_set_accept_state(session)
        unsafe self.init(owning: session, notes, recordsPerKeyMax)
    }

    init(
        owning session: OpaquePointer, _ notes: HandshakeNotes? = nil,
        _ recordsPerKeyMax: UInt64 = Self.recordsPerKeyMax
    ) {
        unsafe self.session = session
        self.notes = notes
        self.recordsPerKeyMax = recordsPerKeyMax
    }

    deinit {
        // Quiet: what is worth telling the peer has been told by close(into:).
        unsafe Self.free(session)
    }

    private static func free(_ session: OpaquePointer?) {
        guard let session = unsafe session else { return }
        // libssl takes a connection that ends without a close for a reason never to use its ticket
        // again. On the client's side that would undo what `TLSTickets` keeps.
        if unsafe SSL_is_server(session) == 0 {
            unsafe SSL_set_shutdown(session, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
        }
        unsafe SSL_free(session)
    }

    package mutating func handshake(
        _ input: inout Buffer, _ output: inout Buffer, pump: borrowing TLSPump
    ) -> Handshake {
        guard let session = unsafe session else { return .failed(.handshake(reason: "twice")) }
        ERR_clear_error()
        let (result, error) = pump.run(&input, &output) {
            let result = unsafe SSL_do_handshake(session)
            return (result, result == 1 ? 0 : unsafe SSL_get_error(session, result))
        }
        if result == 1 {
            let isResumed = unsafe co_session_reused(session) == 1
            guard notes == nil || leaveLibrary() else {
                return .failed(.handshake(reason: "no keys for its records"))
            }
            return .complete(resumed: isResumed)
        }
        if error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE { return .needMore }
        return .failed(.handshake(reason: OpenSSLErrors.take()))
    }

    /// Goes on without libssl.
    ///
    /// - Returns: false where memory has run out, or libssl still holds input.
    private mutating func leaveLibrary() -> Bool {
        guard let session = unsafe session, let notes, unsafe SSL_has_pending(session) == 0,
            let client = notes.takeClientSecret(), let server = notes.takeServerSecret(),
            let cipher = unsafe SSL_get_current_cipher(session),
            let suite = unsafe CipherSuite(number: SSL_CIPHER_get_protocol_id(cipher))
        else { return false }
        var reading = RecordProtection(suite, client, isSealing: false)
        var writing = RecordProtection(
            suite, server, isSealing: true, sequence: notes.recordsSealed)
        guard reading.setKey(), writing.setKey() else { return false }
        let plaintextMax = unsafe Self.plaintextMax(of: session)
        serverName = unsafe Self.serverName(of: session)
        records = RecordLayer(
            reading: reading, writing: writing, recordsPerKeyMax: recordsPerKeyMax,
            plaintextMax: plaintextMax)
        unsafe Self.free(session)
        unsafe self.session = nil
        self.notes = nil
        return true
    }

    /// What libssl has agreed to where the client asked for small records (RFC 6066 §4).
    private static func plaintextMax(of session: OpaquePointer) -> Int {
        let mode = unsafe SSL_SESSION_get_max_fragment_length(SSL_get_session(session))
        return (1...4).contains(mode) ? 256 << Int(mode) : recordPlaintextMax
    }

    private static func serverName(of session: OpaquePointer) -> [UInt8] {
        guard let name = unsafe SSL_get_servername(session, TLSEXT_NAMETYPE_host_name) else {
            return []
        }
        // SAFETY: libssl ends the name with a zero byte and keeps it as long as the session.
        return unsafe Array(
            UnsafeBufferPointer(start: name, count: strlen(name)).map {
                UInt8(bitPattern: $0)
            })
    }

    /// Decrypts what is in `input` into the room of `plaintext`.
    ///
    /// - Parameter output: for what the protocol itself must answer (an alert).
    package mutating func read(
        _ input: inout Buffer, into plaintext: inout Buffer, _ output: inout Buffer,
        pump: borrowing TLSPump
    ) -> Reading {
        if records != nil {
            return records?.read(&input, into: &plaintext, &output) ?? .needMore
        }
        guard let session = unsafe session else { return .failed(.truncated) }
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
        if records != nil { return records?.write(plaintext, into: &output) ?? nil }
        guard let session = unsafe session else { return nil }
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
        records?.close(into: &output)
        guard let session = unsafe session, output.isAttached,
            unsafe SSL_get_shutdown(session) & SSL_SENT_SHUTDOWN == 0
        else { return }
        var nothing = Buffer()
        _ = pump.run(&nothing, &output) { unsafe SSL_shutdown(session) }
        ERR_clear_error()
    }

    /// Gives back libssl's record buffers (about 33 KB) while a client's connection idles. They
    /// come back by themselves; with a record half read nothing happens. A server's session has
    /// none.
    package mutating func releaseBuffers() {
        guard let session = unsafe session else { return }
        _ = unsafe SSL_free_buffers(session)
    }

    /// Appends the name that the client asked for (SNI), if it did.
    package func appendServerName(to buffer: inout Buffer) {
        buffer.append(array: serverName)
    }
}
