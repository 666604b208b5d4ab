// SPDX-License-Identifier: Apache-2.0

import Bytes
import JSON
import Testing

func read(
    _ text: String, _ dialect: JSONReader.Dialect = .strict
) throws(JSONFault) -> JSONValue {
    try JSONReader.read(Array(text.utf8).span, dialect: dialect)
}

func read(_ bytes: [UInt8], _ dialect: JSONReader.Dialect = .strict) throws(JSONFault) -> JSONValue
{
    try JSONReader.read(bytes.span, dialect: dialect)
}

func compact(_ value: JSONValue) -> String {
    var writer = JSONWriter()
    writer.value(value)
    return writer.text
}

/// A text that is refused, why, and at which byte.
struct Refusal: Sendable, CustomTestStringConvertible {
    let text: [UInt8]
    let reason: JSONFault.Reason
    let offset: Int

    init(_ text: String, _ reason: JSONFault.Reason, _ offset: Int) {
        self.init(Array(text.utf8), reason, offset)
    }

    init(_ text: [UInt8], _ reason: JSONFault.Reason, _ offset: Int) {
        self.text = text
        self.reason = reason
        self.offset = offset
    }

    var testDescription: String {
        "\(String(decoding: text, as: UTF8.self)): \(reason) at \(offset)"
    }
}

@Suite struct JSONReaderTests {
    /// What goes in, and what a compact writer makes of the tree.
    static let accepted: [(String, String)] = [
        ("null", "null"), ("true", "true"), ("false", "false"), ("0", "0"), ("-0", "-0"),
        ("12345678901234567890123", "12345678901234567890123"),
        ("1.50", "1.50"), ("-1e+9", "-1e+9"), ("0.5E-07", "0.5E-07"), ("1e5", "1e5"),
        ("\"\"", "\"\""), ("[]", "[]"), ("{}", "{}"), (" \t\r\n[ 1 , 2 ] \n", "[1,2]"),
        ("{\"a\":{\"b\":[null,{}]}}", "{\"a\":{\"b\":[null,{}]}}"),
        ("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"\\\\/\\u0008\\u000c\\n\\r\\t\""),
        ("\"\\u0041\\u00e9\\u20AC\"", "\"Aé€\""), ("\"\\uD834\\uDD1E\"", "\"𝄞\""),
        ("\"\\u0000\"", "\"\\u0000\""), ("\"é€𝄞\"", "\"é€𝄞\""), ("\"\u{7F}\"", "\"\\u007f\""),
        // Different bytes are different names, however alike Swift holds them.
        ("{\"\u{E9}\":1,\"e\u{301}\":2}", "{\"\u{E9}\":1,\"e\u{301}\":2}"),
    ]

    @Test(arguments: accepted)
    func readsWhatRFC8259Allows(text: String, written: String) throws {
        #expect(compact(try read(text)) == written)
        #expect(compact(try read(text, .policy)) == written)
    }

