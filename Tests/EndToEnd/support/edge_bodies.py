# SPDX-License-Identifier: Apache-2.0
"""Chunked bodies and their trailers: RFC 9112 section 7.1, RFC 9110 section 6.5."""

from .edge import (BROKEN_OFF, CHUNKED, PARTIAL, Outcome, case, chunks, post, refuse, served)

END = b"0\r\n\r\n"
TOO_LARGE = Outcome(413, "body_too_large", True, PARTIAL)
TOO_MANY = Outcome(431, "headers_too_large", True, PARTIAL)


def abc(**members):
    return served(method="POST", body=b"abc", **members)


def sized(text):
    """A chunk of `abc` whose size line is this text and CR LF."""
    return chunks(text + b"\r\nabc\r\n" + END)


SIZES = refuse("9112 7.1", {f"the chunk size {text!r}": sized(text) for text in [
    b"-3", b"+3", b"0x3", b"0X3", b"x3", b"3x", b"3h", b"g", b"", b" ", b" 3", b"\t3", b"3 3",
    b"3.0", b"0_3", b"3L", b"#3", b"$3", b"'3'", b'"3"', b"3,", b"3,3", b"3:", b"3=",
    b"3?", b"(3)", b"3 abc", b"3\tabc", b"3\x00", b"\x003", b"3\x0b", b"\x0c3", b"3\x7f", b"3\xa0",
    b"\xef\xbc\x93", b"\xd9\xa3", b"\xb3", b"\xef\xbb\xbf3", b"%33", b"3 ", b"3\t", b"three",
]}, BROKEN_OFF) + refuse("9112 7.1: a size that nothing holds is malformed or too large", {
    f"the chunk size {text.decode()}": sized(text) for text in [
        b"10000000000000003", b"ffffffffffffffff", b"fffffffffffffffd", b"FFFFFFFFFFFFFFF0",
        b"8000000000000003", b"7fffffffffffffff", b"100000003", b"80000003", b"fffffffd",
        b"f" * 40, b"1" + b"0" * 32 + b"3"]
}, (BROKEN_OFF, TOO_LARGE)) + [
    case("9112 7.1", f"the chunk size {text.decode()}", sized(text), abc())
    for text in (b"3", b"03", b"0003")
] + [
    case("9112 7.1", "a chunk size in either case",
         chunks(b"a\r\n0123456789\r\nB\r\n0123456789a\r\n" + END),
         served(method="POST", body=b"01234567890123456789a")),
    case("9112 7.1", "a last chunk of zeros", chunks(b"3\r\nabc\r\n0000\r\n\r\n"), abc()),
    case("9112 7.1", "chunks of one byte", chunks(b"1\r\na\r\n1\r\nb\r\n1\r\nc\r\n" + END), abc()),
    case("9112 7.1", "line ends in a chunk", chunks(b"7\r\n\r\n0\r\n\r\n\r\n" + END),
         served(method="POST", body=b"\r\n0\r\n\r\n")),
    # 1*HEXDIG; who bounds the digits, as RFC 9112 section 7.1 asks, may refuse zeros beyond.
    case("9112 7.1", "a chunk size with 13 zeros", sized(b"0" * 13 + b"3"), abc(), BROKEN_OFF),
    case("9112 7.1", "a chunk size with 16 zeros", sized(b"0" * 16 + b"3"), abc(), BROKEN_OFF),
    case("9112 7.1", "a last chunk of 17 zeros", chunks(b"3\r\nabc\r\n" + b"0" * 17 + b"\r\n\r\n"),
         abc(), BROKEN_OFF),
    case("9112 7.1", "a chunk size with 4,000 zeros", sized(b"0" * 4000 + b"3"), BROKEN_OFF,
         abc()),
]

# Pieces on either side of what a TLS record and a usual buffer hold.
PIECES = [bytes([n % 251]) * n for n in (1, 4095, 4096, 4097, 16383, 16384, 16385, 32769, 2)]
LARGE = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in PIECES)
SIZES += [
    case("9112 7.1", "chunks of many sizes", chunks(LARGE + END),
         served(method="POST", body=b"".join(PIECES))),
    case("9112 7.1", "one chunk of 100,000", chunks(b"186a0\r\n" + b"x" * 100_000 + b"\r\n" + END),
         served(method="POST", body=b"x" * 100_000)),
] + refuse("9112 7.1", {
    "a bad size behind 95,000 bytes": chunks(LARGE + b"zz\r\n" + END),
    "a bare LF behind 95,000 bytes": chunks(LARGE + b"3\nabc\r\n" + END),
    "a bad trailer behind 95,000 bytes": chunks(LARGE + b"0\r\nX : a\r\n\r\n"),
    "a chunk too long behind 95,000 bytes": chunks(LARGE + b"3\r\nabcd\r\n" + END),
}, BROKEN_OFF)

