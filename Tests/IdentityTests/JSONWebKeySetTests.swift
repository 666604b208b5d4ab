// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import Identity
import JSON
import Testing

@Suite("Key sets of issuers")
struct JSONWebKeySetTests {
    static func set(_ text: String) -> Result<JSONWebKeySet, JSONWebKeySetFault> {
        let bytes = Array(text.utf8)
        do throws(JSONWebKeySetFault) {
            return .success(try JSONWebKeySet(bytes.span))
        } catch {
            return .failure(error)
        }
    }

    static func keys(_ items: String...) throws -> [JSONWebKey] {
        try set(#"{"keys":[\#(items.joined(separator: ","))]}"#).get().keys
    }

    /// Public keys of RFC 7515 §A.3, RFC 8037 §A.2 and RFC 7638 §3.1.
    static let point =
        #""kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","#
        + #""y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0""#
    static let edwards =
        #""kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#
    static let rsa = #""kty":"RSA","n":"\#(JWKSTests.modulus)","e":"AQAB""#

    @Test func theAlgorithmIsThatOfTheKeyOrOfItsKind() throws {
        let keys = try Self.keys(
            "{\(Self.point)}", "{\(Self.edwards)}", "{\(Self.rsa)}",
            #"{\#(Self.point),"alg":"ES256","kid":"a"}"#,
            #"{\#(Self.edwards),"alg":"EdDSA","kid":"b"}"#,
            #"{\#(Self.rsa),"alg":"RS256","kid":"c"}"#, #"{\#(Self.rsa),"alg":"PS256","kid":"c"}"#)
        #expect(
            keys.map(\.algorithm) == [.es256, .edDSA, .rs256, .es256, .edDSA, .rs256, .ps256])
        #expect(
            keys.map { $0.keyID.map { String(decoding: $0, as: UTF8.self) } }
                == [nil, nil, nil, "a", "b", "c", "c"])
    }

    @Test(arguments: [
        #""use":"sig""#, #""key_ops":["verify"]"#, #""key_ops":["sign","verify"],"use":"sig""#,
        #""x5c":["MII"],"x5t":"a","x5t#S256":"b","x5u":"http://x/""#, #""more":{"a":[1,{}]}"#,
        #""kid":"""#, #""kid":"\u00e9\u0001""#,
    ])
    func whatElseAKeyMaySay(member: String) throws {
        for key in [Self.point, Self.edwards, Self.rsa] {
            #expect(try Self.keys("{\(key),\(member)}").count == 1)
        }
    }

