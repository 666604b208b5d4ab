# SPDX-License-Identifier: Apache-2.0
"""The published families of request smuggling, by the names they are known by.

In a name like TE.CL the first part is what the server in front believes, the second what the one
behind does. Each is tried with `/smuggled` where the victim's request would be poisoned.
"""

from .edge import (BROKEN_OFF, CHUNKED, CREDENTIALS, EXPECTATION, FOLLOWING, HOST, MALFORMED,
                   NO_METHOD, NO_UPGRADE, NOTHING, Outcome, Seen, case, chunks, get, post, refuse,
                   served)

EVIL = b"GET /smuggled HTTP/1.1\r\nHost: a.example\r\nX: "
EVIL_POST = b"POST /smuggled HTTP/1.1\r\nHost: a.example\r\nContent-Length: 9\r\n\r\nx="
KEY = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="


def length(body):
    return b"Content-Length: %d" % len(body)


def as_chunks(body):
    return b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n"


def both(te, body=b"0\r\n\r\n" + EVIL):
    return post(length(body), te, body=body)


CLASSIC = refuse("9112 6.3", {
    "CL.TE": post(length(b"0\r\n\r\n" + EVIL), CHUNKED, body=b"0\r\n\r\n" + EVIL),
    "CL.TE with the coding first": post(CHUNKED, length(b"0\r\n\r\n" + EVIL),
                                        body=b"0\r\n\r\n" + EVIL),
    "TE.CL": post(b"Content-Length: 4", CHUNKED, body=as_chunks(EVIL_POST)),
    "TE.CL with a length of 0": post(b"Content-Length: 0", CHUNKED, body=as_chunks(EVIL)),
    "TE.CL on GET": get(b"Content-Length: 4", CHUNKED) + as_chunks(EVIL),
    "CL.CL": post(b"Content-Length: 0", length(EVIL), body=EVIL),
    "CL.CL the other way": post(length(EVIL), b"Content-Length: 0", body=EVIL),
    "CL.0 by a space before the colon": get(b"Content-Length : %d" % len(EVIL)) + EVIL,
    "0.CL by a fold": get(b"Content-Length:", b" %d" % len(EVIL)) + EVIL,
    "0.CL by a bare CR": get(b"X: y\rContent-Length: %d" % len(EVIL)) + EVIL,
    "0.CL by a NUL": get(b"Content-Length\x00: %d" % len(EVIL)) + EVIL,
    "0.CL by a plus": get(b"Content-Length: +%d" % len(EVIL)) + EVIL,
    "TE.0 by a space before the colon": post(b"Transfer-Encoding : chunked",
                                             body=as_chunks(EVIL)),
    "TE.0 by a tab before the colon": post(b"Transfer-Encoding\t: chunked", body=as_chunks(EVIL)),
    "CL.TE in HTTP/1.0": post(length(b"0\r\n\r\n" + EVIL), CHUNKED, body=b"0\r\n\r\n" + EVIL,
                              line=b"POST /x HTTP/1.0"),
})

