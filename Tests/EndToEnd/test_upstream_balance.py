# SPDX-License-Identifier: Apache-2.0
"""Several endpoints, and how many connections and waiting requests an upstream may have: whose
turn it is, what the bounds hold, and who waits for how long."""

import contextlib
import signal
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.gateway import upstream
from support.peers import Peer
from support.waiting import settle, wait_until
from support.wire import encode


@pytest.fixture
def three(recorders):
    """Three upstreams, each of which answers with its number."""
    made = [recorders() for _ in range(3)]
    for number, recorder in enumerate(made):
        recorder.reply("*", str(number).encode())
    return made


class Gate:
    """A handler that answers once it is opened, and counts who stands before it."""

    def __init__(self):
        self._open = threading.Event()
        self._lock = threading.Lock()
        self.inside = 0

    def __call__(self, exchange):
        with self._lock:
            self.inside += 1
        assert self._open.wait(20)
        exchange.reply(b"done")

    def open(self):
        self._open.set()


def send_many(gateway, count, target="/wait"):
    """A connection each, and one request on each of them."""
    wires = [gateway.connect(timeout=20) for _ in range(count)]
    for wire in wires:
        wire.send(encode("GET", target))
    return wires


def statuses(wires):
    """What they get in the end, all of them closed then."""
    found = []
    for wire in wires:
        found.append(wire.response().status)
        wire.close()
    return found


# Whose turn it is.

def test_round_robin_takes_turns_exactly(front, three):
    gateway = front(upstream(*three, balance="round_robin"))
    with gateway.connect() as wire:
        order = [int(wire.request("GET", "/").body) for _ in range(12)]
    first = order[0]
    assert order == [(first + n) % 3 for n in range(12)]
    order = [int(gateway.request("POST", "/", body=b"x").body) for _ in range(6)]
    assert order == [(first + n) % 3 for n in range(6)]


def test_round_robin_goes_on_without_one_that_is_gone(front, three):
    three[1].stop()
    gateway = front(upstream(*three, balance="round_robin"))
    with gateway.connect() as wire:
        order = [int(wire.request("GET", "/").body) for _ in range(10)]
    assert order.count(0) == order.count(2) == 5


def test_an_endpoint_whose_turn_has_not_come_is_not_contacted(front, three):
    with three[2].untouched():
        gateway = front(upstream(*three, balance="round_robin"))
        assert {gateway.request("GET", "/").body for _ in range(2)} == {b"0", b"1"}
        assert [gateway.endpoint_health(each) for each in three] == [1, 1, 1]


def test_least_request_is_the_default_and_avoids_whoever_is_busy(front, recorders):
    slow, fast = recorders(), recorders()
    gate = Gate()
    slow.on("*", gate)
    fast.reply("*", b"fast")
    gateway = front(upstream(slow, fast))
    held = []
    # Equals are chosen among by chance, so that the first at the slow one may take a few.
    while not gate.inside:
        assert len(held) < 64, "the slow endpoint was never chosen"
        wire = gateway.connect()
        wire.send(encode("GET", "/"))
        wait_until(lambda: gate.inside or len(fast.requests) > len(held))
        held.append(wire)
    before = len(fast.requests)
    for _ in range(20):
        assert gateway.request("GET", "/").body == b"fast"
    assert (len(slow.requests), len(fast.requests) - before) == (1, 20)
    gate.open()
    assert set(statuses(held)) == {200}
    # It is as good as the other now.
    slow.reply("*", b"slow")
    wait_until(lambda: gateway.request("GET", "/").body == b"slow")


def test_least_request_under_load_uses_both_and_the_slow_one_less(front, recorders):
    slow, fast = recorders(), recorders()
    pause = threading.Event()
    slow.on("*", lambda exchange: (pause.wait(0.1), exchange.reply())[1])
    gateway = front(upstream(slow, fast, balance="least_request"))

    def client(_):
        with gateway.connect() as wire:
            return [wire.request("GET", "/").status for _ in range(25)]

    with ThreadPoolExecutor(8) as pool:
        answers = sum(pool.map(client, range(8)), [])
    assert answers == [200] * 200
    assert 0 < len(slow.requests) * 2 < len(fast.requests)


# How many connections.

