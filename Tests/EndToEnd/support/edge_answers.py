# SPDX-License-Identifier: Apache-2.0
"""Rows of raw answers an upstream might give, and what may come of each: RFC 9112 sections 4 to
7, RFC 9110 sections 6.4, 8.6 and 15."""

from dataclasses import dataclass

from . import edge_bodies
from .edge import BROKEN_OFF, CONTROLS, DELIMITERS, shown
from .edge_families import HIDDEN

OK = b"HTTP/1.1 200 OK\r\n"
TWO = b"Content-Length: 2\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
ABC = b"3\r\nabc\r\n0\r\n\r\n"
TAB, LF, COLON = 0x09, 0x0A, 0x3A


@dataclass(frozen=True)
class Got:
    """What the client may receive. `interim` None: any that were sent, or none of them."""

    status: int = 200
    body: bytes = b""
    fields: tuple = ()   # each stands exactly so, and no other field has its name
    absent: tuple = ()
    trailers: tuple = ()
    interim: tuple | None = ()


@dataclass(frozen=True)
class Answer:
    """A row: an upstream's bytes, and the outcomes that are right."""

    name: str
    rule: str
    raw: bytes
    allowed: tuple
    method: str = "GET"
    version: str = "1.1"
    ends: str | None = None   # how the upstream ends its connection: "close", "reset"
    reused: bool | None = None  # whether its connection may serve another request (None: either)
    # Bytes that come after the next request went out look like its answer to anyone: such rows
    # are tried one after another, each with time for all of it to come first.
    alone: bool = False
    alike: bool = False  # as in `Case`
    fault: str | None = None


BAD, CUT = "502", "502, or begun and visibly cut short"


def bad(rule, rows, outcome=BAD, **members):
    return [Answer(name, rule, raw, (outcome,), reused=False, **members)
            for name, raw in rows.items()]


def good(rule, name, raw, *allowed, **members):
    return Answer(name, rule, raw, allowed, **members)


def ok(*lines, body=b"ok", first=OK):
    """An answer of 200 with a length of 2, and these field lines before it."""
    return first + b"".join(line + b"\r\n" for line in lines) + TWO + b"\r\n" + body