    @Test(arguments: [
        #""use":"enc""#, #""use":1"#, #""use":"SIG""#, #""use":null"#,
        #""key_ops":["sign"]"#, #""key_ops":[]"#, #""key_ops":"verify""#,
        #""key_ops":["verify"],"use":"enc""#, #""key_ops":["encrypt"],"use":"sig""#,
        #""d":"AQAB""#, #""d":null"#, #""p":"AQAB""#, #""q":"AQAB""#, #""dp":"AQAB""#,
        #""dq":"AQAB""#, #""qi":"AQAB""#, #""oth":[]"#, #""k":"AQAB""#,
        #""kid":1"#, #""kid":null"#, #""alg":1"#, #""alg":"none""#, #""alg":"HS256""#,
        #""alg":"ES384""#, #""alg":"RSA-OAEP""#, #""alg":"es256""#, #""alg":"""#,
    ])
    func whatDoesNotVerifyIsLeftOut(member: String) throws {
        for key in [Self.point, Self.edwards, Self.rsa] {
            let set = try Self.set(#"{"keys":[{\#(key),\#(member)},{\#(Self.rsa)}]}"#).get()
            #expect(set.keys.count == 1)
            #expect(set.leftOut == 1)
        }
    }

    @Test func anAlgorithmOfAnotherKindIsLeftOut() throws {
        let algorithms = [(Self.point, "ES256"), (Self.edwards, "EdDSA")]
        for (key, own) in algorithms + [(Self.rsa, "RS256"), (Self.rsa, "PS256")] {
            for name in ["ES256", "EdDSA", "RS256", "PS256"] {
                let isRight = name == own || key == Self.rsa && ["RS256", "PS256"].contains(name)
                #expect(try Self.keys(#"{\#(key),"alg":"\#(name)"}"#).count == (isRight ? 1 : 0))
            }
        }
    }

    /// What is broken, weak or unknown.
    static let useless = [
        "1", "null", "[]", #""key""#, "{}", #"{"kty":"oct","k":"AQAB"}"#,
        #"{"kty":"oct","k":"AQAB","alg":"HS256","kid":"a"}"#, #"{"kty":1}"#,
        #"{"kty":"EC","crv":"P-256"}"#, #"{"kty":"EC","crv":"P-256","x":"AQAB","y":"AQAB"}"#,
        point.replacing("P-256", with: "P-384"), point.replacing("P-256", with: "secp256k1"),
        point.replacing("x_FE", with: "x_FF"), point.replacing("x_FE", with: "x_F="),
        point.replacing("5a0", with: "5a1"), point.replacing("EC", with: "ec"),
        edwards.replacing("Ed25519", with: "Ed448"), edwards.replacing("Ed25519", with: "X25519"),
        edwards.replacing("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", with: ""),
        edwards.replacing(
            "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
            with: "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
        rsa.replacing("AQAB", with: "AQ"), rsa.replacing("AQAB", with: "AAAB"),
        rsa.replacing("AQAB", with: "AQAA"), rsa.replacing("AQAB", with: "AQABAQABAQAB"),
        rsa.replacing(JWKSTests.modulus, with: String(JWKSTests.modulus.prefix(200))),
        rsa.replacing(
            JWKSTests.modulus,
            with: String(repeating: "A", count: 200) + JWKSTests.modulus.prefix(140)),
        rsa.replacing("n\":", with: "m\":"),
    ]

    @Test(arguments: useless)
    func whatIsNoKeyIsLeftOut(item: String) throws {
        let item = item.hasPrefix("\"kty\"") ? "{\(item)}" : item
        let keys = try Self.keys(item, "{\(Self.point)}", item)
        #expect(keys.count == 1)
        #expect(keys.first?.algorithm == .es256)
    }

    @Test(arguments: [
        "[]", "1", "{}", #"{"keys":{}}"#, #"{"keys":null}"#, #"{"Keys":[]}"#, #"{"keys":"[]"}"#,
    ])
    func whatIsNoSetFails(text: String) {
        #expect(Self.set(text) == .failure(.noKeySet))
    }

    @Test(arguments: [
        "", "{", #"{"keys":[],"keys":[]}"#, #"{"keys":[]} x"#, #"{"keys":[{"a":1,"\u0061":2}]}"#,
        #"{"keys":[],}"#, "\u{FEFF}{\"keys\":[]}",
    ])
    func whatIsNoJSONFails(text: String) {
        guard case .failure(.malformed) = Self.set(text) else {
            Issue.record("read: \(text)")
            return
        }
    }

    @Test func everyCutFails() throws {
        let text = #"{"keys":[{\#(Self.point),"kid":"a"},{\#(Self.edwards)}]}"#
        for end in 0..<text.utf8.count {
            let cut = Array(text.utf8.prefix(end))
            #expect(throws: JSONWebKeySetFault.self) { _ = try JSONWebKeySet(cut.span) }
        }
    }

    @Test func bounds() throws {
        let empty = #"{"keys":[]}"#
        let padding = String(
            repeating: " ", count: JSONWebKeySet.documentCountMax - empty.utf8.count)
        #expect(try Self.set(empty + padding).get().keys.isEmpty)
        #expect(Self.set(empty + padding + " ") == .failure(.tooLong))
        let many = (0..<100).map { #"{\#(Self.edwards),"kid":"\#($0)"}"# }.joined(separator: ",")
        let set = try Self.set(#"{"keys":[\#(many)]}"#).get()
        #expect(set.keys.count == JSONWebKeySet.keysMax)
        #expect(set.leftOut == 36)
        let others = String(repeating: "{},", count: JSONWebKeySet.itemsMax)
        #expect(try Self.keys(others + "{\(Self.point)}").isEmpty)
        let long = String(repeating: "k", count: JSONWebKey.keyIDCountMax)
        #expect(try Self.keys(#"{\#(Self.point),"kid":"\#(long)"}"#).count == 1)
        #expect(try Self.keys(#"{\#(Self.point),"kid":"\#(long)k"}"#).isEmpty)
    }

    // MARK: Which key is meant

    static func find(
        _ keyID: String?, _ algorithm: SignatureAlgorithm, _ set: JSONWebKeySet
    ) -> AccessTokenFault? {
        do throws(AccessTokenFault) {
            _ = try set.key(keyID.map { Array($0.utf8) }, algorithm)
            return nil
        } catch {
            return error
        }
    }

    static func otherPoint() throws -> String {
        let jwks = try JWKS(keys: [PublicJWK(SigningKey.generate())])
        let value = try JSONReader.read(jwks.document.span)
        let key = try #require(value["keys"]?.array?.first)
        return #""kty":"EC","crv":"P-256","x":"\#(key["x"]?.string ?? "")","#
            + #""y":"\#(key["y"]?.string ?? "")""#
    }

    @Test func oneNameForTwoKeysOfAnAlgorithmNamesNeither() throws {
        let other = try Self.otherPoint()
        let set = try Self.set(
            #"{"keys":[{\#(Self.point),"kid":"a"},{\#(other),"kid":"a"},{\#(Self.rsa),"kid":"a"}]}"#
        ).get()
        #expect(set.keys.map(\.algorithm) == [.rs256])
        #expect(set.leftOut == 2)
        #expect(Self.find("a", .rs256, set) == nil)
        #expect(Self.find("a", .es256, set) == .algorithm)
        // The same key twice is one; another name is another.
        #expect(
            try Self.keys(
                #"{\#(Self.point),"kid":"a"}"#, #"{\#(Self.point),"kid":"a"}"#,
                #"{\#(Self.point),"kid":"b"}"#, "{\(Self.point)}", "{\(Self.point)}"
            ).count == 3)
    }

    @Test func keysAreFoundByNameAndAlgorithm() throws {
        let set = try Self.set(
            #"{"keys":[{\#(Self.point),"kid":"a"},{\#(Self.rsa),"kid":"b"},{\#(Self.edwards)}]}"#
        ).get()
        #expect(Self.find("a", .es256, set) == nil)
        #expect(Self.find("a", .rs256, set) == .algorithm)
        #expect(Self.find("b", .ps256, set) == .algorithm)
        #expect(Self.find("c", .es256, set) == .unknownKey("c"))
        #expect(Self.find("A", .es256, set) == .unknownKey("A"))
        #expect(Self.find("", .es256, set) == .unknownKey(""))
        // Without a name the only one of its algorithm, named or not.
        #expect(Self.find(nil, .es256, set) == nil)
        #expect(Self.find(nil, .edDSA, set) == nil)
        #expect(Self.find(nil, .ps256, set) == .unknownKey(nil))
        let twins = try Self.set(
            #"{"keys":[{\#(Self.point),"kid":"a"},{\#(try Self.otherPoint()),"kid":"b"}]}"#
        ).get()
        #expect(Self.find(nil, .es256, twins) == .ambiguousKey)
        #expect(Self.find("a", .es256, JSONWebKeySet()) == .unknownKey("a"))
    }

    /// Swift holds é for equal to e with an accent behind it; JOSE does not.
    @Test func namesAreComparedByBytes() throws {
        let set = try Self.set(
            #"{"keys":[{\#(Self.point),"kid":"\u00e9"},{\#(try Self.otherPoint()),"kid":"e\u0301"}]}"#
        ).get()
        #expect(set.keys.count == 2)
        #expect(Self.find("\u{e9}", .es256, set) == nil)
        #expect(Self.find("e\u{301}", .es256, set) == nil)
    }

    @Test func setsAreEqualWhereTheyBelieveTheSame() throws {
        let text = #"{"keys":[{\#(Self.point),"kid":"a"}]}"#
        let spaced = #"{ "keys": [ { "kid": "a", \#(Self.point) , "use": "sig" }, {} ] }"#
        #expect(try Self.set(text).get() == Self.set(spaced).get())
        #expect(try Self.set(text).get() != Self.set(#"{"keys":[{\#(Self.point)}]}"#).get())
        #expect(
            try Self.set(text).get()
                != Self.set(#"{"keys":[{\#(try Self.otherPoint()),"kid":"a"}]}"#).get())
    }

    @Test func whatWePublishIsRead() throws {
        let keys = try [SigningKey.generate(), .generate(.edDSA), .generate(.rs256)]
        let jwks = try JWKS(keys: keys.map { try PublicJWK($0) })
        let set = try JSONWebKeySet(jwks.document.span)
        #expect(set.keys.map(\.key.members) == keys.map(\.members))
        #expect(set.keys.map(\.algorithm) == keys.map(\.algorithm))
        #expect(set.leftOut == 0)
    }
}
