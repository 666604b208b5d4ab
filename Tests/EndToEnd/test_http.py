# SPDX-License-Identifier: Apache-2.0
"""HTTP/1.1 as programs speak it: framing, pipelining, interim answers, old clients, size."""

import asyncio
import hashlib
import http.client
import threading
import time

import aiohttp
import pytest

from support.gateway import new_session
from support.waiting import wait_until
from support.wire import chunked, encode

MIB = 1 << 20


@pytest.fixture(scope="module")
def policy_patch():
    return {"totp": {"one_time": False}, "listen": {"limits": {"body": "2000MiB"}}}


def test_a_connection_is_kept(wire, agent):
    for _ in range(20):
        assert wire.request("GET", "/", agent.bearer()).status == 200


def test_http_client_keeps_a_connection_too(gateway, agent, recorder):
    connection = http.client.HTTPSConnection("localhost", gateway.port, timeout=10,
                                             context=gateway.context())
    for number in range(5):
        connection.request("POST", f"/n/{number}", body=b"x" * number,
                           headers=dict(agent.bearer()))
        response = connection.getresponse()
        assert response.status == 200 and not response.will_close
        response.read()
    connection.close()
    assert [r.target for r in recorder.requests] == [f"/n/{n}" for n in range(5)]


def test_connection_close_is_honoured(gateway, agent):
    with gateway.connect() as wire:
        response = wire.request("GET", "/", [*agent.bearer(), ("Connection", "close")])
        assert response.status == 200
        assert response.get("Connection").lower() == "close"
        wire.ends()


def test_pipelined_requests_are_answered_in_order(wire, agent, recorder):
    recorder.on("/p/0", lambda exchange: (time.sleep(0.2), exchange.reply(b"late"))[1])
    headers = agent.bearer()
    wire.send(b"".join(encode("GET", f"/p/{n}", headers) for n in range(8)))
    answers = [wire.response() for _ in range(8)]
    assert answers[0].body == b"late"
    assert [a.json()["target"] for a in answers[1:]] == [f"/p/{n}" for n in range(1, 8)]
    assert [r.target for r in recorder.requests] == [f"/p/{n}" for n in range(8)]


def test_pipelined_bodies_do_not_run_into_each_other(wire, agent, recorder):
    headers = agent.bearer()
    coded = [*headers, ("Transfer-Encoding", "chunked")]
    wire.send(encode("POST", "/1", headers, b"one") + encode("POST", "/2", coded, chunked(b"two"))
              + encode("GET", "/3", headers) + encode("POST", "/4", headers, b""))
    assert [wire.response().json()["target"] for _ in range(4)] == ["/1", "/2", "/3", "/4"]
    assert [r.body for r in recorder.requests] == [b"one", b"two", b"", b""]


def test_a_pipelined_refusal_stands_in_its_place(wire, agent):
    headers = agent.bearer()
    wire.send(encode("GET", "/1", headers) + encode("GET", "/2") + encode("GET", "/3", headers))
    assert [wire.response().status for _ in range(3)] == [200, 401, 200]


def test_a_request_in_single_bytes(wire, agent, recorder):
    for byte in encode("POST", "/slow", agent.bearer(), b"body"):
        wire.send(bytes([byte]))
    assert wire.response().status == 200
    assert recorder.only().body == b"body"


def test_empty_lines_before_a_request_are_skipped(wire, agent):
    # RFC 9112 section 2.2: at least one; curl and old browsers used to send them after a POST.
    assert wire.request("POST", "/", agent.bearer(), b"x").status == 200
    wire.send(b"\r\n" + encode("GET", "/", agent.bearer()))
    assert wire.response().status == 200


@pytest.mark.parametrize("pieces", [(b"",), (b"a",), (b"hello ", b"world"),
                                    tuple(bytes([n]) * (n * 97) for n in range(1, 60))],
                         ids=["none", "one byte", "two", "many"])
