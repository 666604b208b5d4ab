# SPDX-License-Identifier: Apache-2.0
"""Endpoints that fail are left out for a while; the last one never, and none for what is not its
fault."""

import time

import pytest

from support.gateway import ask, upstream
from support.peers import reads_head
from support.waiting import settle, wait_until


@pytest.fixture
def failing(front, pair_of):
    """A gateway with an endpoint that fails each request, a good one, and both of them."""
    bad, good = pair_of
    bad.on("*", lambda exchange: exchange.reset())
    gateway = front(upstream(bad, good, balance="round_robin", eject_after=3))
    return gateway, bad, good


def eject(gateway, bad):
    """Asks until the bad endpoint is left out."""
    verdicts = []
    while not gateway.told("upstream endpoint ejected"):
        verdicts += ask(gateway, 2)
        settle()
        assert len(verdicts) < 40, "never ejected"
    line, = gateway.told("upstream endpoint ejected")
    assert (line["upstream"], line["endpoint"]) == ("openclaw", bad.label)
    assert line["level"] == "warn"
    return verdicts


def test_an_endpoint_that_fails_is_left_out(failing):
    gateway, bad, good = failing
    verdicts = eject(gateway, bad)
    assert verdicts.count((502, "upstream_bad_response")) == 3 == len(bad.requests)
    assert (gateway.endpoint_health(bad), gateway.endpoint_health(good)) == (0, 1)
    assert gateway.admin("/readyz").status == 200
    with bad.untouched():
        assert ask(gateway, 20) == [(200, None)] * 20


@pytest.mark.long
def test_an_ejected_endpoint_is_back_after_ten_seconds_and_out_at_its_next_failure(failing):
    gateway, bad, good = failing
    eject(gateway, bad)
    began = time.monotonic()
    before = len(bad.requests)
    wait_until(lambda: gateway.endpoint_health(bad) == 1, timeout=15, interval=0.1)
    assert 8 < time.monotonic() - began < 12
    assert len(bad.requests) == before
    ask(gateway, 2)
    assert len(bad.requests) == before + 1
    assert len(gateway.wait_told("upstream endpoint ejected", 2)) == 2
    assert gateway.endpoint_health(bad) == 0


@pytest.mark.long
def test_an_ejected_endpoint_that_has_recovered_stays(failing):
    gateway, bad, good = failing
    eject(gateway, bad)
    bad.reset()
    wait_until(lambda: gateway.endpoint_health(bad) == 1, timeout=15, interval=0.1)
    assert ask(gateway, 8) == [(200, None)] * 8
    assert len(bad.requests) == 4
    # The failures before are forgotten: it takes three again.
    bad.on("*", lambda exchange: exchange.reset())
    ask(gateway, 4)
    assert len(gateway.told("upstream endpoint ejected")) == 1


def test_the_last_endpoint_is_never_left_out(front, pair_of):
    for recorder in pair_of:
        recorder.on("*", lambda exchange: exchange.reset())
    gateway = front(upstream(*pair_of, balance="round_robin", eject_after=2))
    ask(gateway, 20)
    assert sum(gateway.endpoint_health(recorder) for recorder in pair_of) == 1
    assert gateway.admin("/readyz").status == 200
    for recorder in pair_of:
        recorder.reset()
    assert ask(gateway, 2) == [(200, None)] * 2


def test_an_only_endpoint_is_never_left_out(front, recorders):
    only = recorders()
    only.on("*", lambda exchange: exchange.reset())
    gateway = front(upstream(only, eject_after=1))
    assert ask(gateway, 5) == [(502, "upstream_bad_response")] * 5
    assert gateway.endpoint_health(only) == 1 and not gateway.told("upstream endpoint ejected")
    only.reset()
    assert ask(gateway, 1) == [(200, None)]


@pytest.mark.parametrize("status, counts", [
    ("502 Bad Gateway", True), ("503 Service Unavailable", True), ("504 Gateway Timeout", True),
    ("500 Internal Server Error", False), ("429 Too Many Requests", False),
    ("404 Not Found", False)])
def test_answers_that_count_as_failures(front, pair_of, status, counts):
    bad, good = pair_of
    bad.reply("*", b"own words", status=status)
    gateway = front(upstream(bad, good, balance="round_robin", eject_after=2))
    answers = [gateway.request("GET", "/") for _ in range(8)]
    own = [answer for answer in answers if answer.status != 200]
    assert all(a.body == b"own words" and str(a.status) == status[:3] for a in own)
    assert len(own) == (2 if counts else 4)
    assert gateway.endpoint_health(bad) == (0 if counts else 1)


def test_refused_connections_and_stalls_count_as_failures(front, recorders):
    good = recorders()
    stalled = recorders()
    stalled.on("*", lambda exchange: reads_head(exchange.connection.socket))
    gateway = front(upstream(stalled, good, balance="round_robin", eject_after=2,
                             first_byte_timeout="150ms"))
    verdicts = ask(gateway, 4)
    assert verdicts.count((504, "upstream_timeout")) == 2
    assert gateway.endpoint_health(stalled) == 0
    assert ask(gateway, 4) == [(200, None)] * 4


def test_a_success_makes_the_failures_forgotten(front, pair_of):
    bad, good = pair_of
    bad.on("/die", lambda exchange: exchange.reset())
    gateway = front(upstream(bad, good, balance="round_robin", eject_after=2))
    for _ in range(4):
        ask(gateway, 2, "/die")
        ask(gateway, 2, "/live")
    assert len(bad.at("/die")) == 4 and len(bad.at("/live")) == 4
    assert gateway.endpoint_health(bad) == 1 and not gateway.told("upstream endpoint ejected")
