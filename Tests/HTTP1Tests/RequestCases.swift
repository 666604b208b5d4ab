// SPDX-License-Identifier: Apache-2.0
import HTTP1
import Testing

struct BadHead: CustomTestStringConvertible, Sendable {
    let name: String
    let text: String
    let fault: HeadFault

    init(_ name: String, _ text: String, _ fault: HeadFault) {
        self.name = name
        self.text = text
        self.fault = fault
    }

    init(_ name: String, _ text: String, _ reason: MalformedReason) {
        self.init(name, text, .malformed(reason))
    }

    var testDescription: String { name }
}

struct GoodHead: CustomTestStringConvertible, Sendable {
    let name: String
    let text: String
    let framing: BodyFraming
    let keepsAlive: Bool

    init(_ name: String, _ text: String, _ framing: BodyFraming = .none, keepsAlive: Bool = true) {
        self.name = name
        self.text = text
        self.framing = framing
        self.keepsAlive = keepsAlive
    }

    var testDescription: String { name }
}

enum RequestCases {
    /// What a request with this field among others is.
    private static func post(_ fields: String, version: String = "1.1") -> String {
        "POST /a HTTP/\(version)\r\nHost: h\r\n\(fields)\r\n\r\n"
    }

    static let good: [GoodHead] = [
        GoodHead("9112 §3 shortest", "GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
        GoodHead("9112 §2.2 one empty line before", "\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"),
        GoodHead("9112 §3.2.1 with a query", "GET /a?b=c&d=%zz?e HTTP/1.1\r\nHost: h\r\n\r\n"),
        GoodHead(
            "9112 §3.2.1 what browsers leave as it is",
            "GET /a?q={x|y}^`\\ HTTP/1.1\r\nHost: h\r\n\r\n"),
        GoodHead(
            "9112 §3.2.2 absolute-form",
            "GET http://Example.com:80/x?y HTTP/1.1\r\nHost: example.COM:80\r\n\r\n"),
        GoodHead(
            "9112 §3.2.2 absolute-form without path",
            "GET https://example.com HTTP/1.1\r\nHost: example.com\r\n\r\n"),
        GoodHead(
            "9112 §3.2.2 absolute-form with query alone",
            "GET HTTP://example.com?q HTTP/1.1\r\nHost: example.com\r\n\r\n"),
        GoodHead("9112 §3.2.4 asterisk-form", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"),
        GoodHead("9110 §9.1 unknown method", "M-SEARCH /x HTTP/1.1\r\nHost: h\r\n\r\n"),
        GoodHead("9110 §7.2 IPv6 host", "GET / HTTP/1.1\r\nHost: [2001:db8::1]:8443\r\n\r\n"),
        GoodHead("9110 §7.2 host with underscore", "GET / HTTP/1.1\r\nHost: my_svc.ns\r\n\r\n"),
        GoodHead("9112 §3.2 HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n", keepsAlive: false),
        GoodHead(
            "9112 §9.3 HTTP/1.0 keep-alive", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"),
        GoodHead("9112 §9.3 close", post("Connection: close"), keepsAlive: false),
        GoodHead(
            "9112 §9.3 close beats keep-alive", post("Connection: keep-alive, , Close"),
            keepsAlive: false),
        GoodHead(
            "9112 §9.3 close in a second field",
            post("Connection: x-a\r\nConnection: close"), keepsAlive: false),
        GoodHead("9110 §8.6 Content-Length", post("content-length: 12"), .length(12)),
        GoodHead("9110 §8.6 Content-Length 0", post("Content-Length: 0"), .length(0)),
        GoodHead("9110 §8.6 leading zeros", post("Content-Length: 007"), .length(7)),
        GoodHead("9112 §6.1 chunked", post("Transfer-Encoding: chunked"), .chunked),
        GoodHead("9112 §6.1 chunked in capitals", post("TRANSFER-ENCODING:\tChunKED \t"), .chunked),
        GoodHead("9110 §5.5 opaque bytes and tabs", post("X-A: \u{e9}\tb")),
        GoodHead("9110 §5.5 empty value", post("Accept:\r\nX-Long-Name-1_2: \t ")),
        GoodHead("9110 §5.6.2 every token character", post("!#$%&'*+-.^_`|~09azAZ: v")),
        GoodHead(
            "SPEC §5 shadows do not frame",
            post("Content_Length: 5\r\nTransfer_Encoding: chunked\r\nHost_: x")),
    ]

    static let bad: [BadHead] = startLine + hosts + fieldLines + framing + connection

    private static let startLine: [BadHead] = [
        BadHead(
            "9112 §2.2 two empty lines before",
            "\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", .method),
        BadHead("9112 §2.2 bare LF before", "\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", .bareLineFeed),
        BadHead("9112 §2.2 bare CR before", "\rGET / HTTP/1.1\r\n", .bareCarriageReturn),
        BadHead("9112 §2.2 line ends in LF", "GET / HTTP/1.1\nHost: h\r\n\r\n", .bareLineFeed),
        BadHead("9112 §2.2 CR within line", "GET / HTTP/1.1\rHost: h\r\n\r\n", .bareCarriageReturn),
        BadHead("9112 §3 space first", " GET / HTTP/1.1\r\n", .method),
        BadHead("9112 §3 two spaces", "GET  / HTTP/1.1\r\nHost: h\r\n\r\n", .target),
        BadHead("9112 §3 two spaces before version", "GET /  HTTP/1.1\r\n", .version),
        BadHead("9112 §3 tab for space", "GET\t/ HTTP/1.1\r\n", .method),
        BadHead("9112 §3 space behind version", "GET / HTTP/1.1 \r\n", .version),
        BadHead("9112 §3 no version", "GET /\r\nHost: h\r\n\r\n", .target),
        BadHead("9112 §3 space in target", "GET /a b HTTP/1.1\r\n", .version),
        BadHead("9110 §9.1 method no token", "GE(T / HTTP/1.1\r\n", .method),
        BadHead("9110 §9.1 method too long", String(repeating: "M", count: 33), .method),
        BadHead("9110 §9.3.6 CONNECT", "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n", .connect),
        BadHead("9112 §2.3 lower case", "GET / http/1.1\r\n", .version),
        BadHead("9112 §2.3 no minor", "GET / HTTP/1\r\n", .version),
        BadHead("9112 §2.3 two digits", "GET / HTTP/1.10\r\n", .version),
        BadHead("9112 §2.3 garbage", "GET / HTTX/1.1\r\n", .version),
        BadHead("9110 §2.5 HTTP/2.0", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .versionUnsupported),
        BadHead("9110 §2.5 HTTP/1.2", "GET / HTTP/1.2\r\nHost: h\r\n\r\n", .versionUnsupported),
        BadHead("9110 §2.5 HTTP/0.9", "GET / HTTP/0.9\r\n", .versionUnsupported),
        BadHead("9112 §3.2 fragment", "GET /a#b HTTP/1.1\r\n", .target),
        BadHead("9112 §3.2 control in target", "GET /a\u{1}b HTTP/1.1\r\n", .target),
        BadHead("9112 §3.2 NUL in target", "GET /a\0 HTTP/1.1\r\n", .target),
        BadHead("9112 §3.2 DEL in target", "GET /aaaaaaaaa\u{7F} HTTP/1.1\r\n", .target),
        BadHead("9112 §3.2 non-ASCII in target", "GET /\u{e9} HTTP/1.1\r\n", .target),
        BadHead("9112 §3.2 quote in target", "GET /a?\"b HTTP/1.1\r\n", .target),
        BadHead("9112 §3.2 angle in target", "GET /aaaaaaaaaaa<b> HTTP/1.1\r\n", .target),
        BadHead("9112 §3.2.1 no slash", "GET a HTTP/1.1\r\nHost: h\r\n\r\n", .target),
        BadHead("9112 §3.2.4 asterisk for GET", "GET * HTTP/1.1\r\nHost: h\r\n\r\n", .target),
        BadHead("9112 §3.2.2 other scheme", "GET ftp://h/ HTTP/1.1\r\nHost: h\r\n\r\n", .target),
        BadHead(
            "9112 §3.2.2 user information",
            "GET http://u@h/ HTTP/1.1\r\nHost: h\r\n\r\n", .target),
        BadHead(
            "9112 §3.2.2 empty authority",
            "GET http:///x HTTP/1.1\r\nHost: h\r\n\r\n", .target),
        BadHead(
            "9112 §3.2.2 another authority",
            "GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n", .hostDiffers),
    ]

    private static let hosts: [BadHead] =
        [
            BadHead("9112 §3.2 no Host", "GET / HTTP/1.1\r\n\r\n", .hostMissing),
            BadHead(
                "9112 §3.2 Host_ is no Host", "GET / HTTP/1.1\r\nHost_: h\r\n\r\n", .hostMissing),
            BadHead(
                "9112 §3.2 two Hosts",
                "GET / HTTP/1.1\r\nHost: h\r\nhost: h\r\n\r\n", .hostRepeated),
            BadHead(
                "9112 §3.2 two Hosts in 1.0",
                "GET / HTTP/1.0\r\nHost: h\r\nHost: h\r\n\r\n", .hostRepeated),
        ]
        + [
            "", "a b", "a,b", "u@h", "h/", "h:", "h:0", "h:65536", "h:+1", "h:8x", ":80", "[::1",
            "[]",
            "[::1]x", "[::1%eth0]", "[g::]", "%41", "h\u{e9}",
        ].map {
            BadHead("9110 §7.2 Host '\($0)'", "GET / HTTP/1.1\r\nHost: \($0)\r\n\r\n", .hostInvalid)
        }

    private static let fieldLines: [BadHead] = [
        BadHead("9112 §5.1 space before colon", post("X-A : b"), .fieldName),
        BadHead("9112 §5.1 tab before colon", post("X-A\t: b"), .fieldName),
        BadHead("9112 §5.1 empty name", post(": b"), .fieldName),
        BadHead("9112 §5.1 no colon", post("X-A"), .fieldName),
        BadHead("9110 §5.1 name no token", post("X(A: b"), .fieldName),
        BadHead("9110 §5.1 NUL in name", post("X\0A: b"), .fieldName),
        BadHead("9110 §5.1 non-ASCII name", post("X-\u{e9}: b"), .fieldName),
        BadHead("9112 §5.2 folded line", post("X-A: b\r\n c"), .foldedLine),
        BadHead("9112 §5.2 folded by tab", post("X-A: b\r\n\tc"), .foldedLine),
        BadHead(
            "9112 §2.2 space before the first field",
            "GET / HTTP/1.1\r\n Host: h\r\n\r\n", .foldedLine),
        BadHead("9112 §2.2 field ends in LF", post("X-A: b\nX-B: c"), .bareLineFeed),
        BadHead(
            "9112 §2.2 empty line is LF",
            "GET / HTTP/1.1\r\nHost: h\r\n\n", .bareLineFeed),
        BadHead("9112 §2.2 CR in value", post("X-A: b\rc"), .bareCarriageReturn),
        BadHead("9112 §2.2 CR CR LF", post("X-A: b\r"), .bareCarriageReturn),
        BadHead("9110 §5.5 NUL in value", post("X-A: b\0"), .control),
        BadHead("9110 §5.5 escape in value", post("X-A: aaaaaaaaaaaa\u{1B}"), .control),
        BadHead("9110 §5.5 DEL in value", post("X-A: \u{7F}"), .control),
        BadHead(
            "name too long", post(String(repeating: "a", count: 256) + ": b"), .headersTooLarge),
    ]

    private static let framing: [BadHead] =
        [
            BadHead(
                "9112 §6.1 CL with TE",
                post("Content-Length: 3\r\nTransfer-Encoding: chunked"), .lengthWithCoding),
            BadHead(
                "9112 §6.1 TE with CL",
                post("Transfer-Encoding: chunked\r\nContent-Length: 3"), .lengthWithCoding),
            BadHead(
                "9110 §8.6 equal lengths",
                post("Content-Length: 3\r\nContent-Length: 3"), .contentLengthRepeated),
            BadHead(
                "9110 §8.6 other lengths",
                post("Content-Length: 3\r\nContent-Length: 4"), .contentLengthRepeated),
            BadHead(
                "9112 §6.1 TE twice",
                post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
                .transferCodingRepeated),
            BadHead(
                "9112 §6.1 TE in HTTP/1.0", post("Transfer-Encoding: chunked", version: "1.0"),
                .transferCodingVersion),
        ]
        + [
            "3, 3", "+3", "-3", "", "0x3", "3 3", "3;", "3.0", "9223372036854775808",
            "18446744073709551616", "99999999999999999999999999", "\u{e9}",
        ].map {
            BadHead("9110 §8.6 length '\($0)'", post("Content-Length: \($0)"), .contentLength)
        }
        + [
            "gzip, chunked", "chunked, chunked", "identity", "", "chunked;a=b", "xchunked",
            "chunke",
            "\"chunked\"", "chunked,", "chunked\u{e9}",
        ].map {
            BadHead("9112 §6.1 coding '\($0)'", post("Transfer-Encoding: \($0)"), .transferCoding)
        }

    private static let connection: [BadHead] = [
        BadHead("9110 §7.6.1 option no token", post("Connection: a b"), .connectionOption),
        BadHead("9110 §7.6.1 names Host", post("Connection: close, hOST"), .connectionOption),
        BadHead(
            "9110 §7.6.1 names Content-Length",
            post("Connection: content-length"), .connectionOption),
    ]
}
