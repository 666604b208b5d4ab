// SPDX-License-Identifier: Apache-2.0

import Bytes
import COpenSSL
import Crypto
import Testing

/// Keys made with the openssl command for this test alone.
@Suite("Signing keys in PEM")
struct SigningKeyTests {
    static let sec1 =
        "MHcCAQEEIEbX1YsWnL4ZeCNZ00PoJAgqnkfHrd960auHA34J7sCloAoGCCqGSM49\n"
        + "AwEHoUQDQgAEtkTSt++SiHEE5OjIHoj33bmAqFAhZjCreN7jVaG7OLdpbWK8PkIz\n"
        + "1zgswXx8c1s/72AS/FJP+nJcBt3NBbn1Fg=="
    static let pkcs8 =
        "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgRtfVixacvhl4I1nT\n"
        + "Q+gkCCqeR8et33rRq4cDfgnuwKWhRANCAAS2RNK375KIcQTk6MgeiPfduYCoUCFm\n"
        + "MKt43uNVobs4t2ltYrw+QjPXOCzBfHxzWz/vYBL8Uk/6clwG3c0FufUW"
    static let encrypted =
        "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAh+jldANVUQ4AICCAAw\n"
        + "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEIKs1qpE7Y62UBqUKsPIXegEgZCe\n"
        + "JoiQbkHy/H8sp8sv4Zkyhr8ypGe7kNN5Y7aKh5ccoO4IxhYVjvJgEzm0C3QnjdEm\n"
        + "PecQ4mKTVQSj1nHuAK5VaAFZdoxIdsONToulVVDKFi4ygau1BmWf4cXBXeOSkSYO\n"
        + "ZbpBg2+kyTHNnqh4QN0i7IyqYbKKIZ94VYLtnPO8YeHVA8+gk8yQ8t5nZ8T5xTY="
    static let legacyEncrypted =
        "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,B1717C4FEA1BB363CAA08035B02279A5\n\n"
        + "Zf+PigRGLAfWkW+9YEAFyrGuMOirgPZGDKBu78KVMW5n5SNy9QMQ1ZBzJex2L4Pc\n"
        + "Dy3JJQRS3KhiXojxT++wi258Nn516Nj9RN33l9aJw0pGOT8yRpFZiMun9zEKGr73\n"
        + "yCHEBs0ZGQR142NAFc0/0VRPUOJRhrr6FjZ460EJ18U="
    static let ed25519 = "MC4CAQAwBQYDK2VwBCIEILJ2D7zJlxpGSFxk2kHPgClp9FLYGRTnvTT/BeQ4ot3M"
    static let ed25519Point = "J3efbB-x9Qrny__qMVGn0Rh1Vx4s6gcaDAYCk_IOEXo"
    static let p384 =
        "MIGkAgEBBDCMHsGvCIDLnwbqFxkLAoW5R9ZdntHKcFksQYf+Imzfm3PT7Mw+P2cX\n"
        + "6LhTDCcOMBqgBwYFK4EEACKhZANiAASyGEMCT4rfD1D+4eGK8Vq9koWQNdldSJGl\n"
        + "HYGZuQyiu/tOXVahus1O/NbxZbkYPDZwpJ3aQcrScIR906zOZShoUqtZMKeCcXt0\n"
        + "P2jtJG54tnwbPYVNu6D4jSvbf2nomWo="
    static let publicKey =
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEtkTSt++SiHEE5OjIHoj33bmAqFAh\n"
        + "ZjCreN7jVaG7OLdpbWK8PkIz1zgswXx8c1s/72AS/FJP+nJcBt3NBbn1Fg=="

    static func pem(_ label: String, _ body: String) -> [UInt8] {
        Array("-----BEGIN \(label)-----\n\(body)\n-----END \(label)-----\n".utf8)
    }

    static let x = "b644d2b7ef92887104e4e8c81e88f7ddb980a850216630ab78dee355a1bb38b7"
    static let y = "696d62bc3e4233d7382cc17c7c735b3fef6012fc524ffa725c06ddcd05b9f516"

