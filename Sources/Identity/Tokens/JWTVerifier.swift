// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto

/// Why a token is not believed.
package enum JWTFault: Error, Equatable, Sendable {
    case tooLong
    /// Not three parts of base64url, or not the JSON that we write.
    case malformed
    /// `alg`, `typ` or `kid` is not what one of the keys stands for, or there is more than those.
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

/// Believes the gateway's own tokens under its key set, for one issuer and audience, as an
/// upstream does (RFC 7519 §7.2): for the sample upstream and for tests.
package struct JWTVerifier: Sendable {
    package static let tokenCountMax = 8 * 1024

    private let keys: JSONWebKeySet
    private let issuer: String
    private let audience: String

    package init(_ keys: JSONWebKeySet, issuer: String, audience: String) {
        self.keys = keys
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
            let secondDot = token.firstOffset(of: UInt8(ascii: "."), from: firstDot + 1),
            let header = ClaimSet(encoded: token.extracting(0..<firstDot))
        else { throw .malformed }
        guard header.text("typ") == "JWT", let key = key(header) else { throw .header }
        // Decoding refuses a third dot.
        guard let signature = Base64URL.decode(token.extracting(secondDot + 1..<token.count)) else {
            throw .malformed
        }
        guard
            key.key.verify(
                key.algorithm, message: token.extracting(0..<secondDot), signature: signature.span)
        else { throw .signature }
        guard let payload = ClaimSet(encoded: token.extracting(firstDot + 1..<secondDot)) else {
            throw .malformed
        }
        return try judge(payload, now: now, leeway: leeway)
    }

    private func key(_ header: ClaimSet) -> JSONWebKey? {
        guard let header = try? TokenHeader(header), let keyID = header.keyID else { return nil }
        return try? keys.key(keyID, header.algorithm)
    }

    private func judge(
        _ claims: ClaimSet, now: UInt64, leeway: UInt64
    ) throws(JWTFault) -> VerifiedClaims {
        guard claims.text("iss") == issuer else { throw .issuer }
        guard claims.text("aud") == audience || texts("aud", claims)?.contains(audience) == true
        else { throw .audience }
        guard let expires = claims.integer("exp"), let issued = claims.integer("iat"),
            let subject = claims.text("sub"), let agent = claims.text("agent_id"),
            let scope = claims.text("scope"), let methods = texts("amr", claims),
            let authTime = claims.integer("auth_time"), let id = claims.text("jti")
        else { throw .malformed }
        guard now < expires || now - expires < leeway else { throw .expired }
        let notBefore = claims.integer("nbf") ?? issued
        guard now >= notBefore || notBefore - now <= leeway else { throw .notYetValid }
        return VerifiedClaims(
            subject: subject, agent: agent, scope: scope, methods: methods, authTime: authTime,
            issued: issued, expires: expires, id: id, session: claims.text("sid"))
    }

    private func texts(_ name: String, _ claims: ClaimSet) -> [String]? {
        claims.texts(name)?.map { String(decoding: $0, as: UTF8.self) }
    }
}
