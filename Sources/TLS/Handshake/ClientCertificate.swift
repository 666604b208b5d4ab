// SPDX-License-Identifier: Apache-2.0

import Crypto

/// What a client has proven at its handshake, or at the one that its ticket goes back to.
///
/// A reference, so that the many connections without one pay no more than a word for it.
package final class ClientCertificate: Equatable, Sendable {
    /// SHA-256 of the SubjectPublicKeyInfo (RFC 7469 §2.4).
    package let pin: SHA256Digest
    /// When the first certificate of its verified chain expires, in seconds since 1970.
    package let notAfter: Int64

    init(pin: SHA256Digest, notAfter: Int64) {
        self.pin = pin
        self.notAfter = notAfter
    }

    /// - Parameter now: seconds since 1970.
    package func isValid(at now: UInt64) -> Bool { Int64(clamping: now) < notAfter }

    /// `nil` once it is out of date.
    package func pin(at now: UInt64) -> SHA256Digest? { isValid(at: now) ? pin : nil }

    package static func == (left: ClientCertificate, right: ClientCertificate) -> Bool {
        left.pin == right.pin && left.notAfter == right.notAfter
    }
}
