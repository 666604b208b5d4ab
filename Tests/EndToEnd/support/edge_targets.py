# SPDX-License-Identifier: Apache-2.0
"""Request lines: methods, targets, versions and paths. RFC 9112 sections 2 and 3, RFC 9110
section 9, RFC 3986 section 6.2.2, and what the gateway promises of paths."""

from .edge import (AMBIGUOUS, CONTROLS, DELIMITERS, MALFORMED, NO_METHOD, NOTHING, VERSION, Outcome,
                   case, get, post, refuse, served, shown)

CR, LF, SPACE = 0x0D, 0x0A, 0x20
BAD_IN_TARGET = [*(c for c in CONTROLS if c != LF), 0x80, 0xA0, 0xC3, 0xFF]


def line(text):
    return get(line=text)


def to(target, method=b"GET"):
    return line(method + b" " + target + b" HTTP/1.1")


METHODS = refuse("9110 9.1", {
    f"{shown(c)} in the method": line(b"G%cT /x HTTP/1.1" % c)
    for c in [*CONTROLS, *(d for d in DELIMITERS if d != SPACE), 0x80, 0xFF]
}, alike=True) + refuse("9112 3", {
    f"{shown(c)} first in the line": line(b"%cGET /x HTTP/1.1" % c)
    for c in (0x00, 0x0B, 0x0C, 0x1B, 0x20, 0x22, 0x7F, 0x80, 0xFF)
}) + refuse("9112 3", {
    "no method": line(b" /x HTTP/1.1"),
    "no method and no space": line(b"/x HTTP/1.1"),
    "a response for a request": line(b"HTTP/1.1 200 OK"),
}) + [
    case("9110 9.1", f"the method {name}", post(line=name.encode() + b" /x HTTP/1.1",
                                                 *[b"Content-Length: 0"]), served(method=name))
    for name in ("get", "Post", "post", "GETS", "X", "MKCOL", "PROPFIND", "M-SEARCH", "QUERY",
                 "a!#$%&'*+-.^_`|~09", "trace", "connect", "pri")
] + [
    case("9110 9.3.2", "HEAD", line(b"HEAD /x HTTP/1.1"), served(method="HEAD"), method="HEAD"),
    case("9110 9.3.7", "OPTIONS of a path", line(b"OPTIONS /x HTTP/1.1"),
         served(method="OPTIONS")),
    # What TRACE shows the client holds what the gateway added: RFC 9110 section 9.3.8 forbids to
    # send it on with what is secret in it, as the signed identity is.
    case("9110 9.3.8", "TRACE", line(b"TRACE /x HTTP/1.1"), NO_METHOD),
    case("9110 9.3.8", "TRACE with a body",
         post(b"Content-Length: 5", body=b"hello", line=b"TRACE /x HTTP/1.1"), NO_METHOD,
         MALFORMED),
    case("9110 9.3.8", "TRACE with Max-Forwards", get(b"Max-Forwards: 5",
                                                      line=b"TRACE /x HTTP/1.1"), NO_METHOD),
    case("9110 7.6.2", "OPTIONS with Max-Forwards: 0",
         get(b"Max-Forwards: 0", line=b"OPTIONS /x HTTP/1.1"), NO_METHOD,
         *[Outcome(status, None, None, NOTHING) for status in (200, 204)]),
    case("9110 7.6.2", "GET with Max-Forwards: 0", get(b"Max-Forwards: 0"), served()),
    # No tunnel is made, and what follows might be meant for one: nothing of it is a request.
    *[case("9110 9.3.6", f"CONNECT {name}", post(*more, line=b"CONNECT " + target + b" HTTP/1.1"),
           MALFORMED, Outcome(405, "method_not_allowed", True, NOTHING))
      for name, target, more in [
          ("to an authority", b"a.example:443", []), ("to a path", b"/x", []),
          ("to an absolute target", b"https://a.example/x", []), ("to an asterisk", b"*", []),
          ("with a length", b"a.example:443", [b"Content-Length: 0"]),
          ("in chunks", b"a.example:443", [b"Transfer-Encoding: chunked"])]],
]

