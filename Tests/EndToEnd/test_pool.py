# SPDX-License-Identifier: Apache-2.0
"""Connections to the upstream: reused, replaced when stale, and never the cause of a request
that runs twice or of an answer that goes to somebody else."""

import threading

import pytest

from support.waiting import settle, wait_until
from support.wire import Closed, chunked, encode


@pytest.fixture(scope="module")
def policy_patch():
    return {"totp": {"one_time": False}}


def test_requests_one_after_another_use_one_connection(gateway, agent, recorder):
    assert gateway.request("GET", "/first", agent.bearer()).status == 200
    before = recorder.connections
    for number in range(20):
        assert gateway.request("POST", f"/{number}", agent.bearer(), b"x").status == 200
    assert recorder.connections == before


def test_requests_at_one_time_use_several(gateway, agent, recorder):
    gate = threading.Barrier(8)
    recorder.on("/wait", lambda exchange: (gate.wait(10), exchange.reply(b"done"))[1])
    wires = [gateway.connect() for _ in range(8)]
    for wire in wires:
        wire.send(encode("GET", "/wait", agent.bearer()))
    assert [wire.response().body for wire in wires] == [b"done"] * 8
    for wire in wires:
        wire.close()
    assert len({request.connection for request in recorder.at("/wait")}) == 8


def test_a_connection_the_upstream_closed_fails_no_request(gateway, agent, recorder):
    for number in range(20):
        assert gateway.request("GET", f"/{number}", agent.bearer()).status == 200
        recorder.hang_up()
    assert [r.target for r in recorder.requests] == [f"/{number}" for number in range(20)]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_connection_closed_right_after_its_answer(gateway, agent, recorder, method):
    """Without announcing it. The next request may come before the FIN: it may be refused then,
    but it must not be lost without an answer, nor sent twice."""
    def answer(exchange):
        exchange.reply()
        exchange.close()
    recorder.on("/c", answer)
    for _ in range(20):
        assert gateway.request(method, "/c", agent.bearer(), b"").status == 200
        wait_until(lambda: recorder.open_connections == 0)
    assert len(recorder.at("/c")) == 20


def test_a_connection_that_says_close_is_not_used_again(gateway, agent, recorder):
    recorder.reply("/c", headers=[("Connection", "close")])
    for _ in range(3):
        assert gateway.request("GET", "/c", agent.bearer()).status == 200
    connections = {request.connection for request in recorder.at("/c")}
    assert len(connections) == 3


@pytest.mark.parametrize("method, body", [("POST", b"order"), ("GET", None), ("PUT", b"x")])
@pytest.mark.parametrize("end", ["close", "reset"])
@pytest.mark.parametrize("used_before", [False, True], ids=["fresh", "pooled"])
def test_a_request_is_never_sent_twice(gateway, agent, recorder, method, body, end, used_before):
    """The upstream has read the request when it dies: whether it acted on it, nobody knows."""
    recorder.hang_up()
    if used_before:
        assert gateway.request("GET", "/warm", agent.bearer()).status == 200
    recorder.on("/die", lambda exchange: getattr(exchange, end)())
    response = gateway.request(method, "/die", agent.bearer(), body)
    assert response.code in ("upstream_bad_response", "upstream_unavailable")
    assert response.status in (502, 503)
    settle()
    assert len(recorder.at("/die")) == 1


def test_an_upstream_that_dies_in_the_middle_of_an_upload(gateway, agent, recorder):
    def die(exchange):
        exchange.close()
    recorder.on("/up", die, at="head")
    with gateway.connect() as wire:
        wire.send(encode("POST", "/up", [*agent.bearer(), ("Content-Length", "1000000")]))
        wire.send_all_it_takes(b"x" * 1_000_000)
        assert wire.response().status in (502, 503)
    settle()
    assert len(recorder.at("/up")) == 1


def test_an_early_answer_reaches_a_client_that_still_sends(gateway, agent, recorder):
    def refuse(exchange):
        exchange.reply(b"too much", status="413 Content Too Large",
                       headers=[("Connection", "close")])
        exchange.close()
    recorder.on("/up", refuse, at="head")
    with gateway.connect() as wire:
        wire.send(encode("POST", "/up", [*agent.bearer(), ("Content-Length", "1000000")]))
        response = wire.response()
    assert (response.status, response.body) == (413, b"too much")


