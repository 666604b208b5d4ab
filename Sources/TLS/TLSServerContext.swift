// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// What all sessions of a listener share: certificate, key, ticket keys and settings.
///
/// TLS 1.3 alone, ALPN `http/1.1` alone, no early data (0-RTT could be replayed), one ticket a
/// handshake (two would cost 50 µs more), no server-side session cache.
@safe
package final class TLSServerContext: @unchecked Sendable {
    /// Invariant: valid until deinit; changed by nobody after init, which makes it shareable.
    let context: OpaquePointer
    private let tickets = TicketKeys()
    /// End of the certificate's validity, in seconds since 1970.
    package let certificateExpiry: Int64

    /// - Parameters:
    ///   - certificate: PEM, the leaf first, then its chain.
    ///   - key: PEM, ECDSA or RSA, without a passphrase.
    package init(certificate: borrowing Span<UInt8>, key: borrowing Span<UInt8>) throws(TLSFault) {
        ERR_clear_error()
        guard let context = unsafe SSL_CTX_new(TLS_server_method()) else {
            throw TLSFault.configuration(OpenSSLErrors.take())
        }
        unsafe self.context = context
        do throws(TLSFault) {
            certificateExpiry = unsafe try Self.install(certificate, key, into: context)
        } catch {
            unsafe SSL_CTX_free(context)
            throw error
        }
        configure()
    }

    deinit {
        unsafe SSL_CTX_free(context)
    }

    /// Seals new tickets with a new key; call it once an hour or so.
    package func rotateTicketKeys() {
        tickets.rotate()
    }

    private func configure() {
        _ = unsafe co_set_min_version(context, TLS1_3_VERSION)
        _ = unsafe co_set_max_version(context, TLS1_3_VERSION)
        _ = unsafe co_set_groups(context, "X25519:P-256:P-384")
        _ = unsafe co_set_session_cache(context, Int(SSL_SESS_CACHE_OFF))
        _ = unsafe SSL_CTX_set_num_tickets(context, 1)
        _ = unsafe SSL_CTX_set_max_early_data(context, 0)
        let options = UInt64(1) << 30  // SSL_OP_NO_RENEGOTIATION
        _ = unsafe SSL_CTX_set_options(context, options)
        let mode = Int(SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER)
        _ = unsafe co_set_mode(context, mode)
        var name: (UInt8, UInt8) = (0x61, 0x70)
        _ = unsafe SSL_CTX_set_session_id_context(context, &name.0, 1)
        unsafe SSL_CTX_set_alpn_select_cb(context, selectProtocol, nil)
        // SAFETY: the keys live as long as self, which a session holds while it shakes hands.
        _ = unsafe SSL_CTX_set_ex_data(context, 0, Unmanaged.passUnretained(tickets).toOpaque())
        _ = unsafe co_set_ticket_callback(context, prepareTicket)
        unsafe HandshakeNotes.listen(to: context)
    }

    /// - Returns: when the leaf expires.
    private static func install(
        _ certificate: borrowing Span<UInt8>, _ key: borrowing Span<UInt8>,
        into context: OpaquePointer
    ) throws(TLSFault) -> Int64 {
        guard let chain = unsafe memory(certificate) else {
            throw TLSFault.configuration("certificate is too large")
        }
        defer { unsafe BIO_free(chain) }
        // Without a callback libssl would ask on the terminal for an encrypted one's passphrase.
        guard let leaf = unsafe PEM_read_bio_X509(chain, nil, refusePassphrase, nil) else {
            ERR_clear_error()
            throw TLSFault.configuration("certificate is not a PEM certificate")
        }
        defer { unsafe X509_free(leaf) }
        guard unsafe SSL_CTX_use_certificate(context, leaf) == 1 else {
            throw TLSFault.configuration("certificate: \(OpenSSLErrors.take())")
        }
        while let link = unsafe PEM_read_bio_X509(chain, nil, refusePassphrase, nil) {
            guard unsafe co_add_chain_certificate(context, link) == 1 else {
                unsafe X509_free(link)
                throw TLSFault.configuration("certificate chain: \(OpenSSLErrors.take())")
            }
        }
        // The end of the text is no fault; a link that cannot be read would be missed by clients.
        let end = ERR_peek_last_error()
        guard ERR_GET_LIB(end) == ERR_LIB_PEM, ERR_GET_REASON(end) == PEM_R_NO_START_LINE else {
            throw TLSFault.configuration("certificate chain: \(OpenSSLErrors.take())")
        }
        ERR_clear_error()
        guard let keyText = unsafe memory(key) else {
            throw TLSFault.configuration("key is too large")
        }
        defer { unsafe BIO_free(keyText) }
        guard let pair = unsafe PEM_read_bio_PrivateKey(keyText, nil, refusePassphrase, nil) else {
            ERR_clear_error()
            throw TLSFault.configuration("key is not a PEM private key without passphrase")
        }
        defer { unsafe EVP_PKEY_free(pair) }
        guard unsafe SSL_CTX_use_PrivateKey(context, pair) == 1,
            unsafe SSL_CTX_check_private_key(context) == 1
        else {
            let reason = OpenSSLErrors.take()
            throw TLSFault.configuration("key does not fit the certificate: \(reason)")
        }
        return unsafe co_certificate_expiry(leaf)
    }

    private static func memory(_ text: borrowing Span<UInt8>) -> OpaquePointer? {
        // SAFETY: a memory BIO reads in place; the span outlives it in every caller.
        unsafe text.withUnsafeBufferPointer { bytes in
            unsafe co_memory_bio(bytes.baseAddress, Int32(clamping: bytes.count))
        }
    }
}

