// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto

/// The public half of a signing key, as verifiers read it (RFC 7517, RFC 7518 §6.2).
package struct PublicJWK: Equatable, Sendable {
    /// Coordinates in base64url.
    package let x: String
    package let y: String
    /// The thumbprint of RFC 7638, which is the `kid` of our tokens.
    package let keyID: String

    /// - Parameters x, y: 32 bytes each.
    package init(x: [UInt8], y: [UInt8]) throws(IdentityError) {
        self.x = Base64URL.encode(x.span)
        self.y = Base64URL.encode(y.span)
        let members = "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"\(self.x)\",\"y\":\"\(self.y)\"}"
        keyID = try JWKS.thumbprint(canonical: Array(members.utf8).span)
    }

    fileprivate var text: String {
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"\(x)\",\"y\":\"\(y)\""
            + ",\"kid\":\"\(keyID)\",\"alg\":\"ES256\",\"use\":\"sig\"}"
    }
}

/// The key set that upstreams verify our tokens with: public members alone.
package struct JWKS: Equatable, Sendable {
    /// The document of RFC 7517 §5.
    package let document: [UInt8]
    /// A strong entity tag with its quotes (RFC 9110 §8.8.3).
    package let entityTag: [UInt8]

    /// - Parameter keys: the one that signs first, then those that may still be met.
    package init(keys: [PublicJWK]) throws(IdentityError) {
        let text = "{\"keys\":[" + keys.map(\.text).joined(separator: ",") + "]}"
        let bytes = Array(text.utf8)
        let tag = try JWKS.thumbprint(canonical: bytes.span)
        document = bytes
        entityTag = Array("\"\(tag)\"".utf8)
    }

    /// RFC 7638 §3 over a key's required members, in lexicographic order and without white space.
    package static func thumbprint(canonical: Span<UInt8>) throws(IdentityError) -> String {
        do throws(CryptoError) {
            var hasher = try Hasher256()
            return Base64URL.encode(hasher.digest(canonical).bytes.span)
        } catch {
            throw .cryptography
        }
    }
}
