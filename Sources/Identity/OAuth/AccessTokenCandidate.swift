// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto

/// A token in which everything is right but the signature, which nobody has looked at (RFC 7519
/// §7.2, RFC 8725, RFC 9068 §4).
package struct AccessTokenCandidate: ~Copyable, ~Escapable {
    /// Seconds by which an issuer's clock may be ahead of ours; the end is held to the second.
    package static let leewaySeconds: UInt64 = 5

    private let signed: Span<UInt8>
    private let signature: [UInt8]
    private let key: JSONWebKey
    private let claimed: VerifiedToken

    /// - Parameters:
    ///   - issuer: the one that ``AccessToken/issuer(among:)`` has found, and its place.
    ///   - keys: those of that issuer.
    ///   - now: seconds since the epoch.
    /// - Throws: `unknownKey` only where all else is right, so that strangers' tokens give no
    ///   reason to fetch keys.
    @_lifetime(copy token)
    package init(
        _ token: borrowing AccessToken, of issuer: TokenIssuer, place: Int, keys: JSONWebKeySet,
        now: UInt64
    ) throws(AccessTokenFault) {
        let claims = token.payload
        guard claims.bytes("iss") == issuer.name else { throw .issuer }
        guard Self.isMeant(issuer.audience, claims) else { throw .audience }
        let expires = try Self.judgeTimes(claims, now: now)
        guard let agent = TokenIdentity.text(claims.bytes(issuer.agentClaim)),
            let user = TokenIdentity.text(claims.bytes(issuer.userClaim))
        else { throw .identity }
        let scopes = try TokenScopes.joined(claims)
        let key = try keys.key(token.header.keyID, token.header.algorithm)
        guard token.signature.count == key.key.members.signatureCount else { throw .signature }
        signed = token.signed
        signature = token.signature
        self.key = key
        claimed = VerifiedToken(
            issuer: place, agent: agent, user: user, scopes: scopes, expires: expires,
            keyID: key.keyID.map { String(decoding: $0, as: UTF8.self) })
    }

    /// `aud` is a text, or a list of texts of which one will do (RFC 7519 §4.1.3).
    private static func isMeant(_ audience: [UInt8], _ claims: ClaimSet) -> Bool {
        if let text = claims.bytes("aud") { return text == audience }
        return claims.texts("aud")?.contains(audience) ?? false
    }

    /// - Returns: `exp`.
    private static func judgeTimes(
        _ claims: ClaimSet, now: UInt64
    ) throws(AccessTokenFault) -> UInt64 {
        guard let expires = try date("exp", claims) else { throw .date }
        let issued = try date("iat", claims)
        guard let notBefore = try date("nbf", claims) ?? issued else { throw .date }
        guard now < expires else { throw .expired }
        guard notBefore <= now || notBefore - now <= leewaySeconds else { throw .notYetValid }
        return expires
    }

    private static func date(
        _ name: String, _ claims: ClaimSet
    ) throws(AccessTokenFault) -> UInt64? {
        guard claims.has(name) else { return nil }
        guard let number = claims.number(name), let seconds = NumericDate.seconds(number) else {
            throw .date
        }
        return seconds
    }

    /// Checks the signature, which is the one dear step.
    package func verify() throws(AccessTokenFault) -> VerifiedToken {
        guard key.key.verify(key.algorithm, message: signed, signature: signature.span) else {
            throw .signature
        }
        return claimed
    }
}