STATUS_LINES = bad("9112 4", {f"the status line {text!r}": ok(first=text + b"\r\n") for text in [
    b"220 smtp.example ESMTP", b"HTTP/2 200 OK", b"HTTP/2.0 200 OK", b"HTTP/0.9 200 OK",
    b"HTTP/3.0 200 OK", b"HTTP/1.10 200 OK", b"HTTP/1 200 OK", b"HTTP/1. 200 OK",
    b"http/1.1 200 OK", b"HTTPS/1.1 200 OK", b"ICY 200 OK", b"XHTTP/1.1 200 OK",
    b" HTTP/1.1 200 OK", b"HTTP/1.1 OK", b"HTTP/1.1 20 OK", b"HTTP/1.1 2000 OK",
    b"HTTP/1.1 2x0 OK", b"HTTP/1.1 -20 OK", b"HTTP/1.1 +20 OK", b"HTTP/1.1 000 OK",
    b"HTTP/1.1 099 OK", b"HTTP/1.1 0x0 OK", b"HTTP/1.1  200 OK", b"HTTP/1.1\t200 OK",
    b"HTTP/1.1 200\tOK", b"HTTP/1.1 200\x00OK", b"HTTP/1.1 200OK", b"HTTP/1.1 200.0 OK",
    b"HTTP/1.1 \xef\xbc\x92\xef\xbc\x90\xef\xbc\x90 OK", b"HTTP/1.1 200 O\x00K",
    b"HTTP/1.1 200 O\x0bK", b"HTTP/1.1 200 O\x7fK", b"HTTP/1.1 200 O\rK", b"HTTP/1.1 200 OK\r",
    b"HTTP/1.1", b"\x00HTTP/1.1 200 OK", b"GET / HTTP/1.1",
]}) + bad("9112 2.2", {
    "a bare LF after the status line": ok(first=b"HTTP/1.1 200 OK\n"),
    "a bare CR after the status line": ok(first=b"HTTP/1.1 200 OK\r"),
    "nothing but bare LF": ok().replace(b"\r\n", b"\n"),
    "an endless head": OK + b"X: " + b"a" * 200_000,
    "an endless status line": b"HTTP/1.1 200 " + b"a" * 200_000,
    "fields without end": OK + b"X: a\r\n" * 30_000,
    "a space for the first line": ok(b" "),
    "a field before the status line": b"X: a\r\n" + ok(),
}) + [
    # A recipient of answers need not skip empty lines; no status is beyond 599 (section 15).
    *[good("9112 2.2, 9110 15", name, raw, Got(status, b"ok"), BAD) for name, status, raw in [
        ("an empty line first", 200, b"\r\n" + ok()),
        ("the status 600", 600, ok(first=b"HTTP/1.1 600 Odd\r\n")),
        ("the status 999", 999, ok(first=b"HTTP/1.1 999 Odd\r\n")),
        ("a status without its space", 200, ok(first=b"HTTP/1.1 200\r\n")),
        ("the version HTTP/1.2", 200, ok(first=b"HTTP/1.2 200 OK\r\n"))]],
    good("9112 4", "a status line", ok(), Got(200, b"ok"), reused=True),
    good("9112 4", "an empty reason", ok(first=b"HTTP/1.1 200 \r\n"), Got(200, b"ok"), reused=True),
    good("9112 4", "a reason beyond ASCII", ok(first=b"HTTP/1.1 200 gr\xfc\xdf\t dich\r\n"),
         Got(200, b"ok"), reused=True),
    *[good("9110 15", f"the status {status}", ok(first=b"HTTP/1.1 %d x\r\n" % status),
           Got(status, b"ok"), reused=True) for status in (201, 299, 302, 404, 418, 500, 599)],
]

FIELDS = bad("9110 5.5", {
    f"{shown(c)} in a value": ok(b"X: a%cb" % c) for c in CONTROLS if c != TAB
}, alike=True) + bad("9110 5.1", {
    f"{shown(c)} in a name": ok(b"X%cY: a" % c)
    for c in [*CONTROLS, *(d for d in DELIMITERS if d != COLON), 0x80, 0xFF]
}, alike=True) + bad("9112 5", {
    "no colon": ok(b"nonsense"), "an empty name": ok(b": a"),
    "a space before a colon": ok(b"X : a"), "a tab before a colon": ok(b"X\t: a"),
    "a space before the colon of a length": OK + b"Content-Length : 2\r\n\r\nok",
    "a folded line": ok(b"X: a", b" b"), "a line folded by a tab": ok(b"X: a", b"\tb"),
    "a folded length": OK + b"Content-Length:\r\n 2\r\n\r\nok",
    "a field before the first": ok(b" X: a"),
    "a status line among the fields": ok(b"HTTP/1.1 200 OK"),
}) + bad("9110 5.5: an answer split in two", {
    "a second head by bare CR": ok(b"Location: /x\r\rHTTP/1.1 200 OK\rX: a"),
    "a second head by bare LF": ok(b"Location: /x\n\nHTTP/1.1 200 OK\nX: a"),
    "a cookie by a bare CR": ok(b"Location: /x\rSet-Cookie: a=b"),
    "a cookie by a bare LF": ok(b"Location: /x\nSet-Cookie: a=b"),
    "a length by a bare LF": OK + b"Location: /x\nContent-Length: 0\r\n\r\nok",
    "a coding by a bare CR": OK + b"Location: /x\r" + CHUNKED + b"\r\n" + ABC,
    "a head that ends in LF LF": OK + TWO[:-2] + b"\n\nok",
    "a head that ends in CR LF LF": OK + TWO + b"\nok",
}) + [
    good("9110 5.5", name, ok(b"X:" + sent), Got(200, b"ok", (("X", seen),)), reused=True)
    for name, sent, seen in [
        ("a tab in a value", b" a\tb", "a\tb"), ("an empty value", b"", ""),
        ("a value amid white space", b"\t a b \t", "a b"),
        ("a value like a field", b" Y: b", "Y: b"),
        ("a value of all that is visible", b" " + bytes(range(0x21, 0x7F)),
         bytes(range(0x21, 0x7F)).decode()),
        ("a value of all beyond ASCII", b" " + bytes(range(0x80, 0x100)),
         bytes(range(0x80, 0x100)).decode("latin-1"))]
]


