// SPDX-License-Identifier: Apache-2.0
import Bytes
import Crypto
import Identity

/// An issuer with one key of this process, and the gateway that believes it.
final class Desk {
    static let now: UInt64 = 1_700_000_000
    static let issuer = TokenIssuer(name: "https://idp.example", audience: "agentport")

    private var signer: Signer
    private let keys: JSONWebKeySet

    init() {
        do {
            let key = try SigningKey.generate(.edDSA)
            signer = try Signer(key)
            let jwks = try JWKS(keys: [PublicJWK(key)])
            let text = String(decoding: jwks.document, as: UTF8.self)
            let named = Array(text.replacing(try PublicJWK(key).keyID, with: "a").utf8)
            keys = try JSONWebKeySet(named.span)
        } catch {
            preconditionFailure("\(error)")
        }
    }

    func token(_ header: [UInt8], _ payload: [UInt8]) -> [UInt8] {
        let input = Base64URL.encode(header.span) + "." + Base64URL.encode(payload.span)
        let bytes = Array(input.utf8)
        var signature = [UInt8](repeating: 0, count: signer.signatureCount)
        var output = signature.mutableSpan
        do {
            try signer.sign(bytes.span, into: &output)
        } catch {
            preconditionFailure("\(error)")
        }
        return bytes + [UInt8(ascii: ".")] + Array(Base64URL.encode(signature.span).utf8)
    }

    func isBelieved(_ bytes: [UInt8]) -> Bool {
        do throws(AccessTokenFault) {
            let token = try AccessToken(bytes.span)
            let place = try token.issuer(among: [Self.issuer])
            let candidate = try AccessTokenCandidate(
                token, of: Self.issuer, place: place, keys: keys, now: Self.now)
            let verified = try candidate.verify()
            precondition(verified.expires > Self.now && verified.issuer == 0)
            precondition(!verified.agent.isEmpty && verified.agent.utf8.count <= 256)
            precondition(verified.scopes.utf8.count <= 4096)
            return true
        } catch {
            return false
        }
    }
}
