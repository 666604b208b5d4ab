# SPDX-License-Identifier: Apache-2.0
"""Upstreams that stall, before their answer and within it, and clients that pause, which is not
the upstream's fault."""

import socket
import threading
import time

import pytest

from support.gateway import upstream
from support.peers import Peer, reads_head
from support.waiting import wait_until
from support.wire import Closed, encode

MIB = 1 << 20


# Upstreams that stall.

@pytest.fixture
def stalling(recorders):
    """An upstream that answers nothing until the test has ended."""
    recorder, end = recorders(), threading.Event()
    recorder.on("/stall", lambda exchange: end.wait(20))
    recorder.on("/half", lambda exchange: (exchange.send(b"HTTP/1.1 200 O"), end.wait(20)))
    yield recorder
    end.set()


@pytest.mark.parametrize("target", ["/stall", "/half"])
def test_no_answer_in_time(front, stalling, target):
    gateway = front(upstream(stalling, first_byte_timeout="300ms"))
    for _ in range(2):
        began = time.monotonic()
        assert gateway.request("POST", target, body=b"x").verdict == (504, "upstream_timeout")
        assert 0.25 < time.monotonic() - began < 2
    assert len(stalling.requests) == 2
    assert gateway.request("GET", "/").status == 200


def test_a_route_says_how_long_an_answer_may_take(front, stalling):
    pause = threading.Event()
    stalling.on("/long/x", lambda exchange: (pause.wait(0.8), exchange.reply())[1])
    gateway = front(
        upstream(stalling, first_byte_timeout="400ms"),
        routes=[{"path": "/", "timeouts": {"first_byte": "150ms"}},
                {"path": "/long/", "timeouts": {"first_byte": "5s"}}])
    began = time.monotonic()
    assert gateway.request("GET", "/stall").verdict == (504, "upstream_timeout")
    assert 0.1 < time.monotonic() - began < 0.4
    assert gateway.request("GET", "/long/x").status == 200


HALF_REQUESTS = {
    "within a length": ([("Content-Length", "3")], b"a", b"bc"),
    "within a chunk": ([("Transfer-Encoding", "chunked")], b"3\r\na", b"bc\r\n0\r\n\r\n"),
    "within a chunk's size": ([("Transfer-Encoding", "chunked")], b"3\r\nabc\r\n0", b"\r\n\r\n"),
    "within a trailer": ([("Transfer-Encoding", "chunked")], b"3\r\nabc\r\n0\r\nX-Sum: 4",
                         b"2\r\n\r\n"),
}


@pytest.mark.parametrize("headers, half, rest", HALF_REQUESTS.values(), ids=HALF_REQUESTS.keys())
def test_a_client_that_pauses_in_its_upload_is_not_the_upstreams_fault(
        front, pair_of, headers, half, rest):
    """The upstream owes no answer to a request that it does not have yet."""
    gateway = front(upstream(*pair_of, first_byte_timeout="150ms", eject_after=1),
                    limits={"body_timeout": "600ms"})
    with gateway.connect() as wire:
        wire.send(encode("POST", "/", headers, half))
        threading.Event().wait(0.35)
        wire.send(rest)
        response = wire.response()
        assert response.status == 200 and response.json()["length"] == 3
    with gateway.connect() as wire:
        began = time.monotonic()
        wire.send(encode("POST", "/", headers, half))
        assert wire.response().verdict == (408, "request_timeout")
        assert 0.5 < time.monotonic() - began < 2
    assert not gateway.told("upstream endpoint ejected")


def test_an_upstream_that_does_not_say_go_on(front, stalling):
    """The client waits for it with its body, as it may (RFC 9110 §10.1.1)."""
    end = threading.Event()
    stalling.on("/mute", lambda exchange: (end.wait(5), exchange.cut()), at="head")
    gateway = front(upstream(stalling, first_byte_timeout="300ms"),
                    limits={"body_timeout": "5s"})
    expecting = [("Expect", "100-continue"), ("Content-Length", "3")]
    with gateway.connect() as wire:
        wire.send(encode("POST", "/mute", expecting))
        assert wire.response().verdict == (504, "upstream_timeout")
    end.set()
    # Told to go on, the client has its own time for it.
    with gateway.connect() as wire:
        wire.send(encode("POST", "/", expecting))
        assert wire.head().status == 100
        threading.Event().wait(0.5)
        wire.send(b"abc")
        assert wire.response().json()["length"] == 3


