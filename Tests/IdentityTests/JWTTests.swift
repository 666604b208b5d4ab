// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import Identity
import Testing

/// One key with a writer, a verifier, and a signer for what the writer would never write.
private final class Desk {
    let key: SigningKey
    private var writer: JWTWriter
    private var verifier: JWTVerifier
    private var signer: ECDSASigner
    private var random = RandomSource()

    init(issuer: String = "agentport", audience: String = "claw") throws {
        key = try SigningKey.generate()
        writer = try JWTWriter(key: key)
        verifier = try JWTVerifier(x: key.x, y: key.y, issuer: issuer, audience: audience)
        signer = try ECDSASigner(key)
    }

    var keyID: String { writer.keyID }

    func write(_ claims: Claims, _ facts: TokenFacts, into page: Page) -> Bool {
        writer.write(claims, facts, random: &random, into: &page.buffer)
    }

    func write(_ claims: Claims = JWTTests.claims(), _ facts: TokenFacts = JWTTests.facts) -> String {
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
        let header = header ?? #"{"alg":"ES256","kid":"\#(keyID)","typ":"JWT"}"#
        let input = encode(header) + "." + encode(payload)
        let bytes = Array(input.utf8)
        var raw = InlineArray<64, UInt8>(repeating: 0)
        try signer.sign(bytes.span, into: &raw)
        return input + "." + Base64URL.encode(raw.span)
    }

    private func encode(_ text: String) -> String {
        let bytes = Array(text.utf8)
        return Base64URL.encode(bytes.span)
    }
}

@Suite("Tokens")
struct JWTTests {
    static let facts = TokenFacts(authTime: 990, issued: 1000, expires: 1060)

    static func claims(
        issuer: String = "agentport", audience: String = "claw", user: String = "ops@example.com",
        agent: String = "weather-1", scopes: [String] = ["tools:read", "tools:write"],
        firstFactor: FirstFactor = .password
    ) -> Claims {
        Claims(
            issuer: issuer, audience: audience, user: user, agent: agent, scopes: scopes,
            firstFactor: firstFactor)
    }

