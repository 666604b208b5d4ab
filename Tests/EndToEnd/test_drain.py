# SPDX-License-Identifier: Apache-2.0
"""Ending: what is in flight finishes, what is idle is told, and the exit status is 0."""

import contextlib
import signal
import socket
import threading
import time

import pytest

from support.tls13 import Client
from support.tls13_codec import APPLICATION
from support.waiting import settle, wait_until
from support.wire import Closed, chunked, encode

SIGNALS = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT],
                                  ids=["SIGTERM", "SIGINT"])


class Gate:
    """An upstream handler that answers when it is let."""

    def __init__(self, recorder, path="/wait"):
        self.release = threading.Event()
        recorder.on(path, self)

    def __call__(self, exchange):
        self.release.wait(30)
        with contextlib.suppress(OSError):
            exchange.reply(b"at last")


@pytest.fixture
def drained(start):
    def started(**drain):
        return start({"totp": {"one_time": False}, **({"drain": drain} if drain else {})})
    return started


def refuses(gateway):
    try:
        socket.create_connection(gateway.address, timeout=1).close()
        return False
    except OSError:
        return True


@SIGNALS
def test_with_nothing_open_it_ends_at_once(drained, number):
    gateway = drained()
    assert gateway.request("GET", "/healthz").status == 200
    began = time.monotonic()
    gateway.signal(number)
    assert gateway.wait() == 0
    assert time.monotonic() - began < 3


@SIGNALS
def test_a_request_in_flight_finishes(drained, recorder, number):
    gateway, gate = drained(), Gate(recorder)
    with gateway.connect() as wire:
        wire.send(encode("GET", "/wait", gateway.take_agent().bearer()))
        wait_until(lambda: recorder.at("/wait"))
        gateway.signal(number)
        wait_until(lambda: refuses(gateway), what="the listener to close")
        assert gateway.running
        gate.release.set()
        response = wire.response()
        assert (response.status, response.body) == (200, b"at last")
        assert response.get("Connection", "").lower() == "close"
        wire.ends()
    assert gateway.wait() == 0


def test_an_upload_in_flight_finishes(drained, recorder):
    gateway = drained()
    agent = gateway.take_agent()
    with gateway.connect() as wire:
        wire.send(encode("POST", "/up", [*agent.bearer(), ("Content-Length", "8")]) + b"half")
        wait_until(lambda: recorder.at("/up"))
        gateway.signal(signal.SIGTERM)
        wait_until(lambda: refuses(gateway), what="the listener to close")
        wire.send(b"half")
        assert wire.response().json()["length"] == 8
    assert gateway.wait() == 0


def test_a_stream_in_flight_finishes(drained, recorder):
    gateway = drained()
    release = threading.Event()

    def stream(exchange):
        exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        release.wait(20)
        exchange.send(chunked(b"last"))

    recorder.on("/stream", stream)
    with gateway.connect() as wire:
        wire.send(encode("GET", "/stream", gateway.take_agent().bearer()))
        response = wire.head()
        gateway.signal(signal.SIGTERM)
        wait_until(lambda: refuses(gateway), what="the listener to close")
        release.set()
        wire.read_body(response)
        assert response.body == b"firstlast"
    assert gateway.wait() == 0


def test_an_idle_connection_is_closed_cleanly(drained):
    gateway = drained()
    with gateway.connect() as wire:
        assert wire.request("GET", "/healthz").status == 200
        gateway.signal(signal.SIGTERM)
        wire.ends(timeout=5)
    assert gateway.wait() == 0


def test_a_request_that_crosses_the_end_is_served(drained):
    """Its connection had been idle and was just told of the end: it is read a second longer."""
    gateway = drained()
    agent = gateway.take_agent()
    with gateway.connect() as wire:
        assert wire.request("GET", "/", agent.bearer()).status == 200
        gateway.signal(signal.SIGTERM)
        wait_until(lambda: refuses(gateway), what="the listener to close")
        wire.send(encode("GET", "/late", agent.bearer()))
        try:
            assert wire.response().status == 200
        except Closed as closed:
            # The FIN was first: then the request is not lost by the promise's own terms.
            assert closed.clean and closed.partial == b""
    assert gateway.wait() == 0


def test_a_request_whose_record_is_cut_by_the_end_is_served(drained, recorder):
    """Its first bytes had come when the listener closed, though not yet a whole TLS record."""
    gateway = drained()
    agent = gateway.take_agent()
    with Client(gateway.address) as client:
        client.connect()
        assert client.get() == 200
        record = client.sealed(APPLICATION, encode("GET", "/cut", agent.bearer()))
        client.raw(record[:40])
        settle()
        gateway.signal(signal.SIGTERM)
        wait_until(lambda: refuses(gateway), what="the listener to close")
        client.raw(record[40:])
        assert client.answer() == 200
    assert gateway.wait() == 0
    assert recorder.at("/cut")