def test_an_upstream_that_does_not_read_the_body(front, recorders):
    there = recorders()
    end = threading.Event()

    def stall(connection):
        reads_head(connection)
        end.wait(10)

    with Peer(stall) as peer:
        gateway = front(upstream(peer, first_byte_timeout="300ms"), limits={"body": "64MiB"})
        with gateway.connect() as wire:
            wire.send_until_answered(
                encode("POST", "/", [("Content-Length", str(20 * MIB))]) + b"x" * 20 * MIB)
            assert wire.response().verdict == (504, "upstream_timeout")
        end.set()
    assert there.requests == []


# Answers that pause.

def events(count, seconds, end=True):
    """A handler that sends so many events so far apart."""
    pause = threading.Event()

    def stream(exchange):
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                      b"Transfer-Encoding: chunked\r\n\r\n")
        for number in range(count):
            if number:
                pause.wait(seconds)
            exchange.send(b"7\r\ndata:%d\n\r\n" % (number % 10))
        if end:
            exchange.send(b"0\r\n\r\n")
        else:
            exchange.connection.socket.settimeout(10)
            exchange.connection.socket.recv(1)
            exchange.cut()
    return stream


@pytest.fixture
def pausing(front, recorders):
    recorder = recorders()
    gateway = front(
        upstream(recorder, first_byte_timeout="200ms"),
        routes=[{"path": "/"}, {"path": "/idle/", "timeouts": {"idle": "300ms"}}])
    return gateway, recorder


def test_an_answer_that_pauses_too_long_is_cut(pausing):
    gateway, recorder = pausing
    recorder.on("/idle/x", events(3, 0.01, end=False))
    with gateway.connect() as wire:
        wire.send(encode("GET", "/idle/x"))
        assert wire.head().status == 200
        began = time.monotonic()
        with pytest.raises(Closed) as closed:
            while True:
                wire.exactly(1)
        assert not closed.value.clean
        assert 0.2 < time.monotonic() - began < 2
    line, = gateway.wait_access(path="/idle/x")
    assert line["code"] != "ok"
    wait_until(lambda: recorder.open_connections == 0)
    assert gateway.request("GET", "/").status == 200


def test_a_pause_in_a_close_delimited_answer_does_not_look_like_its_end(pausing):
    gateway, recorder = pausing
    end = threading.Event()
    recorder.on("/idle/x", lambda exchange: (
        exchange.send(b"HTTP/1.0 200 OK\r\n\r\nhalf"), end.wait(5)))
    with gateway.connect() as wire:
        wire.send(encode("GET", "/idle/x", version="1.0"))
        with pytest.raises(Closed) as closed:
            wire.response()
        assert not closed.value.clean
    end.set()


def test_an_answer_whose_events_come_in_time_lives_on(pausing):
    gateway, recorder = pausing
    recorder.on("/idle/x", events(12, 0.12))
    began = time.monotonic()
    assert len(gateway.request("GET", "/idle/x").body) == 12 * 7
    assert time.monotonic() - began > 1.2


def test_an_answer_may_pause_where_nothing_is_said(pausing):
    gateway, recorder = pausing
    recorder.on("/x", events(2, 1.5))
    assert gateway.request("GET", "/x").body == b"data:0\ndata:1\n"


def test_a_slow_reader_is_not_the_answers_pause(pausing):
    """The upstream has sent what it can; that the client does not take it is no pause."""
    gateway, recorder = pausing
    body = bytes(range(256)) * 80_000
    recorder.reply("/idle/x", body)
    with gateway.connect() as wire:
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        wire.send(encode("GET", "/idle/x"))
        threading.Event().wait(1)
        assert wire.response().body == body
