// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// Why a client's session has failed: one line fit for a log, of fixed texts alone.
enum ClientFault {
    /// Empties the thread's queue of errors.
    static func take(from session: OpaquePointer) -> String {
        let last = ERR_peek_last_error()
        if ERR_GET_LIB(last) == ERR_LIB_SSL, ERR_GET_REASON(last) == SSL_R_CERTIFICATE_VERIFY_FAILED
        {
            ERR_clear_error()
            return unsafe ServerProof.text(ofResult: SSL_get_verify_result(session))
        }
        let first = ERR_peek_error()
        let reason = OpenSSLErrors.take()
        guard ERR_GET_LIB(first) == ERR_LIB_SSL else { return reason }
        switch ERR_GET_REASON(first) {
        case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_WRONG_SSL_VERSION:
            return "peer does not speak TLS 1.3"
        case SSL_R_WRONG_VERSION_NUMBER:
            return "peer does not speak TLS"
        case let number where number > SSL_AD_REASON_OFFSET:
            return "alert from the peer: \(alert(number - SSL_AD_REASON_OFFSET) ?? reason)"
        default:
            return reason
        }
    }

    /// RFC 8446 §6.2's name of an alert; `nil` for one that OpenSSL has no name for.
    private static func alert(_ number: Int32) -> String? {
        // SAFETY: a constant text for any number.
        guard let text = unsafe SSL_alert_desc_string_long(number) else { return nil }
        let name = unsafe String(cString: text)
        return name == "unknown" ? nil : name
    }
}
