// SPDX-License-Identifier: Apache-2.0
import Bytes
import HTTP1
import Testing

@Suite("Request targets")
struct RequestTargetTests {
    /// The whole target as it would go upstream, or the fault.
    private func judge(_ text: String) -> (Result<String, TargetFault>, JudgedTarget?) {
        var pool = SlabPool(bound: 1)
        var scratch = Buffer()
        _ = scratch.attach(from: &pool)
        defer { scratch.release(to: &pool) }
        let bytes = Array(text.utf8)
        do {
            let judged = try RequestTarget.judge(bytes.span, scratch: &scratch)
            if judged.isRewritten {
                return (.success(scratch.readable.extracting(judged.whole).string), judged)
            }
            return (.success(bytes.span.extracting(judged.whole).string), judged)
        } catch {
            return (.failure(error), nil)
        }
    }

    @Test(
        "that mean one thing pass as they are",
        arguments: [
            "/", "/a", "/a/", "/tools/invoke", "/a.b/c..d/e.", "/a?b", "/?", "*",
            "/a?b=/../c;//%2f\\%zz", "/v1/chat/completions?x=1", "/a:b@c,d=e+f!~(g)'*$&",
            "/1234567/89abcde", "/1234567",
        ])
    func plain(_ text: String) {
        let (result, judged) = judge(text)
        #expect(result == .success(text))
        #expect(judged?.isRewritten == false)
    }

    @Test(
        "are normalised",
        arguments: [
            ("/%61", "/a"), ("/%41%7a%7E%2d%2E%5f0", "/Az~-._0"), ("/a%3ab", "/a%3Ab"),
            ("/%C3%a9", "/%C3%A9"), ("/%20?%20", "/%20?%20"), ("/%252f", "/%252f"),
            ("/%3f?x", "/%3F?x"),
            ("//", "/"), ("//a", "/a"), ("/a//b", "/a/b"), ("/a//", "/a/"),
            ("///a///b///", "/a/b/"),
            ("/.", "/"), ("/./", "/"), ("/a/.", "/a/"), ("/a/./b", "/a/b"), ("/.//a", "/a"),
            ("/a/..", "/"), ("/a/../", "/"), ("/a/b/..", "/a/"), ("/a/b/../c", "/a/c"),
            ("/a/b/../../c?d", "/c?d"), ("/a/%2e%2E/b", "/b"), ("/a/.%2e/b", "/b"),
            ("/%2e/b", "/b"),
            ("/...", "/..."), ("/.a", "/.a"), ("/..a/b", "/..a/b"), ("/a;b", "/a;b"),
            ("/a;b/c", "/a;b/c"),
            ("/a..;b", "/a..;b"), ("/.well-known/jwks.json", "/.well-known/jwks.json"), ("", "/"),
            ("?a", "/?a"), ("/a/../b//c", "/b/c"), ("/1234567//", "/1234567/"),
            ("/123456//8", "/123456/8"),
            ("/12345//78", "/12345/78"), ("/1234567/.", "/1234567/"),
            ("/..", "/"), ("/../", "/"), ("/../a", "/a"), ("/a/../..", "/"), ("/a/../../b", "/b"),
            ("/%2e%2e/a", "/a"), ("/./../a", "/a"), ("/a//../b", "/b"), ("//../a", "/a"),
            ("/a//b/../../c", "/c"),
        ])
    func normalised(_ text: String, _ expected: String) {
        let (result, _) = judge(text)
        #expect(result == .success(expected))
        // Normalisation is done once and for all.
        #expect(judge(expected).0 == .success(expected))
    }

    @Test(
        "that two servers read differently are refused",
        arguments: [
            "/a%2fb", "/a%2Fb", "/%00", "/a%00", "/%0d%0a", "/%1f", "/%7f", "/a\\b", "/\\",
            "/a%5cb",
            "/a%5C..%5cb",
            "/..;/a", "/a/..;/b", "/a/.;/b", "/a/..;x=y", "/a/%2e%2e;/b", "/a/..%3b/b", "/a/..%3B",
            "/;/a", "/a/;x/b", "/;", "/a;x/../b", "/a;x/./b", "/a%3bx/../b",
        ])
    func ambiguous(_ text: String) {
        #expect(judge(text).0 == .failure(.ambiguous))
        #expect(judge(text + "?q").0 == .failure(.ambiguous))
    }

    @Test(
        "that are no paths are malformed",
        arguments: ["/%", "/%4", "/%zz", "/%4g", "/a%", "/%%41", "a", "a/../b", "**", "/%?41"])
    func malformed(_ text: String) {
        #expect(judge(text).0 == .failure(.malformed))
    }

    @Test(
        "keep path and query apart",
        arguments: [
            ("/a/b?c?d", "/a/b", "c?d"), ("/a//b?c", "/a/b", "c"), ("/a", "/a", ""),
            ("/a?", "/a", ""), ("//a?", "/a", ""),
        ])
    func parts(_ text: String, _ path: String, _ query: String) throws {
        let (result, judged) = judge(text)
        let whole = Array(try result.get().utf8)
        let parts = try #require(judged)
        #expect(String(decoding: whole[parts.path], as: UTF8.self) == path)
        #expect(String(decoding: whole[parts.query], as: UTF8.self) == query)
    }

    /// A path that passes as it is has nothing in it that the slow way would change, and what the
    /// slow way writes is final.
    @Test("random paths are stable under normalisation", arguments: 0..<4)
    func random(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let pieces = [
            "/", "/", "a", "b", ".", ".", "%2e", "%61", ";", "%2f", "c", "//", "..", "\\", "%3B",
        ]
        for _ in 0..<20_000 {
            var text = "/"
            for _ in 0..<Int.random(in: 0..<12, using: &random) {
                text += pieces[Int.random(in: 0..<pieces.count, using: &random)]
            }
            let (result, judged) = judge(text)
            guard case .success(let path) = result else { continue }
            if judged?.isRewritten == false {
                #expect(path == text)
            }
            let segments = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
            let isNormal =
                path.hasPrefix("/") && !segments.dropLast().contains("")
                && !segments.contains(".") && !segments.contains("..")
                && !path.contains("\\") && !path.contains("%2F") && !path.contains("%2f")
                && !path.contains("%61") && !path.contains("%2e")
            if !isNormal { Issue.record("\(text) became \(path)") }
            if judge(path).0 != .success(path) { Issue.record("\(path) is not final") }
        }
    }
}
