// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import Identity

/// One key with a writer, a verifier, and a signer for what the writer would never write.
final class Desk {
    let key: SigningKey
    private var writer: JWTWriter
    private let verifier: JWTVerifier
    private var signer: Signer
    private var random = RandomSource()

    init(
        issuer: String = "agentport", audience: String = "claw", key: SigningKey? = nil
    ) throws {
        let key = try key ?? SigningKey.generate()
        self.key = key
        writer = try JWTWriter(key: key)
        let keys = try JWKS(keys: [PublicJWK(key)])
        verifier = try JWTVerifier(
            JSONWebKeySet(keys.document.span), issuer: issuer, audience: audience)
        signer = try Signer(key)
    }

    var keyID: String { writer.keyID }

    func write(_ claims: Claims, _ facts: TokenFacts, into page: Page) -> Bool {
        writer.write(claims, facts, random: &random, into: &page.buffer)
    }

    func write(_ claims: Claims = JWTTests.claims(), _ facts: TokenFacts = JWTTests.facts) -> String
    {
        let page = Page()
        guard write(claims, facts, into: page) else { return "" }
        return page.text
    }

    func verify(
        _ token: String, now: UInt64 = 1030, leeway: UInt64 = 0
    ) -> Result<VerifiedClaims, JWTFault> {
        let bytes = Array(token.utf8)
        do throws(JWTFault) {
            return .success(try verifier.verify(bytes.span, now: now, leeway: leeway))
        } catch {
            return .failure(error)
        }
    }

    func fault(_ token: String, now: UInt64 = 1030, leeway: UInt64 = 0) -> JWTFault? {
        guard case .failure(let fault) = verify(token, now: now, leeway: leeway) else { return nil }
        return fault
    }

    /// A token with any header and payload, rightly signed.
    func sign(header: String? = nil, payload: String) throws -> String {
        let header = header ?? #"{"alg":"\#(key.algorithm.name)","kid":"\#(keyID)","typ":"JWT"}"#
        let input = encode(header) + "." + encode(payload)
        let bytes = Array(input.utf8)
        var signature = [UInt8](repeating: 0, count: signer.signatureCount)
        var output = signature.mutableSpan
        try signer.sign(bytes.span, into: &output)
        return input + "." + Base64URL.encode(signature.span)
    }

    private func encode(_ text: String) -> String {
        let bytes = Array(text.utf8)
        return Base64URL.encode(bytes.span)
    }
}
