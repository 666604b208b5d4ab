# SPDX-License-Identifier: Apache-2.0
"""Requests that two parsers could read in two ways: refused, closed, and never passed on.

Each case stands with valid credentials in it, so that nothing but its form can refuse it.
"""

import pytest

from support.waiting import settle
from support.wire import Closed

HOST = b"Host: claw.example.com"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: claw.example.com\r\n\r\n"
CHUNKS = b"3\r\nabc\r\n0\r\n\r\n"


@pytest.fixture(scope="module")
def policy_patch():
    return {"totp": {"one_time": False}}


def post(*fields, body=b""):
    return b"\r\n".join([b"POST /x HTTP/1.1", HOST, b"@", *fields]) + b"\r\n\r\n" + body


def get(*fields, line=b"GET /x HTTP/1.1"):
    return b"\r\n".join([line, HOST, b"@", *fields]) + b"\r\n\r\n"


def with_credentials(raw, agent):
    fields = "\r\n".join(f"{name}: {value}" for name, value in agent.bearer()).encode()
    return raw.replace(b"@", fields)


# The marker `@` stands for the credentials.
HEADS = {
    # RFC 9112 section 6.3: a message with both framings, or with lengths that disagree.
    "length and chunked": post(b"Content-Length: 5", b"Transfer-Encoding: chunked",
                               body=b"0\r\n\r\n"),
    "chunked and length": post(b"Transfer-Encoding: chunked", b"Content-Length: 5",
                               body=b"0\r\n\r\n"),
    "chunked and length 0": post(b"Transfer-Encoding: chunked", b"Content-Length: 0",
                                 body=b"0\r\n\r\n"),
    "two lengths": post(b"Content-Length: 5", b"Content-Length: 0", body=b"hello"),
    "two equal lengths": post(b"Content-Length: 5", b"Content-Length: 5", body=b"hello"),
    "a list of lengths": post(b"Content-Length: 5, 5", body=b"hello"),
    "a list of unlike lengths": post(b"Content-Length: 5, 0", body=b"hello"),
    "a signed length": post(b"Content-Length: +5", body=b"hello"),
    "a negative length": post(b"Content-Length: -5", body=b"hello"),
    "a hexadecimal length": post(b"Content-Length: 0x5", body=b"hello"),
    "a length with a tail": post(b"Content-Length: 5x", body=b"hello"),
    "a length in two words": post(b"Content-Length: 5 5", body=b"hello"),
    "a fractional length": post(b"Content-Length: 5.0", body=b"hello"),
    "an empty length": post(b"Content-Length:", body=b"hello"),
    "a length beyond 64 bits": post(b"Content-Length: 18446744073709551621", body=b"hello"),
    "a length of 400 digits": post(b"Content-Length: " + b"9" * 400, body=b"hello"),
    # RFC 9112 section 6.1: codings.
    "chunked twice": post(b"Transfer-Encoding: chunked, chunked", body=CHUNKS),
    "chunked on two lines": post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked",
                                 body=CHUNKS),
    "chunked, then identity": post(b"Transfer-Encoding: chunked, identity", body=CHUNKS),
    "identity": post(b"Transfer-Encoding: identity", body=b""),
    "identity on a second line": post(b"Transfer-Encoding: chunked",
                                      b"Transfer-Encoding: identity", body=CHUNKS),
    "gzip, then chunked": post(b"Transfer-Encoding: gzip, chunked", body=CHUNKS),
    "an unknown coding": post(b"Transfer-Encoding: xchunked", body=CHUNKS),
    "a quoted coding": post(b'Transfer-Encoding: "chunked"', body=CHUNKS),
    "a coding after a vertical tab": post(b"Transfer-Encoding: \x0bchunked", body=CHUNKS),
    "an empty coding": post(b"Transfer-Encoding:", body=CHUNKS),
    "a coding with a parameter": post(b"Transfer-Encoding: chunked;q=1", body=CHUNKS),
    "a comma before the coding": post(b"Transfer-Encoding: , chunked", body=CHUNKS),
    "a coding in HTTP/1.0": post(b"Transfer-Encoding: chunked", body=CHUNKS)
    .replace(b"HTTP/1.1", b"HTTP/1.0"),
    # RFC 9112 section 5: field lines.
    "a space before the colon": post(b"Transfer-Encoding : chunked", body=CHUNKS),
    "a tab before the colon": post(b"Content-Length\t: 5", body=b"hello"),
    "a folded line": get(b"X-One: a", b" b"),
    "a folded length": post(b"Content-Length:", b" 5", body=b"hello"),
    "white space before the first field": get().replace(HOST, b" X: y\r\n" + HOST),
    "a line without a colon": get(b"no colon here"),
    "an empty name": get(b": value"),
    "a name with a space": get(b"X Y: value"),
    "a name with a control": get(b"X\x01Y: value"),
    "a name beyond ASCII": get(b"X\xc3\xa9: value"),
    "a name with a parenthesis": get(b"X(Y: value"),
    "NUL in a value": get(b"X-One: a\x00b"),
    "a bare CR in a value": get(b"X-One: a\rTransfer-Encoding: chunked"),
    "a control in a value": get(b"X-One: a\x07b"),
    "DEL in a value": get(b"X-One: a\x7fb"),
    "a bare LF between fields": get(b"X-One: a\nX-Two: b"),
    "a bare LF after the request line": get().replace(b"HTTP/1.1\r\n", b"HTTP/1.1\n"),
    "a bare LF for the empty line": get()[:-2] + b"\n",
    "nothing but bare LF": get().replace(b"\r\n", b"\n"),
    # RFC 9112 section 3: the request line and Host.
    "no Host": get().replace(HOST + b"\r\n", b""),
    "two Hosts": get(b"Host: other.example"),
    "two equal Hosts": get(HOST),
    "a Host with a slash": get().replace(HOST, b"Host: a/b"),
    "a Host with userinfo": get().replace(HOST, b"Host: claw.example.com@other.example"),
    "a Host with a space": get().replace(HOST, b"Host: a b"),
    "a list of Hosts": get().replace(HOST, b"Host: a, b"),
    "two spaces in the request line": get(line=b"GET  /x HTTP/1.1"),
    "a tab in the request line": get(line=b"GET\t/x HTTP/1.1"),
    "a space in the target": get(line=b"GET /x /y HTTP/1.1"),
    "a space after the version": get(line=b"GET /x HTTP/1.1 "),
    "a leading space": get(line=b" GET /x HTTP/1.1"),
    "no version": get(line=b"GET /x"),
    "a version in lower case": get(line=b"GET /x http/1.1"),
    "a version of another protocol": get(line=b"GET /x HTTPS/1.1"),
    "a version with two digits": get(line=b"GET /x HTTP/1.10"),
    "a method with a control": get(line=b"GE\x01T /x HTTP/1.1"),
    "a method with a parenthesis": get(line=b"GE(T /x HTTP/1.1"),
    "no method": get(line=b" /x HTTP/1.1"),
    "a target without a slash": get(line=b"GET x HTTP/1.1"),
    "a target with a fragment": get(line=b"GET /x#y HTTP/1.1"),
    "a target with a control": get(line=b"GET /x\x01 HTTP/1.1"),
    "a target beyond ASCII": get(line=b"GET /\xc3\xa9 HTTP/1.1"),
    "a broken escape": get(line=b"GET /%4 HTTP/1.1"),
    "an escape that is not hexadecimal": get(line=b"GET /%zz HTTP/1.1"),
    "an authority for a target": get(line=b"GET claw.example.com:443 HTTP/1.1"),
}

