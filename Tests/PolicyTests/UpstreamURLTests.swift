// SPDX-License-Identifier: Apache-2.0

import Policy
import Testing

@Suite struct UpstreamURLTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let text: String
        let label: String
        let authority: String
        let description: String
        let isTLS: Bool

        init(
            _ text: String, _ label: String, host authority: String, isTLS: Bool = false,
            as description: String? = nil
        ) {
            self.text = text
            self.label = label
            self.authority = authority
            self.description = description ?? text
            self.isTLS = isTLS
        }

        var testDescription: String { text }
    }

    static let cases: [Case] = [
        Case("http://openclaw:8080", "openclaw:8080", host: "openclaw:8080"),
        Case("http://127.0.0.1:1/", "127.0.0.1:1", host: "127.0.0.1:1", as: "http://127.0.0.1:1"),
        Case("http://[::1]:80", "[::1]:80", host: "[::1]"),
        Case("http://Host", "host:80", host: "host", as: "http://host:80"),
        Case("http://host:443", "host:443", host: "host:443"),
        Case("https://claw", "claw:443", host: "claw", isTLS: true, as: "https://claw:443"),
        Case("https://claw:443/", "claw:443", host: "claw", isTLS: true, as: "https://claw:443"),
        Case("https://claw:80", "claw:80", host: "claw:80", isTLS: true),
        Case("https://10.0.0.1:8443", "10.0.0.1:8443", host: "10.0.0.1:8443", isTLS: true),
        Case(
            "https://[2001:DB8::1]", "[2001:db8::1]:443", host: "[2001:db8::1]", isTLS: true,
            as: "https://[2001:db8::1]:443"),
        Case("unix:/run/claw.sock", "unix:/run/claw.sock", host: "localhost"),
        Case("unix:/\u{301}/a", "unix:/\u{301}/a", host: "localhost"),
        Case("unix:///run/./a", "unix:/run/a", host: "localhost", as: "unix:/run/a"),
        Case("unix:/run/a b@c?d#é", "unix:/run/a b@c?d#é", host: "localhost"),
    ]

    @Test(arguments: cases)
    func reads(_ expected: Case) throws {
        let url = try UpstreamURL(expected.text)
        #expect(url.label == expected.label)
        #expect(url.authority == expected.authority)
        #expect(url.description == expected.description)
        #expect(url.isTLS == expected.isTLS)
        // What is printed means the same.
        #expect(try UpstreamURL(url.description) == url)
    }

    @Test func schemesTellEndpointsApart() throws {
        #expect(try UpstreamURL("http://a:443") != UpstreamURL("https://a"))
        #expect(try UpstreamURL("http://a:80") == UpstreamURL("http://A/"))
        #expect(try UpstreamURL("unix:/a").address == nil)
    }

    /// `sun_path` has 108 bytes, one of them for the NUL at its end.
    @Test func aSocketsPathHasABound() throws {
        let longest = "/" + String(repeating: "a", count: 106)
        #expect(try UpstreamURL("unix:\(longest)").place == .unix(path: longest))
        #expect(Self.fault("unix:\(longest)a") == Self.relative)
        // Bytes, not characters: these are two each.
        #expect(Self.fault("unix:/" + String(repeating: "é", count: 54)) == Self.relative)
    }

    private static let schemes = "it must begin with `http://`, `https://` or `unix:/`"
    private static let relative =
        "`unix:` must be followed by an absolute path of at most 107 bytes"
    private static let folder = "`unix:` must be followed by the path of a socket, not a folder"
    private static let path = "only scheme, host and port are allowed in it, no path"
    private static let host = "malformed host or port"

    static let refused: [(String, String)] = [
        ("", schemes), ("openclaw:8080", schemes), ("HTTP://a", schemes), ("ftp://a", schemes),
        ("https:a", schemes), (" http://a", schemes), ("http+unix://a", schemes),
        ("unix", schemes), ("UNIX:/a", schemes),
        ("unix:", relative), ("unix:run/a", relative), ("unix:./a", relative),
        ("unix: /a", relative), ("unix:/", folder), ("unix:/run/", folder), ("unix:/run/.", folder),
        ("unix://", folder), ("unix:/a\u{0}b", "a path cannot hold a NUL"),
        ("http://u:p@a:1", "a user or password is not allowed in it"),
        ("https://u@a", "a user or password is not allowed in it"),
        ("http://a:1/v1", path), ("https://a/v1", path), ("http://a:1?x", path),
        ("http://a:1#x", path), ("http://a:1//", path),
        ("http://", host), ("https://", host), ("http://:80", host), ("http://a:", host),
        ("http://a:0", host), ("https://a:65536", host), ("http://a b", host),
        ("http://a ", host), ("http://::1", host), ("https://[::1", host), ("http://1.2.3", host),
    ]

    @Test(arguments: refused)
    func refuses(text: String, reason: String) {
        #expect(Self.fault(text) == reason)
    }

    private static func fault(_ text: String) -> String? {
        do throws(UpstreamURL.Fault) {
            _ = try UpstreamURL(text)
            return nil
        } catch {
            return error.reason
        }
    }
}