# TE.TE: each hides the coding from one of two servers. All are tried alone and with a length.
HIDDEN = {
    "xchunked": b"Transfer-Encoding: xchunked",
    "a space before the colon": b"Transfer-Encoding : chunked",
    "a tab before the colon": b"Transfer-Encoding\t: chunked",
    "NUL before the colon": b"Transfer-Encoding\x00: chunked",
    "0x0b before the colon": b"Transfer-Encoding\x0b: chunked",
    "a vertical tab before the value": b"Transfer-Encoding:\x0bchunked",
    "a form feed before the value": b"Transfer-Encoding:\x0cchunked",
    "NUL before the value": b"Transfer-Encoding:\x00chunked",
    "NUL behind the value": b"Transfer-Encoding: chunked\x00",
    "a vertical tab behind the value": b"Transfer-Encoding: chunked\x0b",
    "a bare CR behind the value": b"Transfer-Encoding: chunked\r",
    "a bare CR before the value": b"Transfer-Encoding:\rchunked",
    "a bare LF before the value": b"Transfer-Encoding:\nchunked",
    "a bare LF and a space before the value": b"Transfer-Encoding:\n chunked",
    "a bare LF and a vertical tab before the value": b"Transfer-Encoding:\n\x0bchunked",
    "a bare LF before the colon": b"Transfer-Encoding\n: chunked",
    "a fold before the colon": b"Transfer-Encoding\r\n : chunked",
    "a fold before the value": b"Transfer-Encoding:\r\n chunked",
    "a tab's fold before the value": b"Transfer-Encoding:\r\n\tchunked",
    "inside a fold": b"Foo: bar\r\n Transfer-Encoding: chunked",
    "inside a tab's fold": b"Foo: bar\r\n\tTransfer-Encoding: chunked",
    "a fold after garbage": b"garbage\r\n Transfer-Encoding: chunked",
    "behind a bare CR": b"Foo: bar\rTransfer-Encoding: chunked",
    "behind a bare LF": b"Foo: bar\nTransfer-Encoding: chunked",
    "behind LF CR": b"Foo: bar\n\rTransfer-Encoding: chunked",
    "behind CR CR LF": b"Foo: bar\r\r\nTransfer-Encoding: chunked",
    "behind NUL": b"Foo: bar\x00Transfer-Encoding: chunked\x00",
    "behind an empty name": b": x\r\nTransfer-Encoding: chunked",
    "behind a line without a colon": b"Foo\r\nTransfer-Encoding: chunked",
    "a comma and identity": b"Transfer-Encoding: chunked, identity",
    "identity and a comma": b"Transfer-Encoding: identity, chunked",
    "a comma and cow": b"Transfer-Encoding: chunked, cow",
    "cow and a comma": b"Transfer-Encoding: cow, chunked",
    "nested": b"Transfer-Encoding: cow chunked bar",
    "lazy": b"Transfer-Encoding: chunk",
    "double quotes": b'Transfer-Encoding: "chunked"',
    "single quotes": b"Transfer-Encoding: 'chunked'",
    "a semicolon": b"Transfer-Encoding: chunked;",
    "a parameter": b"Transfer-Encoding: chunked;foo=bar",
    "two lines, x last": b"Transfer-Encoding: chunked\r\nTransfer-encoding: x",
    "two lines, x first": b"Transfer-Encoding: x\r\nTransfer-Encoding: chunked",
    "two lines, identity first": b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
    "two lines, identity last": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    "two lines, an empty one first": b"Transfer-Encoding:\r\nTransfer-Encoding: chunked",
    "an accent in the name": b"Transf\x82r-Encoding: chunked",
    "0xff at the name's end": b"Transfer-Encoding\xff: chunked",
    "an accent in the value": b"Transfer-Encoding: ch\x96nked",
    "a space in the name": b"Transfer Encoding: chunked",
    "a space first in the name": b" Transfer-Encoding: chunked",
    "two colons": b"Transfer-Encoding:: chunked",
    "a no-break space": b"Transfer-Encoding:\xa0chunked",
    "0x1f before the value": b"Transfer-Encoding: \x1fchunked",
    "DEL behind the value": b"Transfer-Encoding: chunked\x7f",
    "a backspace": b"Transfer-Encoding: x\x08chunked",
}
HIDDEN_CODINGS = refuse("9112 6.1", {
    f"TE.TE: {name}": post(te, body=as_chunks(EVIL)) for name, te in HIDDEN.items()
}) + refuse("9112 6.3", {
    f"CL.TE: {name}": both(te) for name, te in HIDDEN.items()
}, alike=True)

