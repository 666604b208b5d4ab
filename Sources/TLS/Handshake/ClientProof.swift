// SPDX-License-Identifier: Apache-2.0

import COpenSSL
import Crypto

/// What clients have to prove at a handshake: that they have the key of a certificate that is not
/// out of date, and that an authority vouches for it, where there is one to ask.
///
/// Which of the certificates that are proven so may come in is for others to say, by their pins.
@safe
package final class ClientProof: @unchecked Sendable {
    /// A longer list would make each handshake of a stranger costly to answer.
    private static let authorityNamesMax = 16 * 1024
    /// Of authorities between a client and the one that is named here.
    private static let depthMax: Int32 = 8

    /// Whether a client without a certificate is sent away.
    let isRequired: Bool
    /// The message that asks (RFC 8446 §4.3.2).
    let request: [UInt8]
    /// Tells this proof from another: what was proven under one rule proves nothing under the next.
    let fingerprint: SHA256Digest
    /// Invariant: owned by this object, and filled in init; libcrypto locks it where it is read.
    /// `nil` where a certificate need not be vouched for.
    private let store: OpaquePointer?

    /// - Parameter authorities: PEM; a client's chain has to end at one of these certificates.
    ///   Without them it may vouch for itself.
    package init(isRequired: Bool, authorities: [UInt8]?) throws(TLSFault) {
        defer { ERR_clear_error() }
        self.isRequired = isRequired
        var list: [Authority] = []
        if let authorities { list = try Self.read(authorities) }
        guard var hasher = try? Hasher256() else {
            throw TLSFault.configuration("libcrypto has no SHA-256")
        }
        hasher.begin()
        let demand: [UInt8] = [isRequired ? 1 : 0]
        hasher.update(demand.span)
        for authority in list { hasher.update(authority.encoded.span) }
        fingerprint = hasher.finish()
        request = try Self.request(list.map(\.name))
        // The last property: a throw behind it would run deinit.
        unsafe store = authorities == nil ? nil : try Self.store(list)
    }

    deinit {
        unsafe X509_STORE_free(store)
    }

    // MARK: Authorities

    private struct Authority {
        /// DER.
        let encoded: [UInt8]
        let name: [UInt8]
    }

    private static func read(_ text: [UInt8]) throws(TLSFault) -> [Authority] {
        let fault = TLSFault.configuration("authorities are not PEM certificates")
        var authorities: [Authority] = []
        do throws(TLSFault) {
            for encoded in try PEMText.chain(text.span) {
                guard let certificate = try? PeerCertificate(encoded.span) else { throw fault }
                let name = unsafe Self.encoded(X509_get_subject_name(certificate.certificate))
                authorities.append(Authority(encoded: encoded, name: name))
            }
        } catch {
            throw fault
        }
        guard !authorities.isEmpty else { throw fault }
        return authorities
    }

    private static func encoded(_ name: OpaquePointer?) -> [UInt8] {
        let count = unsafe Int(i2d_X509_NAME(name, nil))
        guard count > 0 else { return [] }
        return unsafe [UInt8](unsafeUninitializedCapacity: count) { room, used in
            // SAFETY: it writes as many bytes as it said, and moves the pointer behind them.
            var end = room.baseAddress
            used = unsafe max(0, Int(i2d_X509_NAME(name, &end)))
        }
    }

    private static func store(_ authorities: [Authority]) throws(TLSFault) -> OpaquePointer {
        guard let store = unsafe X509_STORE_new() else {
            throw TLSFault.configuration(OpenSSLErrors.take())
        }
        for authority in authorities {
            // A certificate that stands there twice is no fault of libcrypto's either.
            guard let certificate = try? PeerCertificate(authority.encoded.span),
                unsafe X509_STORE_add_cert(store, certificate.certificate) == 1
            else {
                unsafe X509_STORE_free(store)
                throw TLSFault.configuration("authorities: \(OpenSSLErrors.take())")
            }
        }
        return unsafe store
    }

    // MARK: Asking

    /// What authorities may sign certificates with, besides our own schemes: clients take what is
    /// not said here for unwelcome. Whether it will do is for the chain's verification to say.
    private static let certificateSchemes =
        SignatureScheme.allCases.map { Int($0.rawValue) }
        + [0x0401, 0x0501, 0x0601, 0x0809, 0x080A, 0x080B]

    /// CertificateRequest (§4.3.2). With the authorities' names a client that has several
    /// certificates knows which to show.
    private static func request(_ names: [[UInt8]]) throws(TLSFault) -> [UInt8] {
        var known: [[UInt8]] = []
        for name in names where !known.contains(name) { known.append(name) }
        let count = known.reduce(0) { $0 + 2 + $1.count }
        guard count <= authorityNamesMax else {
            throw TLSFault.configuration(
                "authorities: their names have \(count) bytes; \(authorityNamesMax) are the most")
        }
        let own = SignatureScheme.allCases.map { Int($0.rawValue) }
        var message = HandshakeMessage(.certificateRequest, capacity: 128 + count)
        message.append(number: 0, size: 1)
        message.vector(size: 2) {
            $0.addExtension(ExtensionType.signatureAlgorithms) { $0.append(schemes: own) }
            $0.addExtension(ExtensionType.signatureAlgorithmsCert) {
                $0.append(schemes: certificateSchemes)
            }
            guard !known.isEmpty else { return }
            $0.addExtension(ExtensionType.certificateAuthorities) {
                $0.vector(size: 2) {
                    for name in known { $0.vector(size: 2) { $0.append(name.span) } }
                }
            }
        }
        return message.finish()
    }

    // MARK: Judging

    /// Judges a chain whose leaf's key the client has.
    ///
    /// - Parameters:
    ///   - message: with the certificates, which `list` says the places of; at least one.
    ///   - now: seconds since 1970.
    func judge(
        _ leaf: borrowing PeerCertificate, _ list: CertificateList, in message: Span<UInt8>,
        now: Int64
    ) throws(Alert) -> ClientCertificate {
        defer { ERR_clear_error() }
        try leaf.checkDates(now)
        var expiry = unsafe co_certificate_expiry(leaf.certificate)
        if unsafe store != nil {
            guard let others = unsafe co_list() else { throw .internalError }
            defer { unsafe co_list_free(others) }
            for entry in list.entries.dropFirst() {
                let link = unsafe try PeerCertificate.read(message.extracting(entry))
                guard unsafe co_list_add(others, link) == 1 else {
                    unsafe X509_free(link)
                    throw .internalError
                }
            }
            let error = unsafe co_verify_client(
                store, leaf.certificate, others, now, Self.depthMax, &expiry)
            if let alert = Self.alert(error) { throw alert }
        }
        guard let pin = unsafe SHA256Digest(publicKeyOf: leaf.certificate) else {
            throw .internalError
        }
        return ClientCertificate(pin: pin, notAfter: expiry)
    }

    /// What a verification's outcome is told as (§6.2).
    private static func alert(_ error: Int32) -> Alert? {
        switch error {
        case X509_V_OK: nil
        case X509_V_ERR_CERT_HAS_EXPIRED: .certificateExpired
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
            X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,
            X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, X509_V_ERR_CERT_CHAIN_TOO_LONG,
            X509_V_ERR_INVALID_CA, X509_V_ERR_PATH_LENGTH_EXCEEDED:
            .unknownAuthority
        case X509_V_ERR_INVALID_PURPOSE, X509_V_ERR_CERT_UNTRUSTED: .unsupportedCertificate
        case X509_V_ERR_OUT_OF_MEM: .internalError
        default: .badCertificate
        }
    }
}

extension HandshakeMessage {
    fileprivate mutating func append(schemes: [Int]) {
        vector(size: 2) { for scheme in schemes { $0.append(number: scheme, size: 2) } }
    }
}
