// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import Identity
import Testing

@Suite("Key sets and identifiers")
struct JWKSTests {
    static func thumbprint(_ canonical: String) throws -> String {
        let bytes = Array(canonical.utf8)
        return try JWKS.thumbprint(canonical: bytes.span)
    }

    static func decode(_ text: String) throws -> [UInt8] {
        let bytes = Array(text.utf8)
        let decoded = Base64URL.decode(bytes.span)
        return try #require(decoded)
    }

    /// RFC 7638 §3.1.
    static let modulus =
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tS"
        + "oc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65"
        + "YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyr"
        + "dkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzK"
        + "nqDKgw"
    static let modulusThumbprint = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"

    @Test func theThumbprintOfRFC7638() throws {
        let canonical = #"{"e":"AQAB","kty":"RSA","n":"\#(Self.modulus)"}"#
        #expect(try Self.thumbprint(canonical) == Self.modulusThumbprint)
    }

    /// The key of RFC 7515 §A.3.
    static func pointKey() throws -> PublicJWK {
        try PublicJWK(
            .p256(
                x: decode("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"),
                y: decode("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0")), algorithm: .es256)
    }
    static let pointText =
        #"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU""#
        + #","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0""#
        + #","kid":"oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U","alg":"ES256","use":"sig"}"#

    @Test func documentOfAKnownKey() throws {
        let set = try JWKS(keys: [Self.pointKey()])
        #expect(String(decoding: set.document, as: UTF8.self) == #"{"keys":[\#(Self.pointText)]}"#)
    }

    /// The keys of RFC 7638 §3.1 and RFC 8037 §A.3, with their thumbprints.
    @Test func keysOfAllKindsInOneSet() throws {
        let rsa = PublicMembers.rsa(modulus: try Self.decode(Self.modulus), exponent: [1, 0, 1])
        let edwards = PublicMembers.ed25519(
            try Self.decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"))
        let set = try JWKS(keys: [
            PublicJWK(edwards, algorithm: .edDSA), Self.pointKey(),
            PublicJWK(rsa, algorithm: .rs256), PublicJWK(rsa, algorithm: .ps256),
        ])
        let rsaText =
            #"{"kty":"RSA","n":"\#(Self.modulus)","e":"AQAB","kid":"\#(Self.modulusThumbprint)""#
        #expect(
            String(decoding: set.document, as: UTF8.self)
                == #"{"keys":[{"kty":"OKP","crv":"Ed25519","#
                + #""x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","#
                + #""kid":"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k","alg":"EdDSA","use":"sig"},"#
                + Self.pointText + "," + rsaText + #","alg":"RS256","use":"sig"},"#
                + rsaText + #","alg":"PS256","use":"sig"}]}"#)
    }

    @Test func entityTagsFollowTheContent() throws {
        let firstKey = try PublicJWK(SigningKey.generate())
        let secondKey = try PublicJWK(SigningKey.generate(.edDSA))
        let sets = try [
            JWKS(keys: [firstKey]), JWKS(keys: [secondKey]), JWKS(keys: [firstKey, secondKey]),
            JWKS(keys: []),
        ]
        let tags = sets.map { String(decoding: $0.entityTag, as: UTF8.self) }
        #expect(Set(tags).count == 4)
        #expect(tags.allSatisfy { $0.hasPrefix("\"") && $0.hasSuffix("\"") && $0.utf8.count == 45 })
        #expect(try JWKS(keys: [firstKey]) == sets[0])
        #expect(String(decoding: sets[3].document, as: UTF8.self) == #"{"keys":[]}"#)
    }

    // MARK: UUIDv7

    static func uuid(_ milliseconds: UInt64) -> String {
        var random = RandomSource()
        let page = Page()
        UUIDv7.append(milliseconds: milliseconds, random: &random, to: &page.buffer)
        return page.text
    }

    /// RFC 9562 §A.6 has this time.
    @Test func layout() {
        let id = Self.uuid(0x017F_22E2_79B0)
        #expect(id.hasPrefix("017f22e2-79b0-7"))
        #expect(id.utf8.count == UUIDv7.textCount)
        let characters = Array(id)
        for (index, character) in characters.enumerated() {
            if [8, 13, 18, 23].contains(index) {
                #expect(character == "-")
            } else {
                #expect("0123456789abcdef".contains(character))
            }
        }
        #expect("89ab".contains(characters[19]))
    }

    @Test func identifiersDifferAndSortByTime() {
        let ids = (0..<500).map { Self.uuid(1_700_000_000_000 + $0) }
        #expect(ids == ids.sorted())
        #expect(Set((0..<500).map { _ in Self.uuid(1) }).count == 500)
        #expect(Self.uuid(.max).hasPrefix("ffffffff-ffff-7"))
    }
}