# Forms that are legal: what a careless server behind takes for a request is one body, whole.
UNREAD = [
    case("9112 6.3", name, raw, served(method=method, body=EVIL))
    for name, method, raw in [
        ("CL.0", "POST", post(length(EVIL), body=EVIL)),
        ("CL.0 on GET", "GET", get(length(EVIL)) + EVIL),
        ("CL.0 on OPTIONS", "OPTIONS", post(length(EVIL), body=EVIL, line=b"OPTIONS /x HTTP/1.1")),
        ("CL.0 on DELETE", "DELETE", post(length(EVIL), body=EVIL, line=b"DELETE /x HTTP/1.1")),
        ("CL.0 kept alive", "POST", post(length(EVIL), b"Connection: keep-alive", body=EVIL)),
        ("TE.0", "POST", post(CHUNKED, body=as_chunks(EVIL))),
        ("TE.0 on OPTIONS", "OPTIONS", post(CHUNKED, body=as_chunks(EVIL),
                                            line=b"OPTIONS /x HTTP/1.1")),
        ("TE.0 on GET", "GET", get(CHUNKED) + as_chunks(EVIL)),
        ("0.CL without a coding", "PUT", post(length(EVIL), body=EVIL,
                                              line=b"PUT /x HTTP/1.1")),
        ("Expect and CL.0", "POST", post(b"Expect: 100-continue", length(EVIL), body=EVIL)),
        ("Expect and CL.0 on GET", "GET", get(b"Expect: 100-continue", length(EVIL)) + EVIL),
        ("Expect and TE.0", "POST", post(b"Expect: 100-continue", CHUNKED, body=as_chunks(EVIL))),
        ("a client-side desync", "POST", post(length(EVIL), b"Origin: https://b.example",
                                              b"Content-Type: text/plain", body=EVIL)),
    ]] + [
    case("9112 9.3.2", "a pipelined request with its own credentials",
         get() + get(line=b"GET /y HTTP/1.1"), served(Seen(), Seen(target="/y"))),
    case("9112 6.3", "CL.0 on HEAD", post(length(EVIL), body=EVIL, line=b"HEAD /x HTTP/1.1"),
         served(method="HEAD", body=EVIL), method="HEAD"),
]

# What is answered without its body having been read: the body is dropped or the connection ends,
# and nothing in it is a request, though it holds one with credentials.
INNER = len(FOLLOWING) - len(b"@@") + CREDENTIALS


def unread(line, *fields):
    """The forms of a body that nobody asks for."""
    head = b"\r\n".join([line, HOST, *fields])
    size = b"\r\nContent-Length: %d\r\n" % INNER
    return {
        "with a length": head + size + b"\r\n" + FOLLOWING,
        "expecting": head + size + b"Expect: 100-continue\r\n\r\n" + FOLLOWING,
        "in chunks": head + b"\r\n" + CHUNKED + b"\r\n\r\n%x\r\n" % INNER + FOLLOWING
                     + b"\r\n0\r\n\r\n"}


def answered(status, code=None):
    return Outcome(status, code, None, NOTHING)


DROPPED = [case("9112 9.3", f"{name} {form}", raw, *outcomes,
                method="HEAD" if b"HEAD" in raw[:5] else "GET")
           for name, line, fields, outcomes in [
               ("no credentials", b"POST /x HTTP/1.1", [], [answered(401, "credentials_missing")]),
               ("no credentials, GET", b"GET /x HTTP/1.1", [],
                [answered(401, "credentials_missing")]),
               ("wrong credentials", b"POST /x HTTP/1.1", [b"Authorization: Basic YTpiMDAwMDAw"],
                [answered(401, "credentials_invalid")]),
               ("an ambiguous path", b"POST /a%2fb HTTP/1.1", [b"@@"],
                [answered(400, "path_ambiguous")]),
               ("an upgrade", b"GET /x HTTP/1.1",
                [b"@@", b"Connection: Upgrade", b"Upgrade: websocket",
                 b"Sec-WebSocket-Version: 13", KEY], [NO_UPGRADE, MALFORMED]),
               ("GET /healthz", b"GET /healthz HTTP/1.1", [], [answered(200), NO_METHOD]),
               ("POST /healthz", b"POST /healthz HTTP/1.1", [],
                [answered(200), NO_METHOD, answered(401, "credentials_missing")]),
               ("GET of the keys", b"GET /.well-known/jwks.json HTTP/1.1", [],
                [answered(200), NO_METHOD]),
               ("POST to the keys", b"POST /.well-known/jwks.json HTTP/1.1", [],
                [NO_METHOD, answered(404, "no_route")]),
               ("a page that is not there", b"POST /.agentport/none HTTP/1.1", [b"@@"],
                [answered(404, "no_route"), NO_METHOD])]
           for form, raw in unread(line, *fields).items()]