@pytest.mark.parametrize("extra", [
    b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL", b"EVIL", b"\r\n"],
    ids=["a second answer", "garbage", "a line end"])
def test_bytes_after_an_answer_go_to_nobody(gateway, agent, recorder, extra):
    """Response splitting: the next client on this connection would get them as its answer."""
    recorder.raw("/split", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" + extra)
    for number in range(10):
        assert gateway.request("GET", "/split", agent.bearer()).body == b"ok"
        answer = gateway.request("GET", f"/after/{number}", agent.bearer())
        assert answer.json()["target"] == f"/after/{number}"


def test_an_answer_nobody_asked_for_goes_to_nobody(gateway, agent, recorder):
    """It arrives on an idle connection, between two requests."""
    done = threading.Event()

    def answer_twice(exchange):
        exchange.reply(b"ok")
        done.wait(0.1)
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL")

    recorder.on("/late", answer_twice)
    assert gateway.request("GET", "/late", agent.bearer()).body == b"ok"
    done.wait(0.2)
    for number in range(5):
        answer = gateway.request("GET", f"/after/{number}", agent.bearer())
        assert answer.json()["target"] == f"/after/{number}"


@pytest.mark.parametrize("raw", [
    b"HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nEVIL",
    b"HTTP/1.1 304 Not Modified\r\n\r\nEVIL"], ids=["204", "304"])
def test_a_body_where_none_may_be_goes_to_nobody(gateway, agent, recorder, raw):
    recorder.raw("/none", raw)
    with gateway.connect() as wire:
        wire.send(encode("GET", "/none", agent.bearer()))
        try:
            assert wire.response().status in (204, 304, 502)
        except Closed:
            pass
    assert gateway.request("GET", "/after", agent.bearer()).json()["target"] == "/after"


def test_a_body_in_answer_to_head_goes_to_nobody(gateway, agent, recorder):
    recorder.raw("/h", b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL")
    assert gateway.request("HEAD", "/h", agent.bearer()).status == 200
    assert gateway.request("GET", "/after", agent.bearer()).json()["target"] == "/after"


def watched(recorder):
    """What is set once the upstream sees that the request it works at was given up."""
    gone = threading.Event()

    def watch(exchange):
        exchange.connection.socket.settimeout(5)
        if exchange.connection.socket.recv(1) == b"":
            gone.set()
        exchange.close()

    recorder.on("/long", watch)
    return gone


def test_a_client_that_leaves_takes_its_upstream_request_along(gateway, agent, recorder):
    gone = watched(recorder)
    with gateway.connect() as wire:
        wire.send(encode("GET", "/long", agent.bearer()))
        wait_until(lambda: recorder.at("/long"))
    assert gone.wait(5), "the upstream still works for a client that left"


def test_curl_that_loses_patience_takes_its_upstream_request_along(gateway, agent, recorder):
    """It says close_notify before it closes, as most TLS clients do."""
    gone = watched(recorder)
    result = gateway.curl("/long", "-m", "0.5", agent_headers=agent.bearer())
    assert result.returncode == 28, result
    assert gone.wait(2), "the upstream still works for a client that left"


def test_no_connection_is_shared_before_its_answer_is_whole(gateway, agent, recorder):
    """A client leaves in the middle of its answer; the rest of it must not reach the next."""
    def half(exchange):
        exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nEVIL\r\n")
        settle()
        exchange.send(chunked(b"EVIL" * 1000))

    recorder.on("/half", half)
    for number in range(5):
        with gateway.connect() as wire:
            wire.send(encode("GET", "/half", agent.bearer()))
            wire.head()
        answer = gateway.request("GET", f"/after/{number}", agent.bearer())
        assert answer.json()["target"] == f"/after/{number}"


def test_max_connections_bounds_the_pool(start, recorder):
    gateway = start({"totp": {"one_time": False}, "upstreams": [
        {"name": "openclaw", "endpoints": [recorder.url], "max_connections": 2}]})
    agent = gateway.take_agent()
    release = threading.Event()
    recorder.on("/wait", lambda exchange: (release.wait(10), exchange.reply(b"done"))[1])
    before = recorder.open_connections
    wires = [gateway.connect() for _ in range(6)]
    for wire in wires:
        wire.send(encode("GET", "/wait", agent.bearer()))
    wait_until(lambda: len(recorder.at("/wait")) == 2)
    settle()
    assert recorder.open_connections - before <= 2
    release.set()
    assert [wire.response().body for wire in wires] == [b"done"] * 6
    for wire in wires:
        wire.close()
