# SPDX-License-Identifier: Apache-2.0
"""Sessions that a token and a code opened: bound to that token, and over with it."""

import datetime
import time

import jwt
import pyotp
import pytest

from support.agents import Agent
from support.clock import MovedClock
from support.gateway import new_session
from support.idp import shown, wait_fetched, with_session
from support.refusals import refused
from support.reloading import change, replaced
from support.waiting import wait_until


@pytest.fixture(scope="module")
def policy_patch(issuer):
    return {"totp": {"one_time": False}, "oauth": [issuer.policy()]}


@pytest.fixture(scope="module")
def policy_env(authority):
    return {"SSL_CERT_FILE": str(authority.path)}


@pytest.fixture(scope="module")
def policy_agents(issuer):
    return [Agent(f"app-{n}", oauth=(issuer.binding(f"app-{n}"),)) for n in range(10)]


def opened(gateway, agent, token):
    """The session that this token opens, and when it ends."""
    response = gateway.request("GET", "/", shown(agent, token))
    assert response.status == 200, response.body
    end = response.get("X-AgentPort-Session-Expires").replace("Z", "+00:00")
    return (response.get("X-AgentPort-Session"),
            datetime.datetime.fromisoformat(end).timestamp())


def claims(recorder):
    """What the upstream was told at the last request."""
    return jwt.decode(recorder.requests[-1].get("x-agentport-jwt"),
                      options={"verify_signature": False})


def test_it_stands_for_the_code(gateway, recorder, issuer, agent):
    token = issuer.token(agent.name, sub="ada@people.example")
    session, _ = opened(gateway, agent, token)
    first = claims(recorder)
    for _ in range(3):
        assert gateway.request("GET", "/", with_session(token, session)).status == 200
        again = claims(recorder)
        for name in ("sub", "agent_id", "scope", "amr", "auth_time"):
            assert again[name] == first[name], name
        assert again["sid"]


def test_another_token_of_the_same_agent(gateway, recorder, issuer, agent):
    token, other = issuer.token(agent.name), issuer.token(agent.name)
    session, _ = opened(gateway, agent, token)
    with recorder.untouched():
        refused(gateway, "session_invalid", with_session(other, session))
        refused(gateway, "session_invalid", agent.session(session))
    assert gateway.request("GET", "/", with_session(token, session)).status == 200


def test_of_a_key_it_is_not_the_token_s(gateway, recorder, issuer, agent):
    session = new_session(gateway, agent)
    with recorder.untouched():
        refused(gateway, "session_invalid", with_session(issuer.token(agent.name), session))


def test_another_agent_s(gateway, recorder, issuer):
    mine, yours = gateway.take_agent(), gateway.take_agent()
    session, _ = opened(gateway, yours, issuer.token(yours.name))
    with recorder.untouched():
        refused(gateway, "session_invalid", with_session(issuer.token(mine.name), session))


def test_two_people_behind_one_agent_share_nothing(gateway, recorder, issuer, agent):
    """Neither the session nor the JWT that is signed for it."""
    people = [issuer.token(agent.name, sub=f"{name}@people.example") for name in ("ada", "bob")]
    sessions = [opened(gateway, agent, token)[0] for token in people]
    for _ in range(2):
        for name, token, session in zip(("ada", "bob"), people, sessions):
            assert gateway.request("GET", "/", with_session(token, session)).status == 200
            assert claims(recorder)["sub"] == f"{name}@people.example"
    with recorder.untouched():
        refused(gateway, "session_invalid", with_session(people[0], sessions[1]))


def test_it_ends_with_the_token(gateway, recorder, issuer, agent):
    end = int(time.time()) + 4
    token = issuer.token(agent.name, exp=end)
    session, told = opened(gateway, agent, token)
    assert told <= end + 1
    assert gateway.request("GET", "/", with_session(token, session)).status == 200
    assert claims(recorder)["exp"] <= end
    last = wait_until(
        lambda: (r := gateway.request("GET", "/", with_session(token, session))).status != 200
        and r, timeout=8, interval=0.05, what="its end")
    assert end - 1 <= time.time() < end + 2
    assert last.verdict in ((401, "credentials_invalid"), (401, "session_invalid"))
    # And the token alone is over, on a connection that is open too.
    refused(gateway, "credentials_invalid", shown(agent, token))
    refused(gateway, "session_invalid", with_session(issuer.token(agent.name), session))


