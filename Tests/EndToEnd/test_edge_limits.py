# SPDX-License-Identifier: Apache-2.0
"""Each limit of a listener at its edge: what is just within passes, what is just beyond does not,
and what becomes of the connection and of the upstream then."""

import contextlib
import time

import pytest

from support.agents import terse
from support.gateway import MANY_CLIENTS, Gateway, merged
from support.waiting import wait_until
from support.wire import Closed, chunked, encode

KIB = 1 << 10
LINE, HEAD, FIELDS, BODY = 1 * KIB, 4 * KIB, 20, 64 * KIB
# The one is waited for, the other is what a client that is just in time keeps to.
SHORT_S, TIMEOUT_S = 0.25, 1.0
# How late a timeout may be noticed on a machine that is busy.
SLACK_S = 2.0
POLICY = {
    "totp": {"one_time": False},
    "listen": {"limits": {
        "request_line": "1KiB", "header_bytes": "4KiB", "header_fields": FIELDS,
        "body": "64KiB", "header_timeout": "1s", "body_timeout": "1s",
        "keepalive_timeout": "1s"}},
    "routes": [{"path": "/", "upstream": "openclaw"},
               {"path": "/less/", "upstream": "openclaw", "limits": {"body": "1KiB"}},
               {"path": "/more/", "upstream": "openclaw", "limits": {"body": "128KiB"}}]}
PATHS = pytest.mark.parametrize("path, limit", [("/", BODY), ("/less/", KIB), ("/more/", 2 * BODY)])


@pytest.fixture(scope="module")
def policy_patch():
    return merged(MANY_CLIENTS, POLICY)


@pytest.fixture(scope="module")
def policy_agents():
    return [terse()]


@pytest.fixture(scope="module")
def module_hasty(tmp_path_factory, authority, module_recorder):
    short = {f"{name}_timeout": "250ms" for name in ("header", "body", "keepalive")}
    gateway = Gateway(tmp_path_factory.mktemp("hasty"), authority)
    gateway.from_policy(module_recorder.url,
                        merged(merged(MANY_CLIENTS, POLICY), {"listen": {"limits": short}}),
                        agents=[terse()]).start()
    yield gateway
    assert gateway.stop() == 0, gateway.output()[-4000:]


@pytest.fixture
def hasty(module_hasty, recorder):
    """A gateway whose timeouts are over soon."""
    return module_hasty


@pytest.fixture
def agent(gateway):
    return gateway.agents[0]


@pytest.fixture
def verdict(gateway, recorder):
    """Sends bytes on a connection of their own; a refusal must end it and touch no upstream."""
    def verdict(raw):
        with gateway.connect() as wire:
            wire.send_all_it_takes(raw)
            response = wire.response()
            if response.status != 200:
                assert response.get("Connection", "").lower() == "close"
                wire.ends()
                assert recorder.whole == []
            recorder.requests.clear()
            return response.verdict
    return verdict


def edge_of(passes, low, high):
    """The greatest size that passes, where `low` does, `high` does not, and between them there
    is one edge; 1 beyond it is tried again at the end, and so is the edge itself."""
    assert passes(low) and not passes(high)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if passes(middle) else (low, middle)
    assert passes(low) and not passes(high)
    return low


# Sizes.

def test_the_request_line(verdict, agent):
    """Whether its line end counts is not said: the edge is within those two bytes."""
    def passes(size):
        target = "/" + "a" * (size - len("GET / HTTP/1.1"))
        answer = verdict(encode("GET", target, agent.basic()))
        assert answer in [(200, None), (414, "uri_too_long")], answer
        return answer[0] == 200
    assert LINE - 2 <= edge_of(passes, LINE - 100, LINE + 100) <= LINE


