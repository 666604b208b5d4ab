# SPDX-License-Identifier: Apache-2.0
"""Everything that can happen to upstreams, at once and in an order that a seed chooses: what must
hold whatever happens."""

import os
import random
import signal
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.gateway import upstream
from support.waiting import wait_until
from support.wire import Closed, encode

MOST = 3
CLIENTS = 12
SECONDS = 3.0


def behave(dice, lock, exchange):
    """What an upstream does with one request."""
    with lock:
        choice = dice.random()
    pause = threading.Event()
    if choice < 0.04:
        exchange.reset()
    elif choice < 0.08:
        exchange.cut()
    elif choice < 0.10:
        exchange.connection.socket.settimeout(2)
        exchange.connection.socket.recv(1)
        exchange.cut()
    elif choice < 0.14:
        exchange.reply(exchange.request.target.encode(), headers=[("Connection", "close")])
        exchange.close()
    elif choice < 0.18:
        exchange.reply(exchange.request.target.encode())
        pause.wait(0.002)
        exchange.reset()
    elif choice < 0.22:
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
        exchange.cut()
    else:
        pause.wait(choice * 0.01)
        exchange.reply(exchange.request.target.encode())


def disturb(dice, recorders, end):
    """Stops upstreams and starts them again, and closes what is open."""
    while not end.wait(dice.uniform(0.02, 0.1)):
        recorder = dice.choice(recorders)
        what = dice.random()
        if what < 0.5:
            recorder.stop()
            recorder.hang_up()
            end.wait(dice.uniform(0, 0.1))
            recorder.resume()
        else:
            recorder.hang_up()


def client(gateway, number, seed, end, seen):
    """Asks again and again, and leaves now and then without waiting for the answer."""
    dice = random.Random(f"{seed} client {number}")
    count = 0
    wire = gateway.connect(timeout=15)
    while not end.is_set():
        target = f"/{number}/{count}"
        count += 1
        body = b"x" * dice.choice([0, 10, 10, 70_000])
        try:
            wire.send(encode("POST", target, body=body))
            if dice.random() < 0.05:
                raise Closed(False)
            response = wire.response()
            seen[target] = response
            if response.get("Connection") != "close":
                continue
        except (Closed, OSError):
            seen.setdefault(target, None)
        wire.close()
        wire = gateway.connect(timeout=15)
    wire.close()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_whatever_happens(front, recorders, authority, scheme):
    seed = os.environ.get("AGENTPORT_SEED") or str(random.randrange(1 << 32))
    print(f"AGENTPORT_SEED={seed}")
    tls = scheme == "https"
    three = [recorders(tls=authority.server(authority.ecdsa) if tls else None) for _ in range(3)]
    members = {"tls": {"ca": str(authority.path)}} if tls else {}
    gateway = front(upstream(
        *three, max_connections=MOST, first_byte_timeout="300ms", eject_after=4,
        health_check={"path": "/healthz", "interval": "100ms", "unhealthy_after": 2}, **members),
        workers=2)
    dice, lock = random.Random(f"{seed} upstreams"), threading.Lock()
    for recorder in three:
        recorder.reply("/healthz")
        recorder.on("*", lambda exchange: behave(dice, lock, exchange))
    end, seen = threading.Event(), {}
    with ThreadPoolExecutor(CLIENTS + 1) as pool:
        work = [pool.submit(client, gateway, number, seed, end, seen)
                for number in range(CLIENTS)]
        work.append(pool.submit(disturb, random.Random(f"{seed} noise"), three, end))
        beat = threading.Event()
        began = time.monotonic()
        while time.monotonic() - began < SECONDS:
            beat.wait(0.4)
            gateway.signal(signal.SIGHUP)
        end.set()
        for each in work:
            each.result(30)

    # No request was made twice, and an answer is the answer to its own request.
    times = Counter(request.target for recorder in three for request in recorder.requests
                    if request.path != "/healthz")
    assert [target for target, count in times.items() if count > 1] == []
    answers = {target: response for target, response in seen.items() if response}
    for target, response in answers.items():
        if response.status == 200:
            assert response.body == target.encode() and times[target] == 1
        else:
            assert response.verdict in [
                (502, "upstream_bad_response"), (503, "upstream_unavailable"),
                (503, "overloaded"), (504, "upstream_timeout")]
            assert response.status != 503 or times[target] == 0
    print(Counter(response.verdict for response in answers.values()))
    assert sum(response.status == 200 for response in answers.values()) > 50

    # Nothing is left behind: as many connections as ever, and nobody in line.
    for recorder in three:
        recorder.reset()
        recorder.reply("/healthz")
    wait_until(lambda: gateway.request("GET", "/").status == 200)
    gate, inside = threading.Event(), []
    for recorder in three:
        recorder.on("/held", lambda exchange: (
            inside.append(1), gate.wait(10), exchange.reply()))
    wires = [gateway.connect() for _ in range(MOST)]
    for wire in wires:
        wire.send(encode("GET", "/held"))
    wait_until(lambda: len(inside) == MOST, what="all the connections that are allowed")
    gate.set()
    assert [wire.response().status for wire in wires] == [200] * MOST
    for wire in wires:
        wire.close()
