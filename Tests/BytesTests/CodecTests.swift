// SPDX-License-Identifier: Apache-2.0

import Bytes
import TestSupport
import Testing

@Suite struct CodecTests {
    // MARK: RFC 4648 §10

    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
        ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
    ])
    func base64Vectors(plain: String, coded: String) {
        let unpadded = String(coded.prefix { $0 != "=" })
        #expect(Base64URL.encode(plain.bytes.span) == unpadded)
        #expect(Base64URL.encodedCount(plain.utf8.count) == unpadded.utf8.count)
        #expect(Base64URL.decode(unpadded.bytes.span) == plain.bytes)
        #expect(Base64URL.decodeStandard(coded.bytes.span) == plain.bytes)
        #expect(Base64URL.decodeStandard(unpadded.bytes.span) == plain.bytes)
        #expect((Base64URL.decode(coded.bytes.span) == nil) == coded.contains("="))
    }

    @Test(arguments: [
        ("", ""), ("f", "MY======"), ("fo", "MZXQ===="), ("foo", "MZXW6==="),
        ("foob", "MZXW6YQ="), ("fooba", "MZXW6YTB"), ("foobar", "MZXW6YTBOI======"),
    ])
    func base32Vectors(plain: String, coded: String) {
        let unpadded = String(coded.prefix { $0 != "=" })
        #expect(Base32.encode(plain.bytes.span) == unpadded)
        #expect(Base32.decode(coded.bytes.span) == plain.bytes)
        #expect(Base32.decode(unpadded.bytes.span) == plain.bytes)
        #expect(Base32.decode(unpadded.lowercased().bytes.span) == plain.bytes)
        let pasted = unpadded.map { "\($0) " }.joined() + "\r\n"
        #expect(Base32.decode(pasted.bytes.span) == plain.bytes)
    }

    @Test(arguments: [
        ("", ""), ("f", "66"), ("fo", "666f"), ("foo", "666f6f"), ("foob", "666f6f62"),
        ("fooba", "666f6f6261"), ("foobar", "666f6f626172"),
    ])
    func hexVectors(plain: String, coded: String) {
        #expect(Hex.encode(plain.bytes.span) == coded)
        #expect(Hex.decode(coded.bytes.span) == plain.bytes)
        #expect(Hex.decode(coded.uppercased().bytes.span) == plain.bytes)
    }

    // MARK: Refusals

    @Test(arguments: [
        "A", "AAAAA", "Zh", "Zm9", "Zg==", "Zg=", "Z g", " Zg", "Zg\n", "Zm+v", "Zm/v", "Zm9v!",
        "Zm9v=", "\u{0}AAA", "ZgÄ",
    ])
    func base64URLRefuses(text: String) {
        #expect(Base64URL.decode(text.bytes.span) == nil)
    }

    @Test(arguments: [
        "A", "=", "==", "====", "Z===", "Zh==", "Zg=", "Z=g=", "Zm9v====", "Zm-v", "Zm_v",
        "Zg==Zg==", "Zm8=\n",
    ])
    func base64StandardRefuses(text: String) {
        #expect(Base64URL.decodeStandard(text.bytes.span) == nil)
    }

    /// Every byte in every place of a group, and of the two kinds of rest.
    @Test func base64TakesItsDigitsAlone() {
        let common = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)
        let url = common.union("-_".utf8)
        let standard = common.union("+/".utf8)
        for place in 0..<8 {
            let wrong = (UInt8.min...UInt8.max).filter { byte in
                var text = [UInt8](repeating: UInt8(ascii: "A"), count: 8)
                text[place] = byte
                let isPadding = place == 7 && byte == UInt8(ascii: "=")
                // Of a rest's last digit some bits must be zero.
                return (Base64URL.decode(text.span) != nil) != url.contains(byte)
                    || (Base64URL.decodeStandard(text.span) != nil)
                        != (standard.contains(byte) || isPadding)
                    || !url.contains(byte) && place > 0
                        && Base64URL.decode(text.span.extracting(1..<8)) != nil
                    || !url.contains(byte) && place > 1
                        && Base64URL.decode(text.span.extracting(2..<8)) != nil
            }
            #expect(wrong.isEmpty)
        }
    }

    /// Impossible lengths, digits outside the alphabet, digits after the padding.
    @Test(arguments: [
        "A", "AAA", "AAAAAA", "AAAAAAAAA", "M0", "M1", "M8", "M9", "MY-", "M=Y", "MY==MY==", "Mö",
        "M\u{0}",
    ])
    func base32Refuses(text: String) {
        #expect(Base32.decode(text.bytes.span) == nil)
    }

    @Test func base32TakesUnusedBits() {
        // Verifiers in use decode seeds that were drawn digit by digit: the last bits are noise.
        #expect(Base32.decode("MZ".bytes.span) == "f".bytes)
    }

    @Test(arguments: ["0", "000", "0g", "g0", "0x", "  ", "@@", "``", "//", "::", "GG", "é"])
    func hexRefuses(text: String) {
        #expect(Hex.decode(text.bytes.span) == nil)
    }

    // MARK: Round trips

    @Test(arguments: 0..<70) func roundTrips(length: Int) {
        var random = SeededRandom(seed: UInt64(length))
        let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
        #expect(Base64URL.decode(Base64URL.encode(bytes.span).bytes.span) == bytes)
        #expect(Base32.decode(Base32.encode(bytes.span).bytes.span) == bytes)
        #expect(Hex.decode(Hex.encode(bytes.span).bytes.span) == bytes)
        let standard = Base64URL.encode(bytes.span).bytes.map {
            $0 == UInt8(ascii: "-") ? UInt8(ascii: "+") : $0 == UInt8(ascii: "_") ? 0x2F : $0
        }
        #expect(Base64URL.decodeStandard(standard.span) == bytes)
    }

    /// Each value of one and two bytes has one spelling: whatever decodes, encodes to itself.
    @Test func base64URLIsCanonical() {
        let digits = (0...127 as ClosedRange<UInt8>).filter { $0 >= 0x20 }
        for first in digits {
            for second in digits {
                guard let bytes = Base64URL.decode([first, second].span) else { continue }
                #expect(Base64URL.encode(bytes.span).bytes == [first, second])
                for third in digits {
                    let text = [first, second, third]
                    guard let bytes = Base64URL.decode(text.span) else { continue }
                    #expect(Base64URL.encode(bytes.span).bytes == text)
                }
            }
        }
    }

    @Test func hexDigits() {
        for byte in 0...255 as ClosedRange<UInt8> {
            let expected = UInt8(String(Unicode.Scalar(byte)), radix: 16)
            #expect(Hex.value(byte) == expected, "\(byte)")
        }
        #expect((0..<16 as Range<UInt8>).map(Hex.digit) == "0123456789abcdef".bytes)
    }
}
