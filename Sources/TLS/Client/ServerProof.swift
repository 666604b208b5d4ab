// SPDX-License-Identifier: Apache-2.0

import COpenSSL
import Crypto

/// What a server has to prove to a client, each time it shows its certificate.
///
/// A resumed handshake shows none (RFC 8446 §4.6.1), so a ticket is offered only where the
/// certificate that came with it would still do.
final class ServerProof: Sendable {
    /// Whether chain, validity and name are verified.
    private let isVerifying: Bool
    /// Of SubjectPublicKeyInfos (RFC 7469 §2.4): the leaf's is one of these. Empty where any will
    /// do.
    private let pins: [SHA256Digest]

    init(isVerifying: Bool, pins: [SHA256Digest]) {
        self.isVerifying = isVerifying
        self.pins = pins
    }

    /// Makes libssl ask for this proof. It has to outlive the context and its sessions.
    func require(in context: OpaquePointer) {
        guard isVerifying || !pins.isEmpty else {
            return unsafe SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nil)
        }
        unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        // SAFETY: the caller keeps self as long as the context and its sessions.
        unsafe SSL_CTX_set_cert_verify_callback(
            context, judgeChain, Unmanaged.passUnretained(self).toOpaque())
    }

    /// - Returns: whether the handshake may go on; where not, the error in `chain` says why.
    fileprivate func judge(_ chain: OpaquePointer) -> Bool {
        if isVerifying {
            guard unsafe X509_verify_cert(chain) == 1 else { return false }
        } else {
            unsafe X509_STORE_CTX_set_error(chain, X509_V_OK)
        }
        if unsafe isPinned(X509_STORE_CTX_get0_cert(chain)) { return true }
        unsafe X509_STORE_CTX_set_error(chain, Self.notPinned)
        return false
    }

    /// Whether the server of a ticket need not show its certificate again.
    func isGiven(by ticket: OpaquePointer) -> Bool {
        guard isVerifying || !pins.isEmpty else { return true }
        guard let leaf = unsafe SSL_SESSION_get0_peer(ticket) else { return false }
        if isVerifying, unsafe X509_cmp_current_time(X509_get0_notAfter(leaf)) <= 0 {
            return false
        }
        return unsafe isPinned(leaf)
    }

    private func isPinned(_ certificate: OpaquePointer?) -> Bool {
        guard !pins.isEmpty else { return true }
        guard let certificate = unsafe certificate,
            let digest = unsafe SHA256Digest(publicKeyOf: certificate)
        else { return false }
        return pins.contains(digest)
    }

    // MARK: Errors

    /// libssl's number for what it does not know itself; nobody else here uses it.
    private static let notPinned = X509_V_ERR_APPLICATION_VERIFICATION

    /// What a verification came to, in words fit for a log.
    static func text(ofResult result: Int) -> String {
        if result == Int(notPinned) { return "certificate is not pinned" }
        // SAFETY: a constant text for any number.
        guard let text = unsafe X509_verify_cert_error_string(result) else { return "certificate" }
        return unsafe String(cString: text)
    }
}

/// Called by libssl in place of its own verification.
private func judgeChain(_ chain: OpaquePointer?, _ proof: UnsafeMutableRawPointer?) -> Int32 {
    guard let chain = unsafe chain, let proof = unsafe proof else { return 0 }
    // SAFETY: `require(in:)` stored it, and it outlives the context.
    let judge = unsafe Unmanaged<ServerProof>.fromOpaque(proof).takeUnretainedValue()
    return unsafe judge.judge(chain) ? 1 : 0
}
