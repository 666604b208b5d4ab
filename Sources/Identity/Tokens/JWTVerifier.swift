// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto

/// Why a token is not believed.
package enum JWTFault: Error, Equatable, Sendable {
    case tooLong
    /// Not three parts of base64url, or not the JSON that we write.
    case malformed
    /// `alg`, `typ` or `kid` is not what the one key stands for, or `crit` is there.
    case header
    case signature
    case issuer
    case audience
    case expired
    case notYetValid
}

/// What a token that is believed says.
package struct VerifiedClaims: Equatable, Sendable {
    package let subject: String
    package let agent: String
    package let scope: String
    package let methods: [String]
    package let authTime: UInt64
    package let issued: UInt64
    package let expires: UInt64
    package let id: String
    package let session: String?
}

/// Believes the tokens of one key, issuer and audience, as an upstream does (RFC 7519 §7.2): for
/// the sample upstream and for tests. It allocates.
package struct JWTVerifier: Sendable {
    package static let tokenCountMax = 8 * 1024

    private let jwk: PublicJWK
    private let key: PublicKey
    private let issuer: String
    private let audience: String

    package init(_ jwk: PublicJWK, issuer: String, audience: String) throws(IdentityError) {
        key = try Self.key(jwk.members)
        self.jwk = jwk
        self.issuer = issuer
        self.audience = audience
    }

    /// - Parameters:
    ///   - now: seconds since the epoch.
    ///   - leeway: seconds by which the two clocks may differ.
    package func verify(
        _ token: Span<UInt8>, now: UInt64, leeway: UInt64 = 0
    ) throws(JWTFault) -> VerifiedClaims {
        guard token.count <= Self.tokenCountMax else { throw .tooLong }
        guard let firstDot = token.firstOffset(of: UInt8(ascii: ".")),
            let secondDot = token.firstOffset(of: UInt8(ascii: "."), from: firstDot + 1)
        else { throw .malformed }
        guard let header = Self.claims(token.extracting(0..<firstDot)) else { throw .malformed }
        guard header.text("alg") == "\(jwk.algorithm.name)", header.text("kid") == jwk.keyID,
            header.text("typ") == "JWT", header.values["crit"] == nil
        else { throw .header }
        // Decoding refuses a third dot.
        guard let signature = Base64URL.decode(token.extracting(secondDot + 1..<token.count)) else {
            throw .malformed
        }
        guard
            key.verify(
                jwk.algorithm, message: token.extracting(0..<secondDot), signature: signature.span)
        else { throw .signature }
        guard let payload = Self.claims(token.extracting(firstDot + 1..<secondDot)) else {
            throw .malformed
        }
        return try judge(payload, now: now, leeway: leeway)
    }

    private func judge(
        _ claims: ClaimSet, now: UInt64, leeway: UInt64
    ) throws(JWTFault) -> VerifiedClaims {
        guard claims.text("iss") == issuer else { throw .issuer }
        guard claims.text("aud") == audience || claims.list("aud")?.contains(audience) == true
        else { throw .audience }
        guard let expires = claims.integer("exp"), let issued = claims.integer("iat"),
            let subject = claims.text("sub"), let agent = claims.text("agent_id"),
            let scope = claims.text("scope"), let methods = claims.list("amr"),
            let authTime = claims.integer("auth_time"), let id = claims.text("jti")
        else { throw .malformed }
        guard now < expires || now - expires < leeway else { throw .expired }
        let notBefore = claims.integer("nbf") ?? issued
        guard now >= notBefore || notBefore - now <= leeway else { throw .notYetValid }
        return VerifiedClaims(
            subject: subject, agent: agent, scope: scope, methods: methods, authTime: authTime,
            issued: issued, expires: expires, id: id, session: claims.text("sid"))
    }

    private static func claims(_ part: Span<UInt8>) -> ClaimSet? {
        guard let json = Base64URL.decode(part) else { return nil }
        return ClaimSet(json.span)
    }

    private static func key(_ members: PublicMembers) throws(IdentityError) -> PublicKey {
        do throws(CryptoError) {
            return try PublicKey(members)
        } catch {
            throw .cryptography
        }
    }
}
