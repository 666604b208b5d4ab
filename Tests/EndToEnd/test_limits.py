# SPDX-License-Identifier: Apache-2.0
"""Routes, sizes, times and rates: each refusal's status, code and side effects."""

import contextlib
import re
import time

import pytest

from support.agents import Agent
from support.waiting import wait_until
from support.wire import Closed, chunked, encode

MIB = 1 << 20
CHAIN_OF_5_A_MINUTE = [
    {"use": "tls_inspector"}, {"use": "ip_rate_limit", "requests": 5, "per": "60s", "burst": 5},
    {"use": "identity"}, {"use": "totp"}, {"use": "agent_rate_limit"}, {"use": "jwt"}]


@pytest.fixture(scope="module")
def policy_patch():
    return {
        "totp": {"one_time": False},
        "routes": [
            {"path": "/api/", "upstream": "openclaw"},
            {"path": "/api/read", "methods": ["GET", "HEAD"], "upstream": "openclaw"},
            {"path": "/exact", "upstream": "openclaw"},
            {"path": "/public/", "public": True, "upstream": "openclaw"}]}


@pytest.fixture
def refused(gateway, agent, recorder):
    """Asserts that a request is refused so, and that the upstream saw nothing of it."""
    def check(verdict, method, target, headers=(), body=None, closes=False):
        with recorder.untouched(), gateway.connect() as wire:
            wire.send_all_it_takes(encode(method, target, [*agent.bearer(), *headers], body))
            response = wire.response(method)
            assert response.verdict == verdict, (response.status, response.body)
            if closes:
                wire.ends()
        assert gateway.request("GET", "/api/", agent.bearer()).status == 200
        return response
    return check


# Routes.

@pytest.mark.parametrize("target", ["/", "/other", "/exact/", "/exact/x", "/exactly", "/EXACT"])
def test_no_route(refused, target):
    problem = refused((404, "no_route"), "GET", target).json()
    assert problem["type"] == "https://agentport.dev/problems/no_route"
    assert problem["status"] == 404


def test_a_prefix_matches_what_is_below_it(gateway, agent, recorder):
    for target in ("/api/", "/api/x", "/api/x/y?z", "/exact", "/exact?q"):
        assert gateway.request("GET", target, agent.bearer()).status == 200
    assert gateway.request("GET", "/api", agent.bearer()).verdict == (404, "no_route")


def test_the_longest_match_decides(refused, gateway, agent):
    response = refused((405, "method_not_allowed"), "POST", "/api/read", body=b"x")
    allowed = {method.strip() for method in response.get("Allow").split(",")}
    assert {"GET", "HEAD"} <= allowed and "POST" not in allowed
    assert gateway.request("GET", "/api/read", agent.bearer()).status == 200
    assert gateway.request("POST", "/api/write", agent.bearer(), b"x").status == 200


def test_methods_are_told_apart_by_case(refused):
    refused((405, "method_not_allowed"), "get", "/api/read")


