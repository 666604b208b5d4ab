// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import Identity
import Testing

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

    /// A token of each kind of key says what signed it, and is believed under that key.
    @Test(arguments: [SignatureAlgorithm.es256, .edDSA, .rs256])
    func everyAlgorithm(algorithm: SignatureAlgorithm) throws {
        let desk = try Desk(key: SigningKey.generate(algorithm))
        let token = desk.write()
        let header = #"{"alg":"\#(algorithm.name)","kid":"\#(desk.keyID)","typ":"JWT"}"#
        #expect(try Self.part(token, 0) == header)
        #expect(try desk.verify(token).get().subject == "ops@example.com")
        let cut = String(token.dropLast(2))
        #expect(desk.fault(cut) == .signature)
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
}