@pytest.mark.parametrize("query", ["?", "/../", "//", "%41"])
def test_the_request_line_counts_as_it_was_sent(verdict, agent, query):
    """Not as it is after its path was made shorter."""
    target = "/" + query * (LINE // len(query))
    assert verdict(encode("GET", target, agent.basic())) == (414, "uri_too_long")


@pytest.mark.parametrize("line", [b"GET /" + b"a" * 2000, b"G" * 2000,
                                  b"GET /x HTTP/1.1" + b"1" * 2000], ids=["target", "method",
                                                                         "version"])
def test_a_request_line_without_an_end(verdict, line):
    """Refused when it is too long, not when it ends."""
    assert verdict(line) in [(414, "uri_too_long"), (400, "http_malformed")]


def test_the_header_bytes(verdict, agent):
    """Whether the request line and the last empty line count is not said."""
    plain = len(encode("GET", "/", [*agent.basic(), ("X", "")]))

    def passes(size):
        answer = verdict(encode("GET", "/", [*agent.basic(), ("X", "a" * (size - plain))]))
        assert answer in [(200, None), (431, "headers_too_large")], answer
        return answer[0] == 200
    # The size given to `passes` is that of the whole head.
    line = len(b"GET / HTTP/1.1\r\n")
    assert HEAD <= edge_of(passes, HEAD - 200, HEAD + 200) <= HEAD + line + 2


def test_the_header_bytes_of_many_fields(verdict, agent):
    """Their sum counts, not the longest."""
    some = [(f"X-{n}", "a" * 230) for n in range(10)]
    assert verdict(encode("GET", "/", [*agent.basic(), *some])) == (200, None)
    many = [(f"X-{n}", "a" * 230) for n in range(17)]
    assert verdict(encode("GET", "/", [*agent.basic(), *many])) == (431, "headers_too_large")


@pytest.mark.parametrize("field", ["X", "Connection", "Cookie"])
def test_the_header_fields(verdict, agent, field):
    own = 1 + len(agent.basic())  # Host is one of them
    most = [(field, "a")] * (FIELDS - own)
    assert verdict(encode("GET", "/", [*agent.basic(), *most])) == (200, None)
    assert verdict(encode("GET", "/", [*agent.basic(), *most, (field, "a")])) \
        == (431, "headers_too_large")


def test_a_head_that_is_too_large_is_no_less_malformed(verdict, agent):
    """The first fault that shows decides, and neither leads on."""
    fields = [*agent.basic(), ("X ", "a"), ("Y", "a" * HEAD)]
    assert verdict(encode("GET", "/", fields)) \
        in [(400, "http_malformed"), (431, "headers_too_large")]


@PATHS
def test_a_body_with_a_length(verdict, agent, path, limit):
    for size, right in [(limit, (200, None)), (limit + 1, (413, "body_too_large"))]:
        assert verdict(encode("POST", path, agent.basic(), b"x" * size)) == right


@PATHS
@pytest.mark.parametrize("piece", [None, 1000, 15], ids=["one chunk", "chunks", "small chunks"])
def test_a_body_in_chunks(gateway, agent, recorder, path, limit, piece):
    """Their sum counts, and not what is round them."""
    fields = [*agent.basic(), ("Transfer-Encoding", "chunked")]

    def raw(size):
        step = piece or size
        return encode("POST", path, fields,
                      chunked(*[b"x" * min(step, size - at) for at in range(0, size, step)]))
    with gateway.connect() as wire:
        wire.send(raw(limit))
        assert wire.response().json()["length"] == limit
        wire.send_all_it_takes(raw(limit + 1))
        response = wire.response()
        assert response.verdict == (413, "body_too_large")
        wire.ends()
    assert len(recorder.whole) == 1


@pytest.mark.parametrize("line", [b"0" * 70_000, b"3;" + b"a" * 70_000, b'3;a="' + b"b" * 70_000,
                                  b"0\r\nX: " + b"a" * 70_000, b"0\r\n" + b"X: a\r\n" * 12_000],
                         ids=["size", "extension", "quoted extension", "trailer", "trailers"])
def test_a_line_in_a_body_without_an_end(gateway, agent, recorder, line):
    """Refused when it is too long, not when it ends or its time is over."""
    with gateway.connect() as wire:
        fields = [*agent.basic(), ("Transfer-Encoding", "chunked")]
        wire.send_all_it_takes(encode("POST", "/", fields, line))
        assert wire.response().verdict in [(400, "http_malformed"), (413, "body_too_large"),
                                           (431, "headers_too_large")]
        wire.ends()
    assert recorder.whole == []


def test_a_body_that_is_too_long_is_not_asked_for(gateway, agent, recorder):
    with recorder.untouched(), gateway.connect() as wire:
        wire.send(encode("POST", "/", [*agent.basic(), ("Expect", "100-continue"),
                                       ("Content-Length", str(BODY + 1))]))
        response = wire.response()
        assert response.verdict == (413, "body_too_large") and response.interim == []
        wire.ends()


@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_a_body_that_is_too_long_is_refused_while_it_is_sent(gateway, agent, recorder, framing):
    """The answer comes to a client that sends all of it first and looks then."""
    size = 2 << 20
    fields = [*agent.basic(), ("Content-Length", str(size)) if framing == "length" else
              ("Transfer-Encoding", "chunked")]
    body = b"x" * size if framing == "length" else chunked(*[b"x" * 8192] * (size >> 13))
    with gateway.connect() as wire:
        wire.send(encode("POST", "/", fields))
        wire.send_while_listening(body)
        assert wire.response().verdict == (413, "body_too_large")
    assert recorder.whole == []


@pytest.mark.parametrize("piece", [1000, BODY], ids=["bit by bit", "by its last byte"])
def test_the_end_comes_with_the_answer(gateway, agent, recorder, piece):
    """The answer and a FIN first; what else comes is read and dropped behind them."""
    fields = [*agent.basic(), ("Transfer-Encoding", "chunked")]
    body = chunked(*[b"x" * piece] * (BODY // piece), b"x" * 1000)
    with gateway.connect() as wire:
        wire.send_all_it_takes(encode("POST", "/", fields, body))
        assert wire.response().verdict == (413, "body_too_large")
        began = time.monotonic()
        wire.ends()
        assert time.monotonic() - began < 0.5


# Times.

def timed_out(wire, began, after=SHORT_S):
    """Asserts a 408 and a clean end, no sooner than the timeout and not much later."""
    response = wire.response()
    assert response.verdict == (408, "request_timeout"), response
    assert response.get("Connection", "").lower() == "close"
    wire.ends()
    assert after - 0.05 <= time.monotonic() - began <= after + SLACK_S


HALF = b"GET / HTTP/1.1\r\nHost: a\r\nX: a"


@pytest.mark.parametrize("sent", [b"G", b"GET / HTTP/1.1\r\n", HALF, HALF + b"\r\n",
                                  HALF + b"\r\n\r"])
def test_a_head_that_stops(hasty, recorder, sent):
    with recorder.untouched(), hasty.connect() as wire:
        began = time.monotonic()
        wire.send(sent)
        timed_out(wire, began)


def test_a_head_that_stops_behind_another_request(hasty):
    with hasty.connect() as wire:
        began = time.monotonic()
        wire.send(encode("GET", "/", hasty.agents[0].basic()) + HALF)
        assert wire.response().status == 200
        timed_out(wire, began)


def test_a_head_just_in_time(gateway, agent):
    raw = encode("GET", "/", agent.basic())
    with gateway.connect() as wire:
        wire.send(raw[:30])
        time.sleep(TIMEOUT_S / 2)
        wire.send(raw[30:])
        assert wire.response().status == 200


def test_a_head_in_drops_is_not_given_more_time(hasty):
    with hasty.connect() as wire:
        began = time.monotonic()
        with contextlib.suppress(OSError):
            while time.monotonic() - began < SHORT_S + SLACK_S:
                wire.send(b"G")
                time.sleep(0.02)
        assert time.monotonic() - began < SHORT_S + SLACK_S


@pytest.mark.parametrize("framing, part", [
    (("Content-Length", "10"), b""), (("Content-Length", "10"), b"half"),
    (("Transfer-Encoding", "chunked"), b""), (("Transfer-Encoding", "chunked"), b"4\r\nhalf"),
    (("Transfer-Encoding", "chunked"), b"4\r\nhalf\r\n0\r\n")])
@pytest.mark.parametrize("expects", [False, True], ids=["", "expects"])
def test_a_body_that_stops(hasty, recorder, framing, part, expects):
    """The upstream must not take it for whole, nor its connection for one to go on with."""
    expectation = [("Expect", "100-continue")] if expects else []
    fields = [*hasty.agents[0].basic(), framing, *expectation]
    with hasty.connect() as wire:
        began = time.monotonic()
        wire.send(encode("POST", "/stops", fields) + part)
        timed_out(wire, began)
    assert recorder.whole == []
    for request in recorder.at("/stops"):
        wait_until(lambda: not recorder.is_open(request.connection),
                   what="the end of the upstream's connection")


def test_a_body_just_in_time(gateway, agent, recorder):
    with gateway.connect() as wire:
        wire.send(encode("POST", "/", [*agent.basic(), ("Content-Length", "10")]) + b"first")
        time.sleep(TIMEOUT_S / 2)
        wire.send(b"+last")
        assert wire.response().json()["length"] == 10


def test_a_body_in_pieces_that_takes_longer_than_the_timeout(hasty, recorder):
    """Whether the time is for all of it or for each wait is not said: whole, or refused."""
    with hasty.connect() as wire:
        wire.send(encode("POST", "/", [*hasty.agents[0].basic(), ("Content-Length", "6")]))
        for _ in range(6):
            time.sleep(SHORT_S * 0.4)
            wire.send_all_it_takes(b"x")
        assert wire.response().verdict in [(200, None), (408, "request_timeout")]


def test_a_slow_answer_is_not_cut_by_the_limits_of_requests(hasty, recorder):
    recorder.on("/slow", lambda exchange: (time.sleep(SHORT_S * 3), exchange.reply(b"ok")))
    with hasty.connect() as wire:
        headers = hasty.agents[0].basic()
        assert wire.request("POST", "/slow", headers, b"x").body == b"ok"
        assert wire.request("GET", "/", headers).status == 200


@pytest.mark.parametrize("before", [b"", b"\r\n"], ids=["", "after an empty line"])
def test_an_idle_connection_ends_without_a_word(hasty, before):
    """Nobody waits for an answer: a 408 would be taken for one to the next request."""
    with hasty.connect() as wire:
        assert wire.request("GET", "/", hasty.agents[0].basic()).status == 200
        began = time.monotonic()
        wire.send(before)
        if not before:
            wire.ends(timeout=SHORT_S + SLACK_S)
        elif said := wire.rest():
            assert said.startswith(b"HTTP/1.1 408 ")  # it may be taken for a request's beginning
        assert time.monotonic() - began > SHORT_S - 0.05


def test_a_connection_used_in_time_is_kept(gateway, agent):
    with gateway.connect() as wire:
        for _ in range(2):
            assert wire.request("GET", "/", agent.basic()).status == 200
            time.sleep(TIMEOUT_S * 0.6)
        assert wire.request("GET", "/", agent.basic()).status == 200


def test_a_connection_that_never_asks(hasty, recorder):
    """It ends, with or without a 408: by `header_timeout` or by `keepalive_timeout`."""
    with recorder.untouched(), hasty.connect() as wire:
        began = time.monotonic()
        with contextlib.suppress(Closed):
            assert wire.response().verdict == (408, "request_timeout")
        assert SHORT_S - 0.05 <= time.monotonic() - began <= SHORT_S + SLACK_S
