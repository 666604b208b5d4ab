// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// Why a context could not be made, or a session ended.
package enum TLSFault: Error, Equatable {
    /// The certificate, key or another setting is not usable; the text names the fault.
    case configuration(String)
    /// The peer broke the protocol, or shares no version, cipher or ALPN name with us.
    case handshake(reason: String)
    /// The peer ended the TCP connection without close_notify (RFC 8446 §6.1).
    case truncated
    /// The peer broke the protocol after the handshake.
    case protocolViolation(reason: String)

    /// One line fit for a log; nothing in it is secret, or the peer's own words.
    package var reason: String {
        switch self {
        case .configuration(let text): text
        case .handshake(let reason), .protocolViolation(let reason): reason
        case .truncated: "connection ended without close_notify"
        }
    }
}

/// The thread's queue of OpenSSL errors.
enum OpenSSLErrors {
    /// Empties the queue; the reason of its first entry.
    static func take() -> String {
        let code = ERR_get_error()
        ERR_clear_error()
        guard code != 0, let text = unsafe ERR_reason_error_string(code) else { return "unknown" }
        return unsafe String(cString: text)
    }
}