def length(value, body=b"ok"):
    return OK + b"Content-Length:" + value + b"\r\n\r\n" + body


FRAMINGS = bad("9112 6.2", {f"the length {value!r}": length(value) for value in [
    b" +2", b" -2", b" -1", b" 0x2", b" 2x", b" 2.0", b" 2e0", b' "2"', b" 2;", b" 2 2", b" \x0b2",
    b" 2\x00", b" \xef\xbc\x92", b" two", b" 1_0", b" 18446744073709551618", b" " + b"9" * 300,
    b" 2, 3", b" 2,3", b" 2, x", b"",
]}) + bad("9112 6.3", {
    "two lengths": OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "two lengths, the first 0": OK + b"Content-Length: 0\r\nContent-Length: 2\r\n\r\nab",
    "a length and chunked": OK + TWO + CHUNKED + b"\r\n2\r\nab\r\n0\r\n\r\n",
    "chunked and a length": OK + CHUNKED + TWO + b"\r\n2\r\nab\r\n0\r\n\r\n",
    "chunked and a length of 0": OK + CHUNKED + b"Content-Length: 0\r\n\r\n" + ABC,
    "a length and identity": OK + TWO + b"Transfer-Encoding: identity\r\n\r\nok",
    "an empty coding": OK + b"Transfer-Encoding:\r\n\r\n" + ABC,
    "chunked twice": OK + CHUNKED * 2 + b"\r\n" + ABC,
    "chunked, chunked": OK + b"Transfer-Encoding: chunked, chunked\r\n\r\n" + ABC,
    "chunked in HTTP/1.0": b"HTTP/1.0 200 OK\r\n" + CHUNKED + b"\r\n" + ABC,
    "chunked and a length in HTTP/1.0": b"HTTP/1.0 200 OK\r\n" + CHUNKED + TWO + b"\r\n" + ABC,
}) + bad("9112 6.1", {f"the coding {value.decode()}":
                      OK + b"Transfer-Encoding: " + value + b"\r\n\r\n" + ABC
                      for value in (b"gzip", b"identity", b"xyz", b"gzip, chunked",
                                    b"chunked, gzip", b"identity, chunked", b"deflate")
                      }, ends="close") + bad("9112 6.1", {
    f"a hidden coding: {name}": OK + te + b"\r\n\r\n" + ABC for name, te in HIDDEN.items()
}, alike=True) + [
    # Equal lengths may be taken for one; a strict recipient refuses them.
    *[good("9112 6.3", name, raw, BAD, Got(200, b"ok", (("Content-Length", "2"),)))
      for name, raw in [("equal lengths on two lines", OK + TWO + TWO + b"\r\nok"),
                        ("a list of equal lengths", length(b" 2, 2")),
                        ("a length with zeros before", length(b" 002"))]],
    good("9112 6.3", "a length of 0", length(b" 0", b""), Got(), reused=True),
    good("9112 6.3", "a length after a tab", length(b"\t2\t"), Got(200, b"ok"), reused=True),
    good("9112 7", "chunked", OK + CHUNKED + b"\r\n" + ABC, Got(200, b"abc"), reused=True),
    good("9112 7", "chunked in capitals", OK + b"TRANSFER-ENCODING: CHUNKED\r\n\r\n" + ABC,
         Got(200, b"abc"), reused=True),
    good("9112 6.3", "neither, till the end", OK + b"\r\nall of it", Got(200, b"all of it"),
         ends="close", reused=False),
    good("9112 6.3", "neither, and nothing", OK + b"\r\n", Got(), ends="close", reused=False),
    good("9112 6.3", "neither, kept alive", OK + b"Connection: keep-alive\r\n\r\nall",
         Got(200, b"all"), ends="close", reused=False),
    good("9112 9.3", "HTTP/1.0 till the end", b"HTTP/1.0 200 OK\r\n\r\nall", Got(200, b"all"),
         ends="close", reused=False),
    good("9112 9.3", "HTTP/1.0 with a length", ok(first=b"HTTP/1.0 200 OK\r\n"), Got(200, b"ok"),
         reused=False),
    good("9112 9.3", "HTTP/1.0 kept alive",
         ok(b"Connection: keep-alive", first=b"HTTP/1.0 200 OK\r\n"), Got(200, b"ok")),
    good("9112 9.3", "HTTP/1.0 kept alive, till the end",
         b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nall", Got(200, b"all"), ends="close",
         reused=False),
    good("9112 9.6", "a length and close", ok(b"Connection: close"), Got(200, b"ok"),
         reused=False),
    good("9110 7.6.1", "Connection names the length",
         ok(b"Connection: content-length"), Got(200, b"ok"), BAD),
    good("9110 8.4", "a content coding", ok(b"Content-Encoding: gzip"),
         Got(200, b"ok", (("Content-Encoding", "gzip"),)), reused=True),
]

