// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import Testing

@Suite("ES256")
struct SignatureTests {
    /// RFC 7515 Appendix A.3: key, signing input and signature.
    static let x = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
    static let y = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
    static let input =
        "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAs"
        + "DQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    static let signature =
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"

    static func decode(_ text: String) throws -> [UInt8] {
        let bytes = Array(text.utf8)
        let decoded = Base64URL.decode(bytes.span)
        return try #require(decoded)
    }

    @Test func theSignatureOfRFC7515IsBelieved() throws {
        let believer = try Believer(x: Self.decode(Self.x), y: Self.decode(Self.y))
        let signature = try Self.decode(Self.signature)
        let message = Array(Self.input.utf8)
        #expect(believer.believes(message, signature))
        for index in signature.indices {
            var wrong = signature
            wrong[index] ^= 1
            #expect(!believer.believes(message, wrong))
        }
        #expect(!believer.believes(message.dropLast(), signature))
        #expect(!believer.believes(message, signature.dropLast()))
        #expect(!believer.believes(message, Array(repeating: 0, count: 64)))
        #expect(!believer.believes(message, Array(repeating: 0xFF, count: 64)))
        #expect(believer.believes(message, signature), "still of use")
    }

    /// 512 signatures meet halves with leading zeros (1 in 128 has one) and with set high bits.
    @Test func whatIsSignedIsBelieved() throws {
        let key = try SigningKey.generate()
        let signer = try Signer(key)
        let believer = try Believer(x: key.x, y: key.y)
        for number in 0..<512 {
            let message = Array("message \(number)".utf8)
            let signature = try signer.sign(message)
            #expect(believer.believes(message, signature))
        }
    }

    @Test func anotherKeyDoesNotBelieve() throws {
        let other = try SigningKey.generate()
        let believer = try Believer(x: other.x, y: other.y)
        let signature = try Signer(SigningKey.generate()).sign([1])
        #expect(!believer.believes([1], signature))
    }

    @Test func keysSurvivePEM() throws {
        let key = try SigningKey.generate()
        let text = try key.pem()
        let again = try SigningKey(pem: text.span)
        #expect(again.x == key.x)
        #expect(again.y == key.y)
        let believer = try Believer(x: key.x, y: key.y)
        let signature = try Signer(again).sign([1])
        #expect(believer.believes([1], signature))
    }

    @Test func pointsOffTheCurveAreRefused() throws {
        let x = try Self.decode(Self.x)
        var y = try Self.decode(Self.y)
        y[31] ^= 1
        #expect(throws: CryptoError.invalidPoint) { _ = try Believer(x: x, y: y) }
        #expect(throws: CryptoError.invalidPoint) { _ = try Believer(x: x, y: [1, 2, 3]) }
        #expect(throws: CryptoError.invalidPoint) {
            _ = try Believer(x: Array(repeating: 0, count: 32), y: Array(repeating: 0, count: 32))
        }
    }
}
