# SPDX-License-Identifier: Apache-2.0
"""Whatever a request waits for, waiting costs nothing: a worker that spins is seen in its CPU
time only."""

import os
import socket
import threading
import time

import pytest

from support.gateway import upstream
from support.peers import Deaf, Peer
from support.waiting import settle, wait_until
from support.wire import encode

TICKS = os.sysconf("SC_CLK_TCK")
MIB = 1 << 20


def processor_seconds(gateway):
    with open(f"/proc/{gateway.process.pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


@pytest.fixture
def quiet():
    """Asserts that a gateway does next to nothing for a while."""
    def check(gateway):
        settle()
        before = processor_seconds(gateway)
        threading.Event().wait(0.4)
        assert processor_seconds(gateway) - before < 0.1
    return check


@pytest.fixture
def end():
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture(params=["http", "https"])
def served(request, front, recorders, authority):
    """An upstream, with TLS and without, and a gateway before it."""
    tls = request.param == "https"
    recorder = recorders(tls=authority.server(authority.ecdsa) if tls else None)
    members = {"tls": {"ca": str(authority.path)}} if tls else {}
    return recorder, front(upstream(recorder, max_connections=2, connect_timeout="20s", **members),
                           workers=2, limits={"body": "64MiB"})


def test_waiting_in_line(served, quiet, end):
    recorder, gateway = served
    recorder.on("*", lambda exchange: (end.wait(10), exchange.reply()))
    wires = [gateway.connect() for _ in range(10)]
    for wire in wires:
        wire.send(encode("GET", "/"))
    wait_until(lambda: len(recorder.requests) == 2)
    quiet(gateway)
    end.set()
    assert [wire.response().status for wire in wires] == [200] * 10
    quiet(gateway)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_waiting_for_a_connection(front, quiet, scheme):
    with Deaf(scheme) as deaf:
        gateway = front(upstream(deaf, connect_timeout="5s"))
        with gateway.connect() as wire:
            wire.send(encode("GET", "/"))
            quiet(gateway)


def test_waiting_for_a_handshake(front, quiet, end):
    with Peer(lambda connection: (connection.recv(1), end.wait(10)), "https") as peer:
        gateway = front(upstream(peer, connect_timeout="5s"))
        with gateway.connect() as wire:
            wire.send(encode("GET", "/"))
            wait_until(lambda: peer.connections)
            quiet(gateway)


def test_waiting_for_a_name(front, quiet):
    gateway = front(upstream("http://nobody.invalid"))
    quiet(gateway)


def test_waiting_for_a_body(served, quiet):
    recorder, gateway = served
    with gateway.connect() as wire:
        wire.send(encode("POST", "/", [("Content-Length", "10")], b"half"))
        wait_until(lambda: recorder.requests)
        quiet(gateway)


def test_waiting_for_an_answer(served, quiet, end):
    recorder, gateway = served
    recorder.on("*", lambda exchange: (exchange.send(b"HTTP/1.1 2"), end.wait(10)))
    with gateway.connect() as wire:
        wire.send(encode("GET", "/"))
        wait_until(lambda: recorder.whole)
        quiet(gateway)


def test_an_upstream_that_does_not_read(served, quiet, end):
    recorder, gateway = served
    recorder.on("/up", lambda exchange: (end.wait(10), exchange.cut()), at="head")
    with gateway.connect() as wire:
        threading.Thread(target=wire.send_all_it_takes, daemon=True, args=[
            encode("POST", "/up", [("Content-Length", str(32 * MIB))]) + b"x" * 32 * MIB]).start()
        wait_until(lambda: recorder.requests)
        threading.Event().wait(0.3)
        quiet(gateway)
        end.set()


@pytest.mark.parametrize("then", ["goes on", "close", "cut", "reset"])
def test_a_client_that_does_not_read(served, quiet, end, then):
    """The upstream is done with it, one way or another, and waits or goes."""
    recorder, gateway = served
    body = b"x" * 8 * MIB
    sent = threading.Event()

    def answer(exchange):
        exchange.connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, MIB)
        exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        # As much as fits while nobody reads, and then a little.
        exchange.connection.socket.settimeout(0.3)
        try:
            for _ in range(8):
                exchange.send(b"100000\r\n" + body[:MIB] + b"\r\n")
        except OSError:
            pass
        sent.set()
        if then == "goes on":
            end.wait(10)
        getattr(exchange, "cut" if then == "goes on" else then)()

    recorder.on("/big", answer)
    with gateway.connect() as wire:
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        wire.send(encode("GET", "/big"))
        assert sent.wait(10)
        quiet(gateway)


def test_an_upstream_that_goes_while_a_body_comes(served, quiet, end):
    """It has answered, and will read no more; the client still has something to send."""
    recorder, gateway = served

    def answer(exchange):
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
        exchange.connection.socket.shutdown(socket.SHUT_RD)
        end.wait(10)
        exchange.cut()

    recorder.on("/x", answer, at="head")
    with gateway.connect() as wire:
        wire.send(encode("POST", "/x", [("Content-Length", str(MIB))], b"x" * 1000))
        assert wire.head().status == 200
        threading.Event().wait(0.1)
        wire.send_all_it_takes(b"x" * 100_000)
        quiet(gateway)


def test_many_pooled_connections(served, quiet):
    recorder, gateway = served
    wires = [gateway.connect() for _ in range(20)]
    for wire in wires:
        assert wire.request("GET", "/").status == 200
    quiet(gateway)
    began = time.monotonic()
    recorder.hang_up()
    assert time.monotonic() - began < 2
    quiet(gateway)