    static func part(_ token: String, _ index: Int) throws -> String {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        try #require(parts.count == 3)
        let bytes = Array(parts[index].utf8)
        let decoded = Base64URL.decode(bytes.span)
        return String(decoding: try #require(decoded), as: UTF8.self)
    }

    @Test func theClaimsOfTheSpecification() throws {
        let desk = try Desk()
        let token = desk.write()
        #expect(try Self.part(token, 0) == #"{"alg":"ES256","kid":"\#(desk.keyID)","typ":"JWT"}"#)
        let claims = try desk.verify(token).get()
        #expect(claims.subject == "ops@example.com")
        #expect(claims.agent == "weather-1")
        #expect(claims.scope == "tools:read tools:write")
        #expect(claims.methods == ["pwd", "otp"])
        #expect(claims.authTime == 990)
        #expect(claims.issued == 1000)
        #expect(claims.expires == 1060)
        #expect(claims.id.utf8.count == 22)
        #expect(claims.session == nil)
        let payload = try Self.part(token, 1)
        #expect(
            payload
                == #"{"iss":"agentport","aud":"claw","sub":"ops@example.com","agent_id":"weather-1","#
                + #""scope":"tools:read tools:write","amr":["pwd","otp"],"auth_time":990,"#
                + #""iat":1000,"nbf":1000,"exp":1060,"jti":"\#(claims.id)"}"#)
    }

    @Test func sessionsAndClientCertificates() throws {
        let desk = try Desk()
        var facts = Self.facts
        facts.sid = PublicID { UInt8(ascii: "a") + UInt8($0) }
        let token = desk.write(Self.claims(firstFactor: .softwareKey), facts)
        let claims = try desk.verify(token).get()
        #expect(claims.session == "abcdefghijklmnopqrstuv")
        #expect(claims.methods == ["swk", "otp"])
    }

    @Test func everyTokenHasItsOwnIdentifier() throws {
        let desk = try Desk()
        let ids = try Set((0..<50).map { _ in try desk.verify(desk.write()).get().id })
        #expect(ids.count == 50)
    }

    /// Lengths in every class modulo three, on both sides of the point where encoding goes on.
    @Test(arguments: 0..<9)
    func everyAlignment(padding: Int) throws {
        let desk = try Desk()
        for digits in [0, 9, 10, 99, 100, 12_345_678_901, UInt64.max] {
            let user = String(repeating: "u", count: padding)
            let facts = TokenFacts(authTime: digits, issued: 1000, expires: 1060)
            let claims = try desk.verify(desk.write(Self.claims(user: user), facts)).get()
            #expect(claims.subject == user)
            #expect(claims.authTime == digits)
        }
    }

    @Test(arguments: [
        #"quote " backslash \ slash /"#, "tab\tnewline\nnul\0", "ünï ☃ 😀", "\u{7f}\u{80}\u{2028}",
        #"","admin":"x"#,
    ])
    func textIsEscaped(text: String) throws {
        let desk = try Desk(issuer: text, audience: text)
        let claims = Self.claims(
            issuer: text, audience: text, user: text, agent: text, scopes: [text])
        let verified = try desk.verify(desk.write(claims)).get()
        #expect(verified.subject == text)
        #expect(verified.agent == text)
        #expect(verified.scope == text)
    }

    @Test func aTokenIsAppendedAndLeavesTheRest() throws {
        let desk = try Desk()
        let page = Page()
        page.buffer.append("x-agentport-jwt: ")
        #expect(desk.write(Self.claims(), Self.facts, into: page))
        #expect(page.text.hasPrefix("x-agentport-jwt: ey"))
        #expect(desk.fault(String(page.text.dropFirst(17))) == nil)
    }

    /// Any room that is too small leaves the buffer as it was.
    @Test func withoutRoomNothingIsWritten() throws {
        let desk = try Desk()
        let needed = desk.write().utf8.count
        for missing in [1, 2, 86, 87, 88, 200, needed - 1, needed] {
            let page = Page()
            let filler = [UInt8](repeating: 0x2E, count: page.room - needed + missing)
            page.buffer.append(array: filler)
            #expect(!desk.write(Self.claims(), Self.facts, into: page))
            #expect(page.bytes == filler)
            #expect(!page.overflowed)
        }
        let page = Page()
        page.buffer.append(array: Array(repeating: 0x2E, count: page.room - needed))
        #expect(desk.write(Self.claims(), Self.facts, into: page))
        #expect(page.room == 0)
    }

    // MARK: Disbelief

    @Test func times() throws {
        let desk = try Desk()
        let token = desk.write()
        #expect(desk.fault(token, now: 999) == .notYetValid)
        #expect(desk.fault(token, now: 1000) == nil)
        #expect(desk.fault(token, now: 1059) == nil)
        #expect(desk.fault(token, now: 1060) == .expired)
        #expect(desk.fault(token, now: 1064, leeway: 5) == nil)
        #expect(desk.fault(token, now: 1065, leeway: 5) == .expired)
        #expect(desk.fault(token, now: 995, leeway: 5) == nil)
        #expect(desk.fault(token, now: 994, leeway: 5) == .notYetValid)
        #expect(desk.fault(token, now: .max, leeway: 5) == .expired)
    }

    @Test func otherIssuersAudiencesAndKeys() throws {
        let desk = try Desk()
        #expect(desk.fault(desk.write(Self.claims(issuer: "other"))) == .issuer)
        #expect(desk.fault(desk.write(Self.claims(audience: "other"))) == .audience)
        let other = try Desk()
        #expect(other.fault(desk.write()) == .header, "another kid")
        let forged = try other.sign(
            header: #"{"alg":"ES256","kid":"\#(desk.keyID)","typ":"JWT"}"#, payload: "{}")
        #expect(desk.fault(forged) == .signature)
    }

    @Test func anyChangedCharacterIsDisbelieved() throws {
        let desk = try Desk()
        let token = Array(desk.write().utf8)
        for index in token.indices {
            var changed = token
            changed[index] = token[index] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            #expect(desk.fault(String(decoding: changed, as: UTF8.self)) != nil)
        }
        for end in token.indices {
            #expect(desk.fault(String(decoding: token[..<end], as: UTF8.self)) != nil)
        }
        #expect(desk.fault(String(decoding: token, as: UTF8.self) + ".") == .malformed)
        #expect(desk.fault(String(decoding: token, as: UTF8.self) + "A") != nil)
        #expect(desk.fault(String(repeating: "a", count: JWTVerifier.tokenCountMax + 1)) == .tooLong)
    }

    static let payload =
        #""iss":"agentport","sub":"s","agent_id":"a","scope":"","amr":["pwd"],"auth_time":1,"#
        + #""iat":1000,"nbf":1000,"exp":1060,"jti":"j""#

    @Test(arguments: [
        (#"{"alg":"none","kid":"KID","typ":"JWT"}"#, JWTFault.header),
        (#"{"alg":"HS256","kid":"KID","typ":"JWT"}"#, .header),
        (#"{"alg":"es256","kid":"KID","typ":"JWT"}"#, .header),
        (#"{"alg":"ES256","kid":"other","typ":"JWT"}"#, .header),
        (#"{"alg":"ES256","typ":"JWT"}"#, .header),
        (#"{"alg":"ES256","kid":"KID"}"#, .header),
        (#"{"alg":"ES256","kid":"KID","typ":"at+jwt"}"#, .header),
        (#"{"alg":"ES256","kid":"KID","typ":"JWT","crit":["b64"]}"#, .header),
        (#"{"alg":"ES256","kid":"KID","typ":"JWT","jwk":{}}"#, .malformed),
        (#"{"alg":"none","alg":"ES256","kid":"KID","typ":"JWT"}"#, .malformed),
        (#"{"alg":"ES256","\u0061lg":"ES256","kid":"KID","typ":"JWT"}"#, .malformed),
        (#"{"alg":"ES256","kid":"KID","typ":"JWT"} x"#, .malformed),
        (#"{"alg":"ES256","kid":"KID","typ":"JWT",}"#, .malformed),
        ("", .malformed), ("[]", .malformed), ("{", .malformed), ("{}", .header),
    ])
    func headers(header: String, fault: JWTFault) throws {
        let desk = try Desk()
        let token = try desk.sign(
            header: header.replacing("KID", with: desk.keyID),
            payload: #"{"aud":"claw",\#(Self.payload)}"#)
        #expect(desk.fault(token) == fault)
    }

    @Test(arguments: [
        (#"{"aud":"claw",P}"#, nil as JWTFault?),
        (#" { "aud" : [ "x" , "claw" ] , P } "#, nil),
        (#"{"aud":"claw",P,"sid":"\u00e9\ud83d\ude00\b\f\n\r\t\/\\\""}"#, nil),
        (#"{"aud":"claw",P,"extra":[],"more":["a"],"n":0}"#, nil),
        (#"{P}"#, .audience), (#"{"aud":[],P}"#, .audience), (#"{"aud":["cla"],P}"#, .audience),
        (#"{"aud":1,P}"#, .audience),
        (#"{"aud":"claw","iss":"agentport"}"#, .malformed),
        (#"{"aud":"claw",P,"n":-1}"#, .malformed), (#"{"aud":"claw",P,"n":1.5}"#, .malformed),
        (#"{"aud":"claw",P,"n":01}"#, .malformed), (#"{"aud":"claw",P,"n":1e3}"#, .malformed),
        (#"{"aud":"claw",P,"n":18446744073709551616}"#, .malformed),
        (#"{"aud":"claw",P,"n":true}"#, .malformed), (#"{"aud":"claw",P,"n":null}"#, .malformed),
        (#"{"aud":"claw",P,"n":{}}"#, .malformed), (#"{"aud":"claw",P,"n":[1]}"#, .malformed),
        (#"{"aud":"claw",P,"n":["a",]}"#, .malformed), (#"{"aud":"claw",P,"n":["a"}"#, .malformed),
        (#"{"aud":"claw",P,"exp":1}"#, .malformed), (#"{"aud":"claw",P,"n"}"#, .malformed),
        (#"{"aud":"claw",P,"n":"\x"}"#, .malformed), (#"{"aud":"claw",P,"n":"\u12"}"#, .malformed),
        (#"{"aud":"claw",P,"n":"\ud83d"}"#, .malformed),
        (#"{"aud":"claw",P,"n":"\ude00"}"#, .malformed),
        (#"{"aud":"claw",P,"n":"\ud83d\u0041"}"#, .malformed),
        ("{\"aud\":\"claw\",P,\"n\":\"\u{1}\"}", .malformed),
        (#"{"aud":"claw",P}{}"#, .malformed), (#""aud""#, .malformed), (#"{"aud":"claw",P"#, .malformed),
    ])
    func payloads(payload: String, fault: JWTFault?) throws {
        let desk = try Desk()
        let token = try desk.sign(payload: payload.replacing("P", with: Self.payload))
        #expect(desk.fault(token) == fault)
    }

    @Test func escapesAreRead() throws {
        let desk = try Desk()
        let token = try desk.sign(
            payload: #"{"aud":"claw",\#(Self.payload),"sid":"\u00e9\ud83d\ude00\b\f\n\r\t\/\\\""}"#)
        #expect(try desk.verify(token).get().session == "é😀\u{8}\u{c}\n\r\t/\\\"")
    }
}
