# SPDX-License-Identifier: Apache-2.0
"""Answers, judged as strictly as requests: nothing that a client and the gateway could read in
two ways reaches the client, and nothing of one answer reaches another client.

The rows are in `support/edge_answers.py`; the upstream sends each whole, byte by byte, and in two
pieces. Below them is what depends on when an answer comes.
"""

import contextlib
import socket
import time

import pytest

from support import edge_answers
from support.agents import terse
from support.edge import parameters
from support.edge_answer_driver import AnswerEdge
from support.gateway import MANY_CLIENTS, merged
from support.waiting import settle, wait_until
from support.wire import Closed, chunked, encode

CASES = {f"{group}: {row.name}": row for group, rows in edge_answers.ROWS.items()
         for row in rows}
POLICY = {"totp": {"one_time": False}, "listen": {"limits": {"body": "64MiB"}}}


@pytest.fixture(scope="module")
def policy_patch():
    return merged(MANY_CLIENTS, POLICY)


@pytest.fixture(scope="module")
def policy_agents():
    return [terse()]


@pytest.fixture(scope="module")
def module_edge(module_gateway, module_recorder):
    edge = AnswerEdge(module_gateway, module_gateway.agents[0], module_recorder)
    yield edge
    edge.close()


@pytest.fixture
def edge(module_edge, gateway):
    return module_edge


@pytest.mark.parametrize("row", list(parameters(CASES)))
def test_relayed_in_one_way(edge, row):
    edge.check(row)


@pytest.mark.long
@pytest.mark.parametrize("row", list(parameters(CASES)))
def test_relayed_in_one_way_wherever_it_is_cut(edge, row):
    edge.check(row, everywhere=True)


# When an answer comes.

@pytest.fixture
def agent(gateway):
    return gateway.agents[0]


@pytest.fixture
def serves_on(gateway, agent, recorder):
    """After the test, whatever it did, requests get their own answers, and none is unread."""
    yield
    for number in range(8):
        answer = gateway.request("GET", f"/after/{number}", agent.basic())
        assert answer.json()["target"] == f"/after/{number}"
    assert recorder.faults == []


def refuse_upload(how, gateway=None):
    """An upstream that has had enough in the middle of an upload and reads no further.

    `lingers` ends its own half and goes later; `stays` keeps the connection and says nothing
    more; `closes` leaves bytes unread, so that a reset follows its answer. `gateway` is stopped
    meanwhile, so that it finds all of that at once.
    """
    def refuse(exchange):
        upstream, read = exchange.connection.socket, 0
        while read < 200_000:
            read += len(upstream.recv(65536))
        with gateway.stopped() if gateway else contextlib.nullcontext():
            exchange.reply(b"too much", status="413 Content Too Large",
                           headers=[("Connection", "close")])
            if how == "lingers":
                upstream.shutdown(socket.SHUT_WR)
            if how == "closes":
                upstream.close()
            else:
                time.sleep(0.3)
        exchange.close()
    return refuse


def upload(gateway, agent, framing, size=8 << 20):
    """A client that sends all it can, and hears what it is told meanwhile."""
    body, field = b"x" * size, ("Content-Length", str(size))
    if framing == "chunks":
        body, field = chunked(*[b"x" * 16384] * (size >> 14)), ("Transfer-Encoding", "chunked")
    with gateway.connect() as wire:
        wire.send(encode("POST", "/up", [*agent.basic(), field]))
        wire.send_while_listening(body)
        return wire.response()


@pytest.mark.parametrize("how", ["lingers", "stays"])
@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_a_refusal_in_the_middle_of_an_upload_arrives(gateway, agent, recorder, serves_on, how,
                                                      framing):
    """RFC 9112 sections 9.5 and 9.6: the answer stands, though the request was never read."""
    recorder.on("/up", refuse_upload(how), at="head")
    response = upload(gateway, agent, framing)
    assert (response.status, response.body) == (413, b"too much")
    assert not any(request.complete for request in recorder.at("/up"))


@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_a_refusal_with_a_reset_behind_it_arrives(gateway, agent, recorder, serves_on, framing):
    """As a server does that closes on what it has not read. What it said before is received."""
    recorder.on("/up", refuse_upload("closes", gateway), at="head")
    answers = [upload(gateway, agent, framing) for _ in range(8)]
    assert [(a.status, a.body) for a in answers] == [(413, b"too much")] * 8


