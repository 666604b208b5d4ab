# SPDX-License-Identifier: Apache-2.0
"""Endpoints that refuse, reset, lie and come back: no request is lost while another could take
it, and none is ever made twice."""

import socket
import threading
import time

import pytest

from support.gateway import ask, upstream
from support.peers import Deaf, Peer, reads_head, reset
from support.waiting import settle, wait_until
from support.wire import encode

MIB = 1 << 20


def unavailable(response):
    assert response.verdict == (503, "upstream_unavailable")
    assert int(response.get("Retry-After")) >= 1


# Connections that can't be made.

def test_a_refused_connection_sends_the_request_elsewhere(front, pair_of):
    gone, there = pair_of
    gone.stop()
    gateway = front(upstream(gone, there, balance="round_robin"))
    assert ask(gateway, 8) == [(200, None)] * 8
    assert [request.target for request in there.requests] == [f"/?{n}" for n in range(8)]
    assert all(request.body == b"x" for request in there.whole)
    # What counts is what became of the request.
    results = {name: value for name, value in gateway.metrics().items()
               if name.startswith("agentport_upstream_requests_total") and value}
    assert list(results.values()) == [8] and "connect_failed" not in str(results)
    line = gateway.wait_told("upstream not reached")[0]
    assert (line["upstream"], line["endpoint"]) == ("openclaw", gone.label)
    assert line["level"] == "warn" and "refused" in line["reason"].lower()


def test_nobody_there_at_all(front, pair_of):
    for recorder in pair_of:
        recorder.stop()
    gateway = front(upstream(*pair_of))
    for _ in range(3):
        began = time.monotonic()
        unavailable(gateway.request("POST", "/", body=b"x"))
        assert time.monotonic() - began < 1
    assert gateway.metrics()[
        'agentport_upstream_requests_total{result="connect_failed",upstream="openclaw"}'] == 3
    for recorder in pair_of:
        recorder.resume()
    assert ask(gateway, 4) == [(200, None)] * 4


def test_a_body_that_is_on_its_way_goes_elsewhere_whole(front, pair_of):
    """What has come of it was handed to the connection that failed."""
    gone, there = pair_of
    gone.stop()
    gateway = front(upstream(gone, there, balance="round_robin"))
    for number in range(4):
        with gateway.connect() as wire:
            wire.send(encode("POST", f"/{number}", [("Content-Length", "300000")], b"a" * 100000))
            wire.send(b"b" * 200000)
            assert wire.response().json()["length"] == 300000
    assert [r.body for r in there.whole] == [b"a" * 100000 + b"b" * 200000] * 4


def test_an_endpoint_that_does_not_accept(front, recorders):
    there = recorders()
    with Deaf() as deaf:
        gateway = front(upstream(deaf, there, balance="round_robin", connect_timeout="200ms"))
        for number in range(4):
            began = time.monotonic()
            assert gateway.request("POST", f"/{number}", body=b"x").status == 200
            assert time.monotonic() - began < 2
        assert [request.target for request in there.requests] == ["/0", "/1", "/2", "/3"]
        assert gateway.wait_told("upstream not reached", endpoint=deaf.label)


def test_no_endpoint_accepts(front):
    with Deaf() as one, Deaf() as other:
        gateway = front(upstream(one, other, connect_timeout="200ms"))
        began = time.monotonic()
        unavailable(gateway.request("GET", "/"))
        assert 0.35 < time.monotonic() - began < 2


def test_an_endpoint_that_accepts_again(front, recorders):
    with Deaf() as deaf:
        gateway = front(upstream(deaf, connect_timeout="200ms"))
        unavailable(gateway.request("GET", "/"))
    recorder = recorders(address=deaf.address)
    assert gateway.request("GET", "/").status == 200
    assert len(recorder.requests) == 1


# Resets.

def test_reset_before_any_byte_of_the_request(front, recorders):
    """In the TLS handshake, which comes before it."""
    def hang_up(connection):
        connection.recv(1)
        reset(connection)

    there = recorders()
    with Peer(hang_up, "https") as peer:
        gateway = front(upstream(peer, there, balance="round_robin"))
        assert ask(gateway, 4) == [(200, None)] * 4
        assert peer.connections >= 1
    assert [request.target for request in there.requests] == [f"/?{n}" for n in range(4)]


@pytest.mark.parametrize("end", ["reset", "close"])
@pytest.mark.parametrize("body", [None, b"x", b"x" * 200_000], ids=["none", "small", "large"])
def test_lost_after_the_request_was_sent(front, pair_of, end, body):
    """Whether it was acted upon, nobody knows: never again, though another endpoint is there."""
    gateway = front(upstream(*pair_of, balance="round_robin"))
    for recorder in pair_of:
        recorder.on("/die", lambda exchange: getattr(exchange, end)())
    for number in range(1, 5):
        verdict = gateway.request("POST" if body else "GET", "/die", body=body).verdict
        assert verdict == (502, "upstream_bad_response")
        assert sum(len(recorder.at("/die")) for recorder in pair_of) == number