EXPECTED = refuse("9110 10.1.1", {
    "Expect: y 100-continue": post(b"Expect: y 100-continue", length(EVIL), body=EVIL),
    "Expect: y 100-continue on GET": get(b"Expect: y 100-continue", length(EVIL)) + EVIL,
    "Expect: 100-continue in a list with y": post(b"Expect: y, 100-continue", length(EVIL),
                                                  body=EVIL),
    "Expect: 100-continuea": post(b"Expect: 100-continuea", length(EVIL), body=EVIL),
}, (EXPECTATION, MALFORMED)) + refuse("9112 6.3", {
    "Expect and CL.TE": post(b"Expect: 100-continue", length(b"0\r\n\r\n" + EVIL), CHUNKED,
                             body=b"0\r\n\r\n" + EVIL),
    "Expect behind a bare LF": post(b"Expect:\n100-continue", length(EVIL), body=EVIL),
    "Expect folded": post(b"Expect:", b" 100-continue", length(EVIL), body=EVIL),
    "Expect with a space before the colon": post(b"Expect : 100-continue", length(EVIL),
                                                 body=EVIL),
    "Expect after a vertical tab": post(b"Expect: \x0b100-continue", length(EVIL), body=EVIL),
})

# The names are those of the two readers: TERM ends a line at LF, EXT and SPILL read on.
CHUNK_TRICKS = refuse("9112 7.1.1", {name: chunks(body) for name, body in {
    "TERM.EXT": b"2;\nxx\r\n3a\r\n0\r\n\r\n" + EVIL,
    "TERM.EXT without a semicolon": b"2\nxx\r\n3a\r\n0\r\n\r\n" + EVIL,
    "TERM.EXT on the last chunk": b"3\r\nabc\r\n0;\nxx\r\n\r\n" + EVIL,
    "TERM.EXT by CR": b"2;\rxx\r\n3a\r\n0\r\n\r\n" + EVIL,
    "EXT.TERM": b"3a;\nx\r\n0\r\n\r\n" + EVIL + b"\r\n0\r\n\r\n",
    "EXT.TERM by CR": b"3a;\rx\r\n0\r\n\r\n" + EVIL + b"\r\n0\r\n\r\n",
    "TERM.SPILL": b"5\r\nabc\r\n0\r\n\r\n" + EVIL,
    "TERM.SPILL by a longer chunk": b"3\r\nabcdef\r\n0\r\n\r\n" + EVIL,
    "SPILL.TERM": b"3\r\nabc0\r\n\r\n" + EVIL + b"\r\n0\r\n\r\n",
    "SPILL.TERM by an extra chunk": b"3\r\nabcXX1e\r\n0\r\n\r\n" + EVIL,
    "one-two": b"3\r\nabc\nX0\r\n\r\n" + EVIL,
    "one-two at the last chunk": b"3\r\nabc\r\n0\r\n\n" + EVIL,
    "two-one": b"3\r\nabcX\n0\r\n\r\n" + EVIL,
    "two-one by CR": b"3\r\nabc\rX0\r\n\r\n" + EVIL,
    "zero-two": b"3\r\nabc0\r\n\r\n" + EVIL,
    "two-zero": b"3\r\nabcXX0\r\n\r\n" + EVIL,
    "a size whose high bits are lost": b"100000000000000003\r\nabc\r\n0\r\n\r\n" + EVIL,
    "a size with 0x": b"0x3\r\nabc\r\n0\r\n\r\n" + EVIL,
    "a size and a space": b"3 abc\r\n0\r\n\r\n" + EVIL,
    "no last chunk": b"3\r\nabc\r\n" + EVIL,
    "a request for a size": EVIL,
    "a trailer that is a request": b"3\r\nabc\r\n0\r\n" + EVIL + b"y\r\n\r\n",
}.items()}, (BROKEN_OFF,)) + [
    case("9112 7.1.1", "a quoted line end",
         chunks(b'3;x="\r\nabc\r\n0\r\n\r\n' + EVIL + b'"\r\n0\r\n\r\n'), BROKEN_OFF)]