@pytest.mark.parametrize("headers", [
    [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
     ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")],
    [("Connection", "upgrade"), ("Upgrade", "WebSocket"), ("Sec-WebSocket-Version", "13"),
     ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")]])
def test_an_upgrade_is_denied(refused, headers):
    refused((403, "upgrade_denied"), "GET", "/api/socket", headers)


# Sizes.

def test_a_body_that_says_it_is_too_long(refused):
    refused((413, "body_too_large"), "POST", "/api/", [("Content-Length", str(2 * MIB + 1))],
            closes=True)


def test_a_body_at_the_limit(gateway, agent, recorder):
    assert gateway.request("POST", "/api/", agent.bearer(), b"x" * 2 * MIB).status == 200
    assert recorder.only().length == 2 * MIB


def test_chunks_that_add_up_to_too_much(gateway, agent, recorder):
    with gateway.connect() as wire:
        wire.send_all_it_takes(encode("POST", "/api/", [*agent.bearer(),
                                                        ("Transfer-Encoding", "chunked")],
                                      chunked(*[b"x" * 65536] * 40)))
        assert wire.response().verdict == (413, "body_too_large")
    assert recorder.whole == []


def test_a_chunk_that_says_it_is_too_long(gateway, agent, recorder):
    with gateway.connect() as wire:
        wire.send(encode("POST", "/api/", [*agent.bearer(), ("Transfer-Encoding", "chunked")],
                         b"7fffffffffffffff\r\nabc"))
        assert wire.response().verdict == (413, "body_too_large")
    assert recorder.whole == []


def test_a_request_line_that_is_too_long(refused):
    refused((414, "uri_too_long"), "GET", "/api/" + "a" * 8192, closes=True)


def test_a_long_request_line_within_the_limit(gateway, agent, recorder):
    target = "/api/" + "a" * 8000
    assert gateway.request("GET", target, agent.bearer()).status == 200
    assert recorder.only().target == target


@pytest.mark.parametrize("headers", [
    [("X-Long", "a" * 33000)], [(f"X-{n}", "a" * 1000) for n in range(34)],
    [(f"X-{n}", "a") for n in range(101)]], ids=["one", "several", "many"])
def test_headers_that_are_too_large(refused, headers):
    refused((431, "headers_too_large"), "GET", "/api/", headers, closes=True)


def test_headers_within_the_limits(gateway, agent, recorder):
    headers = [(f"X-{n}", "a" * 300) for n in range(90)]
    assert gateway.request("GET", "/api/", [*agent.bearer(), *headers]).status == 200
    assert sum(name.startswith("x-") and value == "a" * 300
               for name, value in zip(recorder.only().names,
                                      (v for _, v in recorder.only().headers))) == 90


def test_headers_without_an_end(gateway, recorder):
    with recorder.untouched(), gateway.connect() as wire:
        wire.send_all_it_takes(b"GET /api/ HTTP/1.1\r\nHost: a\r\n" + b"X: a\r\n" * 100_000)
        assert wire.response().verdict == (431, "headers_too_large")


def test_limits_can_be_set(start):
    gateway = start({"listen": {"limits": {"body": "1KiB", "header_fields": 10,
                                           "header_bytes": "4KiB", "request_line": "1KiB"}}})
    verdict = gateway.request("POST", "/", gateway.take_agent().bearer(), b"x" * 1025).verdict
    assert verdict == (413, "body_too_large")
    many = [(f"X-{n}", "a") for n in range(11)]
    assert gateway.request("GET", "/", many).verdict == (431, "headers_too_large")
    assert gateway.request("GET", "/", [("X", "a" * 4200)]).verdict == (431, "headers_too_large")
    assert gateway.request("GET", "/" + "a" * 1100).verdict == (414, "uri_too_long")


def test_an_expectation_that_cannot_be_met(refused):
    refused((417, "expectation_failed"), "POST", "/api/", [("Expect", "200-maybe")], b"x")


def test_an_unread_body_does_not_hold_the_answer_back(gateway, recorder):
    """The client still sends while it is refused: it gets the whole answer and a clean end."""
    with recorder.untouched(), gateway.connect() as wire:
        wire.send(encode("POST", "/api/", [("Content-Length", str(MIB))]) + b"x" * 1000)
        response = wire.response()
        assert response.verdict == (401, "credentials_missing")
        wire.send_all_it_takes(b"x" * 30_000)
        wire.ends()


def test_a_slow_head_is_given_up(start, recorder):
    gateway = start({"listen": {"limits": {"header_timeout": "500ms"}}})
    began = time.monotonic()
    with recorder.untouched(), gateway.connect() as wire:
        with contextlib.suppress(OSError):
            for byte in b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 1000:
                wire.send(bytes([byte]))
                time.sleep(0.02)
                if time.monotonic() - began > 3:
                    break
        try:
            assert wire.response().verdict == (408, "request_timeout")
        except Closed:
            pass
    assert time.monotonic() - began < 3


def test_an_idle_connection_is_closed(start):
    gateway = start({"listen": {"limits": {"keepalive_timeout": "500ms"}}})
    with gateway.connect() as wire:
        assert wire.request("GET", "/healthz").status == 200
        wire.ends(timeout=4)


def test_too_many_connections_from_one_address(start):
    gateway = start({"listen": {"limits": {"connections_per_ip": 5}}})
    # Those the start's own probes opened may still be counted for a moment.
    wires = wait_until(lambda: _connections(gateway, 5), what="five connections")
    with contextlib.ExitStack() as stack:
        for wire in wires:
            stack.enter_context(wire)
        try:
            with gateway.connect(timeout=5) as sixth:
                assert sixth.request("GET", "/healthz").status == 503
        except (Closed, OSError):
            pass
        for wire in wires:
            assert wire.request("GET", "/healthz").status == 200
    wait_until(lambda: _connections(gateway, 1), what="a connection once the others are gone")


def _connections(gateway, count):
    """`count` connections that are served, or None."""
    wires = []
    try:
        for _ in range(count):
            wires.append(gateway.connect(timeout=5))
            assert wires[-1].request("GET", "/healthz").status == 200
        return wires
    except (Closed, OSError, AssertionError):
        for wire in wires:
            wire.close()
        return None


# Rates.

def limited(response):
    assert response.verdict == (429, "rate_limited"), (response.status, response.body)
    assert 1 <= int(response.get("Retry-After")) <= 60
    # draft-ietf-httpapi-ratelimit-headers: structured fields.
    assert re.search(r';\s*r=0\b', response.get("RateLimit")), response.get("RateLimit")
    assert re.search(r';\s*q=\d+', response.get("RateLimit-Policy"))


def test_a_rate_per_address(start, recorder):
    gateway = start({"filters": CHAIN_OF_5_A_MINUTE})
    answers = [gateway.request("GET", "/public/") for _ in range(5)]
    assert [answer.status for answer in answers] == [200] * 5
    with recorder.untouched():
        limited(gateway.request("GET", "/public/"))
        limited(gateway.request("GET", "/", gateway.take_agent().bearer()))


def test_the_address_limit_stands_before_the_credentials(start):
    """A code that the limit turned away is not used up."""
    chain = [dict(f, **({"requests": 1, "per": "1s", "burst": 1}
                        if f["use"] == "ip_rate_limit" else {})) for f in CHAIN_OF_5_A_MINUTE]
    gateway = start({"filters": chain})
    agent = gateway.take_agent()
    agent.steady(6)
    assert gateway.request("GET", "/public/").status == 200
    limited(gateway.request("GET", "/", agent.bearer()))
    wait_until(lambda: gateway.request("GET", "/", agent.bearer()).status == 200,
               interval=0.3, what="the limit to let one through")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_rate_per_agent(start, recorder, workers):
    agents = [Agent("slow", rate={"requests": 3, "per": "60s", "burst": 3}), Agent("fast")]
    gateway = start({"totp": {"one_time": False}}, agents=agents,
                    env={"AGENTPORT_WORKERS": workers})
    for _ in range(3):
        assert gateway.request("GET", "/", agents[0].bearer()).status == 200
    with recorder.untouched():
        limited(gateway.request("GET", "/", agents[0].bearer()))
    assert gateway.request("GET", "/", agents[1].bearer()).status == 200


def test_rates_from_the_environment(start_bare):
    gateway = start_bare({"AGENTPORT_IP_RATE": "2/60s"})  # its burst is twice that
    statuses = [gateway.request("GET", "/", []).status for _ in range(6)]
    assert statuses == [401] * 4 + [429] * 2
    gateway = start_bare({"AGENTPORT_AGENT_RATE": "1/60s", "AGENTPORT_TOTP_ONE_TIME": "false"})
    headers = gateway.agents[0].bearer()
    assert [gateway.request("GET", "/", headers).status for _ in range(3)] == [200, 200, 429]


def test_rates_can_be_switched_off(start_bare):
    gateway = start_bare({"AGENTPORT_IP_RATE": "off", "AGENTPORT_AGENT_RATE": "off"})
    with gateway.connect() as wire:
        for _ in range(200):
            assert wire.request("GET", "/").status == 401
