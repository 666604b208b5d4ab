// SPDX-License-Identifier: Apache-2.0

import Crypto
import Policy

/// Refuses a client whose certificate is proven and is none of those that are pinned.
///
/// The handshake has seen to the rest: that the client has the certificate's key, that it is not
/// out of date, and that an authority vouches for it where one is asked to.
struct ClientPinsFilter {
    /// The listener's and every agent's; empty where any certificate will do.
    private let pins: Set<SHA256Digest>
    /// A handshake without a certificate fails then. A connection may be older than the rule.
    private let isRequired: Bool

    init(_ configuration: Configuration) {
        pins = Set(configuration.clientPins.compactMap { SHA256Digest(bytes: $0.span) })
        isRequired = configuration.listen.clientCertificates.demand == .required
    }

    func judge(_ facts: inout RequestFacts) -> Verdict {
        guard let pin = facts.clientPin else {
            return isRequired ? .refuse(.certificateNotPinned) : .pass
        }
        return pins.isEmpty || pins.contains(pin) ? .pass : .refuse(.certificateNotPinned)
    }
}