def test_who_was_let_in_last_may_ask_once(drained):
    """It had connected and shaken hands, and the end came before it could say a word."""
    gateway = drained()
    agent = gateway.take_agent()
    with gateway.connect() as wire:
        wait_until(lambda: gateway.metrics()['agentport_connections{state="idle"}'] == 1,
                   what="the handshake to end there too")
        gateway.signal(signal.SIGTERM)
        wait_until(lambda: refuses(gateway), what="the listener to close")
        response = wire.request("GET", "/", agent.bearer())
        assert response.status == 200
        assert response.get("Connection", "").lower() == "close"
        wire.ends()
    assert gateway.wait() == 0


def test_who_was_let_in_last_and_says_nothing_does_not_hold_it_up(drained):
    gateway = drained()
    with gateway.connect() as wire:
        began = time.monotonic()
        gateway.signal(signal.SIGTERM)
        wire.ends(timeout=5)
    assert gateway.wait() == 0
    assert time.monotonic() - began < 4


def test_no_request_is_lost_while_clients_come_and_go(drained, recorder):
    """Four clients ask without pause, each on a connection a request, until no connection is
    accepted any more. Each request is answered, or its connection had ended cleanly before."""
    gateway = drained()
    agents = [gateway.take_agent() for _ in range(4)]
    lost, served, asked = [], [], threading.Event()

    def client(agent):
        while True:
            try:
                wire = gateway.connect(timeout=10)
            except OSError:
                return
            with wire:
                try:
                    response = wire.request("GET", "/", agent.bearer())
                    (served if response.status == 200 else lost).append(response)
                except (Closed, OSError) as fault:
                    if not (isinstance(fault, Closed) and fault.clean and not fault.partial):
                        lost.append(fault)
            if len(served) > 20:
                asked.set()

    threads = [threading.Thread(target=client, args=(agent,)) for agent in agents]
    for thread in threads:
        thread.start()
    assert asked.wait(20)
    gateway.signal(signal.SIGTERM)
    for thread in threads:
        thread.join(20)
    assert gateway.wait() == 0
    assert not lost, lost[:3]


def test_a_second_signal_ends_it_at_once(drained, recorder):
    gateway, gate = drained(), Gate(recorder)
    with gateway.connect() as wire:
        wire.send(encode("GET", "/wait", gateway.take_agent().bearer()))
        wait_until(lambda: recorder.at("/wait"))
        gateway.signal(signal.SIGTERM)
        wait_until(lambda: refuses(gateway), what="the listener to close")
        assert gateway.running
        began = time.monotonic()
        gateway.signal(signal.SIGTERM)
        gateway.wait(5)
        assert time.monotonic() - began < 1
    gate.release.set()


def test_the_deadline_ends_what_does_not_end(drained, recorder):
    gateway, gate = drained(deadline="1s"), Gate(recorder)
    with gateway.connect() as wire:
        wire.send(encode("GET", "/wait", gateway.take_agent().bearer()))
        wait_until(lambda: recorder.at("/wait"))
        began = time.monotonic()
        gateway.signal(signal.SIGTERM)
        assert gateway.wait() == 0
        assert 0.8 < time.monotonic() - began < 4
    gate.release.set()


def test_during_the_grace_it_serves_and_says_so(drained, recorder):
    gateway = drained(grace="2s")
    agent = gateway.take_agent()
    assert gateway.admin("/readyz").status == 200
    gateway.signal(signal.SIGTERM)
    wait_until(lambda: gateway.admin("/readyz").status == 503, what="readyz to turn")
    assert gateway.admin("/livez").status == 200
    response = gateway.request("GET", "/", agent.bearer())
    assert response.status == 200
    assert response.get("Connection", "").lower() == "close"
    wait_until(lambda: refuses(gateway), timeout=6, what="the grace to end")
    assert gateway.wait() == 0


def test_readyz_is_503_while_requests_finish(drained, recorder):
    gateway, gate = drained(), Gate(recorder)
    with gateway.connect() as wire:
        wire.send(encode("GET", "/wait", gateway.take_agent().bearer()))
        wait_until(lambda: recorder.at("/wait"))
        gateway.signal(signal.SIGTERM)
        wait_until(lambda: gateway.admin("/readyz").status == 503, what="readyz to turn")
        gate.release.set()
        assert wire.response().status == 200
    assert gateway.wait() == 0


def test_the_grace_can_be_set_in_the_environment(start_bare):
    gateway = start_bare({"AGENTPORT_DRAIN_GRACE": "1s", "AGENTPORT_DRAIN_DEADLINE": "3s"})
    began = time.monotonic()
    gateway.signal(signal.SIGTERM)
    assert gateway.request("GET", "/healthz").status == 200
    assert gateway.wait() == 0
    assert 0.9 < time.monotonic() - began < 5


def test_it_can_be_started_again_at_once(drained):
    gateway = drained()
    with gateway.connect() as wire:
        assert wire.request("GET", "/healthz").status == 200
        gateway.kill()
    gateway.start()  # the address is not held by connections of the dead process
    assert gateway.request("GET", "/healthz").status == 200