def test_an_early_answer_leaves_the_upload_an_upload(gateway, agent, recorder, serves_on):
    """The upstream answers first and reads the rest: none of it may become a request."""
    recorder.on("/up", lambda exchange: exchange.reply(b"early"), at="head")
    inner = encode("GET", "/smuggled", agent.basic())
    body = inner + b"x" * 300_000 + inner
    with gateway.connect() as wire:
        wire.send(encode("POST", "/up", [*agent.basic(), ("Content-Length", str(len(body)))]))
        wire.send_while_listening(body)
        assert wire.response().body == b"early"
        wire.send_all_it_takes(encode("GET", "/next", agent.basic()))
        with contextlib.suppress(Closed):
            assert wire.response().json()["target"] == "/next"
    settle()
    assert recorder.at("/smuggled") == []
    for request in recorder.at("/up"):
        assert not request.complete or request.body == body


@pytest.mark.parametrize("rest", [b"zz\r\n", b"3\r\nabcX\r\n", b"3\nabc\r\n", b"0\r\nX : a\r\n\r\n",
                                  b"0\r\nContent-Length: 5\r\n\r\n", b"-1\r\n"])
def test_a_body_that_goes_wrong_after_its_answer(gateway, agent, recorder, serves_on, rest):
    """Too late for a 400: the connections end, and what follows is no request."""
    recorder.on("/up", lambda exchange: exchange.reply(b"early"), at="head")
    with gateway.connect() as wire:
        wire.send(encode("POST", "/up", [*agent.basic(), ("Transfer-Encoding", "chunked")],
                         b"3\r\nabc\r\n"))
        assert wire.response().body == b"early"
        wire.send_all_it_takes(rest + encode("GET", "/smuggled", agent.basic()))
        with contextlib.suppress(Closed):
            assert wire.response().verdict == (400, "http_malformed")
            wire.ends()
    asked = recorder.only()
    wait_until(lambda: not recorder.is_open(asked.connection),
               what="the end of the upstream's connection")
    assert not asked.complete


@pytest.mark.parametrize("status", ["200 OK", "401 Unauthorized", "417 Expectation Failed"])
@pytest.mark.parametrize("sends", [False, True], ids=["no body", "the body all the same"])
def test_an_answer_in_place_of_continue(gateway, agent, recorder, serves_on, status, sends):
    """RFC 9110 section 10.1.1: whether the body still comes, each side has to see alike."""
    recorder.on("/up", lambda exchange: exchange.reply(b"final", status=status), at="head")
    inner = encode("GET", "/smuggled", agent.basic())
    with gateway.connect() as wire:
        wire.send(encode("POST", "/up", [*agent.basic(), ("Expect", "100-continue"),
                                         ("Content-Length", str(len(inner)))]))
        response = wire.response()
        assert (response.status, response.body) == (int(status[:3]), b"final")
        if sends:
            wire.send_all_it_takes(inner)
        wire.send_all_it_takes(encode("GET", "/next", agent.basic()))
        with contextlib.suppress(Closed, OSError):
            wire.response()
    settle()
    assert recorder.at("/smuggled") == []
    # Without its body the request is not over, so nothing that follows can be another one.
    assert sends or recorder.at("/next") == []


@pytest.mark.parametrize("said", [
    b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL",
    b"HTTP/1.1 100 Continue\r\n\r\n", b"\r\n", b"E"],
    ids=["408", "200", "100", "a line end", "a byte"])
@pytest.mark.parametrize("goes", [False, True], ids=["stays", "goes"])
def test_what_an_idle_upstream_says_is_no_answer(gateway, agent, recorder, serves_on, said, goes):
    idle = []
    recorder.on("/idle", lambda exchange: (exchange.reply(), idle.append(exchange)))
    assert gateway.request("GET", "/idle", agent.basic()).status == 200
    wait_until(lambda: idle)
    idle[0].send(said)
    if goes:
        with contextlib.suppress(OSError):  # the gateway may have been quicker
            idle[0].connection.socket.shutdown(socket.SHUT_WR)
    number = idle[0].connection.number
    wait_until(lambda: not recorder.is_open(number), what="the gateway to leave it")