/// ALPN (RFC 7301): `http/1.1` or a fatal alert; a client that offers nothing is served.
private func selectProtocol(
    _ session: OpaquePointer?, _ selected: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
    _ selectedCount: UnsafeMutablePointer<UInt8>?, _ offered: UnsafePointer<UInt8>?,
    _ offeredCount: UInt32, _ argument: UnsafeMutableRawPointer?
) -> Int32 {
    guard let offered = unsafe offered else { return SSL_TLSEXT_ERR_ALERT_FATAL }
    // SAFETY: OpenSSL hands over offeredCount bytes and has checked the list's inner lengths.
    let list = unsafe UnsafeBufferPointer(start: offered, count: Int(offeredCount))
    var offset = 0
    while offset < list.count {
        let count = unsafe Int(list[offset])
        guard offset + 1 + count <= list.count else { break }
        let name = unsafe list[(offset + 1)..<(offset + 1 + count)]
        if unsafe name.elementsEqual("http/1.1".utf8) {
            unsafe selected?.pointee = offered + offset + 1
            unsafe selectedCount?.pointee = UInt8(count)
            return SSL_TLSEXT_ERR_OK
        }
        offset += 1 + count
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL
}

private func refusePassphrase(
    _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int32, _ writing: Int32,
    _ argument: UnsafeMutableRawPointer?
) -> Int32 { -1 }

private func prepareTicket(
    _ session: OpaquePointer?, _ name: UnsafeMutablePointer<UInt8>?,
    _ iv: UnsafeMutablePointer<UInt8>?, _ cipher: OpaquePointer?, _ mac: OpaquePointer?,
    _ sealing: Int32
) -> Int32 {
    guard let name = unsafe name, let iv = unsafe iv, let cipher = unsafe cipher,
        let mac = unsafe mac,
        let context = unsafe SSL_get_SSL_CTX(session),
        let pointer = unsafe SSL_CTX_get_ex_data(context, 0)
    else { return -1 }
    let keys = unsafe Unmanaged<TicketKeys>.fromOpaque(pointer).takeUnretainedValue()
    return unsafe keys.prepare(
        name: name, iv: iv, cipher: cipher, mac: mac, sealing: sealing == 1)
}