    static let refused: [Refusal] = [
        Refusal("", .unexpectedEnd, 0), Refusal("  ", .unexpectedEnd, 2),
        Refusal("nul", .expectedValue, 0), Refusal("True", .expectedValue, 0),
        Refusal("NaN", .expectedValue, 0), Refusal("'a'", .expectedValue, 0),
        Refusal("truefalse", .trailingBytes, 4), Refusal("1 2", .trailingBytes, 2),
        Refusal("{} x", .trailingBytes, 3), Refusal("1\u{0}", .trailingBytes, 1),
        Refusal("[1", .unexpectedEnd, 2), Refusal("[1,", .unexpectedEnd, 3),
        Refusal("[,1]", .expectedValue, 1), Refusal("[1,,2]", .expectedValue, 3),
        Refusal("[1 2]", .expectedCommaOrEnd, 3), Refusal("[1}", .expectedCommaOrEnd, 2),
        Refusal("]", .expectedValue, 0), Refusal("{", .unexpectedEnd, 1),
        Refusal("{\"a\"", .unexpectedEnd, 4), Refusal("{\"a\":", .unexpectedEnd, 5),
        Refusal("{\"a\" 1}", .expectedColon, 5), Refusal("{a:1}", .expectedName, 1),
        Refusal("{1:1}", .expectedName, 1), Refusal("{\"a\":}", .expectedValue, 5),
        Refusal("{\"a\":1 \"b\":2}", .expectedCommaOrEnd, 7),
        Refusal("{\"a\":1,\"a\":2}", .duplicateName, 7),
        Refusal("{\"a\":1,\"\\u0061\":2}", .duplicateName, 7),
        Refusal("01", .malformedNumber, 0), Refusal("-01", .malformedNumber, 1),
        Refusal("-", .unexpectedEnd, 1), Refusal("-a", .malformedNumber, 1),
        Refusal("1.", .unexpectedEnd, 2), Refusal("1.e5", .malformedNumber, 2),
        Refusal("1e", .unexpectedEnd, 2), Refusal("1e+", .unexpectedEnd, 3),
        Refusal("+1", .expectedValue, 0), Refusal(".5", .expectedValue, 0),
        Refusal("0x10", .trailingBytes, 1), Refusal("1_000", .trailingBytes, 1),
        Refusal("\"a", .unclosedString, 0), Refusal("\"\\", .malformedEscape, 1),
        Refusal("\"\\\"", .unclosedString, 0), Refusal("\"\\x\"", .malformedEscape, 1),
        Refusal("\"\\u12\"", .malformedEscape, 1), Refusal("\"\\u12G4\"", .malformedEscape, 1),
        Refusal("\"\\U0041\"", .malformedEscape, 1), Refusal("\"a\nb\"", .controlInString, 2),
        Refusal("\"\t\"", .controlInString, 1), Refusal("\"\u{0}\"", .controlInString, 1),
        Refusal("\"\\uD800\"", .loneSurrogate, 1), Refusal("\"x\\uDC00\"", .loneSurrogate, 2),
        Refusal("\"\\uD800\\uD800\"", .loneSurrogate, 1),
        Refusal("\"\\uD800\\n\"", .loneSurrogate, 1),
        Refusal("\"\\uD800\\u0041\"", .loneSurrogate, 1),
        Refusal([0x22, 0xFF, 0x22], .invalidUTF8, 1),
        Refusal([0x22, 0xC0, 0x80, 0x22], .invalidUTF8, 1),
        Refusal([0x22, 0xED, 0xA0, 0x80, 0x22], .invalidUTF8, 1),
        Refusal([0x22, 0xF4, 0x90, 0x80, 0x80, 0x22], .invalidUTF8, 1),
        Refusal([0x22, 0xE2, 0x82], .invalidUTF8, 1), Refusal([0xFF, 0xFE], .invalidUTF8, 0),
    ]

    @Test(arguments: refused)
    func refusesInBothDialects(_ refusal: Refusal) {
        for dialect in [JSONReader.Dialect.strict, .policy] {
            let fault = #expect(throws: JSONFault.self) { try read(refusal.text, dialect) }
            #expect(fault?.reason == refusal.reason)
            #expect(fault?.offset == refusal.offset)
        }
    }

    /// What only people's own files may hold.
    static let policyOnly: [(String, String, Refusal)] = [
        ("[1,]", "[1]", Refusal("", .expectedValue, 3)),
        ("{\"a\":1, }", "{\"a\":1}", Refusal("", .expectedName, 8)),
        ("// x\n1", "1", Refusal("", .expectedValue, 0)),
        ("1 // x", "1", Refusal("", .trailingBytes, 2)),
        ("[/* a * b ** */1/**/]", "[1]", Refusal("", .expectedValue, 1)),
        ("{/**/\"a\"/**/:/**/1/**/}", "{\"a\":1}", Refusal("", .expectedName, 1)),
        ("\u{FEFF}{}", "{}", Refusal("", .byteOrderMark, 0)),
        ("[\"//\", \"/*\"] // \"", "[\"//\",\"/*\"]", Refusal("", .trailingBytes, 13)),
    ]

    @Test(arguments: policyOnly)
    func onlyThePolicyDialectIsLenient(text: String, written: String, strict: Refusal) throws {
        #expect(compact(try read(text, .policy)) == written)
        let fault = #expect(throws: JSONFault.self) { try read(text) }
        #expect(fault?.reason == strict.reason)
        #expect(fault?.offset == strict.offset)
    }

