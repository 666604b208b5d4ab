// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto

/// An access token taken apart (JWS compact form, RFC 7515 §7.1), of which nothing is believed.
///
/// ```
/// AccessToken(bytes) → issuer(among:) → AccessTokenCandidate(token, …) → verify()
/// ```
///
/// Each step costs more than the one before it: taking apart copies and decodes, judging compares,
/// and only the last checks a signature, so that a limit can be taken before it.
package struct AccessToken: ~Copyable, ~Escapable {
    package static let countMax = 8 * 1024

    private let token: Span<UInt8>
    /// Bytes that are signed: both parts and the dot between them.
    private let signedCount: Int
    let header: TokenHeader
    let payload: ClaimSet
    let signature: [UInt8]

    @_lifetime(copy token)
    package init(_ token: Span<UInt8>) throws(AccessTokenFault) {
        guard token.count <= Self.countMax else { throw .tooLong }
        guard let firstDot = token.firstOffset(of: Self.dot),
            let secondDot = token.firstOffset(of: Self.dot, from: firstDot + 1),
            let members = ClaimSet(encoded: token.extracting(0..<firstDot))
        else { throw .malformed }
        // Before the longer part is decoded.
        let header = try TokenHeader(members)
        // Decoding refuses a third dot.
        guard let signature = Base64URL.decode(token.extracting(secondDot + 1..<token.count)),
            let payload = ClaimSet(encoded: token.extracting(firstDot + 1..<secondDot))
        else { throw .malformed }
        self.token = token
        signedCount = secondDot
        self.header = header
        self.payload = payload
        self.signature = signature
    }

    private static let dot = UInt8(ascii: ".")

    /// Whether a credential has the form of a token rather than of a key: two dots, and in front
    /// the brace that a header begins with, behind which comes a quote or white space.
    package static func hasForm(_ credential: Span<UInt8>) -> Bool {
        guard credential.hasPrefix("ey") || credential.hasPrefix("ew"),
            let firstDot = credential.firstOffset(of: dot),
            let secondDot = credential.firstOffset(of: dot, from: firstDot + 1)
        else { return false }
        return credential.firstOffset(of: dot, from: secondDot + 1) == nil
    }

    /// The place of the issuer that the token says it is from.
    package func issuer(among issuers: [TokenIssuer]) throws(AccessTokenFault) -> Int {
        guard let name = payload.bytes("iss"),
            let place = issuers.firstIndex(where: { $0.name == name })
        else { throw .issuer }
        return place
    }

    /// What is signed.
    var signed: Span<UInt8> {
        @_lifetime(copy self)
        get { token.extracting(0..<signedCount) }
    }
}