# What is wrong shows only in the body. The head may be on its way by then; a whole request
# must never get there.
BODIES = {
    "a negative chunk": b"-3\r\nabc\r\n0\r\n\r\n",
    "a signed chunk": b"+3\r\nabc\r\n0\r\n\r\n",
    "a chunk size with 0x": b"0x3\r\nabc\r\n0\r\n\r\n",
    "a chunk size with an underscore": b"0_3\r\nabc\r\n0\r\n\r\n",
    "a chunk size that is no number": b"g\r\nabc\r\n0\r\n\r\n",
    "no chunk size": b"\r\nabc\r\n0\r\n\r\n",
    "a space before the chunk size": b" 3\r\nabc\r\n0\r\n\r\n",
    "a chunk size beyond 64 bits": b"10000000000000003\r\nabc\r\n0\r\n\r\n",
    "a chunk size of 64 ones": b"ffffffffffffffff\r\nabc\r\n0\r\n\r\n",
    "a bare LF after the chunk size": b"3\nabc\r\n0\r\n\r\n",
    "a bare CR after the chunk size": b"3\rabc\r\n0\r\n\r\n",
    "a bare LF in an extension": b"3;a\nb\r\nabc\r\n0\r\n\r\n",
    "a bare CR in an extension": b"3;a\rb\r\nabc\r\n0\r\n\r\n",
    "no line end after the chunk": b"3\r\nabc0\r\n\r\n",
    "a bare LF after the chunk": b"3\r\nabc\n0\r\n\r\n",
    "a chunk longer than its size": b"3\r\nabcd\r\n0\r\n\r\n",
    "a bare LF after the last chunk": b"3\r\nabc\r\n0\n\r\n",
    "a bare LF after a trailer": b"3\r\nabc\r\n0\r\nX-T: a\n\r\n",
    "a trailer without a colon": b"3\r\nabc\r\n0\r\nnonsense\r\n\r\n",
    "a folded trailer": b"3\r\nabc\r\n0\r\nX-T: a\r\n b\r\n\r\n",
    "NUL in a trailer": b"3\r\nabc\r\n0\r\nX-T: a\x00b\r\n\r\n",
}