def test_chunked_upload(wire, agent, recorder, pieces):
    pieces = tuple(piece for piece in pieces if piece)
    response = wire.request("POST", "/up", [*agent.bearer(), ("Transfer-Encoding", "chunked")],
                            chunked(*pieces))
    assert response.json()["length"] == sum(map(len, pieces))
    assert recorder.only().sha256 == hashlib.sha256(b"".join(pieces)).hexdigest()


def test_chunk_extensions_are_understood(wire, agent, recorder):
    body = b'3;name=value;flag\r\nabc\r\n2;q="a;b"\r\nde\r\n0;last\r\n\r\n'
    headers = [*agent.bearer(), ("Transfer-Encoding", "chunked")]
    assert wire.request("POST", "/up", headers, body).status == 200
    assert recorder.only().body == b"abcde"
    assert wire.request("GET", "/after", agent.bearer()).status == 200


def test_chunked_response_with_trailers(wire, agent, recorder):
    recorder.raw("/t", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
                 + chunked(b"alpha", b"beta", trailers=[("X-Sum", "42")]))
    response = wire.request("GET", "/t", [*agent.bearer(), ("TE", "trailers")])
    assert (response.framing, response.body) == ("chunked", b"alphabeta")
    assert response.trailers == [("X-Sum", "42")]
    assert wire.request("GET", "/after", agent.bearer()).status == 200


def test_a_response_streams_as_it_comes(wire, agent, recorder):
    """Each event of a stream reaches the client before the next one is even made."""
    go_on = threading.Semaphore(0)

    def events(exchange):
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                      b"Transfer-Encoding: chunked\r\n\r\n")
        for number in range(5):
            exchange.send(b"9\r\ndata: %d\n\n\r\n" % number)
            assert go_on.acquire(timeout=10)
        exchange.send(b"0\r\n\r\n")

    recorder.on("/events", events)
    wire.send(encode("GET", "/events", agent.bearer()))
    assert wire.head().get("Content-Type") == "text/event-stream"
    for number in range(5):
        wire.until(b"data: %d\n\n" % number)
        go_on.release()
    wire.until(b"0\r\n\r\n")


def test_a_request_body_streams_as_it_comes(wire, agent, recorder):
    wire.send(encode("POST", "/up", [*agent.bearer(), ("Content-Length", "10")]) + b"first")
    wait_until(lambda: recorder.requests, what="the head to be upstream before the body's end")
    wire.send(b"+last")
    assert wire.response().json()["length"] == 10
    assert recorder.only().body == b"first+last"


def test_a_response_that_ends_with_its_connection(wire, agent, recorder):
    recorder.raw("/old", b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nall of it",
                 close=True)
    assert wire.request("GET", "/old", agent.bearer()).body == b"all of it"


def test_expect_100_continue(wire, agent, recorder):
    headers = [*agent.bearer(), ("Expect", "100-continue"), ("Content-Length", "4")]
    wire.send(encode("POST", "/up", headers))
    assert wire.head().status == 100
    wire.send(b"body")
    assert wire.response().status == 200
    assert recorder.only().body == b"body"


def test_a_refused_request_is_not_told_to_continue(wire, agent, recorder):
    with recorder.untouched():
        headers = [("Expect", "100-continue"), ("Content-Length", "4")]
        wire.send(encode("POST", "/up", headers))
        response = wire.response()
        assert response.verdict == (401, "credentials_missing") and response.interim == []


def test_curl_uploads_with_expect(gateway, agent, recorder, tmp_path):
    file = tmp_path / "upload"
    file.write_bytes(b"x" * (3 * MIB))
    result = gateway.curl("/up", "-H", "Expect: 100-continue", "--data-binary", f"@{file}",
                          agent_headers=agent.bearer())
    assert result.stdout.endswith("\n200"), result
    assert recorder.only().length == 3 * MIB


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_a_status_without_a_body(wire, agent, recorder, status):
    recorder.raw("/empty", f"HTTP/1.1 {status}\r\nETag: \"a\"\r\n\r\n".encode())
    response = wire.request("GET", "/empty", agent.bearer())
    assert (response.status, response.body) == (int(status[:3]), b"")
    assert wire.request("GET", "/after", agent.bearer()).json()["target"] == "/after"


