// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import Identity
import Testing

@Suite("Claims of access tokens")
struct AccessTokenClaimsTests {
    static func judge(_ payload: String, now: UInt64 = Provider.now) throws -> Provider.Verdict {
        // EdDSA: the same token each time, so that a failure repeats.
        try Provider().judge(Provider.token(payload: payload, by: .edDSA), now: now)
    }

    static func expect(
        _ payload: String, _ fault: AccessTokenFault?, now: UInt64 = Provider.now,
        at location: SourceLocation = #_sourceLocation
    ) throws {
        let verdict = try judge(payload, now: now)
        #expect(
            verdict == (fault.map { .refused($0) } ?? .believed), "\(payload)",
            sourceLocation: location)
    }

    @Test(arguments: [
        (#""iss":"https://idp.example/realms/a""#, nil as AccessTokenFault?),
        (#""iss":"https:\/\/idp.example\/realms\/\u0061""#, nil),
        (#""iss":"https://idp.example/realms/a/""#, .issuer),
        (#""iss":"https://IDP.example/realms/a""#, .issuer), (#""iss":"""#, .issuer),
        (#""iss":["https://idp.example/realms/a"]"#, .issuer), (#""iss":null"#, .issuer),
        ("", .issuer), (#""Iss":"https://idp.example/realms/a""#, .issuer),
        (#""iss":"x","i\u0073s":"https://idp.example/realms/a""#, .malformed),
    ])
    func issuers(member: String, fault: AccessTokenFault?) throws {
        try Self.expect(Provider.payload(iss: member), fault)
    }

    @Test(arguments: [
        (#""aud":"agentport""#, nil as AccessTokenFault?), (#""aud":["agentport"]"#, nil),
        (#""aud":["account","agentport","agentport"]"#, nil), (#""aud":["\u0061gentport"]"#, nil),
        (#""aud":"AgentPort""#, .audience), (#""aud":"agentport ""#, .audience),
        (#""aud":"agentport,x""#, .audience), (#""aud":"x agentport""#, .audience),
        (#""aud":[]"#, .audience), (#""aud":["account"]"#, .audience), ("", .audience),
        (#""aud":[["agentport"]]"#, .audience), (#""aud":["agentport",1]"#, .audience),
        (#""aud":{"a":"agentport"}"#, .audience), (#""aud":null"#, .audience),
        (#""aud":["agentport",null]"#, .audience),
        (#""aud":"agentport","aud":"agentport""#, .malformed),
    ])
    func audiences(member: String, fault: AccessTokenFault?) throws {
        try Self.expect(Provider.payload(aud: member), fault)
    }

    @Test func audiencesAreBounded() throws {
        let many = String(repeating: #""x","#, count: ClaimSet.itemsMax - 1) + #""agentport""#
        try Self.expect(Provider.payload(aud: #""aud":[\#(many)]"#), nil)
        try Self.expect(Provider.payload(aud: #""aud":["x",\#(many)]"#), .audience)
    }

    // MARK: Times

    @Test(arguments: [
        (#""exp":1700000001,"iat":1700000000"#, nil as AccessTokenFault?),
        (#""exp":1700000000,"iat":1"#, .expired), (#""exp":1699999999,"iat":1"#, .expired),
        (#""exp":0,"iat":0"#, .expired), (#""exp":1700000000.999,"iat":1"#, .expired),
        (#""exp":1700000001.0,"iat":1.5"#, nil), (#""exp":253402300799,"iat":1"#, nil),
        (#""exp":253402300800,"iat":1"#, .date), (#""exp":18446744073709551615,"iat":1"#, .date),
        (#""exp":18446744073709551617,"iat":1"#, .date),
        (#""exp":1e400,"iat":1"#, .date), (#""exp":1.8E9,"iat":1"#, .date),
        (#""exp":1800000000e0,"iat":1"#, .date), (#""exp":18e8,"iat":1"#, .date),
        (#""exp":-1700000001,"iat":1"#, .date), (#""exp":-0,"iat":1"#, .date),
        (#""exp":"1700000001","iat":1"#, .date), (#""exp":null,"iat":1"#, .date),
        (#""exp":true,"iat":1"#, .date), (#""exp":[1700000001],"iat":1"#, .date),
        (#""iat":1700000000"#, .date),
        (#""exp":01800000000,"iat":1"#, .malformed), (#""exp":1700000001.,"iat":1"#, .malformed),
        (#""exp":+1700000001,"iat":1"#, .malformed), (#""exp":0x7fffffff,"iat":1"#, .malformed),
        (#""exp":NaN,"iat":1"#, .malformed), (#""exp":Infinity,"iat":1"#, .malformed),
        (#""exp":1,"exp":1800000000,"iat":1"#, .malformed),
        // The beginning, with five seconds of leeway.
        (#""exp":1800000000,"nbf":1700000000"#, nil), (#""exp":1800000000,"nbf":1700000005"#, nil),
        (#""exp":1800000000,"nbf":1700000005.9"#, nil),
        (#""exp":1800000000,"nbf":1700000006"#, .notYetValid),
        (#""exp":1800000000,"nbf":0"#, nil),
        (#""exp":1800000000,"nbf":1699999999,"iat":1700009999"#, nil),
        (#""exp":1800000000,"nbf":1700009999,"iat":1"#, .notYetValid),
        (#""exp":1800000000,"iat":1700000005"#, nil),
        (#""exp":1800000000,"iat":1700000006"#, .notYetValid),
        (#""exp":1800000000,"iat":253402300799"#, .notYetValid),
        (#""exp":1800000000"#, .date), (#""exp":1800000000,"nbf":"1""#, .date),
        (#""exp":1800000000,"nbf":null,"iat":1"#, .date),
        (#""exp":1800000000,"nbf":1,"iat":"1""#, .date),
        (#""exp":1800000000,"nbf":-1"#, .date), (#""exp":1800000000,"iat":1e9"#, .date),
    ])
    func times(members: String, fault: AccessTokenFault?) throws {
        try Self.expect(Provider.payload(times: members), fault)
    }

    @Test func timePasses() throws {
        let payload = Provider.payload(times: #""exp":1700000060,"nbf":1700000000"#)
        try Self.expect(payload, .notYetValid, now: 1_699_999_994)
        try Self.expect(payload, nil, now: 1_699_999_995)
        try Self.expect(payload, nil, now: 1_700_000_059)
        try Self.expect(payload, .expired, now: 1_700_000_060)
        try Self.expect(payload, .notYetValid, now: 0)
        try Self.expect(payload, .expired, now: .max)
    }

    // MARK: Who

    @Test(arguments: [
        ("weather-app", "weather-app" as String?), ("a", "a"), ("~ !\\\"", "~ !\""),
        ("two words", "two words"), ("\\u0041", "A"),
        (String(repeating: "n", count: 256), String(repeating: "n", count: 256)),
        (String(repeating: "n", count: 257), nil), ("", nil), (" a", nil), ("a ", nil), (" ", nil),
        ("a\\nb", nil), ("a\\u0000", nil), ("a\\u007f", nil), ("é", nil), ("\\u00e9", nil),
        ("а", nil), ("a\\tb", nil), ("\\ud83d\\ude00", nil),
    ])
    func identities(text: String, expected: String?) throws {
        for (claim, other) in [("client_id", "sub"), ("sub", "client_id")] {
            let payload = Provider.payload(identity: #""\#(claim)":"\#(text)","\#(other)":"x""#)
            try Self.expect(payload, expected == nil ? .identity : nil)
            guard let expected else { continue }
            let token = try Provider().verified(Provider.token(payload: payload))
            #expect((claim == "sub" ? token.user : token.agent) == expected)
        }
    }

    @Test(arguments: [
        #""client_id":"a""#, #""sub":"a""#, #""client_id":1,"sub":"a""#,
        #""client_id":["a"],"sub":"a""#, #""client_id":null,"sub":"a""#,
        #""client_id":{"a":"b"},"sub":"a""#, #""Client_id":"a","sub":"a""#,
    ])
    func identitiesThatAreMissing(members: String) throws {
        try Self.expect(Provider.payload(identity: members), .identity)
    }

    @Test func theClaimsAreThoseOfTheIssuer() throws {
        let issuer = TokenIssuer(
            name: Provider.name, audience: "agentport", agentClaim: "azp",
            userClaim: "preferred_username")
        let provider = try Provider(issuer: issuer)
        let payload = Provider.payload(
            identity: #""azp":"app","preferred_username":"ops","client_id":"no","sub":"no""#)
        let token = try provider.verified(Provider.token(payload: payload))
        #expect(token.agent == "app")
        #expect(token.user == "ops")
    }

    // MARK: Scopes

    @Test(arguments: [
        ("", "" as String?), (#""scope":"""#, ""), (#""scope":"a""#, "a"),
        (#""scope":"a b""#, "a b"), (#""scope":"tools:read !#[]~""#, "tools:read !#[]~"),
        (#""scp":"a b""#, "a b"), (#""scp":["a","b"]"#, "a b"), (#""scp":[]"#, ""),
        (#""scope":["a","b"]"#, "a b"), (#""scope":"a","scp":["b"]"#, "a"),
        (#""scope":"a","scp":1"#, "a"), (#""scope":"","scp":"b""#, ""),
        (#""scope":" a""#, nil), (#""scope":"a ""#, nil), (#""scope":"a  b""#, nil),
        (#""scope":" ""#, nil), (#""scope":"a\tb""#, nil), (#""scope":"a\u0000""#, nil),
        (#""scope":"a\"b""#, nil), (#""scope":"a\\b""#, nil), (#""scope":"é""#, nil),
        (#""scope":1"#, nil), (#""scope":null"#, nil), (#""scope":{}"#, nil),
        (#""scp":["a b"]"#, nil), (#""scp":["a",""]"#, nil), (#""scp":["a",1]"#, nil),
        (#""scp":[["a"]]"#, nil),
    ])
    func scopes(member: String, expected: String?) throws {
        let payload = Provider.payload(more: member)
        try Self.expect(payload, expected == nil ? .scope : nil)
        guard let expected else { return }
        #expect(try Provider().verified(Provider.token(payload: payload)).scopes == expected)
    }

    @Test func scopesAreBounded() throws {
        let most = Array(repeating: "s", count: 64)
        let text = most.joined(separator: " ")
        let list = most.map { #""\#($0)""# }.joined(separator: ",")
        try Self.expect(Provider.payload(more: #""scope":"\#(text)""#), nil)
        try Self.expect(Provider.payload(more: #""scope":"\#(text) s""#), .scope)
        try Self.expect(Provider.payload(more: #""scp":[\#(list)]"#), nil)
        try Self.expect(Provider.payload(more: #""scp":[\#(list),"s"]"#), .scope)
        let long = String(repeating: "s", count: 4096)
        try Self.expect(Provider.payload(more: #""scope":"\#(long)""#), nil)
        try Self.expect(Provider.payload(more: #""scope":"\#(long)s""#), .scope)
    }

    // MARK: What others send along

    /// The members of an access token of Keycloak, as its documentation shows them.
    static let keycloak = #"""
        "jti":"onrtac:3f1c1f0e-9a4a-4e0e-b4a6-3a4f0b9b0d2b","typ":"Bearer","acr":"1",
        "allowed-origins":["https://app.example"],
        "realm_access":{"roles":["offline_access","uma_authorization"]},
        "resource_access":{"account":{"roles":["manage-account","view-profile"]},
        "weather":{"roles":[]}},"scope":"openid profile email","email_verified":true,
        "address":{},"name":"Ops Team","ratio":-1.5e-7,"nothing":null
        """#

    @Test func nestedClaimsAreLetBe() throws {
        try Self.expect(Provider.payload(more: Self.keycloak), nil)
    }

    @Test(arguments: [
        #""a":{"b":1,"b":2}"#, #""a":[{"b":1,"\u0062":2}]"#, #""a":{"b":{"c":1,"c":1}}"#,
        #""a":[1,]"#, #""a":{"b":1,}"#, #""a":{"b"}"#, #""a":{b:1}"#, #""a":'b'"#, #""a":tru"#,
        #""a":[1 2]"#, #""a":"\x""#, #""a":"\u12""#, #""a":"\ud83d""#, #""a":"\ude00""#,
        #""a":"\ud83d\u0041""#, "\"a\":\"\u{1}\"", "\"a\":\"\n\"", #""a":/**/1"#, #""a":.5"#,
        #""a":1.e5"#, #""a":1e"#, #""a":--1"#, #""a":-"#,
    ])
    func whatIsNoStrictJSON(member: String) throws {
        try Self.expect(Provider.payload(more: member), .malformed)
    }

    @Test func theSameNameInAnotherObjectIsAnotherMember() throws {
        try Self.expect(
            Provider.payload(more: #""a":{"a":{"a":1},"iss":"x"},"b":[{"a":1},{"a":2}]"#), nil)
    }

    @Test func depthAndMembersAreBounded() throws {
        let deep = ClaimScanner.depthMax - 1
        for (open, close) in [("[", "]"), (#"{"a":"#, "}")] {
            func nested(_ depth: Int) -> String {
                #""a":"# + String(repeating: open, count: depth)
                    + "1" + String(repeating: close, count: depth)
            }
            try Self.expect(Provider.payload(more: nested(deep)), nil)
            try Self.expect(Provider.payload(more: nested(deep + 1)), .malformed)
        }
        // The six that a token needs are members, too.
        let room = ClaimScanner.membersMax - 6
        func many(_ count: Int) -> String {
            (0..<count).map { #""\#($0)":0"# }.joined(separator: ",")
        }
        try Self.expect(Provider.payload(more: many(room)), nil)
        try Self.expect(Provider.payload(more: many(room + 1)), .malformed)
    }

    @Test func invalidUTF8() throws {
        let provider = try Provider()
        for bytes: [UInt8] in [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x82]] {
            var payload = Array(Provider.payload(more: #""a":"?""#).utf8)
            let place = try #require(payload.firstIndex(of: UInt8(ascii: "?")))
            payload.replaceSubrange(place...place, with: bytes)
            let input =
                Provider.encode(Provider.header(.edDSA)) + "."
                + Base64URL.encode(payload.span)
            let signature = try Provider.sign(input, .edDSA)
            let token = input + "." + Base64URL.encode(signature.span)
            #expect(provider.judge(token) == .refused(.malformed))
        }
    }
}