@pytest.mark.parametrize("first", ["request", "answer"])
def test_an_answer_that_came_before_its_request(gateway, agent, recorder, serves_on, first):
    """An idle upstream speaks just as a client asks: the gateway, stopped for a moment, finds
    both at once. What was there before it sent the request is no answer to it."""
    idle = []
    recorder.on("/idle", lambda exchange: (exchange.reply(), idle.append(exchange)))
    recorder.hang_up()
    with gateway.connect() as wire:
        assert wire.request("GET", "/idle", agent.basic()).status == 200
        wait_until(lambda: idle)
        settle()
        acts = [lambda: wire.send(encode("GET", "/asked", agent.basic())),
                lambda: idle[0].send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL")]
        with gateway.stopped():
            for act in acts if first == "request" else reversed(acts):
                act()
                settle()
        assert wire.response().json()["target"] == "/asked"


@pytest.mark.parametrize("part", [b"", b"HTTP/1.1 2", b"HTTP/1.1 200 OK\r\nContent-Le",
                                  b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n",
                                  b"HTTP/1.1 103 Early Hints\r\n\r\n",
                                  b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"])
def test_an_answer_that_stops_before_it_began(start, recorder, part):
    """No part of a head is an answer; `first_byte_timeout` bounds the wait for all of it."""
    gateway = start({"upstreams": [{"name": "openclaw", "endpoints": [recorder.url],
                                    "first_byte_timeout": "300ms"}]})

    def stop(exchange):
        exchange.send(part)
        exchange.connection.socket.settimeout(6)
        exchange.connection.socket.recv(1)  # until the gateway has had enough
        exchange.close()

    recorder.on("/stops", stop)
    with gateway.connect(timeout=5) as wire:
        wire.send(encode("GET", "/stops", gateway.take_agent().bearer()))
        assert wire.response().verdict == (504, "upstream_timeout")


def test_an_interim_answer_has_no_fields_of_one_hop_nor_of_ours(gateway, agent, recorder,
                                                                serves_on):
    recorder.raw("/hints", b"HTTP/1.1 103 Early Hints\r\nConnection: close, x-mine\r\nX-Mine: a\r\n"
                 b"X-AgentPort-Session: evil\r\nX-Request-Id: evil\r\nKeep-Alive: a\r\n"
                 b"Upgrade: h2c\r\nProxy-Authenticate: a\r\nLink: </a>\r\n\r\n"
                 b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    with gateway.connect() as wire:
        wire.send(encode("GET", "/hints", agent.basic()))
        hints = wire.head()
        assert hints.status == 103 and hints.headers == [("Link", "</a>")]
        assert wire.response().body == b"ok"


def test_an_upstream_cannot_take_away_what_the_gateway_adds(gateway, agent, recorder, serves_on):
    recorder.raw("/take", b"HTTP/1.1 200 OK\r\nConnection: x-request-id, x-agentport-session, "
                 b"cache-control\r\nContent-Length: 2\r\n\r\nok")
    response = gateway.request("GET", "/take", agent.basic())
    for name in ("x-request-id", "x-agentport-session", "cache-control"):
        assert response.get(name)


@pytest.mark.native
@pytest.mark.parametrize("many, pause_s", [(100, 0), (1, 0.1)], ids=["a flood", "drops"])
def test_interim_answers_without_end(start, recorder, many, pause_s):
    """They may not hold a request for ever, nor fill the memory of the gateway."""
    gateway = start({"upstreams": [{"name": "openclaw", "endpoints": [recorder.url],
                                    "first_byte_timeout": "500ms"}]})

    def flood(exchange):
        line = b"HTTP/1.1 103 Early Hints\r\nLink: </" + b"a" * 200 + b">\r\n\r\n"
        deadline = time.monotonic() + 3
        with contextlib.suppress(OSError):
            while time.monotonic() < deadline:
                exchange.send(line * many)
                time.sleep(pause_s)
        exchange.close()

    recorder.on("/flood", flood)
    before, began = gateway.resident_bytes(), time.monotonic()
    with gateway.connect(timeout=15) as wire:
        wire.send(encode("GET", "/flood", gateway.take_agent().bearer()))
        wait_until(lambda: recorder.requests)
        settle()
        assert gateway.request("GET", "/healthz").status == 200
        with contextlib.suppress(Closed):
            assert wire.response().status in (502, 504)
    assert gateway.resident_bytes() - before < 8 << 20
    assert time.monotonic() - began < 2


def test_a_client_of_http_1_0_sees_a_cut(gateway, agent, recorder, serves_on):
    """It has no chunks to miss: the end of its answer must not be a clean one."""
    recorder.raw("/cut", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
                 close=True)
    with gateway.connect() as wire:
        wire.send(encode("GET", "/cut", agent.basic(), version="1.0"))
        try:
            assert wire.response().status == 502
        except Closed as end:
            assert not end.clean or end.partial