def test_head_has_the_length_and_no_body(wire, agent, recorder):
    recorder.reply("/h", b"hello")
    response = wire.request("HEAD", "/h", agent.bearer())
    assert (response.status, response.get("Content-Length"), response.body) == (200, "5", b"")
    assert wire.request("GET", "/h", agent.bearer()).body == b"hello"
    assert [r.method for r in recorder.requests] == ["HEAD", "GET"]


def test_head_that_is_refused_has_no_body(wire):
    assert wire.request("HEAD", "/h").status == 401
    assert wire.request("GET", "/healthz").status == 200


def test_interim_answers_of_the_upstream_are_relayed(wire, agent, recorder):
    recorder.raw("/hints", b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
                 b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    response = wire.request("GET", "/hints", agent.bearer())
    assert (response.status, response.body) == (200, b"ok")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY",
                                    "x-own-method"])
def test_any_method_passes_on_a_route_that_names_none(wire, agent, recorder, method):
    assert wire.request(method, "/m", agent.bearer(), b"{}").status == 200
    assert (recorder.only().method, recorder.only().body) == (method, b"{}")


# HTTP/1.0.

def test_http_1_0_is_closed_after_its_answer(gateway, agent):
    with gateway.connect() as wire:
        wire.send(encode("GET", "/", agent.bearer(), version="1.0"))
        assert wire.response().status == 200
        wire.ends()


def test_http_1_0_gets_no_chunks(gateway, agent, recorder):
    recorder.raw("/c", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                 + chunked(b"alpha", b"beta"))
    with gateway.connect() as wire:
        wire.send(encode("GET", "/c", agent.bearer(), version="1.0"))
        response = wire.response()
        assert response.all("Transfer-Encoding") == []
        assert response.body == b"alphabeta"


def test_http_1_0_needs_no_host(gateway, agent):
    with gateway.connect() as wire:
        wire.send(encode("GET", "/", agent.bearer(), host=None, version="1.0"))
        assert wire.response().status == 200


def test_http_1_0_post(gateway, agent, recorder):
    with gateway.connect() as wire:
        wire.send(encode("POST", "/", agent.bearer(), b"old", version="1.0"))
        assert wire.response().status == 200
    assert recorder.only().body == b"old"
    assert recorder.only().version == "HTTP/1.1"


# Many at once, and much at once.

def test_aiohttp_runs_many_requests_at_once(gateway, agent):
    token = new_session(gateway, agent)

    # One context for all: aiohttp shares connections only between requests that share it.
    context = gateway.context()

    async def run():
        async with aiohttp.ClientSession(headers=dict(agent.session(token)),
                                         connector=aiohttp.TCPConnector(limit=40)) as client:
            async def one(number):
                body = b"%d" % number * number
                async with client.post(f"{gateway.url}/n/{number}", data=body,
                                       ssl=context) as response:
                    return response.status, await response.json()
            return await asyncio.gather(*(one(number) for number in range(400)))

    answers = asyncio.run(run())
    assert [a[0] for a in answers] == [200] * 400
    for number, (_, answer) in enumerate(answers):
        assert answer == {"target": f"/n/{number}", "length": len(str(number)) * number}


def test_aiohttp_uploads_and_reads_streams(gateway, agent, recorder):
    recorder.on("/echo", lambda exchange: exchange.reply(exchange.request.body))
    pieces = [bytes([n]) * 5000 for n in range(100)]

    async def stream():
        for piece in pieces:
            yield piece

    async def run():
        async with aiohttp.ClientSession(headers=dict(agent.bearer())) as client:
            async with client.post(f"{gateway.url}/echo", data=stream(),
                                   ssl=gateway.context()) as response:
                return await response.read()

    assert asyncio.run(run()) == b"".join(pieces)