VERSIONS = refuse("9112 2.3", {
    f"the version {text!r}": line(b"GET /x " + text.encode()) for text in (
        "http/1.1", "Http/1.1", "HTTP/1.10", "HTTP/1.01", "HTTP/01.1", "HTTP/10.0", "HTTP/1",
        "HTTP/1.", "HTTP/.1", "HTTP/", "HTTP", "HTTP/1,1", "HTTP/1.x", "HTTP/-1.1", "HTTP/+1.1",
        "HTTP/1.1.1", "HTTP/ 1.1", "HTTP /1.1", "HTTPS/1.1", "XHTTP/1.1", "HTTP\\1.1", "ICY/1.1",
        "HTTP/1.1x", "HTTP/1.1;", "HTTP/1.1,", "HTTP/1.1\x00", "HTTP/1.1\x0b", "\u00a0HTTP/1.1",
        "HTTP/1.\u0661", "HTTP/1.1 HTTP/1.1")
}) + refuse("9110 2.5", {
    f"the version {text}": line(b"GET /x " + text.encode())
    for text in ("HTTP/0.9", "HTTP/2.0", "HTTP/3.0", "HTTP/9.9", "HTTP/0.0", "HTTP/2.1")
}, VERSION) + [
    # A higher minor version is read as the highest that is known; a strict gateway takes none.
    case("9110 2.5", "the version HTTP/1.2", line(b"GET /x HTTP/1.2"), VERSION, served()),
    case("9110 2.5", "the version HTTP/1.9", line(b"GET /x HTTP/1.9"), VERSION, served()),
    case("9112 2.3", "the version HTTP/1.0", line(b"GET /x HTTP/1.0"), served(closes=True)),
    case("9112 3", "a request line of HTTP/0.9", line(b"GET /x"), MALFORMED),
    case("9112 3", "a request line of HTTP/0.9 and a space", line(b"GET /x "), MALFORMED),
    case("9113 3.4", "the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", VERSION,
         MALFORMED),
    case("9113 3.4", "the preface of HTTP/2 and a frame",
         b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0", VERSION, MALFORMED),
    case("7540 3.5", "the preface with fields", line(b"PRI * HTTP/2.0"), VERSION, MALFORMED),
]

SPACES = refuse("9112 3: single spaces, though parsers may split at more", {
    "two spaces before the target": line(b"GET  /x HTTP/1.1"),
    "two spaces before the version": line(b"GET /x  HTTP/1.1"),
    "a space behind the version": line(b"GET /x HTTP/1.1 "),
    "a tab behind the version": line(b"GET /x HTTP/1.1\t"),
    "a space in the target": line(b"GET /x /y HTTP/1.1"),
    "no target": line(b"GET  HTTP/1.1"),
    "no target and one space": line(b"GET HTTP/1.1"),
    "no spaces": line(b"GET/xHTTP/1.1"),
    "nothing but spaces": line(b"  "),
    **{f"{shown(c)} for the {which} space": line(text % c)
       for c in (0x09, 0x0B, 0x0C, 0x0D, 0x00, 0x1C, 0x85, 0xA0)
       for which, text in (("first", b"GET%c/x HTTP/1.1"), ("second", b"GET /x%cHTTP/1.1"))},
}, alike=True)

A_HOST = (("Host", "a.example"),)
FORMS = refuse("9112 3.2", {
    f"{shown(c)} in the target": to(b"/a%cb" % c) for c in BAD_IN_TARGET
}, alike=True) + refuse("9112 3.2", {
    f"{shown(c)} in the query": to(b"/a?b%cc" % c) for c in (0x00, 0x09, 0x0B, 0x0D, 0x7F, 0x80)
}) + refuse("9112 3.2", {f"the target {t.decode('latin-1')}": to(t) for t in [
    b"x", b"x/y", b"?x", b".", b"..", b"./x", b"\\x", b"%2fx", b"/x#y", b"/#", b"/x?y#z",
    b"a.example:443", b"a.example", b":443", b"*/", b"**", b"/%", b"/%4", b"/%zz", b"/%0x",
    b"/%%31%31", b"/%u002f", b"/%4\xc3", b"/?#"]
}) + refuse("9112 3.2.4", {
    f"{m.decode()} *": to(b"*", m) for m in (b"GET", b"POST", b"HEAD", b"DELETE", b"options")
}) + refuse("9110 4.2", {
    f"the target {t.decode('latin-1')}": to(t) for t in [
        b"https:///x", b"https://", b"https:/x", b"https:x", b"https:", b"http:///x",
        b"ftp://a.example/x", b"file:///x", b"ws://a.example/x", b"://a.example/x",
        b"https//a.example/x", b"https://u@a.example/x", b"https://u:p@a.example/x",
        b"https://@a.example/x", b"https://a.example/x#y", b"https://a.example:x/",
        b"https://[::1/x", b"https://a.example\\@b.example/x", b"https://a%zz/x",
        b"https:\\\\a.example\\x", b"https://:443/x", b"1https://a.example/x"]
}) + [case("9112 3.2.2", f"the target {sent}", to(sent.encode()),
           served(target=seen, fields=A_HOST), *also)
      for sent, seen, *also in [
          ("https://a.example/x", "/x"), ("https://a.example", "/"),
          ("https://a.example/", "/"), ("https://a.example?y", "/?y"),
          ("HTTPS://a.example/x", "/x"), ("https://a.example/a/../b?q", "/b?q"),
          # It came by TLS: a strict gateway may refuse a scheme that says otherwise.
          ("http://a.example/x", "/x", MALFORMED)]
      ] + [
    case("9112 3.2.2", "an absolute target with a port",
         get(line=b"GET https://a.example:8443/x HTTP/1.1", host=b"Host: a.example:8443"),
         served(fields=(("Host", "a.example:8443"),))),
    # The target's authority counts and the field does not, or the two are refused.
    *[case("9112 3.2.2", f"an absolute target that disagrees with Host {host.decode('latin-1')!r}",
           get(line=b"GET https://a.example/x HTTP/1.1", host=b"Host: " + host),
           served(fields=A_HOST), MALFORMED)
      for host in (b"b.example", b"", b"a.example:8443", b"a.example.", b"a.example:443")],
    case("9110 4.2.3", "an absolute target that agrees with Host but for case",
         get(line=b"GET https://a.example/x HTTP/1.1", host=b"Host: A.Example"), served()),
    # No route is a server's whole; who serves it at all sends it on as it is.
    case("9112 3.2.4", "OPTIONS *", to(b"*", b"OPTIONS"),
         *[Outcome(s, c, None, NOTHING) for s, c in
           ((404, "no_route"), (400, "http_malformed"), (200, None), (204, None),
            (405, "method_not_allowed"))],
         served(method="OPTIONS", target="*")),
]


def ambiguous(*targets):
    return refuse("path_ambiguous", {f"the path {t.decode()}": to(t) for t in targets}, AMBIGUOUS)


PATHS = ambiguous(
    b"/a%2fb", b"/a%2Fb", b"/%2f", b"/%2f%2e%2e%2fx", b"/a%2f", b"/a%2f..%2fb", b"/a/..%2fb",
    b"/a/%2e%2e%2fb", b"/a%00b", b"/%00", b"/a%00", b"/a.json%00.txt", b"/a\\b", b"/\\", b"/a\\",
    b"/a\\..\\b", b"/..\\b", b"/a/..\\", b"/a%5cb", b"/a%5Cb", b"/..%5cb",
    b"/a/..;/b", b"/a/.;/b", b"/a/..;x=y/b", b"/..;/b", b"/a;/../b", b"/a;x=y/../b", b"/a;/./b",
    b"/a;/%2e%2e/b", b"/a/%2e%2e;/b", b"/a/%2e;/b", b"/a/.%2e;/b", b"/a/b;/..", b"/a/..;",
) + [case("path normalised, " + rule, f"the path {sent}", to(sent.encode()), served(target=seen))
     for rule, sent, seen in [
         ("3986 6.2.2.3", "/a/./b", "/a/b"), ("3986 6.2.2.3", "/a/../b", "/b"),
         ("3986 6.2.2.3", "/./a", "/a"), ("3986 6.2.2.3", "/../a", "/a"),
         ("3986 6.2.2.3", "/../../../a", "/a"), ("3986 6.2.2.3", "/a/..", "/"),
         ("3986 6.2.2.3", "/a/.", "/a/"), ("3986 6.2.2.3", "/.", "/"),
         ("3986 6.2.2.3", "/..", "/"), ("3986 6.2.2.3", "/a/b/c/./../../g", "/a/g"),
         ("3986 6.2.2.3", "/.../a", "/.../a"), ("3986 6.2.2.3", "/.a/..b/a./b..",
                                                "/.a/..b/a./b.."),
         ("3986 6.2.2.2", "/%2e/a", "/a"), ("3986 6.2.2.2", "/%2E%2e/a", "/a"),
         ("3986 6.2.2.2", "/a/.%2e/b", "/b"), ("3986 6.2.2.2", "/a/%2e./b", "/b"),
         ("3986 6.2.2.2", "/%61%7E%2d%2E%5f%41%30", "/a~-._A0"),
         ("empty segments", "//", "/"), ("empty segments", "//a", "/a"),
         ("empty segments", "/a//b", "/a/b"), ("empty segments", "/a///b//", "/a/b/"),
         ("empty segments", "//a.example/x", "/a.example/x"),
         ("empty segments", "/.//a", "/a"),
         ("query untouched", "/x?/../%2f%00%2e\\;", "/x?/../%2f%00%2e\\;"),
         ("query untouched", "/x?a=b?c=//d", "/x?a=b?c=//d"), ("query untouched", "/x?", "/x?"),
         ("query untouched", "/a/../x??", "/x??"),
         ("sub-delims", "/!$&'()*+,=:@", "/!$&'()*+,=:@"),
         ("parameters", "/a;v=1/b;w", "/a;v=1/b;w"), 
         ("escapes kept", "/a%20b", "/a%20b"), ("escapes kept", "/100%25", "/100%25"),
         ("escapes kept", "/a%3Fb", "/a%3Fb"), ("escapes kept", "/a%23b", "/a%23b"),
         ("escapes kept", "/a%3Bb", "/a%3Bb"),
         ("escapes kept", "/%C3%A9", "/%C3%A9"), ("case kept", "/A/b", "/A/b")]
     ] + [case("another server would read another path, or none", f"the path {sent}",
               to(sent.encode()), served(target=sent), AMBIGUOUS)
          for sent in ("/;", "/a%0D%0Ab", "/a%01b", "/a%7Fb", "/a%252fb", "/a%255cb",
                       "/%252e%252e/a", "/a%2500b", "/a%25252fb", "/%C0%AE%C0%AE/a", "/a%C0%AFb",
                       "/a%EF%BC%8Fb", "/a/..%3B/b", "/a;../b", "/a;./b", "/a%3B/b")
          ] + [
    case("3986 6.2.2.3", "a path of a thousand dot segments",
         to(b"/a" + b"/b/.." * 1000 + b"/c"), served(target="/a/c")),
    case("3986 6.2.2.2", "a path of a thousand escapes", to(b"/" + b"%61" * 1000),
         served(target="/" + "a" * 1000)),
    case("path_ambiguous", "a separator behind a thousand segments",
         to(b"/a" * 1000 + b"%2f"), AMBIGUOUS),
    # Whether an empty segment is one that `..` takes away, two servers see in two ways; what
    # was matched goes upstream.
    case("3986 5.2.4", "the path /a//../b", to(b"/a//../b"), served(target="/b"),
         served(target="/a/b"), AMBIGUOUS),
] + [case("3986 3.3: no path has this character unescaped", f"the path /a{chr(c)}b",
          to(b"/a%cb" % c), MALFORMED, served(target=f"/a{chr(c)}b"),
          served(target=f"/a%{c:02X}b")) for c in b'"<>^`{|}[]']

ROWS = {"method": METHODS, "version": VERSIONS, "space": SPACES, "form": FORMS, "path": PATHS}
