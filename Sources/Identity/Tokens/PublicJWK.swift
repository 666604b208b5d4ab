// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto

/// The public half of a signing key, as verifiers read it (RFC 7517, RFC 7518 §6, RFC 8037 §2).
package struct PublicJWK: Equatable, Sendable {
    package let members: PublicMembers
    package let algorithm: SignatureAlgorithm
    /// The thumbprint of RFC 7638, which is the `kid` of our tokens.
    package let keyID: String

    package init(_ key: SigningKey) throws(IdentityError) {
        try self.init(key.members, algorithm: key.algorithm)
    }

    package init(
        _ members: PublicMembers, algorithm: SignatureAlgorithm
    ) throws(IdentityError) {
        precondition(members.agrees(with: algorithm))
        self.members = members
        self.algorithm = algorithm
        keyID = try JWKS.thumbprint(canonical: Self.canonical(members).span)
    }

    /// The required members in lexicographic order, without white space (RFC 7638 §3.2, RFC 8037
    /// §2 and §A.3).
    private static func canonical(_ members: PublicMembers) -> [UInt8] {
        var text = Array("{".utf8)
        switch members {
        case .p256(let x, let y):
            JSONText.append(member: "crv", "P-256", to: &text)
            JSONText.append(member: "kty", "EC", to: &text)
            JSONText.append(member: "x", Base64URL.encode(x.span), to: &text)
            JSONText.append(member: "y", Base64URL.encode(y.span), to: &text)
        case .ed25519(let point):
            JSONText.append(member: "crv", "Ed25519", to: &text)
            JSONText.append(member: "kty", "OKP", to: &text)
            JSONText.append(member: "x", Base64URL.encode(point.span), to: &text)
        case .rsa(let modulus, let exponent):
            JSONText.append(member: "e", Base64URL.encode(exponent.span), to: &text)
            JSONText.append(member: "kty", "RSA", to: &text)
            JSONText.append(member: "n", Base64URL.encode(modulus.span), to: &text)
        }
        return text + [UInt8(ascii: "}")]
    }

    func append(to text: inout [UInt8]) {
        text.append(UInt8(ascii: "{"))
        switch members {
        case .p256(let x, let y):
            JSONText.append(member: "kty", "EC", to: &text)
            JSONText.append(member: "crv", "P-256", to: &text)
            JSONText.append(member: "x", Base64URL.encode(x.span), to: &text)
            JSONText.append(member: "y", Base64URL.encode(y.span), to: &text)
        case .ed25519(let point):
            JSONText.append(member: "kty", "OKP", to: &text)
            JSONText.append(member: "crv", "Ed25519", to: &text)
            JSONText.append(member: "x", Base64URL.encode(point.span), to: &text)
        case .rsa(let modulus, let exponent):
            JSONText.append(member: "kty", "RSA", to: &text)
            JSONText.append(member: "n", Base64URL.encode(modulus.span), to: &text)
            JSONText.append(member: "e", Base64URL.encode(exponent.span), to: &text)
        }
        JSONText.append(member: "kid", keyID, to: &text)
        JSONText.append(member: "alg", "\(algorithm.name)", to: &text)
        JSONText.append(member: "use", "sig", to: &text)
        text.append(UInt8(ascii: "}"))
    }
}