ENDS = refuse("9112 7.1", {name: chunks(body) for name, body in {
    "a bare LF after a size": b"3\nabc\r\n" + END,
    "a bare CR after a size": b"3\rabc\r\n" + END,
    "CR CR LF after a size": b"3\r\r\nabc\r\n" + END,
    "LF CR after a size": b"3\n\rabc\r\n" + END,
    "CR LF LF after a size": b"3\r\n\nabc\r\n" + END,
    "nothing after a chunk": b"3\r\nabc" + END,
    "a bare LF after a chunk": b"3\r\nabc\n" + END,
    "a bare CR after a chunk": b"3\r\nabc\r" + END,
    "LF CR after a chunk": b"3\r\nabc\n\r" + END,
    "CR CR LF after a chunk": b"3\r\nabc\r\r\n" + END,
    "two line ends after a chunk": b"3\r\nabc\r\n\r\n" + END,
    "a space after a chunk": b"3\r\nabc \r\n" + END,
    "a chunk longer than its size": b"3\r\nabcd\r\n" + END,
    "a chunk shorter than its size": b"4\r\nabc\r\n" + END,
    "two bytes for a line end": b"3\r\nabcXX" + END,
    "a bare LF after the last size": b"3\r\nabc\r\n0\n\r\n",
    "a bare CR after the last size": b"3\r\nabc\r\n0\r\r\n",
    "a bare LF for the last line": b"3\r\nabc\r\n0\r\n\n",
    "CR CR LF for the last line": b"3\r\nabc\r\n0\r\n\r\r\n",
    "bare LF to end": b"3\r\nabc\r\n0\n\n",
    "an empty line for a size": b"\r\n3\r\nabc\r\n" + END,
    "a space for the last line": b"3\r\nabc\r\n0\r\n \r\n\r\n",
}.items()}, BROKEN_OFF)

EXTENSIONS = refuse("9112 7.1.1", {f"the extension {text!r}": sized(b"3" + text) for text in [
    b";a\nb", b";a\rb", b";\n", b";a=b\n", b";a\r", b";a\x00", b";a\x0b", b";a\x7f", b";a\x01=b",
    b';a="b\nc"', b';a="b\rc"', b';a="b\x00c"', b';a="b\x7f"', b'";"', b" a", b"\x00;a",
    b"\x0b;a", b";a=\x0bb",
]}, BROKEN_OFF) + refuse("9112 7.1.1", {f"the extension {text!r}": sized(b"3" + text) for text in [
    b';a="b', b';a=b"', b';a="b"c', b';a="b\\', b";\x80", b";a=\xff", b";a b", b";a=b c", b";a=b=c",
    b";=b", b";a=", b";", b";;", b";a;", b"; ;a", b";a,b", b';"a"', b";(a)", b";a/b", b";a=[b]",
]}, BROKEN_OFF) + refuse("9112 7.1.1", {
    "a line end in a quoted extension": chunks(b'3;a="\r\nabc\r\n"\r\n' + END),
    "an extension of the last chunk with LF": chunks(b"3\r\nabc\r\n0;a\nb\r\n\r\n"),
    "an extension of the last chunk with CR": chunks(b"3\r\nabc\r\n0;a\rb\r\n\r\n"),
    "an extension of the last chunk and LF": chunks(b"3\r\nabc\r\n0;a\n\r\n"),
}, BROKEN_OFF) + refuse("9112 7.1.1: a limit on extensions", {
    "an extension of 64 KiB": sized(b"3;a=" + b"b" * 65536),
    "an extension of 64 KiB in quotes": sized(b'3;a="' + b"b" * 65536 + b'"'),
    "ten thousand extensions": sized(b"3" + b";a=b" * 10000),
    "an extension of 1,000 on each of 1,000 chunks":
        chunks((b"1;a=" + b"b" * 1000 + b"\r\nx\r\n") * 1000 + END),
}, (BROKEN_OFF, TOO_LARGE, TOO_MANY)) + [
    case("9112 7.1.1", f"the extension {text.decode()}", sized(b"3" + text), abc())
    for text in (b";a", b";a=b", b";a=b;c=d", b';a="b"', b';a="b;c"', b';a="b\\"c"', b';a="b\\\\"',
                 b';a=""', b';a="\t "', b";!#$%&'*+-.^_`|~=09", b";a;b;c", b";content-length=9")
] + [
    case("9112 7.1.1", "an extension beyond ASCII in quotes", sized(b'3;a="\xc3\xa9"'), abc()),
    case("9112 7.1.1", "an extension of the last chunk", chunks(b"3\r\nabc\r\n0;a=b\r\n\r\n"),
         abc()),
    # White space here is "bad": a recipient must take it, a strict one refuses it.
    *[case("9112 7.1.1", f"the extension {text!r} with white space", sized(b"3" + text), abc(),
           BROKEN_OFF) for text in (b" ;a", b"; a", b"\t;\ta", b";a =b", b";a= b", b";a=b ")],
]


