// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto

/// What a token's header says of who signed it (RFC 7515 §4.1); nobody has vouched for it.
struct TokenHeader {
    let algorithm: SignatureAlgorithm
    let keyID: [UInt8]?

    /// `crit` asks for what is unknown here, whatever it lists (RFC 7515 §4.1.11). A key, or the
    /// way to one, that comes with the token is nobody's word but its maker's (RFC 8725 §3.5,
    /// §3.10). The last three would have the payload read in another way (RFC 7797, RFC 7516).
    private static let refused = ["crit", "jku", "jwk", "x5u", "x5c", "b64", "zip", "enc"]

    init(_ header: ClaimSet) throws(AccessTokenFault) {
        // Those that are keyed with a secret, and `none`, have no name here.
        guard let name = header.bytes("alg"), let algorithm = SignatureAlgorithm(name: name) else {
            throw .algorithm
        }
        guard !Self.refused.contains(where: { header.has($0) }) else { throw .header }
        if header.has("typ") {
            guard let type = header.bytes("typ"), Self.isAccessToken(type.span) else { throw .type }
        }
        self.algorithm = algorithm
        if header.has("kid") {
            guard let keyID = header.bytes("kid"), keyID.count <= JSONWebKey.keyIDCountMax else {
                throw .header
            }
            self.keyID = keyID
        } else {
            keyID = nil
        }
    }

    /// RFC 9068 §2.1 wants `at+jwt`; most issuers write `JWT`, or nothing.
    private static func isAccessToken(_ type: Span<UInt8>) -> Bool {
        type.equalsIgnoringCase("jwt") || type.equalsIgnoringCase("at+jwt")
            || type.equalsIgnoringCase("application/at+jwt")
    }
}