@pytest.mark.parametrize("most", [1, 3])
def test_never_more_connections_than_allowed_and_each_its_turn(front, recorders, most):
    """Two workers share what the upstream may have; neither starves beside the other."""
    recorder = recorders()
    pause = threading.Event()
    lock = threading.Lock()
    underway = [0, 0]

    def work(exchange):
        with lock:
            underway[0] += 1
            underway[1] = max(underway)
        pause.wait(0.003)
        with lock:
            underway[0] -= 1
        exchange.reply()

    recorder.on("*", work)
    gateway = front(upstream(recorder, max_connections=most, connect_timeout="20s"), workers=2)
    each, clients = 20, 16
    begin = threading.Barrier(clients)
    done = [0] * clients
    at_first_end = []

    def client(number):
        with gateway.connect(timeout=20) as wire:
            begin.wait(10)
            for _ in range(each):
                assert wire.request("POST", "/", body=b"x").status == 200
                done[number] += 1
            if not at_first_end:
                at_first_end.append(min(done))

    with ThreadPoolExecutor(clients) as pool:
        for future in [pool.submit(client, number) for number in range(clients)]:
            future.result(40)
    assert len(recorder.whole) == each * clients
    assert recorder.most_established == most and underway[1] == most
    assert at_first_end[0] >= each // 2, "a client waited while others were served again and again"


def test_an_idle_connection_of_one_worker_serves_the_other(front, recorders):
    """There is one connection, and each client may be with either worker."""
    recorder = recorders()
    gateway = front(upstream(recorder, max_connections=1, connect_timeout="20s"), workers=2)
    wires = [gateway.connect() for _ in range(12)]
    began = time.monotonic()
    for wire in wires * 2:
        assert wire.request("GET", "/").status == 200
    assert time.monotonic() - began < 4, "a request waited though nobody used the connection"
    assert recorder.most_established == 1
    for wire in wires:
        wire.close()


def test_requests_in_line_are_served_when_a_connection_frees_on_either_worker(front, recorders):
    recorder = recorders()
    gate = Gate()
    recorder.on("/wait", gate)
    gateway = front(upstream(recorder, max_connections=1, connect_timeout="20s"), workers=2)
    first = send_many(gateway, 1)
    wait_until(lambda: gate.inside == 1)
    rest = send_many(gateway, 11)
    settle()
    assert len(recorder.requests) == 1
    gate.open()
    began = time.monotonic()
    assert statuses(first + rest) == [200] * 12
    assert time.monotonic() - began < 4
    assert recorder.most_established == 1


def test_upstreams_do_not_share_their_bounds(front, recorders):
    busy, free = recorders(), recorders()
    gate = Gate()
    busy.on("*", gate)
    gateway = front(
        upstream(busy, name="busy", max_connections=1, max_pending=0),
        upstream(free, name="free", max_connections=1, max_pending=0),
        routes=[{"path": "/busy/"}, {"path": "/free/", "upstream": "free"}])
    wires = send_many(gateway, 1, "/busy/")
    wait_until(lambda: gate.inside == 1)
    assert gateway.request("GET", "/busy/").verdict == (503, "overloaded")
    assert gateway.request("GET", "/free/").status == 200
    gate.open()
    assert statuses(wires) == [200]


# The line.

@pytest.mark.parametrize("workers", [1, 2])
def test_no_more_wait_than_allowed(front, recorders, workers):
    recorder = recorders()
    gate = Gate()
    recorder.on("*", gate)
    gateway = front(upstream(recorder, max_connections=1, max_pending=2,
                             connect_timeout="20s"), workers=workers)
    wires = send_many(gateway, 1)
    wait_until(lambda: gate.inside == 1)
    more = send_many(gateway, 10)
    wait_until(lambda: len(gateway.access(status=503)) == 8, what="eight refusals")
    gate.open()
    refusals = []
    for wire in wires + more:
        response = wire.response()
        wire.close()
        if response.status == 200:
            continue
        assert response.verdict == (503, "overloaded")
        assert int(response.get("Retry-After")) >= 1
        refusals.append(response)
    assert len(refusals) == 8 and len(recorder.requests) == 3
    wait_until(lambda: gateway.request("GET", "/").status == 200)
    assert gateway.metrics()[
        'agentport_upstream_requests_total{result="overloaded",upstream="openclaw"}'] == 8


def leave(wire, politely):
    """Closes as most TLS clients do, with close_notify first, or without a word."""
    if politely:
        wire.socket.setblocking(False)
        with contextlib.suppress(ssl.SSLWantReadError):
            wire.socket.unwrap()
    wire.close()


@pytest.mark.parametrize("politely", [True, False])
def test_one_that_gives_up_leaves_its_place_and_is_never_sent(front, recorders, politely):
    recorder = recorders()
    gate = Gate()
    recorder.on("*", gate)
    gateway = front(upstream(recorder, max_connections=1, max_pending=1,
                             connect_timeout="20s"))
    held = send_many(gateway, 1, "/held")
    wait_until(lambda: gate.inside == 1)
    for number in range(5):
        wire, = send_many(gateway, 1, f"/gone/{number}")
        settle()
        leave(wire, politely)
        gateway.wait_access(path=f"/gone/{number}")
    assert {line["status"] for line in gateway.access() if line["path"] != "/held"} == {0}
    patient = send_many(gateway, 1, "/patient")
    settle()
    assert gateway.request("GET", "/turned-away").verdict == (503, "overloaded")
    gate.open()
    assert statuses(held + patient) == [200, 200]
    assert [request.path for request in recorder.requests] == ["/held", "/patient"]


