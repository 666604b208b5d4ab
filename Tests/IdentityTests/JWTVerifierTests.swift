// SPDX-License-Identifier: Apache-2.0

import Bytes
import Identity
import Testing

@Suite("Disbelief")
struct JWTVerifierTests {
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
        #expect(desk.fault(desk.write(JWTTests.claims(issuer: "other"))) == .issuer)
        #expect(desk.fault(desk.write(JWTTests.claims(audience: "other"))) == .audience)
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
            changed[index] =
                token[index] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            #expect(desk.fault(String(decoding: changed, as: UTF8.self)) != nil)
        }
        for end in token.indices {
            #expect(desk.fault(String(decoding: token[..<end], as: UTF8.self)) != nil)
        }
        #expect(desk.fault(String(decoding: token, as: UTF8.self) + ".") == .malformed)
        #expect(desk.fault(String(decoding: token, as: UTF8.self) + "A") != nil)
        #expect(
            desk.fault(String(repeating: "a", count: JWTVerifier.tokenCountMax + 1)) == .tooLong)
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
        (#"{"alg":"ES256","kid":"KID","typ":"JWT","jwk":{}}"#, .header),
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
        (#"{"aud":"claw",P,"n":{"a":[1.5e3,true,null,{}]}}"#, nil),
        (#"{"aud":"claw",P,"n":01}"#, .malformed),
        (#"{"aud":"claw",P,"n":["a",]}"#, .malformed), (#"{"aud":"claw",P,"n":["a"}"#, .malformed),
        (#"{"aud":"claw",P,"exp":1}"#, .malformed), (#"{"aud":"claw",P,"n"}"#, .malformed),
        (#"{"aud":"claw",P,"n":"\x"}"#, .malformed), (#"{"aud":"claw",P,"n":"\u12"}"#, .malformed),
        (#"{"aud":"claw",P,"n":"\ud83d"}"#, .malformed),
        (#"{"aud":"claw",P,"n":"\ude00"}"#, .malformed),
        (#"{"aud":"claw",P,"n":"\ud83d\u0041"}"#, .malformed),
        ("{\"aud\":\"claw\",P,\"n\":\"\u{1}\"}", .malformed),
        (#"{"aud":"claw",P}{}"#, .malformed), (#""aud""#, .malformed),
        (#"{"aud":"claw",P"#, .malformed),
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
