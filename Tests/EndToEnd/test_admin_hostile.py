# SPDX-License-Identifier: Apache-2.0
"""Whoever reaches the admin listener without its token: what they can cost, and what they cannot."""

import json
import socket
import time

import pytest

from support.operator import Operator, problem
from support.waiting import wait_until
from support.wire import encode

MB = 1 << 20


def opened(operator, count):
    return [operator.wire() for _ in range(count)]


def asked_at_once(operator, target, count):
    return encode("GET", target, [], host=operator.host) * count


@pytest.mark.native
def test_answers_that_nobody_reads_are_not_made(start):
    """Requests by the thousand, sent ahead; the answers wait for their reader."""
    gateway = start()
    operator = Operator(gateway)
    before = gateway.resident_bytes()
    wires = opened(operator, 40)
    for wire in wires:
        wire.socket.settimeout(2)
        try:
            wire.socket.sendall(asked_at_once(operator, "/metrics", 800))
        except OSError:
            pass  # it does not read on, either
    began = time.monotonic()
    assert operator.command("health").returncode == 0
    assert time.monotonic() - began < 3
    assert gateway.resident_bytes() - before < 48 * MB
    for wire in wires:
        wire.socket.close()
    assert operator.get("/admin/status").status == 200


def test_requests_sent_ahead_are_all_answered_in_order(start):
    gateway = start()
    operator = Operator(gateway)
    targets = ["/livez", "/readyz", "/nothing", "/livez"] * 5
    with operator.wire() as wire:
        wire.send(b"".join(encode("GET", target, [], host=operator.host) for target in targets))
        statuses = [wire.response().status for _ in targets]
    assert statuses == [404 if target == "/nothing" else 200 for target in targets]


@pytest.mark.parametrize("fields", [
    [("Content-Length", "12")], [("Transfer-Encoding", "chunked")]], ids=["length", "chunks"])
def test_no_body_is_waited_for_without_the_token(start, fields):
    gateway = start()
    operator = Operator(gateway)
    with operator.wire() as wire:
        wire.socket.settimeout(3)
        wire.send(encode("POST", "/admin/secrets", fields, host=operator.host))
        problem(wire.response(), 401, "credentials_missing")


def test_a_body_that_comes_in_drops_costs_little(start):
    gateway = start({"totp": {"one_time": False}})
    operator, agent = Operator(gateway), gateway.agents[0]
    body = json.dumps({"agent": agent.name}).encode() + b" " * 3000
    fields = [("Authorization", f"Bearer {operator.token}"), ("Content-Length", str(len(body)))]
    with operator.wire() as wire:
        wire.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wire.send(encode("POST", "/admin/sessions/revoke", fields, host=operator.host))
        for byte in body:
            wire.socket.send(bytes([byte]))
        assert wire.response().status == 200


def test_chunks_that_are_mostly_framing_are_too_large(start):
    gateway = start()
    operator = Operator(gateway)
    fields = [("Authorization", f"Bearer {operator.token}"), ("Transfer-Encoding", "chunked")]
    with operator.wire() as wire:
        wire.socket.settimeout(3)
        wire.send(encode("POST", "/admin/sessions/revoke", fields, host=operator.host))
        try:
            for _ in range(400):
                wire.socket.sendall(b"000000000000001\r\nx\r\n" * 50)
        except OSError:
            pass
        assert wire.response().status in (400, 413)


def test_strangers_fill_no_log(start):
    gateway = start()
    operator = Operator(gateway)
    asked = 300
    with operator.wire() as wire:
        for number in range(asked):
            wire.send(encode("GET", f"/{'x' * 3000}{number}", [], host=operator.host))
            assert wire.response().status == 404
    time.sleep(1.1)
    with operator.wire() as wire:
        wire.send(encode("GET", "/other", [], host=operator.host))
        assert wire.response().status == 404
    wait_until(lambda: gateway.told("admin call", path="/other"), what="the last line")
    lines = gateway.told("admin call", status=404)
    assert len(lines) < asked / 2
    assert max(len(line["path"]) for line in lines) <= 256
    assert len(lines) + sum(line.get("untold", 0) for line in lines) == asked + 1


def test_an_operator_s_calls_are_told_one_by_one(start):
    gateway = start()
    operator = Operator(gateway)
    for _ in range(40):
        assert operator.get("/admin/keys").status == 200
    wait_until(lambda: len(gateway.told("admin call", path="/admin/keys")) == 40,
               what="a line for each call")


def test_another_start_leaves_the_socket_alone(make, recorder):
    gateway = make().from_environment(recorder.url)
    path = gateway.directory / "admin.sock"
    gateway.env["AGENTPORT_ADMIN_LISTEN"] = f"unix:{path}"
    gateway.start()
    second = make().from_environment(recorder.url)
    second.env["AGENTPORT_ADMIN_LISTEN"] = f"unix:{path}"
    assert second.launch().wait() != 0
    assert len(second.errors) == 1 and str(path) in second.errors[0]
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(3)
        client.connect(str(path))
        client.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 200")
    gateway.kill()
    gateway.start()
