// SPDX-License-Identifier: Apache-2.0

import Bytes
import Testing

@Suite struct ASCIITests {
    /// RFC 9110 §5.6.2: `tchar = "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" / "-" / "." / "^"
    /// / "_" / "`" / "|" / "~" / DIGIT / ALPHA`.
    @Test func tokenCharactersAreThoseOfRFC9110() {
        let digits = "0123456789"
        let letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
        let tokens = Set(("!#$%&'*+-.^_`|~" + digits + letters).utf8)
        for byte in 0...255 as ClosedRange<UInt8> {
            #expect(byte.isTokenCharacter == tokens.contains(byte), "\(byte)")
        }
    }

    @Test func classesAndCase() {
        for byte in 0...255 as ClosedRange<UInt8> {
            let isUpper = (65...90).contains(byte)
            #expect(byte.isDigit == (48...57).contains(byte))
            #expect(byte.isUpper == isUpper)
            #expect(byte.isLetter == (isUpper || (97...122).contains(byte)), "\(byte)")
            #expect(byte.lowercased == (isUpper ? byte + 32 : byte))
        }
    }

    @Test func namedBytes() {
        let named: [UInt8] = [
            .tab, .lineFeed, .carriageReturn, .space, .quote, .comma, .colon, .semicolon, .equals,
            .backslash,
        ]
        #expect(named == "\t\n\r \",:;=\\".bytes)
    }

    @Test(arguments: ["", "a", "Host", "host", "hOST", "hosts", "hos", "h\u{0}st", "hést"])
    func comparisons(text: String) {
        let bytes = text.bytes
        #expect(bytes.span.equals("host") == (text == "host"))
        #expect(bytes.span.equalsIgnoringCase("host") == (text.lowercased() == "host"))
        #expect(bytes.span.hasPrefix("ho") == text.hasPrefix("ho"))
        #expect(bytes.span.equals("host".bytes.span) == (text == "host"))
        #expect(bytes.span.hasPrefix("") == true)
    }

    @Test func caseFoldingIsForLettersAlone() {
        // `[` and `{`, `@` and `` ` `` differ in the case bit too.
        #expect("@".bytes.span.equalsIgnoringCase("`") == false)
        #expect("[".bytes.span.equalsIgnoringCase("{") == false)
    }

    @Test(arguments: [
        ("", ""), (" ", ""), (" \t \t", ""), ("a", "a"), (" a", "a"), ("a\t", "a"),
        ("\t a b \t", "a b"), ("\r\na\n", "\r\na\n"),
    ])
    func trimming(text: String, expected: String) {
        #expect(text.bytes.span.trimmed.string == expected)
    }

    @Test(
        arguments: [
            ("", nil), ("0", 0), ("00", 0), ("007", 7), ("18446744073709551615", .max),
            ("18446744073709551616", nil), ("18446744073709551620", nil),
            ("99999999999999999999", nil), ("000000000000000000001", nil), ("-1", nil), ("+1", nil),
            (" 1", nil), ("1 ", nil), ("1,2", nil), ("1_000", nil), ("٣", nil), ("0x1", nil),
            ("/", nil), (":", nil),
        ] as [(String, UInt64?)])
    func decimals(text: String, expected: UInt64?) {
        #expect(text.bytes.span.decimal == expected)
    }

    @Test func copies() {
        #expect("größe".bytes.span.string == "größe")
        #expect("größe".bytes.span.array == "größe".bytes)
        #expect([0x61, 0xFF].span.string == "a\u{FFFD}")
    }
}
