# SPDX-License-Identifier: Apache-2.0
"""Upstreams that change while requests are on their way: endpoints, bounds, trust."""

import signal
import threading

import pytest

from support.gateway import upstream
from support.waiting import settle, wait_until
from support.wire import encode


def reload(gateway, *upstreams):
    """Has the gateway go on with these upstreams."""
    count = len(gateway.told("configuration reloaded"))
    gateway.policy["upstreams"] = list(upstreams)
    gateway.write_policy()
    gateway.signal(signal.SIGHUP)
    gateway.wait_told("configuration reloaded", count + 1)
    settle()


@pytest.fixture
def two(recorders):
    return recorders(), recorders()


@pytest.fixture
def gate():
    opened = threading.Event()
    yield opened
    opened.set()


def hold(recorder, gate):
    recorder.on("/held", lambda exchange: (gate.wait(10), exchange.reply(b"held"))[1])


def test_endpoints_come_and_go(front, two, gate):
    old, new = two
    hold(old, gate)
    gateway = front(upstream(old), workers=2)
    with gateway.connect() as held, gateway.connect() as wire:
        held.send(encode("POST", "/held", body=b"x"))
        wait_until(lambda: old.at("/held"))
        assert wire.request("GET", "/before").status == 200
        reload(gateway, upstream(new))
        for number in range(6):
            assert wire.request("GET", f"/{number}").status == 200
            assert gateway.request("GET", f"/{number}").status == 200
        assert len(new.requests) == 12 and len(old.requests) == 2
        # Only what is still needed is kept open.
        wait_until(lambda: old.open_connections == 1)
        gate.set()
        assert held.response().body == b"held"
        wait_until(lambda: old.open_connections == 0)
        assert held.request("GET", "/next").status == 200
    assert len(new.requests) == 13
    assert gateway.endpoint_health(new) == 1
    with pytest.raises(KeyError):
        gateway.endpoint_health(old)


def test_an_endpoint_that_stays_keeps_its_connections_and_its_health(front, two):
    bad, good = two
    bad.on("*", lambda exchange: exchange.reset())
    gateway = front(upstream(bad, good, balance="round_robin", eject_after=2))
    with gateway.connect() as wire:
        while not gateway.told("upstream endpoint ejected"):
            wire.request("GET", "/")
            settle()
        before = good.connections
        reload(gateway, upstream(good, bad, balance="least_request", eject_after=3))
        assert gateway.endpoint_health(bad) == 0
        with bad.untouched():
            for _ in range(10):
                assert wire.request("GET", "/").status == 200
        assert good.connections == before


@pytest.mark.parametrize("workers", [1, 2])
def test_other_bounds_hold_at_once(front, recorders, gate, workers):
    recorder = recorders()
    hold(recorder, gate)
    gateway = front(upstream(recorder, max_connections=1, connect_timeout="20s"), workers=workers)
    wires = [gateway.connect() for _ in range(4)]
    for wire in wires:
        wire.send(encode("GET", "/held"))
    wait_until(lambda: len(recorder.requests) == 1)
    settle()
    assert len(recorder.requests) == 1
    reload(gateway, upstream(recorder, max_connections=3, max_pending=1, connect_timeout="20s"))
    # Those in line need not wait for a connection to come free.
    wait_until(lambda: len(recorder.requests) == 3)
    assert gateway.request("GET", "/more").verdict == (503, "overloaded")
    reload(gateway, upstream(recorder, max_connections=1, connect_timeout="20s"))
    gate.set()
    assert [wire.response().status for wire in wires] == [200] * 4
    recorder.reset()
    for _ in range(2):
        for wire in wires:
            assert wire.request("GET", "/").status == 200
    wait_until(lambda: recorder.open_connections == 1)
    for wire in wires:
        wire.close()


def test_a_mistyped_check_that_is_put_right(front, two):
    """What the old check said does not hold: the new one passes from the first."""
    one, other = two
    one.reply("/typo", status="404 Not Found")
    check = {"path": "/typo", "interval": "100ms", "unhealthy_after": 1}
    gateway = front(upstream(one, other, balance="round_robin", health_check=check))
    gateway.wait_told("upstream endpoint unhealthy", endpoint=one.label)
    reload(gateway, upstream(one, other, balance="round_robin",
                             health_check={**check, "path": "/right"}))
    wait_until(lambda: len(one.at("/right")) >= 2)
    assert gateway.endpoint_health(one) == 1
    for _ in range(4):
        assert gateway.request("GET", "/asked").status == 200
    assert len(one.at("/asked")) == 2


def test_checks_begin_and_end(front, recorders):
    recorder = recorders()
    recorder.reply("/healthz", status="500 Internal Server Error")
    check = {"path": "/healthz", "interval": "100ms", "unhealthy_after": 1}
    gateway = front(upstream(recorder))
    assert gateway.admin("/readyz").status == 200 and recorder.requests == []
    reload(gateway, upstream(recorder, health_check=check))
    gateway.wait_told("upstream endpoint unhealthy")
    assert gateway.admin("/readyz").status == 503
    reload(gateway, upstream(recorder))
    assert gateway.admin("/readyz").status == 200
    with recorder.untouched():
        threading.Event().wait(0.3)


def test_another_authority_counts_at_once(front, recorders, authority, tmp_path):
    """A pooled connection was made when something else was believed."""
    recorder = recorders(tls=authority.server(authority.ecdsa))
    tls = {"ca": str(authority.path)}
    gateway = front(upstream(recorder, tls=tls))
    assert gateway.request("GET", "/").status == 200
    reload(gateway, upstream(recorder, tls={**tls, "pins_sha256": [authority.rsa.pin]}))
    assert gateway.request("GET", "/").verdict == (503, "upstream_unavailable")
    reload(gateway, upstream(recorder, tls={**tls, "pins_sha256": [authority.ecdsa.pin]}))
    assert gateway.request("GET", "/").status == 200
    assert len(recorder.requests) == 2


def test_an_upstream_of_a_name_is_added(front, recorders):
    recorder = recorders()
    gateway = front(upstream(recorder))
    reload(gateway, upstream(f"http://localhost:{recorder.port}"))
    for _ in range(4):
        assert gateway.request("GET", "/").status == 200


def test_requests_in_line_for_an_upstream_that_is_removed(front, two, gate):
    """They were taken in under the old policy; the one that is lent is served, too."""
    old, new = two
    hold(old, gate)
    gateway = front(upstream(old, max_connections=1, connect_timeout="20s"))
    wires = [gateway.connect() for _ in range(3)]
    for wire in wires:
        wire.send(encode("GET", "/held"))
    wait_until(lambda: old.at("/held"))
    settle()
    gateway.policy["routes"] = [{"path": "/", "public": True, "upstream": "new"}]
    reload(gateway, upstream(new, name="new"))
    gate.set()
    assert [wire.response().status for wire in wires] == [200] * 3
