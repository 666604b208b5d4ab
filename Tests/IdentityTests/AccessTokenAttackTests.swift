// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import Identity
import TestSupport
import Testing

@Suite("Attacks on access tokens")
struct AccessTokenAttackTests {
    /// No byte of a good token can be another, whatever it is.
    @Test(arguments: SignatureAlgorithm.allCases)
    func noByteCanBeChanged(algorithm: SignatureAlgorithm) throws {
        let provider = try Provider()
        let token = Array(try Provider.token(by: algorithm).utf8)
        #expect(provider.judge(token) == .believed)
        let alphabet = Array(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \0\n".utf8)
        var random = SeededRandom(seed: 7515)
        var believed: [Int] = []
        for index in token.indices {
            for _ in 0..<3 {
                var changed = token
                // Mostly digits of base64url, which get furthest.
                changed[index] =
                    Bool.random(using: &random)
                    ? alphabet[Int.random(in: 0..<64, using: &random)]
                    : alphabet.randomElement(using: &random) ?? 0
                if changed != token, provider.judge(changed) == .believed { believed.append(index) }
            }
            var flipped = token
            flipped[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            if provider.judge(flipped) == .believed { believed.append(index) }
        }
        #expect(believed.isEmpty)
    }

    @Test(arguments: SignatureAlgorithm.allCases)
    func nothingCanBeLeftOutOrAdded(algorithm: SignatureAlgorithm) throws {
        let provider = try Provider()
        let token = Array(try Provider.token(by: algorithm).utf8)
        var random = SeededRandom(seed: 7519)
        var believed: [Int] = []
        for index in 0..<token.count {
            let start = Array(token[..<index])
            let end = Array(token[index...])
            let length = Int.random(in: 1...token.count - index, using: &random)
            let more = UInt8(ascii: "A") + UInt8.random(in: 0..<26, using: &random)
            let others = [
                start, index == 0 ? [] : end, start + token[(index + length)...],
                start + [more] + end, start + [UInt8(ascii: ".")] + end, start + end[...] + start,
            ]
            if others.contains(where: { $0 != token && provider.judge($0) == .believed }) {
                believed.append(index)
            }
        }
        #expect(believed.isEmpty)
    }

    /// Parts of two good tokens do not make a third.
    @Test func partsOfTwoTokensMakeNone() throws {
        let provider = try Provider()
        for algorithm in SignatureAlgorithm.allCases {
            let one = try Provider.token(by: algorithm).split(separator: ".")
            let payload = Provider.payload(identity: #""client_id":"admin","sub":"root""#)
            let other = try Provider.token(payload: payload, by: algorithm).split(separator: ".")
            #expect(provider.judge("\(one[0]).\(other[1]).\(one[2])") == .wrongSignature)
            #expect(provider.judge("\(other[0]).\(one[1]).\(other[2])") == .wrongSignature)
        }
    }

    // MARK: Confusion of algorithms

    /// Every header and `kid`, signed by every key: only what is its own is believed.
    @Test func noKeySignsForAnother() throws {
        let provider = try Provider()
        for signing in SignatureAlgorithm.allCases {
            for claimed in SignatureAlgorithm.allCases {
                for named in SignatureAlgorithm.allCases {
                    let header = #"{"alg":"\#(claimed.name)","kid":"\#(named.name)"}"#
                    let verdict = provider.judge(try Provider.token(header: header, by: signing))
                    let isRight = signing == claimed && claimed == named
                    #expect((verdict == .believed) == isRight, "\(signing) \(claimed) \(named)")
                    if claimed != named { #expect(verdict == .refused(.algorithm)) }
                }
            }
        }
    }

    /// One RSA key published for one padding is of no use for the other.
    @Test func aKeyIsGoodForOnePadding() throws {
        let key = try Provider.key(.rs256)
        let pem = try key.pem()
        let twin = try SigningKey(pem: pem.span, rsa: .ps256)
        let provider = try Provider(keys: [key])
        var signer = try Signer(twin)
        for kid in [#","kid":"RS256""#, ""] {
            for algorithm in ["RS256", "PS256"] {
                let input =
                    Provider.encode(#"{"alg":"\#(algorithm)"\#(kid)}"#) + "."
                    + Provider.encode(Provider.payload())
                let bytes = Array(input.utf8)
                var signature = [UInt8](repeating: 0, count: signer.signatureCount)
                var output = signature.mutableSpan
                try signer.sign(bytes.span, into: &output)
                #expect(
                    provider.judge(input + "." + Base64URL.encode(signature.span)) != .believed)
            }
        }
    }

    /// What is public of each key, as a secret of HMAC: coordinates, point, DER, PEM, JWK.
    static func publicForms(_ key: SigningKey) throws -> [[UInt8]] {
        let jwks = try JWKS(keys: [PublicJWK(key)])
        var forms = [jwks.document, Array(jwks.document.dropFirst(9).dropLast(2))]
        var der: [UInt8] = []
        switch key.members {
        case .p256(let x, let y):
            forms += [x, y, x + y, [4] + x + y]
            der =
                [0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01]
                + [0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0, 4]
                + x + y
        case .ed25519(let point):
            forms.append(point)
            der = [0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0] + point
        case .rsa(let modulus, let exponent):
            forms.append(modulus)
            // RSAPublicKey, then SubjectPublicKeyInfo around it, for 2048 bits and 65537.
            let inner =
                [0x30, 0x82, 0x01, 0x0A, 0x02, 0x82, 0x01, 0x01, 0x00] + modulus + [0x02, 0x03]
                + exponent
            forms.append(inner)
            der =
                [0x30, 0x82, 0x01, 0x22, 0x30, 0x0D, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7]
                + [0x0D, 0x01, 0x01, 0x01, 0x05, 0x00, 0x03, 0x82, 0x01, 0x0F, 0x00] + inner
        }
        let text = Base64URL.encode(der.span).replacing("-", with: "+").replacing("_", with: "/")
        let padded = text + String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
        var pem = "-----BEGIN PUBLIC KEY-----\n"
        var rest = padded[...]
        while !rest.isEmpty {
            pem += rest.prefix(64) + "\n"
            rest = rest.dropFirst(64)
        }
        pem += "-----END PUBLIC KEY-----"
        return forms + [der, Array(pem.utf8), Array((pem + "\n").utf8)]
    }

    @Test func noPublicKeyIsASecret() throws {
        let provider = try Provider()
        let payload = Provider.encode(Provider.payload())
        for key in Provider.keys {
            for secret in try Self.publicForms(key) {
                for named in SignatureAlgorithm.allCases {
                    for alg in ["HS256", "none", "\(named.name)"] {
                        let header = #"{"alg":"\#(alg)","kid":"\#(named.name)"}"#
                        let input = Provider.encode(header) + "." + payload
                        let bytes = Array(input.utf8)
                        var mac = try HMACKey(.sha256, key: secret.span)
                        var code = InlineArray<64, UInt8>(repeating: 0)
                        let count = mac.authenticate(bytes.span, into: &code)
                        let signature = Base64URL.encode(code.span.extracting(0..<count))
                        let fault: AccessTokenFault =
                            alg == "\(named.name)" ? .signature : .algorithm
                        #expect(provider.judge(input + "." + signature) == .refused(fault))
                    }
                }
            }
        }
    }

    @Test func withoutASignature() throws {
        let provider = try Provider()
        let payload = Provider.encode(Provider.payload())
        for alg in ["none", "None", "NONE", "nOnE", ""] {
            let header = Provider.encode(#"{"alg":"\#(alg)","kid":"ES256"}"#)
            #expect(provider.judge("\(header).\(payload).") == .refused(.algorithm))
        }
        for algorithm in SignatureAlgorithm.allCases {
            let header = Provider.encode(Provider.header(algorithm))
            #expect(provider.judge("\(header).\(payload).") == .refused(.signature))
            #expect(provider.judge("\(header).\(payload)") == .refused(.malformed))
        }
    }

    /// CVE-2022-21449: r and s of zero, and of the curve's order.
    @Test func psychicSignatures() throws {
        let provider = try Provider()
        let unsigned =
            Provider.encode(Provider.header()) + "." + Provider.encode(Provider.payload()) + "."
        let order: [UInt8] = [
            0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
            0xFF, 0xFF, 0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17, 0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2,
            0xFC, 0x63, 0x25, 0x51,
        ]
        let zero = [UInt8](repeating: 0, count: 32)
        let one = Array(zero.dropLast()) + [1]
        for (r, s) in [(zero, zero), (order, order), (zero, one), (one, zero), (order, one)] {
            let signature = Base64URL.encode((r + s).span)
            #expect(provider.judge(unsigned + signature) == .wrongSignature)
        }
    }
}