CUT_SHORT = bad("9112 8", {
    "in a length": OK + b"Content-Length: 100\r\n\r\nhalf",
    "before the first byte of a length": OK + b"Content-Length: 100\r\n\r\n",
    "in a chunk": OK + CHUNKED + b"\r\n64\r\nhalf",
    "in a chunk's size": OK + CHUNKED + b"\r\n4\r\nhalf\r\n1",
    "before the last chunk": OK + CHUNKED + b"\r\n4\r\nhalf\r\n",
    "after the last chunk": OK + CHUNKED + b"\r\n4\r\nhalf\r\n0\r\n",
    "by a bad chunk": OK + CHUNKED + b"\r\n4\r\nhalf\r\nzz\r\n",
    "in a trailer": OK + CHUNKED + b"\r\n4\r\nhalf\r\n0\r\nX: a",
    "in a trailer's line end": OK + CHUNKED + b"\r\n4\r\nhalf\r\n0\r\nX: a\r",
}, CUT, ends="close") + bad("9112 8", {
    "in the status line": b"HTTP/1.1 200", "in the head": OK + b"Content-Length: 2\r\nX",
    "before the head's last line": OK + TWO,
    "after an interim answer": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
}, ends="close") + bad("9112 8", {
    "by a reset in a length": OK + b"Content-Length: 100\r\n\r\nhalf",
    "by a reset in a chunk": OK + CHUNKED + b"\r\n64\r\nhalf",
    "by a reset where the end was to be": OK + b"\r\nhalf",
}, CUT, ends="reset")


def chunked_rows():
    """The chunked bodies of requests, as answers. Sizes that nothing holds are no limit here."""
    for group, cases in edge_bodies.ROWS.items():
        for case in cases:
            head, _, body = case.raw.partition(b"\r\n\r\n")
            if b"Connection" in head or len(body) > 40_000 or "too large" in case.rule:
                continue
            raw = OK + CHUNKED + b"\r\n" + body
            passing = [o for o in case.allowed if o.status == 200]
            if not passing:
                yield bad(case.rule, {f"{group}: {case.name}": raw}, CUT, alike=True,
                          fault=case.fault)[0]
            elif group != "trailer":
                yield good(case.rule, f"{group}: {case.name}", raw,
                           *[Got(200, o.seen[0].body) for o in passing],
                           *([CUT] if BROKEN_OFF in case.allowed else []))


def trailers(*lines):
    return OK + CHUNKED + b"\r\n3\r\nabc\r\n0\r\n" + b"\r\n".join(lines) + b"\r\n\r\n"


