// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import Identity
import Testing

/// An identity provider with a key of each algorithm, named after it, and tokens with whatever is
/// wanted in them; and the gateway's judgement of those.
final class Provider: Sendable {
    /// Made once: RSA takes its time.
    static let keys = SignatureAlgorithm.allCases.compactMap { try? SigningKey.generate($0) }
    static let now: UInt64 = 1_700_000_000
    static let name = "https://idp.example/realms/a"

    let set: JSONWebKeySet
    let issuer: TokenIssuer

    init(
        keys: [SigningKey] = Provider.keys,
        issuer: TokenIssuer = TokenIssuer(name: Provider.name, audience: "agentport")
    ) throws {
        self.issuer = issuer
        let items = try keys.map { key in
            let jwks = try JWKS(keys: [PublicJWK(key)])
            let text = String(decoding: jwks.document, as: UTF8.self)
            let item = text.dropFirst(#"{"keys":["#.utf8.count).dropLast(2)
            return item.replacing(
                #""kid":"\#(try PublicJWK(key).keyID)""#, with: #""kid":"\#(key.algorithm.name)""#)
        }
        let document = Array(#"{"keys":[\#(items.joined(separator: ","))]}"#.utf8)
        set = try JSONWebKeySet(document.span)
    }

    static func key(_ algorithm: SignatureAlgorithm) throws -> SigningKey {
        try #require(keys.first { $0.algorithm == algorithm })
    }

    // MARK: Tokens

    static func header(_ algorithm: SignatureAlgorithm = .es256) -> String {
        #"{"alg":"\#(algorithm.name)","kid":"\#(algorithm.name)","typ":"at+jwt"}"#
    }

    /// Everything that a token needs, with other members in front; the later ones can be replaced.
    static func payload(
        iss: String = #""iss":"\#(Provider.name)""#, aud: String = #""aud":"agentport""#,
        times: String = #""exp":1700000060,"iat":1700000000"#,
        identity: String = #""client_id":"weather-app","sub":"ops@example.com""#,
        more: String = #""scope":"tools:read tools:write""#
    ) -> String {
        "{" + [iss, aud, times, identity, more].filter { !$0.isEmpty }.joined(separator: ",") + "}"
    }

    static func token(
        header: String? = nil, payload: String = payload(),
        by algorithm: SignatureAlgorithm = .es256
    ) throws -> String {
        let input = encode(header ?? Self.header(algorithm)) + "." + encode(payload)
        let signature = try sign(input, algorithm)
        return input + "." + Base64URL.encode(signature.span)
    }

    static func sign(_ input: String, _ algorithm: SignatureAlgorithm) throws -> [UInt8] {
        var signer = try Signer(key(algorithm))
        var signature = [UInt8](repeating: 0, count: signer.signatureCount)
        var output = signature.mutableSpan
        let bytes = Array(input.utf8)
        try signer.sign(bytes.span, into: &output)
        return signature
    }

    static func encode(_ text: String) -> String {
        let bytes = Array(text.utf8)
        return Base64URL.encode(bytes.span)
    }

    // MARK: Judgement

    struct Verdict: Equatable {
        var fault: AccessTokenFault?
        /// Whether all was right but the signature, and that was looked at.
        var isChecked: Bool

        static func refused(_ fault: AccessTokenFault) -> Verdict {
            Verdict(fault: fault, isChecked: false)
        }
        static let wrongSignature = Verdict(fault: .signature, isChecked: true)
        static let believed = Verdict(fault: nil, isChecked: true)
    }

    func judge(_ token: String, now: UInt64 = Provider.now) -> Verdict {
        judge(Array(token.utf8), now: now)
    }

    func judge(_ token: [UInt8], now: UInt64 = Provider.now) -> Verdict {
        var isJudged = false
        do throws(AccessTokenFault) {
            _ = try verify(token.span, among: [issuer], now: now) { isJudged = true }
            return .believed
        } catch {
            return isJudged ? .wrongSignature : .refused(error)
        }
    }

    func verified(_ token: String, now: UInt64 = Provider.now) throws -> VerifiedToken {
        let bytes = Array(token.utf8)
        let other = TokenIssuer(name: "https://other.example", audience: "agentport")
        return try verify(bytes.span, among: [other, issuer], now: now) {}
    }

    private func verify(
        _ bytes: Span<UInt8>, among issuers: [TokenIssuer], now: UInt64, _ judged: () -> Void
    ) throws(AccessTokenFault) -> VerifiedToken {
        let token = try AccessToken(bytes)
        let place = try token.issuer(among: issuers)
        let candidate = try AccessTokenCandidate(
            token, of: issuers[place], place: place, keys: set, now: now)
        judged()
        return try candidate.verify()
    }
}