    static let refusedPolicy: [Refusal] = [
        Refusal("[,]", .expectedValue, 1), Refusal("{,}", .expectedName, 1),
        Refusal("[1,,]", .expectedValue, 3), Refusal("1,", .trailingBytes, 1),
        Refusal("1 /* x", .unclosedComment, 2), Refusal("1 /* x *", .unclosedComment, 2),
        Refusal("1 /*/", .unclosedComment, 2), Refusal("/ 1", .expectedValue, 0),
        Refusal("/* /* */ */ 1", .expectedValue, 9), Refusal("# x\n1", .expectedValue, 0),
        Refusal("\u{FEFF}\u{FEFF}1", .expectedValue, 3),
    ]

    @Test(arguments: refusedPolicy)
    func thePolicyDialectHasItsLimits(_ refusal: Refusal) {
        let fault = #expect(throws: JSONFault.self) { try read(refusal.text, .policy) }
        #expect(fault?.reason == refusal.reason)
        #expect(fault?.offset == refusal.offset)
    }

    @Test func depthIsBounded() throws {
        let most = JSONReader.depthMax
        let open = String(repeating: "[", count: most)
        let close = String(repeating: "]", count: most)
        #expect(compact(try read(open + close)) == open + close)
        let fault = #expect(throws: JSONFault.self) { try read("[" + open + close + "]") }
        #expect(fault?.reason == .tooDeep)
        #expect(fault?.offset == most)
        // Depth is how deep, not how many.
        let wide = "[" + Array(repeating: "{}", count: 200).joined(separator: ",") + "]"
        #expect(compact(try read(wide)) == wide)
    }

    @Test func offsetsOfValuesAndNames() throws {
        let value = try read("{ \"a\" : [ 10 , { \"b\" : null } ] }")
        #expect(value.offset == 0)
        let member = try #require(value.member("a"))
        #expect(member.nameOffset == 2)
        #expect(member.value.offset == 8)
        let items = try #require(member.value.array)
        #expect(items.map(\.offset) == [10, 15])
        #expect(items[1].member("b")?.nameOffset == 17)
        #expect(items[1]["b"]?.offset == 23)
    }

    @Test func namesAreComparedByBytes() throws {
        // U+212A KELVIN SIGN is canonically equivalent to K.
        let value = try read("{\"\u{212A}\":1}")
        #expect(value["K"] == nil)
        #expect(value["\u{212A}"]?.integer == 1)
    }

    @Test func aFaultKnowsItsPath() {
        let fault = #expect(throws: JSONFault.self) {
            try read("{\"a\":[0,{\"b/c\":1,\"b/c\":2}]}")
        }
        #expect(fault?.pointer.description == "/a/1/b~1c")
    }

    static let integers: [(String, Int?)] = [
        ("0", 0), ("-0", 0), ("-17", -17), ("9223372036854775807", .max),
        ("9223372036854775808", nil), ("1.0", nil), ("1e2", nil),
    ]

    @Test(arguments: integers)
    func integersAreNeverRounded(text: String, integer: Int?) throws {
        let value = try read(text)
        #expect(value.integer == integer)
        #expect(value.number?.text == text)
    }

    /// Whatever is cut off: a prefix of an object is never an object, and never a crash.
    @Test func everyPrefixIsRefused() {
        let text = Array("{\"k\\u00e9\":[1.5e+3,\"\\uD834\\uDD1E é\",true,null],\"n\":{}}".utf8)
        for length in 0..<text.count {
            #expect(throws: JSONFault.self) { try read(Array(text[..<length])) }
        }
        #expect(throws: Never.self) { try read(text) }
    }

    /// Every byte changed to every other: a tree or a fault within the text, never a trap.
    @Test func noByteTraps() {
        let text = Array("{\"k\":[1.5e+3,\"\\uD834\\uDD1E\"/*c*/,true,null],}".utf8)
        for index in text.indices {
            for byte in UInt8.min...UInt8.max {
                var changed = text
                changed[index] = byte
                do throws(JSONFault) {
                    _ = try read(changed, .policy)
                } catch {
                    #expect((0...text.count).contains(error.offset))
                }
            }
        }
    }
}
