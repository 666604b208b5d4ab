# SPDX-License-Identifier: Apache-2.0
"""Field lines, Host and the fields of a connection: RFC 9112 sections 2.2, 3.2 and 5, RFC 9110
sections 5, 7 and 10.1.1."""

from .edge import (CONTROLS, DELIMITERS, EXPECTATION, HOST, MALFORMED, NO_UPGRADE, case, get,
                   post, refuse, served, shown)

TAB, LF, COLON = 0x09, 0x0A, 0x3A
HELLO = b"hello"
FIVE = b"Content-Length: 5"


def field(line, *more):
    return get(line, *more)


LINES = refuse("9112 5.1", {
    "a space before the colon": field(b"X-One : a"),
    "a tab before the colon": field(b"X-One\t: a"),
    "a space before the colon of a length": post(b"Content-Length : 5", body=HELLO),
    "a tab before the colon of a coding": post(b"Transfer-Encoding\t: chunked",
                                               body=b"0\r\n\r\n"),
    "a space before the colon of Host": get(host=b"Host : a.example"),
    "a space before the colon of Connection": field(b"Connection : close"),
    "no colon": field(b"nonsense"),
    "an empty name": field(b": a"),
    "nothing but a colon": field(b":"),
    "a request line among the fields": field(b"GET /smuggled HTTP/1.1"),
}) + refuse("9112 5.2", {
    "a folded line": field(b"X-One: a", b" b"),
    "a line folded by a tab": field(b"X-One: a", b"\tb"),
    "a line folded to nothing": field(b"X-One: a", b" "),
    "a line folded before its value": field(b"X-One:", b" a"),
    "a folded length": post(b"Content-Length:", b" 5", body=HELLO),
    "a folded coding": post(b"Transfer-Encoding:", b"\tchunked", body=b"0\r\n\r\n"),
    "a folded Host": get(host=b"Host:\r\n a.example"),
    "a length in a fold": post(b"X-One: a", b" Content-Length: 5", body=HELLO),
    "a coding in a fold": post(b"X-One: a", b" Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
    "a fold before the first field": get(host=b" X-One: a\r\n" + HOST),
    "a tab before the first field": get(host=b"\tX-One: a\r\n" + HOST),
    "a space for the first line": get(host=b" \r\n" + HOST),
    "a space for the last line": field(b"X-One: a", b" ", b"X-Two: b"),
    "two folds": field(b"X-One: a", b" b", b" c"),
}) + refuse("9112 2.2", {
    "a bare LF between fields": field(b"X-One: a\nX-Two: b"),
    "a bare CR between fields": field(b"X-One: a\rX-Two: b"),
    "LF CR between fields": field(b"X-One: a\n\rX-Two: b"),
    "CR CR LF between fields": field(b"X-One: a\r", b"X-Two: b"),
    "CR LF LF": field(b"X-One: a\r\n\nX-Two: b"),
    "a bare LF after the request line": get().replace(b"1.1\r\n", b"1.1\n", 1),
    "a bare CR after the request line": get().replace(b"1.1\r\n", b"1.1\r", 1),
    "CR CR LF after the request line": get().replace(b"1.1\r\n", b"1.1\r\r\n", 1),
    "a bare LF for the empty line": get()[:-2] + b"\n",
    "a bare CR for the empty line": get()[:-2] + b"\r",
    "CR CR LF for the empty line": get()[:-2] + b"\r\r\n",
    "two bare LF to end": get()[:-4] + b"\n\n",
    "nothing but bare LF": get().replace(b"\r\n", b"\n"),
    "nothing but bare CR": get().replace(b"\r\n", b"\r"),
    "a coding behind a bare CR": post(b"X-One: a\rTransfer-Encoding: chunked"),
    "a coding behind a bare LF": post(b"X-One: a\nTransfer-Encoding: chunked"),
    "a length behind a bare LF": post(b"X-One: a\nContent-Length: 5"),
}) + refuse("9112 2.2: no whitespace before the first field", {
    "a line of spaces first": b"  \r\n" + get(),
    "a line of a tab first": b"\t\r\n" + get(),
    "a bare LF first": b"\n" + get(),
    "a bare CR first": b"\r" + get(),
    "an empty line, then a bare LF": b"\r\n\n" + get(),
    "NUL first": b"\x00" + get(),
    "a byte order mark first": b"\xef\xbb\xbf" + get(),
}) + [
    # "SHOULD ignore at least one"; more may be too many.
    case("9112 2.2", "an empty line first", b"\r\n" + get(), served()),
    case("9112 2.2", "two empty lines first", b"\r\n\r\n" + get(), served(), MALFORMED),
    case("9112 2.2", "ten empty lines first", b"\r\n" * 10 + get(), served(), MALFORMED),
    case("9112 2.2", "an empty line after a body", post(FIVE, body=HELLO + b"\r\n"),
         served(method="POST", body=HELLO)),
]

VALUES = refuse("9110 5.5", {
    f"{shown(c)} in a value": field(b"X-One: a%cb" % c) for c in CONTROLS if c != TAB
}, alike=True) + refuse("9110 5.5", {
    f"{shown(c)} {where} a value": field(b"X-One:" + value % c)
    for where, value in (("before", b" %ca"), ("behind", b" a%c"), ("for", b" %c"))
    for c in (0x00, 0x0B, 0x0C, 0x0D, 0x1B, 0x7F)
}, alike=True) + [case("9110 5.5", name, field(b"X-One:" + sent), served(fields=(("X-One", seen),)))
      for name, sent, seen in [
          ("a tab in a value", b" a\tb", "a\tb"),
          ("a value amid white space", b" \t a b \t ", "a b"),
          ("a value without white space", b"a", "a"), ("an empty value", b"", ""),
          ("a value of white space", b" \t ", ""),
          ("a value with a colon", b" a: b", "a: b"),
          ("a value of a colon", b" :", ":"),
          ("a value like a field", b" Content-Length: 5", "Content-Length: 5"),
          ("a value of all that is visible", b" " + bytes(range(0x21, 0x7F)),
           bytes(range(0x21, 0x7F)).decode()),
          ("a value of all beyond ASCII", b" " + bytes(range(0x80, 0x100)),
           bytes(range(0x80, 0x100)).decode("latin-1")),
          ("an escaped line end in a value", b" a%0d%0ab", "a%0d%0ab"),
          ("UTF-8 that ends in CR LF to some", b" \xc4\x8d\xc4\x8a", "\xc4\x8d\xc4\x8a"),
      ]] + [case("9110 5.3", "a field three times", field(b"X-One: a", b"X-One: b", b"x-one: a"),
                 served(fields=(("X-One", "a"), ("X-One", "b"), ("X-One", "a"))))]

LONG = b"".join(bytes([0x21 + n % 90]) for n in range(30_000))
MANY = [b"X-%d: %s" % (n, b"v" * (n * 7 % 300)) for n in range(90)]
VALUES += [
    case("9110 5.4", "a value of 30,000 bytes", field(b"X-Long: " + LONG),
         served(fields=(("X-Long", LONG.decode()),))),
    case("9110 5.4", "90 fields", field(*MANY),
         served(fields=tuple(tuple(m.decode().split(": ", 1)) for m in MANY))),
    case("9110 5.5", "NUL behind 30,000 bytes", field(b"X-Long: " + LONG + b"\x00"), MALFORMED),
    case("9112 2.2", "a bare LF behind 30,000 bytes", field(b"X-Long: " + LONG + b"\nY: a"),
         MALFORMED),
    case("9112 6.3", "two framings around 30,000 bytes",
         post(FIVE, b"X-Long: " + LONG, b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
         MALFORMED),
    case("9112 3.2", "two Hosts around 30,000 bytes", field(b"X-Long: " + LONG, HOST), MALFORMED),
]

NAMES = refuse("9110 5.1", {
    f"{shown(c)} in a name": field(b"X%cY: a" % c)
    for c in [*CONTROLS, *(d for d in DELIMITERS if d != COLON), 0x80, 0xA0, 0xC3, 0xFF]
}, alike=True) + refuse("9110 5.1", {
    f"{shown(c)} before a name": field(b"%cX: a" % c) for c in (0x00, 0x0B, 0x22, 0x7F, 0x85)
}) + refuse("9110 5.1", {
    f"{shown(c)} behind a name": field(b"X%c: a" % c)
    for c in (0x00, 0x0B, 0x0C, 0x0D, 0x20, 0x09, 0x22, 0x7F, 0xA0)
}) + [
    case("9110 5.6.2", "a name of every token character",
         field(b"!#$%&'*+-.^_`|~09azAZ: a"),
         served(fields=(("!#$%&'*+-.^_`|~09azAZ", "a"),))),
    case("9112 5.1", "a colon in the value", field(b"X:Y: a"), served(fields=(("X", "Y: a"),))),
    case("9110 5.1", "a name of one letter", field(b"a: b"), served(fields=(("a", "b"),))),
]

HOSTS = refuse("9112 3.2", {
    "no Host": get(host=None),
    "two Hosts": get(b"Host: b.example"),
    "two equal Hosts": get(HOST),
    "two equal Hosts, one in lower case": get(b"host: a.example"),
    "a Host and an empty one": get(b"Host:"),
    "two Hosts in HTTP/1.0": get(HOST, line=b"GET /x HTTP/1.0"),
    "no Host for an absolute target": get(line=b"GET https://a.example/x HTTP/1.1", host=None),
    **{f"the Host {value.decode('latin-1')!r}": get(host=b"Host: " + value) for value in [
        b"a b", b"a\tb", b"a, b", b"a/b", b"/", b"a?b", b"a#b", b"u@a", b"u:p@a", b"http://a",
        b"https://a.example", b"a\\b", b'"a"', b"<a>", b"a^b", b"a`b", b"a{b}", b"a|b", b"a%zz",
        b"a%4", b"a:x", b"a:-1", b"a:+1", b"a:80:80", b"a: 80", b"a :80", b"::1", b"[::1",
        b"::1]", b"[::1]x", b"[::1]:x", b"[x]", b"[]", b"a[::1]", b"\xc3\xa9.example"]},
    **{f"{shown(c)} in Host": get(host=b"Host: a%cb" % c) for c in (0, 1, 0x0B, 0x0D, 0x7F)},
}) + [case("3986 3.2.2", f"the Host {value}", get(host=b"Host: " + value.encode()),
           served(fields=(("Host", value),)))
      for value in ("a", "A.Example", "a.example:443", "a.example:8443", "10.0.0.1", "[::1]",
                    "[::1]:8443", "xn--a.example", "a_b", "a-b.c")
      ] + [case("3986 3.2.2: legal, yet nobody's host", f"the Host {value!r}",
                get(host=b"Host: " + value.encode()), served(fields=(("Host", value),)),
                MALFORMED)
           for value in ("", "a.", ".a", "a..b", "a:", "a:0", "a:65536", "a:99999999999999999999",
                         "a,b", "a;b", "a=b", "a!b", "a~b", "a%41", "a%00b", "[v1.a]", "256.1.1.1",
                         "[::ffff:10.0.0.1]")
           ] + [
    case("9112 5.1", "a Host amid white space", get(host=b"Host: \ta.example \t"),
         served(fields=(("Host", "a.example"),))),
    case("9112 3.2", "no Host in HTTP/1.0", get(host=None, line=b"GET /x HTTP/1.0"),
         served(closes=True)),
    case("9110 7.2", "Host as the last field", get(HOST, host=None), served()),
]

KEPT = ("Host", "a.example")
CONNECTION = [
    # A proxy that took the field away would forward another message; a strict one refuses.
    case("9110 7.6.1", "Connection: content-length",
         post(b"Connection: content-length", FIVE, body=HELLO),
         served(method="POST", body=HELLO), MALFORMED),
    case("9110 7.6.1", "Connection: Content-Length, close",
         post(FIVE, b"Connection: Content-Length, close", body=HELLO),
         served(method="POST", body=HELLO, closes=True), MALFORMED),
    case("9110 7.6.1", "Connection: transfer-encoding",
         post(b"Connection: transfer-encoding", b"Transfer-Encoding: chunked",
              body=b"3\r\nabc\r\n0\r\n\r\n"), served(method="POST", body=b"abc"), MALFORMED),
    case("9110 7.6.1", "Connection: host", get(b"Connection: host"), served(fields=(KEPT,)),
         MALFORMED),
    case("9110 7.6.1", "Connection: close, x-forwarded-for",
         get(b"Connection: close, x-forwarded-for", b"X-Forwarded-For: 6.6.6.6"),
         served(closes=True, fields=(("X-Forwarded-For", "127.0.0.1"),)), MALFORMED),
    case("9110 7.6.1", "Connection: x-agentport-jwt", get(b"Connection: x-agentport-jwt"),
         served(), MALFORMED),
    case("9110 7.6.1", "Connection: authorization", get(b"Connection: authorization"), served(),
         MALFORMED),
    case("9110 7.6.1", "Connection: connection", get(b"Connection: connection"),
         served(), MALFORMED),
    case("9110 7.6.1", "Connection: close", get(b"Connection: close"), served(closes=True)),
    case("9110 5.1", "Connection: CLOSE", get(b"Connection: CLOSE"), served(closes=True)),
    case("9112 9.3", "close among others", get(b"Connection: x , close, y", b"x: 1", b"Y: 2"),
         served(closes=True, absent=("x", "y"))),
    case("9112 9.3", "close on a second line",
         get(b"Connection: keep-alive", b"Connection: close"), served(closes=True)),
    case("9112 9.3", "Connection: keep-alive", get(b"Connection: keep-alive"),
         served(absent=("Keep-Alive",))),
    case("9112 9.3", "a close that is none", get(b"Connection: closed, xclose, close-x"),
         served()),
    case("9110 7.6.1", "Connection with a bad member", get(b'Connection: "close"'), served(),
         MALFORMED),
    case("9110 7.6.1", "an empty Connection", get(b"Connection:"), served(), MALFORMED),
    case("9112 9.3", "HTTP/1.0 kept alive",
         get(b"Connection: keep-alive", line=b"GET /x HTTP/1.0"), served(closes=None)),
    case("9110 10.1.4", "TE: trailers", get(b"TE: trailers", b"Connection: TE"), served()),
    case("9110 10.1.4", "TE: chunked", get(b"TE: chunked", b"Connection: TE"), served(),
         MALFORMED),
]

# Where the gateway waits for a body or not, the upstream must see the same one request.
EXPECT = refuse("9110 10.1.1", {
    f"{value.decode()} for an expectation": post(b"Expect: " + value, FIVE, body=HELLO)
    for value in (b"y", b"200-ok", b"y 100-continue", b"100-continue y", b"x100-continue",
                  b"100-continuex", b"100", b"100-continue;x=y", b"100-continue=1",
                  b"y, 100-continue", b"100-continue, y", b'"100-continue"')
}, (EXPECTATION, MALFORMED)) + [
    case("9110 10.1.1", "Expect: 100-continue",
         post(b"Expect: 100-continue", FIVE, body=HELLO), served(method="POST", body=HELLO)),
    case("9110 10.1.1", "an expectation in other case",
         post(b"Expect: 100-Continue", FIVE, body=HELLO), served(method="POST", body=HELLO)),
    case("9110 10.1.1", "an expectation of chunks",
         post(b"Expect: 100-continue", b"Transfer-Encoding: chunked",
              body=b"3\r\nabc\r\n0\r\n\r\n"), served(method="POST", body=b"abc")),
    case("9110 10.1.1", "an expectation without a body",
         get(b"Expect: 100-continue"), served()),
    case("9110 10.1.1", "an expectation and a length of 0",
         post(b"Expect: 100-continue", b"Content-Length: 0"), served(method="POST")),
    case("9110 10.1.1", "an expectation in HTTP/1.0",
         post(b"Expect: 100-continue", FIVE, body=HELLO, line=b"POST /x HTTP/1.0"),
         served(method="POST", body=HELLO, closes=True)),
    *[case("9110 10.1.1: a list may say it twice, or nothing", name,
           post(*lines, FIVE, body=HELLO), served(method="POST", body=HELLO), EXPECTATION,
           MALFORMED)
      for name, lines in [
          ("an expectation twice", [b"Expect: 100-continue, 100-continue"]),
          ("an empty expectation", [b"Expect:"])]],
    # RFC 9110 section 5.3: lines are one list, so this is what the list on one line is.
    case("9110 5.3", "an expectation on two lines",
         post(b"Expect: 100-continue", b"Expect: 100-continue", FIVE, body=HELLO), EXPECTATION,
         MALFORMED),
    case("9110 5.3", "an expectation and another on two lines",
         post(b"Expect: 100-continue", b"Expect: y", FIVE, body=HELLO), EXPECTATION, MALFORMED),
    case("9110 5.3", "another expectation first, on two lines",
         post(b"Expect: y", b"Expect: 100-continue", FIVE, body=HELLO), EXPECTATION, MALFORMED),
]

UPGRADES = [
    case("9110 7.8", name, raw, *allowed) for name, raw, *allowed in [
        ("a WebSocket", get(b"Connection: Upgrade", b"Upgrade: websocket",
                            b"Sec-WebSocket-Version: 13",
                            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="), NO_UPGRADE),
        ("a WebSocket with a length",
         post(b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13",
              b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", FIVE, body=HELLO), NO_UPGRADE,
         MALFORMED),
        ("a WebSocket in chunks",
         get(b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13",
             b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", b"Transfer-Encoding: chunked")
         + b"3\r\nabc\r\n0\r\n\r\n", NO_UPGRADE, MALFORMED),
    ]] + [case("9110 7.8: a server may ignore Upgrade", name, raw,
               served(absent=("Upgrade", "HTTP2-Settings"), closes=b"HTTP/1.0" in raw),
               NO_UPGRADE, MALFORMED)
          for name, raw in [
              ("h2c", get(b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c",
                          b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA")),
              ("h2c without naming its settings",
               get(b"Connection: Upgrade", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQ")),
              ("h2c without Connection", get(b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQ")),
              ("h2", get(b"Connection: Upgrade", b"Upgrade: h2")),
              ("TLS/1.0", get(b"Connection: Upgrade", b"Upgrade: TLS/1.0")),
              ("an unknown protocol", get(b"Connection: upgrade", b"Upgrade: x/1")),
              ("h2c and a WebSocket", get(b"Connection: Upgrade", b"Upgrade: h2c, websocket")),
              ("h2c twice", get(b"Connection: Upgrade", b"Upgrade: h2c", b"Upgrade: h2c")),
              ("an empty Upgrade", get(b"Connection: Upgrade", b"Upgrade:")),
              ("Connection: Upgrade alone", get(b"Connection: Upgrade")),
              ("a WebSocket without Connection", get(b"Upgrade: websocket")),
              ("an upgrade in HTTP/1.0", get(b"Connection: Upgrade", b"Upgrade: h2c",
                                             line=b"GET /x HTTP/1.0"))]]

ROWS = {"line": LINES, "value": VALUES, "name": NAMES, "host": HOSTS, "connection": CONNECTION,
        "expect": EXPECT, "upgrade": UPGRADES}