def test_lost_after_the_head_was_read(front, recorders):
    """The client is still sending."""
    there, count = recorders(), []

    def die(connection):
        count.append(reads_head(connection))
        reset(connection)

    with Peer(die) as peer:
        gateway = front(upstream(peer, there, balance="round_robin"))
        with gateway.connect() as wire:
            wire.send(encode("POST", "/", [("Content-Length", "1000000")]))
            wait_until(lambda: count)
            wire.send_all_it_takes(b"x" * 1_000_000)
            assert wire.response().verdict == (502, "upstream_bad_response")
    settle()
    assert len(count) == 1 and there.requests == []


def _by(scheme, front, recorders, authority):
    """An upstream that speaks TLS or does not, and a gateway before it."""
    if scheme == "http":
        recorder, members = recorders(), {}
    else:
        recorder = recorders(tls=authority.server(authority.ecdsa))
        members = {"tls": {"ca": str(authority.path)}}
    return recorder, front(upstream(recorder, **members), limits={"body": "64MiB"})


# Pooled connections.

@pytest.mark.parametrize("scheme", ["http", "https"])
def test_an_upstream_that_restarts_between_two_requests(front, recorders, authority, scheme):
    recorder, gateway = _by(scheme, front, recorders, authority)
    with gateway.connect() as wire:
        for number in range(20):
            assert wire.request("POST", f"/{number}", body=b"x").status == 200
            recorder.stop()
            recorder.hang_up()
            recorder.resume()
    assert [request.target for request in recorder.requests] == [f"/{n}" for n in range(20)]
    assert recorder.connections == 20


def test_many_pooled_connections_that_all_end_at_once(front, pair_of):
    """Then the next requests come at once, too: none meets two dead connections in a row."""
    gateway = front(upstream(*pair_of))
    wires = [gateway.connect() for _ in range(24)]
    total = 0
    for turn in range(5):
        for recorder in pair_of:
            recorder.on(f"/{turn}", lambda exchange: (settle(), exchange.reply())[1])
        for wire in wires:
            wire.send(encode("POST", f"/{turn}", body=b"x"))
        assert [wire.response().status for wire in wires] == [200] * 24
        total += 24
        assert sum(len(recorder.whole) for recorder in pair_of) == total
        for recorder in pair_of:
            recorder.hang_up()
    for wire in wires:
        wire.close()


def test_idle_connections_that_are_reset(front, recorders):
    recorder = recorders()
    waits = threading.Event()

    def answer(exchange):
        exchange.reply()
        waits.wait(0.01)
        exchange.reset()

    recorder.on("*", answer)
    gateway = front(upstream(recorder))
    with gateway.connect() as wire:
        for number in range(20):
            assert wire.request("POST", f"/{number}", body=b"x").status == 200
            wait_until(lambda: recorder.open_connections == 0)
    assert [request.target for request in recorder.requests] == [f"/{n}" for n in range(20)]


# Answers that come early.

@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("framing", ["length", "until close"])
def test_an_answer_in_the_middle_of_an_upload(front, recorders, authority, scheme, framing):
    """The rest is never read: the upstream's close is a reset, right behind its answer."""
    def refuse(exchange):
        exchange.connection._exactly(100_000, lambda _: None)
        if framing == "length":
            exchange.reply(b"too much", status="413 Content Too Large",
                           headers=[("Connection", "close")])
        else:
            exchange.send(b"HTTP/1.1 413 Content Too Large\r\n\r\ntoo much")
        # TLS says farewell by an alert; a reset right behind it must not undo it.
        if scheme == "https":
            exchange.connection.socket.settimeout(0.2)
            try:
                exchange.connection.socket.unwrap()
            except OSError:
                pass
        exchange.cut()

    recorder, gateway = _by(scheme, front, recorders, authority)
    recorder.on("/up", refuse, at="head")
    for number in range(1, 6):
        with gateway.connect() as wire:
            head = encode("POST", "/up", [("Content-Length", str(10 * MIB))])
            wire.send_until_answered(head + b"x" * 10 * MIB)
            if framing == "length":
                response = wire.response()
                assert (response.status, response.body) == (413, b"too much")
            else:
                # Cut by a reset it cannot be told from whole: the client may get it or see a cut.
                assert wire.head().status == 413
        assert len(recorder.at("/up")) == number
    assert gateway.request("GET", "/").status == 200