    @Test(arguments: [
        pem("EC PRIVATE KEY", sec1), pem("PRIVATE KEY", pkcs8),
        pem("EC PARAMETERS", "BggqhkjOPQMBBw==") + pem("EC PRIVATE KEY", sec1),
        Array(
            String(decoding: pem("PRIVATE KEY", pkcs8), as: UTF8.self)
                .replacing("\n", with: "\r\n").utf8),
    ])
    func coordinates(of text: [UInt8]) throws {
        let key = try SigningKey(pem: text.span)
        guard case .p256(let x, let y) = key.members else {
            Issue.record("not of P-256")
            return
        }
        #expect(hex(x) == Self.x)
        #expect(hex(y) == Self.y)
        #expect(key.algorithm == .es256)
    }

    @Test(arguments: [
        [], Array("no key".utf8), pem("EC PRIVATE KEY", "AAAA"), pem("PUBLIC KEY", publicKey),
        pem("ENCRYPTED PRIVATE KEY", encrypted), pem("EC PRIVATE KEY", legacyEncrypted),
        [UInt8](repeating: 0x2D, count: SigningKey.pemCapacity + 1),
    ])
    func whatIsNoKeyIsRefused(_ text: [UInt8]) {
        #expect(throws: CryptoError.malformedKey) { _ = try SigningKey(pem: text.span) }
    }

    @Test func ed25519() throws {
        let text = Self.pem("PRIVATE KEY", Self.ed25519)
        let key = try SigningKey(pem: text.span)
        #expect(key.algorithm == .edDSA)
        #expect(key.members == .ed25519(SignatureVector.decode(Self.ed25519Point)))
    }

    @Test(arguments: [
        pem("PRIVATE KEY", SampleKeys.rsa2048), pem("RSA PRIVATE KEY", SampleKeys.rsa2048PKCS1),
    ])
    func rsa(text: [UInt8]) throws {
        let key = try SigningKey(pem: text.span)
        #expect(key.algorithm == .rs256)
        #expect(key.members == SignatureVector.ownMembers)
        #expect(try SigningKey(pem: text.span, rsa: .ps256).algorithm == .ps256)
        #expect(try SigningKey(pem: text.span, rsa: .es256).algorithm == .rs256)
    }

    @Test(arguments: [
        pem("PRIVATE KEY", SampleKeys.rsa1024), pem("PRIVATE KEY", SampleKeys.rsa4104),
    ])
    func otherSizesOfRSAAreRefused(_ text: [UInt8]) {
        #expect(throws: CryptoError.unsuitableKey) { _ = try SigningKey(pem: text.span) }
        #expect(ERR_peek_error() == 0)
    }

    @Test func keysSurvivePEM() throws {
        for key in SignatureTests.keys {
            let text = try key.pem()
            let again = try SigningKey(pem: text.span, rsa: key.algorithm)
            #expect(again.members == key.members)
            #expect(again.algorithm == key.algorithm)
            let signature = try Pen(again).sign([1])
            #expect(try PublicKey(key.members).believes([1], signature, key.algorithm))
        }
    }

    @Test(arguments: [
        pem("EC PRIVATE KEY", p384), pem("PRIVATE KEY", SampleKeys.ed448),
        pem("PRIVATE KEY", SampleKeys.rsaPSS),
    ])
    func otherKindsAreRefused(_ text: [UInt8]) {
        #expect(throws: CryptoError.wrongKeyType) { _ = try SigningKey(pem: text.span) }
    }

    @Test func everyCutIsRefused() {
        let text = Self.pem("EC PRIVATE KEY", Self.sec1)
        // The last byte is the line end, which PEM does without.
        for end in 0..<text.count - 1 {
            let cut = Array(text[..<end])
            #expect(throws: CryptoError.malformedKey) { _ = try SigningKey(pem: cut.span) }
        }
    }
}
