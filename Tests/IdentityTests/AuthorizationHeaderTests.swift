// SPDX-License-Identifier: Apache-2.0

import Bytes
import Identity
import Testing

@Suite("Authorization")
struct AuthorizationHeaderTests {
    /// What a value means, with its ranges resolved.
    enum Meaning: Equatable, Sendable {
        case bearer(String)
        case agentPort(String, String, String?)
        case basic(String, key: String, code: String)
        case basicTooShort
        case malformed
        case unsupported
    }

    static func meaning(_ value: [UInt8]) -> Meaning {
        func text(_ range: Range<Int>) -> String { String(decoding: value[range], as: UTF8.self) }
        switch AuthorizationHeader.parse(value.span) {
        case .bearer(let token): return .bearer(text(token))
        case .agentPort(let agent, let key, let totp):
            return .agentPort(text(agent), text(key), totp.map(text))
        case .basic(let basic):
            func part(_ range: Range<Int>) -> String {
                String(decoding: basic.decoded[range], as: UTF8.self)
            }
            guard let (key, code) = basic.split(digits: 6) else { return .basicTooShort }
            return .basic(part(basic.agent), key: part(key), code: part(code))
        case .malformed: return .malformed
        case .unsupported: return .unsupported
        }
    }

    static func meaning(_ value: String) -> Meaning { meaning(Array(value.utf8)) }

    @Test(arguments: [
        ("Bearer abc", Meaning.bearer("abc")),
        ("bearer  abc", .bearer("abc")),
        ("BEARER a-b.c_d~e+f/g==", .bearer("a-b.c_d~e+f/g==")),
        ("Bearer abc ", .bearer("abc")),
        ("Bearer", .malformed),
        ("Bearer ", .malformed),
        ("Bearer =", .malformed),
        ("Bearer a=b", .malformed),
        ("Bearer a b", .malformed),
        ("Bearer a,b", .malformed),
        ("Bearer \"abc\"", .malformed),
        ("Bearer\tabc", .malformed),
        ("Bearer abc\0", .malformed),
        ("Bearer abc\u{e9}", .malformed),
        (" Bearer abc", .malformed),
        ("", .malformed),
        ("Bearer,abc", .malformed),
        ("Digest username=\"x\"", .unsupported),
        ("Negotiate", .unsupported),
        ("BearerX abc", .unsupported),
        ("ap_abc", .unsupported),
    ])
    func bearer(value: String, expected: Meaning) {
        #expect(Self.meaning(value) == expected)
    }