CHUNKS = [*chunked_rows(), *bad("9112 7.1", {
    f"the chunk size {size.decode()}": OK + CHUNKED + b"\r\n" + size + b"\r\nabc\r\n0\r\n\r\n"
    for size in (b"10000000000000003", b"fffffffffffffffff", b"f" * 40)
}, CUT)] + [
    good("9112 7.1.2", "trailers", trailers(b"X-Sum: 42", b"Y: b"),
         Got(200, b"abc", trailers=(("X-Sum", "42"), ("Y", "b")))),
    good("9110 7.6.1", "a trailer that Connection names",
         trailers(b"X-Mine: a").replace(OK, OK + b"Connection: x-mine\r\n"), Got(200, b"abc"), CUT),
    *[good("9110 6.5.1", f"the trailer {line.decode()}", trailers(line), Got(200, b"abc"), CUT)
      for line in (b"Content-Length: 9", b"Transfer-Encoding: chunked", b"X-AgentPort-Session: a",
                   b"x-agentport-user: a", b"Connection: close", b"Keep-Alive: timeout=1",
                   b"Upgrade: h2c", b"Proxy-Authenticate: Basic")],
]

NO_BODY = [
    good("9110 15.3.5", "204", b"HTTP/1.1 204 No Content\r\n\r\n",
         Got(204, absent=("Content-Length", "Transfer-Encoding")), reused=True),
    good("9110 15.4.5", "304", b"HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n", Got(304),
         reused=True),
    good("9110 15.4.5", "304 with a length", b"HTTP/1.1 304 Not Modified\r\n" + TWO + b"\r\n",
         Got(304)),
    good("9112 6.1", "304 with a coding", b"HTTP/1.1 304 Not Modified\r\n" + CHUNKED + b"\r\n",
         Got(304), BAD),
    # A length or coding here is the upstream's fault: what passes has neither.
    *[good("9110 8.6, 9112 6.1", f"204 with {name}", b"HTTP/1.1 204 No Content\r\n" + line
           + b"\r\n", Got(204, absent=("Content-Length", "Transfer-Encoding")), BAD)
      for name, line in [("a length of 0", b"Content-Length: 0\r\n"), ("a length", TWO),
                         ("a coding", CHUNKED)]],
    *[good("9112 6.3", f"{status} with {name}", b"HTTP/1.1 %d x\r\n" % status + rest,
           Got(status), BAD, reused=False, alone=True)
      for status in (204, 304)
      for name, rest in [("a body", TWO + b"\r\nok"), ("chunks", CHUNKED + b"\r\n" + ABC),
                         ("bytes behind", b"\r\nok"), ("an answer behind", b"\r\n" + ok())]],
    good("9110 15.3.6", "205 with a length of 0", length(b" 0", b"").replace(b"200 OK", b"205 x"),
         Got(205), reused=True),
    good("9110 9.3.2", "HEAD with a length", OK + TWO + b"\r\n",
         Got(200, fields=(("Content-Length", "2"),)), method="HEAD", reused=True),
    good("9110 9.3.2", "HEAD with a coding", OK + CHUNKED + b"\r\n", Got(), method="HEAD",
         reused=True),
    good("9110 9.3.2", "HEAD with neither", OK + b"\r\n", Got(), method="HEAD"),
    good("9110 9.3.2", "HEAD with a great length", OK + b"Content-Length: 9999999999\r\n\r\n",
         Got(200, fields=(("Content-Length", "9999999999"),)), method="HEAD", reused=True),
    good("9112 6.3", "HEAD with both", OK + TWO + CHUNKED + b"\r\n", Got(), BAD, method="HEAD"),
    good("9112 6.3", "HEAD with unlike lengths", OK + TWO + b"Content-Length: 3\r\n\r\n", BAD,
         method="HEAD", reused=False),
    *[good("9112 6.3", f"HEAD with {name}", OK + rest, Got(), BAD, method="HEAD", reused=False,
           alone=True)
      for name, rest in [("a body", TWO + b"\r\nok"), ("chunks", CHUNKED + b"\r\n" + ABC),
                         ("an answer behind", TWO + b"\r\n" + ok())]],
    *[good("9112 9.3: bytes that no request asked for", f"{name} behind an answer", raw,
           Got(200, body), reused=False, alone=True)
      for body, first in [(b"ok", ok()), (b"abc", OK + CHUNKED + b"\r\n" + ABC)]
      for name, raw in [(f"{what} behind {body.decode()}:", first + extra) for what, extra in [
          ("an answer", ok(body=b"NO")), ("garbage", b"EVIL"), ("a line end", b"\r\n"),
          ("NUL", b"\0"), ("an interim answer", b"HTTP/1.1 100 Continue\r\n\r\n"),
          ("an upgrade", b"HTTP/1.1 101 x\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n")]]],
]

