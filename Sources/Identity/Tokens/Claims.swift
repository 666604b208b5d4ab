// SPDX-License-Identifier: Apache-2.0

import Bytes

/// How an identity was proven (RFC 8176).
package enum FirstFactor: Sendable, Equatable {
    case password
    /// A key that the client holds: a client certificate.
    case softwareKey

    fileprivate var methods: String {
        switch self {
        case .password: "[\"pwd\",\"otp\"]"
        case .softwareKey: "[\"swk\",\"otp\"]"
        }
    }
}

/// The claims of a token that are the same for all requests of an agent to an upstream, escaped
/// and encoded once.
package struct Claims: Sendable {
    /// Invariant: base64url of whole groups of three bytes, from the payload's first byte on.
    let encoded: [UInt8]
    /// The zero to two bytes that are left over, as the high end of the next group.
    let carry: UInt32
    let carryCount: Int

    /// - Parameters:
    ///   - user: the claim `sub`.
    ///   - scopes: joined by spaces (RFC 8693 §4.2).
    package init(
        issuer: String, audience: String, user: String, agent: String, scopes: [String],
        firstFactor: FirstFactor
    ) {
        var text = Array("{".utf8)
        JSONText.append(member: "iss", issuer, to: &text)
        JSONText.append(member: "aud", audience, to: &text)
        JSONText.append(member: "sub", user, to: &text)
        JSONText.append(member: "agent_id", agent, to: &text)
        JSONText.append(member: "scope", scopes.joined(separator: " "), to: &text)
        text.append(contentsOf: ",\"amr\":".utf8)
        text.append(contentsOf: firstFactor.methods.utf8)
        let whole = text.count - text.count % 3
        var encoded: [UInt8] = []
        Base64URL.encode(text.span.extracting(0..<whole)) { encoded.append($0) }
        var carry: UInt32 = 0
        for byte in text[whole...] { carry = carry << 8 | UInt32(byte) }
        self.encoded = encoded
        self.carry = carry
        carryCount = text.count - whole
    }
}

/// The claims that differ from token to token; times in seconds since the epoch.
package struct TokenFacts: Sendable {
    package var authTime: UInt64
    /// `iat` and `nbf`.
    package var issued: UInt64
    package var expires: UInt64
    /// Where the request came with a session.
    package var sid: PublicID?

    package init(authTime: UInt64, issued: UInt64, expires: UInt64, sid: PublicID? = nil) {
        self.authTime = authTime
        self.issued = issued
        self.expires = expires
        self.sid = sid
    }
}
