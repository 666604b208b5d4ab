# SPDX-License-Identifier: Apache-2.0
"""Sessions: the token a code buys, what it is bound to, and when it ends."""

import datetime
import hashlib
import re
import time

import pytest

from support.gateway import new_session
from support.waiting import wait_until

EXPIRES = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


@pytest.fixture(scope="module")
def policy_patch():
    return {"totp": {"one_time": False}}


def seconds_left(response):
    value = response.get("X-AgentPort-Session-Expires")
    assert EXPIRES.fullmatch(value), value
    at = datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
    return at.timestamp() - time.time()


def test_a_code_buys_a_session(gateway, agent):
    response = gateway.request("GET", "/", agent.bearer())
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", response.get("X-AgentPort-Session"))
    assert 290 < seconds_left(response) <= 301
    assert "no-store" in response.get("Cache-Control")


@pytest.mark.parametrize("form", ["bearer", "parameters", "basic"])
def test_every_form_buys_one(gateway, agent, form):
    response = gateway.request("GET", "/", getattr(agent, form)())
    token = response.get("X-AgentPort-Session")
    assert gateway.request("GET", "/", agent.session(token)).status == 200


def test_each_code_buys_a_token_of_its_own(gateway, agent):
    tokens = {new_session(gateway, agent) for _ in range(5)}
    assert len(tokens) == 5
    for token in tokens:
        assert gateway.request("GET", "/", agent.session(token)).status == 200


def test_the_upstream_cannot_make_the_answer_cacheable(gateway, agent, recorder):
    recorder.reply("/c", headers=[("Cache-Control", "public, max-age=600"), ("ETag", '"a"')])
    response = gateway.request("GET", "/c", agent.bearer())
    assert response.get("X-AgentPort-Session")
    values = ", ".join(response.all("Cache-Control"))
    assert "no-store" in values and "public" not in values


def test_without_a_token_in_it_the_answer_stays_as_it_was(gateway, agent, recorder):
    token = new_session(gateway, agent)
    recorder.reply("/c", headers=[("Cache-Control", "public, max-age=600")])
    response = gateway.request("GET", "/c", agent.session(token))
    assert response.get("X-AgentPort-Session") is None
    assert response.get("Cache-Control") == "public, max-age=600"


def test_a_refused_request_gets_no_session(gateway, agent):
    for headers in ([], agent.bearer(agent.wrong_code()), [("Authorization", "Bearer x")]):
        response = gateway.request("GET", "/", headers)
        assert response.status == 401
        assert response.all("X-AgentPort-Session") == []


def test_a_public_route_gives_no_session(gateway, agent):
    response = gateway.request("GET", "/public/", agent.bearer())
    assert response.status == 200 and response.all("X-AgentPort-Session") == []


def test_it_is_bound_to_its_agent(gateway, recorder):
    mine, yours = gateway.take_agent(), gateway.take_agent()
    token = new_session(gateway, mine)
    with recorder.untouched():
        response = gateway.request("GET", "/", yours.session(token))
        assert response.verdict == (401, "session_invalid")
    assert gateway.request("GET", "/", mine.session(token)).status == 200


def test_it_is_bound_to_the_key_it_was_bought_with(start):
    """An agent may have two keys; a session belongs to one of them."""
    gateway = start({"totp": {"one_time": False}})
    gateway.stop()
    agent = gateway.take_agent()
    second = "the-second-key-of-this-agent-0123456789"
    entry = next(a for a in gateway.policy["agents"] if a["name"] == agent.name)
    entry["api_key_sha256"].append(hashlib.sha256(second.encode()).hexdigest())
    gateway.write_policy()
    gateway.start()
    token = new_session(gateway, agent)
    first, agent.key = agent.key, second
    assert gateway.request("GET", "/", agent.session(token)).verdict == (401, "session_invalid")
    assert gateway.request("GET", "/", agent.bearer()).status == 200
    agent.key = first
    assert gateway.request("GET", "/", agent.session(token)).status == 200


def test_it_counts_on_every_worker(start_bare):
    gateway = start_bare({"AGENTPORT_WORKERS": "2"})
    token = new_session(gateway, gateway.agents[0])
    for _ in range(16):  # a connection each, so that both workers meet it
        assert gateway.request("GET", "/", gateway.agents[0].session(token)).status == 200


@pytest.mark.parametrize("by", ["policy", "environment"])
def test_it_ends(start, start_bare, by):
    if by == "policy":
        gateway = start({"sessions": {"lifetime": "2s"}})
        agent = gateway.take_agent()
    else:
        gateway = start_bare({"AGENTPORT_SESSION_LIFETIME": "2s"})
        agent = gateway.agents[0]
    response = gateway.request("GET", "/", agent.bearer())
    token = response.get("X-AgentPort-Session")
    assert 0 < seconds_left(response) <= 3
    assert gateway.request("GET", "/", agent.session(token)).status == 200
    began = time.monotonic()
    # Use does not prolong it: the end is absolute.
    wait_until(lambda: gateway.request("GET", "/", agent.session(token)).verdict
               == (401, "session_invalid"), timeout=5, interval=0.1, what="its end")
    assert time.monotonic() - began < 3.5


@pytest.mark.parametrize("by", ["policy", "environment"])
def test_they_can_be_switched_off(start, start_bare, by):
    if by == "policy":
        gateway = start({"sessions": {"enabled": False}})
        agent = gateway.take_agent()
    else:
        gateway = start_bare({"AGENTPORT_SESSION_LIFETIME": "off"})
        agent = gateway.agents[0]
    response = gateway.request("GET", "/", agent.bearer())
    assert response.status == 200 and response.all("X-AgentPort-Session") == []
    response = gateway.request("GET", "/", agent.session("A" * 43))
    assert response.verdict == (401, "session_invalid")


def test_what_an_upstream_sends_as_a_session_is_removed(gateway, agent, recorder):
    recorder.reply("/s", headers=[("X-AgentPort-Session", "forged"),
                                  ("x-agentport-session-expires", "never"),
                                  ("X-AgentPort-Anything", "forged")])
    response = gateway.request("GET", "/s", agent.bearer())
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", response.get("X-AgentPort-Session"))
    assert response.all("X-AgentPort-Anything") == []
    assert seconds_left(response) > 0
    again = gateway.request("GET", "/s", agent.session(response.get("X-AgentPort-Session")))
    assert [n for n, _ in again.headers if n.lower().startswith("x-agentport-")] == []


def test_the_token_never_reaches_the_upstream(gateway, agent, recorder):
    token = new_session(gateway, agent)
    recorder.requests.clear()
    gateway.request("GET", "/", agent.session(token))
    assert token.encode() not in recorder.only().raw_head


def test_the_token_is_stored_nowhere(gateway, agent):
    token = new_session(gateway, agent).encode()
    for path in gateway.state.rglob("*"):
        if path.is_file():
            assert token not in path.read_bytes(), path
    assert token.decode() not in gateway.output()
