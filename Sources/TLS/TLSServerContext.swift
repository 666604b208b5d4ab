// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// What all sessions of a listener share: certificate, key and ticket keys. Changed by nobody but
/// for the ticket keys' rotation.
///
/// TLS 1.3 alone, ALPN `http/1.1` alone, no early data (0-RTT could be replayed), one ticket a
/// handshake, no server-side session cache.
package final class TLSServerContext: Sendable {
    let credential: Credential
    let tickets: TicketKeys
    /// `nil` where no client is asked for a certificate.
    let clients: ClientProof?

    /// - Parameters:
    ///   - certificate: PEM, the leaf first, then its chain.
    ///   - key: PEM, ECDSA or RSA, without a passphrase.
    ///   - clients: what they are asked to prove.
    ///   - previous: whose tickets stay good, where clients are asked for the same.
    package init(
        certificate: borrowing Span<UInt8>, key: borrowing Span<UInt8>,
        clients: ClientProof? = nil, after previous: TLSServerContext? = nil
    ) throws(TLSFault) {
        // Sessions know by the object whether they have proven what is asked for now.
        let isSame = clients?.fingerprint == previous?.clients?.fingerprint
        self.clients = isSame ? previous?.clients ?? clients : clients
        tickets = previous?.tickets ?? TicketKeys()
        // What is fetched once is fetched now: not first in a handshake, where memory may be short
        // and a failure would be remembered. ChaCha20 is the only one that may be missing.
        _ = CipherSuite.chaCha20Poly1305.isAvailable
        guard CipherSuite.aes128GCM.isAvailable, CipherSuite.aes256GCM.isAvailable else {
            throw TLSFault.configuration("libcrypto has no AES-GCM or no SHA-2")
        }
        credential = try Credential(certificate: certificate, key: key)
    }

    /// The same for a listener that asks no client for a certificate.
    package func withoutClients() -> TLSServerContext {
        TLSServerContext(credential, tickets)
    }

    private init(_ credential: Credential, _ tickets: TicketKeys) {
        self.credential = credential
        self.tickets = tickets
        clients = nil
    }

    /// End of the certificate's validity, in seconds since 1970.
    package var certificateExpiry: Int64 { credential.expiry }

    /// Whether the certificate is one for a host of that name.
    package func covers(_ name: String) -> Bool { credential.covers(name) }

    /// Whether clients are asked to prove the same as by another context, which this one came
    /// after.
    package func asksTheSame(as other: TLSServerContext) -> Bool { clients === other.clients }

    /// How often ticket keys are to be changed. A ticket is good for one such time at least, two
    /// at most.
    package static let ticketKeySeconds = 3600

    /// How many such times clients can go from ticket to ticket until the certificate is proven
    /// to them again.
    package static let resumedRotationsMax = Int(TicketKeys.rotationsMax)

    /// Seals new tickets with a new key.
    package func rotateTicketKeys() {
        tickets.rotate()
    }
}
