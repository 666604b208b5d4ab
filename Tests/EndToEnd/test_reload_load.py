# SPDX-License-Identifier: Apache-2.0
"""Reloads and drains under full load, each request accounted for by its client and upstream."""

import signal
import time

import pytest

from support.load import Load, account
from support.recorder import Recorder
from support.reloading import reload
from support.waiting import wait_until

QUIET = {"AGENTPORT_LOG_LEVEL": "warn"}
PLENTY = {"requests": 1_000_000, "per": "1s", "burst": 1_000_000}


@pytest.fixture
def busy(start):
    """A gateway that limits nobody, and the headers of an agent of its."""
    def started(patch=None, workers=2):
        gateway = start(
            {"totp": {"one_time": False, "skew": 1}, "sessions": {"lifetime": "30m"},
             "listen": {"limits": {"connections_per_ip": 1000}},
             "filters": [{"use": "tls_inspector"}, {"use": "ip_rate_limit", **PLENTY},
                         {"use": "identity"}, {"use": "totp"}, {"use": "agent_rate_limit"},
                         {"use": "jwt"}],
             **(patch or {})},
            env={**QUIET, "AGENTPORT_WORKERS": str(workers)}, spare_agents=2)
        for entry in gateway.policy["agents"]:
            entry["rate"] = PLENTY
        gateway.write_policy()
        gateway.restart()
        agent = gateway.take_agent()
        response = gateway.request("GET", "/", agent.bearer())
        assert response.status == 200
        return gateway, agent.session(response.get("X-AgentPort-Session"))
    return started


@pytest.fixture
def second():
    recorder = Recorder()
    yield recorder
    recorder.close()


def policies(gateway, first, second):
    """Policies to go through in turn: the upstream, the routes, other agents and limits differ."""
    a = gateway.policy
    stranger = {**a["agents"][1], "name": "stranger", "user": "stranger@example.com"}
    b = {**a, "upstreams": [{"name": "openclaw", "endpoints": [second.url],
                             "max_connections": 6}],
         "routes": [{"path": "/more/", "public": True, "upstream": "openclaw"}, *a["routes"]],
         "agents": [stranger, a["agents"][0]]}
    c = {**a, "upstreams": [{"name": "other", "endpoints": [first.url, second.url],
                             "max_connections": 12}],
         "routes": [{"path": "/", "upstream": "other", "limits": {"body": "1KiB"}}],
         "listen": {**a["listen"], "limits": {"connections_per_ip": 500}}}
    broken = {**a, "agents": [], "routes": [{"path": "/nowhere/", "upstream": "missing"}]}
    return [a, b, c], broken


def reloads_under_load(gateway, headers, recorder, second, pairs, count, clients):
    good, broken = policies(gateway, recorder, second)
    recorder.reset()
    with Load(gateway, headers, clients) as load:
        wait_until(lambda: len(load.answered) > clients, what="the load to begin")
        for number in range(1, count + 1):
            fails = number % 10 == 0
            gateway.policy = broken if fails else good[number % len(good)]
            gateway.write_policy()
            pair = pairs[number % len(pairs)]
            gateway.secret("tls_cert", pair.certificate)
            gateway.secret("tls_key", pair.key)
            before = len(load.answered)
            reload(gateway, fails)
            wait_until(lambda n=before: len(load.answered) > n + clients,
                       what="answers after the reload")
    account(load, recorder, second)
    # Each client has kept the connection that it began with.
    assert load.connections == clients
    return load


def test_reloads_under_load_lose_nothing(busy, recorder, second, authority):
    gateway, headers = busy()
    pairs = [authority.ecdsa, authority.p384]
    reloads_under_load(gateway, headers, recorder, second, pairs, count=20, clients=16)


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_hundred_reloads_under_load_lose_nothing(busy, recorder, second, authority):
    gateway, headers = busy()
    pairs = [authority.ecdsa, authority.p384, authority.rsa]
    before = gateway.resident_bytes()
    reloads_under_load(gateway, headers, recorder, second, pairs, count=100, clients=32)
    assert gateway.resident_bytes() < 2 * before + 20_000_000, "each reload leaves something"


@pytest.mark.parametrize("grace", ["0s", "500ms"])
def test_a_drain_under_load_loses_nothing(busy, recorder, grace):
    """Each request is answered, or was sent when the gateway's FIN had come already."""
    gateway, headers = busy({"drain": {"grace": grace, "deadline": "10s"}})
    recorder.reset()
    with Load(gateway, headers, clients=16, may_end=True) as load:
        wait_until(lambda: len(load.answered) > 200, what="the load to begin")
        gateway.signal(signal.SIGTERM)
        began = time.monotonic()
        load.join()
        assert gateway.wait() == 0
    account(load, recorder)
    lasted = time.monotonic() - began
    if grace == "500ms":
        assert load.closing > 16, "nobody was served in the grace"
        assert load.last_without_close < began + 0.3, "an answer in the grace does not say so"
        assert lasted > 0.5
    assert lasted < 8


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("round_", range(5))
@pytest.mark.parametrize("grace", ["0s", "500ms"])
def test_many_drains_under_load_lose_nothing(busy, recorder, grace, round_):
    gateway, headers = busy({"drain": {"grace": grace, "deadline": "10s"}}, workers=1 + round_ % 2)
    recorder.reset()
    with Load(gateway, headers, clients=32, may_end=True) as load:
        wait_until(lambda: len(load.answered) > 500 + 97 * round_, what="the load to begin")
        gateway.signal(signal.SIGTERM)
        load.join()
        assert gateway.wait() == 0
    account(load, recorder)
