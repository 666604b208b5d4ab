# SPDX-License-Identifier: Apache-2.0
"""More than the gateway may take: it sheds, says so, stays up, and takes on again."""

import contextlib
import socket
import ssl
import time

import pytest

from support.gateway import MANY_CLIENTS, merged
from support.waiting import wait_until
from support.wire import Closed, encode


def limited(connections, **limits):
    return merged(MANY_CLIENTS, {"totp": {"one_time": False},
                                 "listen": {"limits": {"connections": connections, **limits}}})


def idle_wires(gateway, stack, count):
    """So many connections with their handshakes done."""
    return [stack.enter_context(gateway.connect()) for _ in range(count)]


def open_connections(gateway):
    metrics = gateway.metrics()
    return sum(value for name, value in metrics.items()
               if name.startswith("agentport_connections{"))


def test_beyond_the_limit_requests_are_refused_early(start, recorder):
    gateway = start(limited(10))
    agent = gateway.take_agent()
    with contextlib.ExitStack() as stack:
        wires = idle_wires(gateway, stack, 10)
        with gateway.connect() as surplus, recorder.untouched():
            response = surplus.request("GET", "/x", agent.bearer())
            assert response.verdict == (503, "overloaded")
            assert int(response.get("Retry-After")) >= 1
            assert response.get("Connection") == "close"
        # Those who were there before are served as ever.
        assert wires[0].request("GET", "/x", agent.bearer()).status == 200


def test_health_is_answered_beyond_the_limit(start):
    gateway = start(limited(10))
    with contextlib.ExitStack() as stack:
        idle_wires(gateway, stack, 10)
        assert gateway.request("GET", "/healthz").status == 200
        assert gateway.admin("/livez").status == 200
        assert gateway.admin("/readyz").status == 200
        assert gateway.admin("/metrics").status == 200


def test_at_the_limit_connections_are_not_kept_alive(start):
    gateway = start(limited(10))
    agent = gateway.take_agent()
    with contextlib.ExitStack() as stack:
        wires = idle_wires(gateway, stack, 10)
        with gateway.connect() as surplus:
            surplus.request("GET", "/healthz")
            response = wires[0].request("GET", "/x", agent.bearer())
            assert (response.status, response.get("Connection")) == (200, "close")


def test_there_is_room_again_once_some_have_left(start):
    gateway = start(limited(10))
    agent = gateway.take_agent()
    with contextlib.ExitStack() as stack:
        idle_wires(gateway, stack, 10)
        assert gateway.request("GET", "/x", agent.bearer()).status == 503
    wait_until(lambda: open_connections(gateway) == 0, what="all connections to be forgotten")
    with gateway.connect() as wire:
        for _ in range(3):
            wait_until(lambda: wire.request("GET", "/x", agent.bearer()).status == 200,
                       timeout=5, what="a connection that is kept")


def test_beyond_the_surplus_connections_wait_to_be_accepted(start):
    gateway = start(limited(10))
    agent = gateway.take_agent()
    with contextlib.ExitStack() as stack:
        # The surplus of ten is sixteen.
        idle_wires(gateway, stack, 26)
        late = stack.enter_context(socket.create_connection(gateway.address, timeout=10))
        late.settimeout(0.5)
        tls = gateway.context().wrap_socket(
            late, server_hostname="localhost", do_handshake_on_connect=False)
        with pytest.raises((TimeoutError, ssl.SSLWantReadError)):
            tls.do_handshake()
        assert gateway.admin("/livez").status == 200
    # They have all left, the late one too; the next one is served.
    wait_until(lambda: gateway.request("GET", "/x", agent.bearer()).status == 200,
               what="a request to be served")


def test_one_address_takes_no_more_than_its_share(start):
    gateway = start(merged(limited(1000), {"listen": {"limits": {"connections_per_ip": 5}}}))
    agent = gateway.take_agent()
    with contextlib.ExitStack() as stack:
        wires = idle_wires(gateway, stack, 5)
        with pytest.raises((OSError, Closed)), gateway.connect() as sixth:
            sixth.request("GET", "/x", agent.bearer())
        assert wires[4].request("GET", "/x", agent.bearer()).status == 200
    wait_until(lambda: open_connections(gateway) == 0, what="all connections to be forgotten")
    assert gateway.request("GET", "/x", agent.bearer()).status == 200


def test_few_descriptors_are_survived(make, recorder):
    """Fewer files than connections: the limit is lowered, so that health and metrics go on."""
    gateway = make().from_policy(recorder.url, limited(20000), spare_agents=1)
    agent = gateway.take_agent()
    gateway.descriptors = 256
    gateway.start()
    gateway.wait_told("fewer connections than configured: the limit of open files is too low")
    with contextlib.ExitStack() as stack:
        for _ in range(300):
            plain = stack.enter_context(socket.create_connection(gateway.address, timeout=10))
            plain.setblocking(False)
        for _ in range(3):
            assert gateway.admin("/metrics").status == 200
            assert gateway.admin("/livez").status == 200
    wait_until(lambda: gateway.request("GET", "/x", agent.bearer()).status == 200, timeout=20,
               what="a request to be served")


def test_a_reader_that_stalls_gives_way_to_those_in_line(start, recorder):
    """It holds the only connection that the upstream may have, and reads nothing."""
    gateway = start(merged(limited(100), {"upstreams": [
        {"name": "openclaw", "endpoints": [recorder.url], "max_connections": 1}]}))
    recorder.on("/public/large", lambda exchange: exchange.reply(bytes(64 << 20)))
    with gateway.connect() as stalled:
        stalled.send(encode("GET", "/public/large"))
        wait_until(lambda: recorder.at("/public/large"), what="the request to arrive")
        began = time.monotonic()
        response = gateway.request("GET", "/public/x")
        assert response.status == 200
        assert time.monotonic() - began < 4.5
    assert any("slow clients were cut off" in line.get("msg", "") for line in gateway.logs())


def test_a_reader_that_stalls_is_left_alone_where_nobody_waits(start, recorder):
    gateway = start(limited(100))
    body = bytes(16 << 20)
    recorder.on("/public/large", lambda exchange: exchange.reply(body))
    with gateway.connect() as stalled:
        stalled.send(encode("GET", "/public/large"))
        wait_until(lambda: recorder.at("/public/large"), what="the request to arrive")
        time.sleep(3)  # longer than a reader may stall where somebody waits
        assert stalled.response().body == body