@pytest.mark.parametrize("raw", HEADS.values(), ids=HEADS.keys())
def test_refused_and_nothing_upstream(gateway, agent, recorder, raw):
    with recorder.untouched(), gateway.connect() as wire:
        wire.send(with_credentials(raw, agent) + SMUGGLED)
        response = wire.response()
        assert response.verdict == (400, "http_malformed"), response
        assert response.get("Connection", "").lower() == "close"
        wire.ends()
    assert gateway.request("GET", "/x", agent.bearer()).status == 200


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_a_malformed_body_is_no_request_upstream(gateway, agent, recorder, body):
    head = post(b"Transfer-Encoding: chunked")
    with gateway.connect() as wire:
        wire.send(with_credentials(head, agent) + body + SMUGGLED)
        response = wire.response()
        assert response.verdict == (400, "http_malformed"), response
        wire.ends()
    settle()
    assert recorder.whole == [], "the upstream took a malformed request for a whole one"
    assert recorder.at("/smuggled") == []
    assert gateway.request("GET", "/after", agent.bearer()).status == 200
    assert [r.path for r in recorder.whole] == ["/after"]


@pytest.mark.parametrize("line, verdict", [
    (b"GET /x HTTP/2.0", (505, "http_version")), (b"GET /x HTTP/3.0", (505, "http_version")),
    (b"GET /x HTTP/0.9", (505, "http_version"))])
def test_other_versions(gateway, agent, recorder, line, verdict):
    with recorder.untouched(), gateway.connect() as wire:
        wire.send(with_credentials(get(line=line), agent) + SMUGGLED)
        assert wire.response().verdict == verdict
        wire.ends()


def test_the_http_2_preface_is_refused(gateway, recorder):
    with recorder.untouched(), gateway.connect() as wire:
        wire.send_all_it_takes(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00" * 9)
        assert wire.response().status in (400, 505)


@pytest.mark.parametrize("raw", [HEADS["length and chunked"], HEADS["a folded line"],
                                 HEADS["a bare LF between fields"]],
                         ids=["framings", "folding", "bare LF"])
def test_byte_by_byte_makes_no_difference(gateway, agent, recorder, raw):
    with recorder.untouched(), gateway.connect() as wire:
        try:
            for byte in with_credentials(raw, agent):
                wire.send(bytes([byte]))
        except OSError:
            pass  # refused before the last byte, which is as good
        assert wire.response().verdict == (400, "http_malformed")


def test_a_request_cut_short_is_never_a_request(gateway, agent, recorder):
    raw = with_credentials(post(b"Content-Length: 10"), agent) + b"half"
    with gateway.connect() as wire:
        wire.send(raw)
        wire.socket.unwrap().close()
    settle()
    assert recorder.whole == []


def test_a_refused_request_does_not_poison_the_pool(gateway, agent, recorder):
    """A body that breaks off in the middle must take its upstream connection with it."""
    for _ in range(5):
        with gateway.connect() as wire:
            wire.send(with_credentials(post(b"Transfer-Encoding: chunked"), agent)
                      + b"5\r\nhello\r\nxx\r\n" + SMUGGLED)
            try:
                wire.response()
            except Closed:
                pass
        response = gateway.request("GET", "/after", agent.bearer())
        assert response.json()["target"] == "/after"
    assert recorder.at("/smuggled") == []
