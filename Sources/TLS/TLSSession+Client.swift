// SPDX-License-Identifier: Apache-2.0

import COpenSSL

extension TLSSession {
    /// The client's side: its first ``handshake(_:_:pump:)`` writes the ClientHello.
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
        unsafe context.tickets?.offer(in: session)
        unsafe self.init(owning: session)
    }
}