def test_an_open_connection_does_not_prolong_a_token(gateway, recorder, issuer, agent):
    end = int(time.time()) + 3
    token = issuer.token(agent.name, exp=end)
    with gateway.connect() as wire:
        assert wire.request("GET", "/", shown(agent, token)).status == 200
        last = wait_until(
            lambda: (r := wire.request("GET", "/", shown(agent, token))).status != 200 and r,
            timeout=8, interval=0.05, what="its end")
        assert last.verdict == (401, "credentials_invalid")
        assert end - 1 <= time.time() < end + 2


@pytest.fixture
def own(start, issuer, authority):
    """A gateway of the test's own, and its one agent."""
    agent = Agent("app", oauth=(issuer.binding("app"),))
    gateway = start({"oauth": [issuer.policy()], "totp": {"one_time": False}}, agents=[agent],
                    spare_agents=0, env={"SSL_CERT_FILE": str(authority.path)})
    wait_fetched(gateway, issuer)
    return gateway, agent


# What a reload may take away; tokens that were verified before it count no longer.
TAKEN = {
    "the binding": lambda g, a, i: {
        "agents": replaced(g, a, oauth=[i.binding("other")])},
    "the issuer": lambda g, a, i: {"agents": replaced(g, a, oauth=[]), "oauth": []},
    "its audience": lambda g, a, i: {"oauth": [i.policy(audience="elsewhere")]},
}


@pytest.mark.parametrize("what", TAKEN)
def test_it_ends_with(own, issuer, what):
    gateway, agent = own
    token = issuer.token("app")
    session, _ = opened(gateway, agent, token)
    before = gateway.policy
    change(gateway, **TAKEN[what](gateway, agent, issuer))
    refused(gateway, "credentials_invalid", with_session(token, session))
    refused(gateway, "credentials_invalid", shown(agent, token))
    change(gateway, agents=before["agents"], oauth=before["oauth"])
    wait_until(lambda: gateway.request("GET", "/", shown(agent, token)).status == 200,
               what="the token to count again")
    refused(gateway, "session_invalid", with_session(token, session))


@pytest.mark.parametrize("what", TAKEN)
def test_of_a_key_it_does_not_end_with(own, issuer, what):
    """As it does not end when another key of the agent comes or goes."""
    gateway, agent = own
    session = new_session(gateway, agent)
    change(gateway, **TAKEN[what](gateway, agent, issuer))
    assert gateway.request("GET", "/", agent.session(session)).status == 200


def test_it_outlasts_a_reload_that_changes_nothing(own, issuer):
    gateway, agent = own
    token = issuer.token("app")
    session, _ = opened(gateway, agent, token)
    change(gateway, totp={"one_time": False, "max_failures": 7})
    assert gateway.request("GET", "/", with_session(token, session)).status == 200
    assert gateway.request("GET", "/", shown(agent, token)).status == 200


@pytest.mark.parametrize("moved", [600, -600])
def test_no_token_of_ours_outlives_it_where_the_clock_was_set(make, recorder, issuer, authority,
                                                              moved):
    """Its end is a time of day, whatever the process's own clock says."""
    agent = Agent("app", oauth=(issuer.binding("app"),))
    gateway = make().from_policy(
        recorder.url, {"oauth": [issuer.policy()], "totp": {"one_time": False}}, agents=[agent],
        env={"SSL_CERT_FILE": str(authority.path)})
    clock = MovedClock(gateway, only_the_wall=True)
    gateway.start()
    wait_fetched(gateway, issuer)
    clock.move(moved)
    now = int(clock.time())
    token = issuer.token("app", iat=now, nbf=now, exp=now + 30)
    code = pyotp.TOTP(agent.seed).at(clock.time())
    headers = [("Authorization", f"Bearer {token}"), ("X-AgentPort-TOTP", code)]
    response = gateway.request("GET", "/", headers)
    assert response.status == 200, response.body
    told = claims(recorder)
    assert now + 20 <= told["exp"] <= now + 30
