# SPDX-License-Identifier: Apache-2.0
"""Clients that say goodbye, or are said goodbye to, in the middle of something."""

import contextlib
import signal
import socket
import threading
import time

import pytest

from support.tls13 import Client
from support.tls13_codec import APPLICATION
from support.waiting import settle, wait_until
from support.wire import Closed, encode


def request(method, path, *fields, body=b""):
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *fields, "", ""]
    return "\r\n".join(lines).encode() + body


class Crowd:
    """A gateway whose only upstream connection is taken until `release` is set."""

    def __init__(self, gateway, wire):
        self.gateway, self.wire, self.release = gateway, wire, threading.Event()

    def give_up_in_line(self, client):
        """A request that waits for the connection, from a client that then says goodbye."""
        client.connect()
        client.send(APPLICATION, request("POST", "/public/x", "Content-Length: 10"))
        settle()
        client.alert("close_notify", level=1)
        settle()


@pytest.fixture
def crowd(start, recorder):
    gateway = start({"upstreams": [
        {"name": "openclaw", "endpoints": [recorder.url], "max_connections": 1}]})
    with gateway.connect() as wire:
        crowd = Crowd(gateway, wire)
        recorder.on("/public/wait",
                    lambda exchange: (crowd.release.wait(20), exchange.reply(b"done"))[1])
        wire.send(encode("GET", "/public/wait"))
        wait_until(lambda: len(recorder.at("/public/wait")) == 1)
        yield crowd
        crowd.release.set()
    if not gateway.running:
        gateway.process = None  # a test has said so


def test_leaving_the_line_in_the_middle_of_a_request(crowd):
    with Client(crowd.gateway.address) as client:
        crowd.give_up_in_line(client)
    settle()
    assert crowd.gateway.running
    assert crowd.gateway.request("GET", "/healthz").status == 200


def test_what_was_given_up_in_the_line_is_not_sent(crowd, recorder):
    with Client(crowd.gateway.address) as client:
        crowd.give_up_in_line(client)
        crowd.release.set()
        assert crowd.wire.response().status == 200
        settle()
        assert recorder.at("/public/x") == []


def test_a_request_whose_first_bytes_came_before_a_drain(start):
    """Its first byte arrived before the FIN: it must not be lost."""
    gateway = start()
    with Client(gateway.address) as client:
        client.connect()
        assert client.get("/healthz") == 200
        sealed = client.sealed(APPLICATION, request("GET", "/healthz"))
        client.raw(sealed[:10])
        settle()
        gateway.signal(signal.SIGTERM)
        settle()
        with contextlib.suppress(ConnectionError):
            client.raw(sealed[10:])
        assert client.answer() == 200
    assert gateway.wait() == 0


# More than the slabs that a worker has, from addresses that may have this many each.
CLIENTS, EACH = 1040, 220


@pytest.mark.usefixtures("many_descriptors")
def test_connections_that_all_wait_for_memory_are_ended(start):
    """Each holds a slab with half a record, until there is none left; then the rest comes, and to
    open it takes another."""
    gateway = start({"listen": {"limits": {"header_timeout": "2s", "keepalive_timeout": "2s"}}})
    head = request("GET", "/public/x", "X-Long: " + "l" * 15_000)[:-4]
    clients, rests = [], []
    try:
        for number in range(CLIENTS):
            source = (f"127.0.0.{2 + number // EACH}", 0)
            clients.append(Client(gateway.address, source=source).connect())
        for client in clients:
            sealed = client.sealed(APPLICATION, head)
            client.raw(sealed[:3000])
            rests.append(sealed[3000:])
        settle()
        for client, rest in zip(clients, rests, strict=True):
            with contextlib.suppress(ConnectionError):
                client.raw(rest)
        time.sleep(5)
        with Client(gateway.address, timeout=2) as client:
            client.connect()
            assert client.get() == 200
    finally:
        for client in clients:
            client.socket.close()


class Deserter:
    """An upstream that answers in the middle of a request, without a length, and is gone: closing
    with something unread is a reset, and what was sent before it need not be all there was."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        # Small, so that the request stalls: the gateway then has something left to send.
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.url = "http://127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        connection, _ = self.listener.accept()
        connection.recv(1024)
        time.sleep(0.3)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nthe first half")
        connection.close()


def test_an_answer_without_a_length_that_ends_in_a_reset_is_not_whole(start):
    """The reset meets a connection that still has some of the request to send."""
    deserter = Deserter()
    gateway = start(upstream=deserter.url)
    with gateway.connect() as wire:
        with contextlib.suppress(OSError, Closed):
            wire.send(encode("POST", "/public/x", body=b"x" * 1_900_000))
        try:
            response = wire.response()
        except Closed:
            return
    assert response.status == 502, f"{response.status} with {response.body!r} looks whole"
