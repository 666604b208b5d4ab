// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import Identity
import Testing

@Suite("Access tokens")
struct AccessTokenTests {
    static func provider() throws -> Provider { try Provider() }

    @Test(arguments: SignatureAlgorithm.allCases)
    func everyAlgorithm(algorithm: SignatureAlgorithm) throws {
        let token = try Self.provider().verified(Provider.token(by: algorithm))
        #expect(token.issuer == 1, "the second of two")
        #expect(token.agent == "weather-app")
        #expect(token.user == "ops@example.com")
        #expect(token.scopes == "tools:read tools:write")
        #expect(token.expires == 1_700_000_060)
        #expect(token.keyID == "\(algorithm.name)")
    }

    @Test func theForm() throws {
        func hasForm(_ text: String) -> Bool {
            let bytes = Array(text.utf8)
            return AccessToken.hasForm(bytes.span)
        }
        #expect(hasForm(try Provider.token()))
        #expect(hasForm("eyJ.e30.") && hasForm("ewog.e30.a"))
        for text in ["", "ap_key", "eyJ", "eyJ.a", "eyJ.a.b.c", "ap.key.x", "a.eyJ.b", ".."] {
            #expect(!hasForm(text))
        }
    }

    // MARK: Headers

    @Test(arguments: [
        (#"{"alg":"ES256","kid":"ES256"}"#, nil as AccessTokenFault?),
        (#"{"alg":"ES256","kid":"ES256","typ":"JWT"}"#, nil),
        (#"{"alg":"ES256","kid":"ES256","typ":"jwt"}"#, nil),
        (#"{"alg":"ES256","kid":"ES256","typ":"AT+JWT"}"#, nil),
        (#"{"alg":"ES256","kid":"ES256","typ":"Application/at+JWT"}"#, nil),
        (#"{"alg":"ES256","kid":"ES256","x5t":"a","x5t#S256":"b","cty":"x","more":{"a":[]}}"#, nil),
        (#"{"alg":"ES256"}"#, nil),
        (#" { "\u0061lg" : "ES\u003256" , "kid" : "ES256" } "#, nil),
        (#"{"alg":"none","kid":"ES256"}"#, .algorithm), (#"{"alg":"None"}"#, .algorithm),
        (#"{"alg":"HS256","kid":"ES256"}"#, .algorithm), (#"{"alg":"HS512"}"#, .algorithm),
        (#"{"alg":"ES384","kid":"ES256"}"#, .algorithm),
        (#"{"alg":"es256","kid":"ES256"}"#, .algorithm),
        (#"{"alg":"ES256 ","kid":"ES256"}"#, .algorithm),
        (#"{"alg":"","kid":"ES256"}"#, .algorithm), (#"{"kid":"ES256"}"#, .algorithm),
        (#"{"alg":["ES256"],"kid":"ES256"}"#, .algorithm),
        (#"{"alg":null,"kid":"ES256"}"#, .algorithm), (#"{"alg":256}"#, .algorithm),
        (#"{"alg":"ES256","kid":"RS256"}"#, .algorithm),
        (#"{"alg":"ES256","kid":"other"}"#, .unknownKey("other")),
        (#"{"alg":"ES256","kid":""}"#, .unknownKey("")),
        (#"{"alg":"ES256","kid":1}"#, .header), (#"{"alg":"ES256","kid":null}"#, .header),
        (#"{"alg":"ES256","kid":"ES256","crit":["b64"]}"#, .header),
        (#"{"alg":"ES256","kid":"ES256","crit":[]}"#, .header),
        (#"{"alg":"ES256","kid":"ES256","crit":null}"#, .header),
        (#"{"alg":"ES256","kid":"ES256","cr\u0069t":["exp"],"exp":1}"#, .header),
        (#"{"alg":"ES256","kid":"ES256","jku":"https://idp.example/jwks"}"#, .header),
        (#"{"alg":"ES256","kid":"ES256","jwk":{"kty":"EC"}}"#, .header),
        (#"{"alg":"ES256","kid":"ES256","x5u":"https://x/"}"#, .header),
        (#"{"alg":"ES256","kid":"ES256","x5c":["MII"]}"#, .header),
        (#"{"alg":"ES256","kid":"ES256","b64":false}"#, .header),
        (#"{"alg":"ES256","kid":"ES256","b64":true}"#, .header),
        (#"{"alg":"ES256","kid":"ES256","zip":"DEF"}"#, .header),
        (#"{"alg":"ES256","kid":"ES256","enc":"A128GCM"}"#, .header),
        (#"{"alg":"ES256","kid":"ES256","typ":"dpop+jwt"}"#, .type),
        (#"{"alg":"ES256","kid":"ES256","typ":"logout+jwt"}"#, .type),
        (#"{"alg":"ES256","kid":"ES256","typ":"at+jwt "}"#, .type),
        (#"{"alg":"ES256","kid":"ES256","typ":""}"#, .type),
        (#"{"alg":"ES256","kid":"ES256","typ":null}"#, .type),
        (#"{"alg":"none","alg":"ES256","kid":"ES256"}"#, .malformed),
        (#"{"alg":"ES256","\u0061lg":"ES256","kid":"ES256"}"#, .malformed),
        (#"{"alg":"ES256","kid":"ES256","more":{"a":1,"\u0061":2}}"#, .malformed),
        (#"{"alg":"ES256","kid":"ES256"} x"#, .malformed), ("", .malformed), ("[]", .malformed),
        (#"{"alg":"ES256","kid":"ES256",}"#, .malformed), (#""ES256""#, .malformed),
        ("\u{FEFF}{\"alg\":\"ES256\"}", .malformed),
    ])
    func headers(header: String, fault: AccessTokenFault?) throws {
        let verdict = try Self.provider().judge(Provider.token(header: header))
        #expect(verdict == (fault.map { .refused($0) } ?? .believed))
    }

    @Test func namesOfKeysAreBounded() throws {
        let provider = try Self.provider()
        let long = String(repeating: "k", count: JSONWebKey.keyIDCountMax)
        let token = try Provider.token(header: #"{"alg":"ES256","kid":"\#(long)"}"#)
        #expect(provider.judge(token) == .refused(.unknownKey(long)))
        let longer = try Provider.token(header: #"{"alg":"ES256","kid":"\#(long)k"}"#)
        #expect(provider.judge(longer) == .refused(.header))
    }

    @Test func withoutANameTheKeyMustBeTheOnlyOne() throws {
        let token = try Provider.token(header: #"{"alg":"EdDSA"}"#, by: .edDSA)
        #expect(try Self.provider().judge(token) == .believed)
        let others = try Provider(keys: [.generate(), .generate(.edDSA)])
        #expect(others.judge(token) == .wrongSignature)
        #expect(
            try Provider(keys: [SigningKey.generate()]).judge(token)
                == .refused(.unknownKey(nil)))
    }

    // MARK: The order

    /// Whatever else is wrong is found before newer keys are asked for, and before the signature.
    @Test func whatIsWrongCostsNoKeysAndNoSignature() throws {
        let provider = try Self.provider()
        let unknown = #"{"alg":"ES256","kid":"newer"}"#
        for (payload, fault) in [
            (Provider.payload(iss: #""iss":"x""#), AccessTokenFault.issuer),
            (Provider.payload(aud: #""aud":"x""#), .audience),
            (Provider.payload(times: #""exp":1700000000,"iat":1"#), .expired),
            (Provider.payload(times: #""exp":1800000000,"iat":1700000006"#), .notYetValid),
            (Provider.payload(identity: #""sub":"x""#), .identity),
            (Provider.payload(more: #""scope":"a  b""#), .scope),
        ] {
            let token = try Provider.token(header: unknown, payload: payload)
            #expect(provider.judge(token) == .refused(fault))
            let signed = try Provider.token(payload: payload)
            #expect(provider.judge(signed) == .refused(fault))
        }
        #expect(
            provider.judge(try Provider.token(header: unknown)) == .refused(.unknownKey("newer")))
    }

    @Test func aSignatureOfAnotherLengthIsNotLookedAt() throws {
        let provider = try Self.provider()
        for algorithm in SignatureAlgorithm.allCases {
            let token = try Provider.token(by: algorithm)
            let end = try #require(token.lastIndex(of: "."))
            let unsigned = String(token[...end])
            #expect(provider.judge(unsigned) == .refused(.signature))
            #expect(provider.judge(unsigned + "AAAA") == .refused(.signature))
            #expect(provider.judge(token + "AAAA".prefix(2)) != .believed)
            let whole = algorithm == .es256 || algorithm == .edDSA ? 64 : 256
            let zeros = [UInt8](repeating: 0, count: whole)
            #expect(provider.judge(unsigned + Base64URL.encode(zeros.span)) == .wrongSignature)
        }
    }

    // MARK: Length and form

    @Test func lengths() throws {
        let provider = try Self.provider()
        let bare = try Provider.token(payload: Provider.payload(more: #""pad":"""#))
        // Three characters of padding are four of base64url, so the last ones fit by chance.
        let room = (AccessToken.countMax - bare.utf8.count) / 4 * 3
        let padded = Provider.payload(
            more: #""pad":"\#(String(repeating: "p", count: room))""#)
        let longest = try Provider.token(payload: padded)
        #expect(longest.utf8.count <= AccessToken.countMax)
        #expect(longest.utf8.count > AccessToken.countMax - 4)
        #expect(provider.judge(longest) == .believed)
        let longer = Provider.payload(
            more: #""pad":"\#(String(repeating: "p", count: room + 6))""#)
        #expect(provider.judge(try Provider.token(payload: longer)) == .refused(.tooLong))
        let endless = [UInt8](repeating: UInt8(ascii: "e"), count: AccessToken.countMax + 1)
        #expect(provider.judge(endless) == .refused(.tooLong))
    }

    @Test(arguments: [
        "", ".", "..", "...", "e30", "e30.e30", "e30.e30.e30.e30", "e30.e30.e30.e30.e30",
        "{}.{}.{}", "e30=.e30.", "e30 .e30.AA", " e30.e30.AA",
    ])
    func forms(token: String) throws {
        let verdict = try Self.provider().judge(token)
        #expect(verdict == .refused(.malformed) || verdict == .refused(.algorithm))
    }

    @Test func base64URLHasOneSpelling() throws {
        let provider = try Self.provider()
        let token = try Provider.token()
        let parts = token.split(separator: ".").map(String.init)
        for index in parts.indices {
            for spelling in [parts[index] + "=", parts[index] + "==", parts[index] + "\n"] {
                var changed = parts
                changed[index] = spelling
                #expect(provider.judge(changed.joined(separator: ".")) == .refused(.malformed))
            }
        }
        // The last of 86 characters has four bits too many, which must be zero.
        let last = try #require(token.utf8.last)
        for digit in Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8) where digit != last {
            var changed = Array(token.utf8)
            changed[changed.count - 1] = digit
            #expect(provider.judge(changed) != .believed)
        }
    }
}