ENDINGS = refuse("9112 2.2", {
    "CR LF in a name": get(b"X\r\nTransfer-Encoding: chunked"),
    "a bare LF in a name": post(b"X\nTransfer-Encoding: chunked", body=as_chunks(EVIL)),
    "a bare CR in a name": post(b"X\rTransfer-Encoding: chunked", body=as_chunks(EVIL)),
    "a head that ends in LF LF": get()[:-4] + b"\n\n" + EVIL,
    "a head that ends in LF CR LF": get()[:-4] + b"\n\r\n" + EVIL,
    "a head that ends in CR LF LF": get()[:-2] + b"\n" + EVIL,
    "a request behind a bare LF in a value": get(b"X: y\n\n" + EVIL + b"y"),
    "a request behind CR CR in a value": get(b"X: y\r\r" + EVIL + b"y"),
    "a request line in a tab": get(line=b"GET\t/x\tHTTP/1.1"),
    "a request line in tabs and spaces": get(line=b"GET \t/x HTTP/1.1"),
    "a request line with a bare CR": get(line=b"GET /x HTTP/1.1\rX: y"),
    "a request line with NUL": get(line=b"GET /x\x00 HTTP/1.1"),
    "a second request line": get(line=b"GET /x HTTP/1.1 GET /smuggled HTTP/1.1"),
    "a second request in the target": get(
        line=b"GET /x HTTP/1.1\nHost: b.example\nX: /y HTTP/1.1"),
    "a Host after a fold": get(host=b"X: y\r\n " + HOST),
    "two Hosts by a bare LF": get(host=HOST + b"\nHost: b.example"),
    "two Hosts by a space": get(host=HOST + b"\r\n Host: b.example"),
    "two Hosts, one before a colon's space": get(b"Host : b.example"),
})

UPGRADED = [
    case("9110 7.8", name, raw, *allowed) for name, raw, *allowed in [
        ("an upgrade with pipelined bytes",
         get(b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13", KEY),
         NO_UPGRADE),
        ("an upgrade of a wrong version with pipelined bytes",
         get(b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 777", KEY),
         NO_UPGRADE, MALFORMED),
    ]] + [case("7540 3.2", name, raw, served(method=method, body=body,
                                             absent=("Upgrade", "HTTP2-Settings")), NO_UPGRADE)
          for name, method, body, raw in [
              ("h2c smuggling", "GET", b"",
               get(b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c",
                   b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA")),
              ("h2c smuggling with a body", "POST", b"hello",
               post(b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c",
                    b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA", b"Content-Length: 5",
                    body=b"hello"))]]

ROWS = {"classic": CLASSIC, "hidden coding": HIDDEN_CODINGS, "unread": UNREAD, "dropped": DROPPED,
        "expected": EXPECTED, "chunk trick": CHUNK_TRICKS, "ending": ENDINGS,
        "upgraded": UPGRADED}
