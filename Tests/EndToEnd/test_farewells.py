# SPDX-License-Identifier: Apache-2.0
"""Clients that say goodbye, or are said goodbye to, in the middle of something."""

import contextlib
import signal
import threading

import pytest

from support.tls13 import Client
from support.tls13_codec import APPLICATION
from support.tls13_records import Alerted, Ended
from support.waiting import settle, wait_until
from support.wire import encode


def request(method, path, *fields, body=b""):
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *fields, "", ""]
    return "\r\n".join(lines).encode() + body


def read_all(client):
    """All plaintext until the connection ends."""
    with contextlib.suppress(Alerted, Ended):
        while True:
            client._advance()
    return client._text


@pytest.fixture
def crowded(start, recorder):
    """A gateway whose only upstream connection is taken."""
    gateway = start({"upstreams": [
        {"name": "openclaw", "endpoints": [recorder.url], "max_connections": 1}]})
    release = threading.Event()
    recorder.on("/public/wait", lambda exchange: (release.wait(20), exchange.reply(b"done"))[1])
    with gateway.connect() as wire:
        wire.send(encode("GET", "/public/wait"))
        wait_until(lambda: len(recorder.at("/public/wait")) == 1)
        yield gateway
        release.set()


@pytest.mark.xfail(strict=True, reason="a request that is given up in the line for an upstream "
                   "connection is finished again when its client leaves, and that traps")
def test_leaving_the_line_in_the_middle_of_a_body(crowded):
    with Client(crowded.address) as client:
        client.connect()
        client.send(APPLICATION, request("POST", "/public/x", "Content-Length: 10", body=b"half"))
        settle()
        client.alert("close_notify", level=1)
        settle()
    settle()
    if not crowded.running:
        code, crowded.process = crowded.process.returncode, None
        pytest.fail(f"crashed with {code}")
    assert crowded.request("GET", "/healthz").status == 200


@pytest.mark.xfail(strict=True, reason="what is given up in the line for an upstream connection "
                   "stays in the line")
def test_what_was_given_up_in_the_line_is_not_sent(start, recorder):
    gateway = start({"upstreams": [
        {"name": "openclaw", "endpoints": [recorder.url], "max_connections": 1}]})
    release = threading.Event()
    recorder.on("/public/wait", lambda exchange: (release.wait(20), exchange.reply(b"done"))[1])
    with gateway.connect() as wire, Client(gateway.address) as client:
        wire.send(encode("GET", "/public/wait"))
        wait_until(lambda: len(recorder.at("/public/wait")) == 1)
        client.connect()
        client.send(APPLICATION, request("POST", "/public/x", "Content-Length: 10", body=b"half"))
        settle()
        client.alert("close_notify", level=1)
        settle()
        release.set()
        assert wire.response().status == 200
        settle()
        connections = recorder.open_connections
        assert recorder.at("/public/x") == []
        assert gateway.request("GET", "/public/y", timeout=3).status == 200
        assert connections <= 1


@pytest.mark.xfail(strict=True, reason="after close_notify and FIN a request behind another is "
                   "dropped where the answer before it did not fit the socket")
def test_a_request_behind_a_large_answer_after_a_farewell(start, recorder):
    gateway = start()
    recorder.reply("/public/large", body=b"x" * 8_000_000)
    with Client(gateway.address, timeout=10) as client:
        client.connect()
        client.send(APPLICATION, request("GET", "/public/large") + request("GET", "/public/next"))
        client.alert("close_notify", level=1)
        client.socket.shutdown(1)
        settle()
        text = read_all(client)
    assert text.count(b"HTTP/1.1 200") == 2
    assert len(recorder.at("/public/next")) == 1


@pytest.mark.xfail(strict=True, reason="a drain looks at requests that have begun, and at no "
                   "half record")
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
