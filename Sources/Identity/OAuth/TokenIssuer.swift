// SPDX-License-Identifier: Apache-2.0

/// Whose access tokens are believed, and what is read of them; what changes, its keys, lies
/// elsewhere.
package struct TokenIssuer: Equatable, Sendable {
    /// `iss`, compared byte by byte (RFC 9068 §4).
    package let name: [UInt8]
    /// What `aud` must be or contain.
    package let audience: [UInt8]
    /// The claim that names the agent, such as `client_id` or `azp`.
    package let agentClaim: String
    /// The claim that names the user, such as `sub`.
    package let userClaim: String

    package init(
        name: String, audience: String, agentClaim: String = "client_id", userClaim: String = "sub"
    ) {
        self.name = Array(name.utf8)
        self.audience = Array(audience.utf8)
        self.agentClaim = agentClaim
        self.userClaim = userClaim
    }
}