FINAL = ok()
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
INTERIM = [
    good("9110 15.2", name, raw + FINAL, Got(200, b"ok", interim=None), reused=True)
    for name, raw in [
        ("100 unasked for", b"HTTP/1.1 100 Continue\r\n\r\n"),
        ("100 with a field", b"HTTP/1.1 100 Continue\r\nX: a\r\n\r\n"),
        ("102", b"HTTP/1.1 102 Processing\r\n\r\n"), ("199", b"HTTP/1.1 199 Odd\r\n\r\n"),
        ("three of them", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 x\r\n\r\n" + HINTS)]
] + [
    good("8297 2", "103", HINTS + FINAL, Got(200, b"ok", interim=(103,)), reused=True),
    good("9110 15.2", "103 for HTTP/1.0", HINTS + FINAL, Got(200, b"ok"), version="1.0"),
    good("9110 15.2", "100 for HTTP/1.0", b"HTTP/1.1 100 Continue\r\n\r\n" + FINAL,
         Got(200, b"ok"), version="1.0"),
    good("9110 15.3.5", "103 before 204", HINTS + b"HTTP/1.1 204 x\r\n\r\n",
         Got(204, interim=None), reused=True),
    # It has no content and may not say it had: refused, or what says so is left out.
    *[good("9112 6.1", f"103 with {name}", b"HTTP/1.1 103 x\r\n" + line + b"\r\n" + FINAL, BAD,
           Got(200, b"ok", interim=None))
      for name, line in [("a length of 0", b"Content-Length: 0\r\n"), ("a length", TWO),
                         ("a coding", CHUNKED)]],
    # RFC 9110 sets no bound; a gateway has to.
    good("9110 15.2", "103 a thousand times", HINTS * 1000 + FINAL, BAD,
         Got(200, b"ok", interim=None), reused=None),
] + bad("9110 15.2", {
    "101 unasked for": b"HTTP/1.1 101 x\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
    "101 unasked for, then 200": b"HTTP/1.1 101 x\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"
                                 + FINAL,
    "101 without Upgrade": b"HTTP/1.1 101 x\r\n\r\n" + FINAL,
    "101 after 103": HINTS + b"HTTP/1.1 101 x\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
    "103 with a body": b"HTTP/1.1 103 x\r\n\r\nbody" + FINAL,
    "103 with a bare LF": b"HTTP/1.1 103 x\nLink: </a>\r\n\r\n" + FINAL,
    "103 with NUL": b"HTTP/1.1 103 x\r\nLink: \0\r\n\r\n" + FINAL,
    "103 with a fold": b"HTTP/1.1 103 x\r\nLink: a\r\n b\r\n\r\n" + FINAL,
    "garbage after 103": HINTS + b"garbage\r\n\r\n",
    "an endless 103": b"HTTP/1.1 103 x\r\nLink: " + b"a" * 200_000,
})

ROWS = {"status line": STATUS_LINES, "field": FIELDS, "framing": FRAMINGS, "cut short": CUT_SHORT,
        "chunk": CHUNKS, "no body": NO_BODY, "interim": INTERIM}