    @Test(arguments: [
        (
            #"AgentPort agent="w-1", key="k", totp="123456""#,
            Meaning.agentPort("w-1", "k", "123456")
        ),
        (#"agentport AGENT=w-1,KEY=k,TOTP=123456"#, .agentPort("w-1", "k", "123456")),
        ("AgentPort key = \"k\"\t,\tagent = w", .agentPort("w", "k", nil)),
        (#"AgentPort totp="", agent="w", key="k""#, .agentPort("w", "k", "")),
        (#"AgentPort agent="w;=, 1", key="k""#, .agentPort("w;=, 1", "k", nil)),
        (#"AgentPort agent="w", key="k" "#, .agentPort("w", "k", nil)),
        (#"AgentPort agent="w""#, .malformed),
        (#"AgentPort key="k", totp="1""#, .malformed),
        (#"AgentPort agent="", key="k""#, .malformed),
        (#"AgentPort agent="w", key="""#, .malformed),
        (#"AgentPort agent="w", agent="w", key="k""#, .malformed),
        (#"AgentPort agent="w", Agent="v", key="k""#, .malformed),
        (#"AgentPort agent="w", key="k", totp="1", totp="2""#, .malformed),
        (#"AgentPort agent="w", key="k", realm="x""#, .malformed),
        (#"AgentPort agent="w", key="k\"""#, .malformed),
        (#"AgentPort agent="w", key="a\b""#, .malformed),
        (#"AgentPort agent="w", key="k"#, .malformed),
        (#"AgentPort agent="w", key="#, .malformed),
        (#"AgentPort agent="w", key"#, .malformed),
        (#"AgentPort agent="w",, key="k""#, .malformed),
        (#"AgentPort agent="w", key="k","#, .malformed),
        (#"AgentPort , agent="w", key="k""#, .malformed),
        (#"AgentPort agent="w" key="k""#, .malformed),
        (#"AgentPort agent="w"x, key="k""#, .malformed),
        ("AgentPort agent=\"w\u{1}\", key=\"k\"", .malformed),
        ("AgentPort agent=\"w\u{e9}\", key=\"k\"", .malformed),
        (#"AgentPort YWJj"#, .malformed),
        (#"AgentPort"#, .malformed),
    ])
    func agentPort(value: String, expected: Meaning) {
        #expect(Self.meaning(value) == expected)
    }

    static func encoded(_ text: String) -> String {
        let bytes = Array(text.utf8)
        let digits = Base64URL.encode(bytes.span).replacing("-", with: "+").replacing(
            "_", with: "/")
        return "Basic " + digits + String(repeating: "=", count: (4 - digits.utf8.count % 4) % 4)
    }

    @Test(arguments: [
        (encoded("w:key123456"), Meaning.basic("w", key: "key", code: "123456")),
        (encoded("w:k:y>?~123456"), .basic("w", key: "k:y>?~", code: "123456")),
        ("basic dzprZXkxMjM0NTY=", .basic("w", key: "key", code: "123456")),
        ("Basic dzprZXkxMjM0NTY", .basic("w", key: "key", code: "123456")),
        (encoded("w:123456"), .basicTooShort),
        (encoded("w:key12345x"), .basicTooShort),
        (encoded("w:k"), .basicTooShort),
        (encoded("w:"), .malformed),
        (encoded(":key123456"), .malformed),
        (encoded("key123456"), .malformed),
        (encoded("w:key\u{0}123456"), .malformed),
        (encoded("w\n:key123456"), .malformed),
        ("Basic dzprZXkxMjM0NTY===", .malformed),
        ("Basic dzpr ZXk", .malformed),
        ("Basic dzprZXkxMjM0NTZ=", .malformed),
        ("Basic", .malformed),
    ])
    func basic(value: String, expected: Meaning) {
        #expect(Self.meaning(value) == expected)
    }

    @Test func lengthIsBounded() {
        let room = AuthorizationHeader.valueCountMax
        let longest = "Bearer " + String(repeating: "a", count: room - 7)
        #expect(Self.meaning(longest) != .malformed)
        #expect(Self.meaning(longest + "a") == .malformed)
    }

    /// Any cut, and any byte in any place, gives an answer.
    @Test(arguments: [
        "Bearer abc==", #"AgentPort agent="w", key=k, totp="1""#, "Basic dzprZXkxMjM0NTY=",
    ])
    func anyBytesGiveAnAnswer(value: String) {
        let bytes = Array(value.utf8)
        for end in bytes.indices { _ = Self.meaning(Array(bytes[..<end])) }
        for index in bytes.indices {
            for byte in UInt8.min...UInt8.max {
                var changed = bytes
                changed[index] = byte
                _ = Self.meaning(changed)
            }
        }
    }

    @Test func splittingABasicSecret() {
        let value = Array(Self.encoded("w:key12345678").utf8)
        guard case .basic(let basic) = AuthorizationHeader.parse(value.span) else {
            Issue.record("not Basic")
            return
        }
        #expect(basic.split(digits: 8)?.key == 2..<5)
        #expect(basic.split(digits: 8)?.code == 5..<13)
        #expect(basic.split(digits: 0) == nil)
        #expect(basic.split(digits: -1) == nil)
        #expect(basic.split(digits: 11) == nil)
        #expect(basic.secret == 2..<13)
    }
}
