# SPDX-License-Identifier: Apache-2.0
"""What the gateway remembers outlasts a reload, for those who stay: and for no one else."""

import pytest

from support.agents import Agent
from support.gateway import CHAIN, new_session
from support.reloading import change, reload, replaced, without
from support.waiting import wait_until

PUBLIC = {"path": "/extra/", "public": True, "upstream": "openclaw"}


def test_sessions_of_those_who_stay_go_on_and_others_end(live, recorder):
    gateway, wire = live()
    stays, goes, rekeyed, reseeded = (gateway.take_agent() for _ in range(4))
    everyone = stays, goes, rekeyed, reseeded
    tokens = {agent.name: new_session(gateway, agent) for agent in everyone}
    for agent in everyone:
        assert wire.request("GET", "/", agent.session(tokens[agent.name])).status == 200
    old = rekeyed.session(tokens[rekeyed.name])
    rekeyed.key = Agent("other").key
    reseeded.seed = Agent("other").seed
    gateway.secret(f"totp_{reseeded.name}", reseeded.seed)
    entries = replaced(gateway, rekeyed, api_key_sha256=rekeyed.policy("")["api_key_sha256"])
    change(gateway, agents=[e for e in entries if e["name"] != goes.name])
    for agent in (stays, reseeded):  # another seed in the file is a rotation, with its grace
        assert wire.request("GET", "/", agent.session(tokens[agent.name])).status == 200
    with recorder.untouched():
        assert wire.request("GET", "/", goes.session(tokens[goes.name])).status == 401
        assert wire.request("GET", "/", old).status == 401
        verdict = wire.request("GET", "/", rekeyed.session(tokens[rekeyed.name])).verdict
        assert verdict == (401, "session_invalid")
    for agent in (rekeyed, reseeded):
        assert wire.request("GET", "/", agent.bearer()).status == 200


def test_the_session_of_another_user_ends(live):
    gateway, wire = live()
    agent = gateway.take_agent()
    token = new_session(gateway, agent)
    change(gateway, agents=replaced(gateway, agent, user="next@example.com"))
    assert wire.request("GET", "/", agent.session(token)).verdict == (401, "session_invalid")


def test_an_agent_that_returns_finds_no_session_of_before(live):
    gateway, wire = live()
    agent = gateway.take_agent()
    token, before = new_session(gateway, agent), gateway.policy["agents"]
    change(gateway, agents=without(gateway, agent))
    change(gateway, agents=before)
    assert wire.request("GET", "/", agent.session(token)).verdict == (401, "session_invalid")
    assert wire.request("GET", "/", agent.bearer()).status == 200


def test_a_used_code_stays_used(live):
    gateway, wire = live({"totp": {"one_time": True}})
    agent = gateway.take_agent()
    agent.steady()
    code = agent.code()
    assert wire.request("GET", "/", agent.bearer(code)).status == 200
    reload(gateway)
    assert wire.request("GET", "/", agent.bearer(code)).verdict == (401, "totp_invalid")
    # Not even where the agent was away, or has another name and key by then.
    before = gateway.policy["agents"]
    change(gateway, agents=without(gateway, agent))
    change(gateway, agents=replaced_name(before, agent, "renamed"))
    assert wire.request("GET", "/", agent.bearer(code)).verdict == (401, "totp_invalid")


def replaced_name(entries, agent, name):
    return [{**e, "name": name} if e["name"] == agent.name else e for e in entries]


def test_failures_are_still_counted(live):
    gateway, wire = live({"totp": {"one_time": False, "max_failures": 3, "lockout": "20s"}})
    agent, other = gateway.take_agent(), gateway.take_agent()
    for _ in range(2):
        verdict = wire.request("GET", "/", agent.bearer(agent.wrong_code())).verdict
        assert verdict == (401, "totp_invalid")
    change(gateway, agents=gateway.policy["agents"][::-1])
    assert wire.request("GET", "/", agent.bearer(agent.wrong_code())).status == 401
    assert wire.request("GET", "/", agent.bearer()).verdict == (429, "totp_locked")
    reload(gateway)
    assert wire.request("GET", "/", agent.bearer()).verdict == (429, "totp_locked")
    assert wire.request("GET", "/", other.bearer()).status == 200


@pytest.mark.parametrize("which", ["agent", "address"])
def test_an_empty_bucket_stays_empty(live, which):
    few = {"requests": 5, "per": "60s", "burst": 5}
    chain = [{**f, **(few if which == "address" and f["use"] == "ip_rate_limit" else {})}
             for f in CHAIN]
    gateway, wire = live({"filters": chain})
    agent = gateway.take_agent()
    if which == "agent":
        change(gateway, agents=replaced(gateway, agent, rate=few))
    seen = [wire.request("GET", "/", agent.bearer()).status for _ in range(6)]
    assert seen[-1] == 429
    reload(gateway)
    assert wire.request("GET", "/", agent.bearer()).verdict == (429, "rate_limited")


def test_counters_go_on(live):
    gateway, wire = live()
    agent = gateway.take_agent()
    name = 'agentport_requests_total{code="ok",route="/",status="200"}'
    for _ in range(3):
        assert wire.request("GET", "/", agent.bearer()).status == 200
    before = wait_until(lambda: (seen := gateway.metrics()).get(name) == 3 and seen,
                        what="three requests to be counted")
    change(gateway, routes=[PUBLIC, *gateway.policy["routes"]])
    assert wire.request("GET", "/", agent.bearer()).status == 200
    after = wait_until(lambda: (seen := gateway.metrics())[name] == 4 and seen,
                       what="the request to be counted")
    fell = {key: (value, after.get(key)) for key, value in before.items()
            if ("_total{" in key or "_count{" in key or "_bucket{" in key)
            and after.get(key, -1) < value}
    assert not fell
