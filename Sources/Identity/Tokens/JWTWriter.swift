// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto

/// Writes signed tokens in JWS compact form (RFC 7515 §3.1, RFC 7519), without allocating; one a
/// worker.
package struct JWTWriter: ~Copyable {
    /// `kid` of the key that signs.
    package let keyID: String
    /// Invariant: the header in base64url, with the dot behind it.
    private let header: [UInt8]
    private var signer: Signer

    package init(key: SigningKey) throws(IdentityError) {
        let jwk = try PublicJWK(key)
        let signer = try Self.signer(key)
        var text = Array("{".utf8)
        JSONText.append(member: "alg", "\(jwk.algorithm.name)", to: &text)
        JSONText.append(member: "kid", jwk.keyID, to: &text)
        JSONText.append(member: "typ", "JWT", to: &text)
        text.append(UInt8(ascii: "}"))
        keyID = jwk.keyID
        header = Array(Base64URL.encode(text.span).utf8) + [UInt8(ascii: ".")]
        self.signer = signer
    }

    private static func signer(_ key: SigningKey) throws(IdentityError) -> Signer {
        do throws(CryptoError) {
            return try Signer(key)
        } catch {
            throw .cryptography
        }
    }

    /// Appends a token.
    ///
    /// - Returns: false, with the buffer as it was, where it has no room or signing failed.
    package mutating func write(
        _ claims: Claims, _ facts: TokenFacts, random: inout RandomSource,
        into buffer: inout Buffer
    ) -> Bool {
        let start = buffer.count
        let hadOverflowed = buffer.overflowed
        buffer.overflowed = false
        buffer.append(header.span)
        writePayload(claims, facts, random: &random, into: &buffer)
        // Room for the longest, so that nothing is allocated whatever signs.
        var signature = InlineArray<512, UInt8>(repeating: 0)
        var isSigned = false
        if !buffer.overflowed {
            do throws(CryptoError) {
                var output = signature.mutableSpan
                try signer.sign(buffer.readable.extracting(start..<buffer.count), into: &output)
                isSigned = true
            } catch {
                isSigned = false
            }
        }
        buffer.append(UInt8(ascii: "."))
        buffer.append(base64URL: signature.span.extracting(0..<signer.signatureCount))
        let isWritten = isSigned && !buffer.overflowed
        buffer.overflowed = hadOverflowed
        if !isWritten { buffer.truncate(to: start) }
        return isWritten
    }

    private func writePayload(
        _ claims: Claims, _ facts: TokenFacts, random: inout RandomSource,
        into buffer: inout Buffer
    ) {
        buffer.append(claims.encoded.span)
        var payload = Base64URLWriter(carry: claims.carry, count: claims.carryCount)
        payload.append(",\"auth_time\":", to: &buffer)
        payload.append(decimal: facts.authTime, to: &buffer)
        payload.append(",\"iat\":", to: &buffer)
        payload.append(decimal: facts.issued, to: &buffer)
        payload.append(",\"nbf\":", to: &buffer)
        payload.append(decimal: facts.issued, to: &buffer)
        payload.append(",\"exp\":", to: &buffer)
        payload.append(decimal: facts.expires, to: &buffer)
        payload.append(",\"jti\":\"", to: &buffer)
        payload.append(RandomText.publicID(&random).span, to: &buffer)
        if let sid = facts.sid {
            payload.append("\",\"sid\":\"", to: &buffer)
            payload.append(sid.span, to: &buffer)
        }
        payload.append("\"}", to: &buffer)
        payload.finish(to: &buffer)
    }
}
