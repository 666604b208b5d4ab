// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto

/// The key set that upstreams verify our tokens with: public members alone.
package struct JWKS: Equatable, Sendable {
    /// The document of RFC 7517 §5.
    package let document: [UInt8]
    /// A strong entity tag with its quotes (RFC 9110 §8.8.3).
    package let entityTag: [UInt8]

    /// - Parameter keys: the one that signs first, then those that may still be met, of whatever
    ///   algorithms.
    package init(keys: [PublicJWK]) throws(IdentityError) {
        var text = Array("{\"keys\":[".utf8)
        for (index, key) in keys.enumerated() {
            if index > 0 { text.append(.comma) }
            key.append(to: &text)
        }
        text.append(contentsOf: "]}".utf8)
        let tag = try JWKS.thumbprint(canonical: text.span)
        document = text
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