def test_one_that_leaves_while_its_connection_is_made(front):
    """The handshake stalls, and its client has gone: the next is not made to wait for it."""
    began = []

    def stall(connection):
        began.append(connection.recv(65536))
        if len(began) == 1:
            connection.recv(1)  # the gateway's end

    with Peer(stall, "https") as peer:
        gateway = front(upstream(peer, max_connections=1))
        wire, = send_many(gateway, 1)
        wait_until(lambda: began)
        wire.close()
        start = time.monotonic()
        assert gateway.request("GET", "/").verdict == (503, "upstream_unavailable")
        assert time.monotonic() - start < 2 and len(began) == 2


def test_nobody_waits_for_ever(front, recorders):
    """As long as a connection may take to be made."""
    recorder = recorders()
    gate = Gate()
    recorder.on("/wait", gate)
    gateway = front(upstream(recorder, max_connections=1, connect_timeout="300ms"))
    held = send_many(gateway, 1)
    wait_until(lambda: gate.inside == 1)
    began = time.monotonic()
    response = gateway.request("GET", "/late")
    assert response.verdict == (503, "overloaded") and int(response.get("Retry-After")) >= 1
    assert 0.25 < time.monotonic() - began < 2
    gate.open()
    assert statuses(held) == [200]
    assert gateway.request("GET", "/after").status == 200
    assert [request.path for request in recorder.requests] == ["/wait", "/after"]


def test_requests_that_follow_each_other_wait_in_their_order(front, recorders):
    """Pipelined, on connections with either worker, for one upstream connection."""
    recorder = recorders()
    gateway = front(upstream(recorder, max_connections=1, connect_timeout="20s"), workers=2)
    wires = [gateway.connect(timeout=20) for _ in range(6)]
    for wire in wires:
        wire.send(b"".join(encode("POST", f"/{n}", body=b"x" * 1000) for n in range(15)))
    for wire in wires:
        assert [wire.response().json()["target"] for _ in range(15)] == [
            f"/{n}" for n in range(15)]
        wire.close()
    assert len(recorder.whole) == 6 * 15 and recorder.most_established == 1


def test_large_bodies_wait_at_their_clients(front, recorders):
    recorder = recorders()
    gateway = front(upstream(recorder, max_connections=1, connect_timeout="20s"), workers=2,
                    limits={"body": "16MiB"})
    size = 3_000_000
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(
            lambda n: gateway.request("POST", f"/{n}", body=bytes([n]) * size).json(), range(8)))
    assert [answer["length"] for answer in answers] == [size] * 8
    for request in recorder.whole:
        assert set(request.body) == {int(request.target[1:])}


@pytest.mark.parametrize("headers, first", [
    ([("Content-Length", "3")], b"a"),
    ([("Content-Length", "3"), ("Expect", "100-continue")], b"")],
    ids=["half a body", "expecting"])
def test_a_body_is_not_overdue_while_its_request_waits(front, recorders, headers, first):
    recorder = recorders()
    gate = Gate()
    recorder.on("/wait", gate)
    gateway = front(upstream(recorder, max_connections=1, connect_timeout="20s"),
                    limits={"body_timeout": "300ms"})
    held = send_many(gateway, 1)
    wait_until(lambda: gate.inside == 1)
    with gateway.connect() as wire:
        wire.send(encode("POST", "/late", headers, first))
        threading.Event().wait(0.6)
        gate.open()
        assert statuses(held) == [200]
        wait_until(lambda: recorder.at("/late"))
        wire.send(b"abc"[len(first):])
        response = wire.response()
        assert response.status == 200 and response.json()["length"] == 3


def test_a_drain_serves_those_in_line(front, recorders):
    recorder = recorders()
    gate = Gate()
    recorder.on("/wait", gate)
    gateway = front(upstream(recorder, max_connections=1, connect_timeout="20s"), workers=2)
    wires = send_many(gateway, 1)
    wait_until(lambda: gate.inside == 1)
    wires += send_many(gateway, 5)
    settle()
    gateway.signal(signal.SIGTERM)
    gateway.wait_told("draining")
    gate.open()
    assert statuses(wires) == [200] * 6
    assert gateway.wait() == 0
