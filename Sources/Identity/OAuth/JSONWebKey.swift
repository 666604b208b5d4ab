// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import JSON

/// One key of an issuer, good for one algorithm (RFC 8725 §3.1).
package struct JSONWebKey: Sendable {
    package static let keyIDCountMax = 256

    /// `kid` in bytes, which is how it is compared.
    package let keyID: [UInt8]?
    package let algorithm: SignatureAlgorithm
    package let key: PublicKey

    /// - Returns: `nil` for whatever does not verify signatures here: another kind, curve or
    ///   algorithm, another use, a secret, a point off its curve, RSA out of bounds.
    init?(_ jwk: JSONValue) {
        guard jwk.object != nil, Self.isForVerifying(jwk), Self.isPublic(jwk),
            let members = Self.members(jwk), let algorithm = Self.algorithm(jwk, members),
            members.agrees(with: algorithm)
        else { return nil }
        if let keyID = jwk["kid"] {
            guard let text = keyID.string, text.utf8.count <= Self.keyIDCountMax else {
                return nil
            }
            self.keyID = Array(text.utf8)
        } else {
            keyID = nil
        }
        guard let key = try? PublicKey(members) else { return nil }
        self.key = key
        self.algorithm = algorithm
    }

    /// RFC 7517 §4.2 and §4.3: where both are given, both must allow it.
    private static func isForVerifying(_ jwk: JSONValue) -> Bool {
        if let use = jwk["use"], use.string != "sig" { return false }
        guard let operations = jwk["key_ops"] else { return true }
        return operations.array?.contains { $0.string == "verify" } ?? false
    }

    /// Whoever publishes a private key has lost it.
    private static func isPublic(_ jwk: JSONValue) -> Bool {
        !["d", "p", "q", "dp", "dq", "qi", "oth", "k"].contains { jwk[$0] != nil }
    }

    private static func members(_ jwk: JSONValue) -> PublicMembers? {
        switch (jwk["kty"]?.string, jwk["crv"]?.string) {
        case ("EC", "P-256"):
            guard let x = bytes(jwk["x"]), let y = bytes(jwk["y"]) else { return nil }
            return .p256(x: x, y: y)
        case ("OKP", "Ed25519"): return bytes(jwk["x"]).map { .ed25519($0) }
        case ("RSA", _):
            guard let modulus = bytes(jwk["n"]), let exponent = bytes(jwk["e"]) else { return nil }
            return .rsa(modulus: modulus, exponent: exponent)
        default: return nil
        }
    }

    private static func bytes(_ value: JSONValue?) -> [UInt8]? {
        guard let text = value?.string else { return nil }
        let bytes = Array(text.utf8)
        return Base64URL.decode(bytes.span)
    }

    /// What `alg` says; without it what the kind is mostly used with, so that an RSA key is never
    /// good for two paddings.
    private static func algorithm(
        _ jwk: JSONValue, _ members: PublicMembers
    ) -> SignatureAlgorithm? {
        guard let name = jwk["alg"] else {
            return switch members {
            case .p256: .es256
            case .ed25519: .edDSA
            case .rsa: .rs256
            }
        }
        guard let text = name.string else { return nil }
        return SignatureAlgorithm(name: Array(text.utf8))
    }
}

extension JSONWebKey: Equatable {
    package static func == (left: JSONWebKey, right: JSONWebKey) -> Bool {
        left.keyID == right.keyID && left.algorithm == right.algorithm
            && left.key.members == right.key.members
    }
}