def trailers(*lines):
    return chunks(b"3\r\nabc\r\n0\r\n" + b"".join(line + b"\r\n" for line in lines) + b"\r\n")


FORBIDDEN = [
    "Content-Length: 5", "Transfer-Encoding: chunked", "Host: b.example", "Trailer: X-Sum",
    "Connection: close", "Connection: keep-alive, x-forwarded-for", "Keep-Alive: timeout=5",
    "Upgrade: h2c", "TE: trailers", "Proxy-Authorization: Basic eDp5",
    "Authorization: Bearer evil", "X-AgentPort-TOTP: 000000", "X-AgentPort-Session: evil",
    "x-agentport-jwt: a.b.c", "X-AgentPort-User: evil", "x_agentport_jwt: a.b.c",
    "X-Forwarded-Token: evil", "X-Forwarded-User: evil", "X-Forwarded-Email: evil",
    "X-Forwarded-Groups: evil", "X-Forwarded-Preferred-Username: evil", "Remote-User: evil",
    "X-Remote-User: evil", "X-Auth-Request-User: evil", "X-Real-IP: 6.6.6.6",
    "X-Original-URL: /evil", "X-Rewrite-URL: /evil", "X-HTTP-Method-Override: DELETE",
    "X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: http", "X-Forwarded-Host: b.example",
    "Forwarded: for=6.6.6.6", "X-Request-Id: evil", "traceparent: 00-" + "1" * 32 + "-"
    + "1" * 16 + "-01",
]
TRAILERS = refuse("9112 7.1.2", {f"the trailer {text!r}": trailers(text) for text in [
    b"nonsense", b"X : a", b"X\t: a", b": a", b" X: a", b"\tX: a", b"X Y: a", b"X: a\x00b",
    b"X: a\x0bb", b"X: a\x7fb", b"X\x01: a", b"X(Y): a", b"X\xc3\xa9: a", b"X: a\rY: b",
    b"X: a\nY: b", b"X: a\r", b"X: a\r\n b", b"X: a\r\n\tb", b"X: a\n", b"GET /smuggled HTTP/1.1",
]}, BROKEN_OFF) + [
    # Who merged them would read another message: they are left out, or refused whole.
    case("9110 6.5.1", f"the trailer {line}", trailers(line.encode()), abc(), BROKEN_OFF)
    for line in FORBIDDEN
] + refuse("9110 6.5: a limit on trailers", {
    "200 trailers": trailers(*[b"X-%d: a" % n for n in range(200)]),
    "trailers of 64 KiB": trailers(*[b"X-%d: " % n + b"a" * 1000 for n in range(65)]),
    "one trailer of 64 KiB": trailers(b"X: " + b"a" * 65536),
}, (BROKEN_OFF, TOO_MANY)) + [
    case("9112 7.1.2", name, trailers(*lines), abc(trailers=seen)) for name, lines, seen in [
        ("a trailer", [b"X-Sum: 42"], (("X-Sum", "42"),)),
        ("an empty trailer", [b"X-Sum:"], (("X-Sum", ""),)),
        ("two trailers of a name", [b"X: a", b"X: b"], (("X", "a"), ("X", "b"))),
        ("a trailer amid white space", [b"X-Sum:\t a b \t"], (("X-Sum", "a b"),)),
        ("a trailer beyond ASCII", [b"X: \xe9"], (("X", "\xe9"),)),
        ("a forbidden trailer among others", [b"X: a", b"Remote-User: evil", b"Y: b"],
         (("X", "a"), ("Y", "b"))),
    ]] + [
    case("9110 6.5", "a trailer that was announced",
         post(CHUNKED, b"Trailer: X-Sum", body=b"3\r\nabc\r\n0\r\nX-Sum: 42\r\n\r\n"),
         abc(trailers=(("X-Sum", "42"),))),
    case("9110 7.6.1", "a trailer that Connection names",
         post(CHUNKED, b"Connection: x-mine", body=b"3\r\nabc\r\n0\r\nX-Mine: a\r\n\r\n"),
         abc(), BROKEN_OFF),
] + [
    # Of no use behind a body, and harmless where trailers are kept apart.
    case("9110 6.5.1", f"the trailer {name}", trailers(f"{name}: {value}".encode()), abc(),
         abc(trailers=((name, value),)), BROKEN_OFF)
    for name, value in [("Expect", "100-continue"), ("Content-Type", "text/plain"),
                        ("Content-Encoding", "gzip"), ("Max-Forwards", "0"), ("Cookie", "a=b"),
                        ("Range", "bytes=0-1"), ("If-Match", "*"), ("Cache-Control", "no-cache")]
]

ROWS = {"size": SIZES, "end": ENDS, "extension": EXTENSIONS, "trailer": TRAILERS}
