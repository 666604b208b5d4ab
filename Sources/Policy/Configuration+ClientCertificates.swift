// SPDX-License-Identifier: Apache-2.0

extension Configuration {
    /// What clients have to show of themselves at the handshake (RFC 8446 §4.3.2).
    package struct ClientCertificates: Sendable, Equatable {
        package var demand = ClientCertificateDemand.none
        /// PEM: whoever is named here vouches for clients. Without it a certificate may vouch for
        /// itself, and its pin decides.
        package var authorityPath: String?
        /// SHA-256 of SubjectPublicKeyInfos (RFC 7469 §2.4), 32 bytes each, besides the agents'.
        package var pins: [[UInt8]] = []
    }

    package enum ClientCertificateDemand: String, Sendable, CaseIterable {
        /// No client is asked.
        case none
        /// Each is asked, and may have none.
        case optional
        /// A handshake without one fails.
        case required
    }
}

extension Configuration {
    /// Every pin that a client's certificate may have: the listener's, then the agents'.
    package var clientPins: [[UInt8]] {
        listen.clientCertificates.pins + agents.flatMap(\.clientPins)
    }
}
