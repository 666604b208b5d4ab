// SPDX-License-Identifier: Apache-2.0

/// What an access token says whose signature was right.
package final class VerifiedToken: Sendable {
    /// The issuer's place among those of one configuration, which a cache must not outlive.
    package let issuer: Int
    /// Of the issuer's claims for the agent and the user; see ``TokenIdentity``.
    package let agent: String
    package let user: String
    /// For the log.
    package let userBytes: [UInt8]
    /// Scope-tokens of RFC 6749 §3.3, joined by spaces; empty where there are none.
    package let scopes: String
    /// `exp`, in seconds since the epoch.
    package let expires: UInt64
    /// `kid` of the key that has signed.
    package let keyID: String?

    init(
        issuer: Int, agent: String, user: String, scopes: String, expires: UInt64, keyID: String?
    ) {
        self.issuer = issuer
        self.agent = agent
        self.user = user
        userBytes = Array(user.utf8)
        self.scopes = scopes
        self.expires = expires
        self.keyID = keyID
    }
}
