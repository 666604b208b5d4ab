// SPDX-License-Identifier: Apache-2.0

import COpenSSL
import Crypto

/// What all connections to one server share, from the client's side.
///
/// TLS 1.3 alone, ALPN `http/1.1` alone, no early data; the server's newest ticket, where the
/// context resumes.
@safe
package final class TLSClientContext: @unchecked Sendable {
    /// Invariant: valid until deinit; changed by nobody after init, which makes it shareable.
    let context: OpaquePointer
    /// What is sent as SNI; `nil` for an address literal (RFC 6066 §3).
    let indicatedName: String?
    /// Invariant: set exactly where sessions are resumed.
    let tickets: TLSTickets?
    private let proof: ServerProof

    /// - Parameters:
    ///   - serverName: a DNS name or an address literal.
    ///   - pins: SHA-256 of SubjectPublicKeyInfos. Where there are any, the server's certificate
    ///     has to have one of these keys, besides what `trust` asks for.
    ///   - isResuming: keep the server's tickets, and begin with them.
    package init(
        serverName: String, trust: TLSTrust, pins: [SHA256Digest] = [], isResuming: Bool
    ) throws(TLSFault) {
        ERR_clear_error()
        guard let context = unsafe SSL_CTX_new(TLS_client_method()) else {
            throw TLSFault.configuration(OpenSSLErrors.take())
        }
        unsafe self.context = context
        tickets = isResuming ? TLSTickets() : nil
        proof = ServerProof(isVerifying: trust.isVerifying, pins: pins)
        do throws(TLSFault) {
            unsafe try trust.load(into: context)
            // The last property: a throw behind it would run deinit, which frees once more.
            indicatedName = unsafe try Self.expect(serverName, in: context)
        } catch {
            unsafe SSL_CTX_free(context)
            throw error
        }
        configure()
    }

    deinit {
        unsafe SSL_CTX_free(context)
    }

    private func configure() {
        unsafe proof.require(in: context)
        _ = unsafe co_set_min_version(context, TLS1_3_VERSION)
        _ = unsafe co_set_max_version(context, TLS1_3_VERSION)
        _ = unsafe co_set_groups(context, "X25519:P-256:P-384")
        // The cheapest first: all three are as good, and servers mostly follow the client.
        _ = unsafe SSL_CTX_set_ciphersuites(
            context,
            "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256")
        let mode = Int(SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER)
        _ = unsafe co_set_mode(context, mode)
        let protocols: [UInt8] = [8] + Array("http/1.1".utf8)
        _ = unsafe SSL_CTX_set_alpn_protos(context, protocols, UInt32(protocols.count))
        guard let tickets else {
            _ = unsafe co_set_session_cache(context, Int(SSL_SESS_CACHE_OFF))
            return
        }
        _ = unsafe co_set_session_cache(
            context, Int(SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL))
        // SAFETY: the tickets live as long as self, which sessions keep alive.
        _ = unsafe SSL_CTX_set_ex_data(context, 0, Unmanaged.passUnretained(tickets).toOpaque())
        unsafe SSL_CTX_sess_set_new_cb(context, keepTicket)
    }

    /// Lets a connection that has not begun try the newest ticket.
    func offerTicket(in connection: OpaquePointer) {
        unsafe tickets?.offer(in: connection) { unsafe proof.isGiven(by: $0) }
    }

    /// Whose certificate it has to be, where one is verified.
    ///
    /// - Returns: what is sent as SNI.
    private static func expect(
        _ name: String, in context: OpaquePointer
    ) throws(TLSFault) -> String? {
        let parameters = unsafe SSL_CTX_get0_param(context)
        if unsafe X509_VERIFY_PARAM_set1_ip_asc(parameters, name) == 1 { return nil }
        ERR_clear_error()
        unsafe X509_VERIFY_PARAM_set_hostflags(
            parameters, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
        let isName = !name.isEmpty && name.utf8.count <= ClientOffer.serverNameMax
        guard isName, unsafe X509_VERIFY_PARAM_set1_host(parameters, name, 0) == 1 else {
            throw TLSFault.configuration("server name is neither a DNS name nor an address")
        }
        return name
    }
}

/// Called by libssl for each ticket that comes.
///
/// - Returns: 0, since the session stays the connection's.
private func keepTicket(_ session: OpaquePointer?, _ ticket: OpaquePointer?) -> Int32 {
    guard let ticket = unsafe ticket, let context = unsafe SSL_get_SSL_CTX(session),
        let pointer = unsafe SSL_CTX_get_ex_data(context, 0)
    else { return 0 }
    let tickets = unsafe Unmanaged<TLSTickets>.fromOpaque(pointer).takeUnretainedValue()
    unsafe tickets.keep(ticket)
    return 0
}
