// SPDX-License-Identifier: Apache-2.0

import COpenSSL
import Synchronization

/// The newest ticket of a server (RFC 8446 §4.6.1), for the next connections to begin with.
///
/// libssl spoils a session's ticket when it is used, and when its connection is dropped without a
/// close. Hence copies: one is kept, and each connection gets one of its own. That a ticket is
/// shown more than once lets an observer link connections (RFC 8446 appendix C.4), which the two
/// addresses, always the same, tell anyway.
final class TLSTickets: Sendable {
    @safe
    final class Ticket: @unchecked Sendable {
        /// Invariant: this ticket's alone; only ever copied.
        let session: OpaquePointer

        init(owning session: OpaquePointer) { unsafe self.session = session }

        deinit { unsafe SSL_SESSION_free(session) }
    }

    let newest = Mutex<Ticket?>(nil)

    func keep(_ session: OpaquePointer) {
        guard let copy = unsafe SSL_SESSION_dup(session) else { return ERR_clear_error() }
        let ticket = unsafe Ticket(owning: copy)
        newest.withLock { $0 = ticket }
    }

    /// Lets a connection that has not begun try the newest ticket, if it is still good; a server
    /// that cannot open it shakes hands in full.
    func offer(in connection: OpaquePointer, ifGood isGood: (OpaquePointer) -> Bool) {
        guard let ticket = newest.withLock({ $0 }), unsafe isGood(ticket.session) else { return }
        guard let copy = unsafe SSL_SESSION_dup(ticket.session) else { return ERR_clear_error() }
        defer { unsafe SSL_SESSION_free(copy) }
        _ = unsafe SSL_set_session(connection, copy)
    }
}
