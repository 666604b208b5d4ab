# SPDX-License-Identifier: Apache-2.0
"""What is kept of a token that was verified, and what a reload makes of it."""

import jwt
import pytest

from support.agents import Agent
from support.idp import shown, verdict, wait_fetched, with_session
from support.refusals import refused
from support.reloading import change, replaced
from support.tokens import Key
from support.wire import encode


@pytest.fixture(params=["1", "2"], ids=["one worker", "two workers"])
def own(request, start, issuer, authority):
    """A gateway of the test's own, with an agent that has a binding and one that has none."""
    agents = [Agent("app", oauth=(issuer.binding("app"),)), Agent("other")]
    gateway = start({"oauth": [issuer.policy()], "totp": {"one_time": False}}, agents=agents,
                    spare_agents=0, env={"SSL_CERT_FILE": str(authority.path),
                                         "AGENTPORT_WORKERS": request.param})
    wait_fetched(gateway, issuer)
    return gateway


def passed(gateway, recorder, agent, token):
    """As whom it gets in, on connections enough that each worker has met it."""
    seen = set()
    for _ in range(6):
        recorder.requests.clear()
        response = gateway.request("GET", "/", shown(agent, token))
        assert response.status == 200, response.body
        claims = jwt.decode(recorder.only().get("x-agentport-jwt"),
                            options={"verify_signature": False})
        seen.add((claims["agent_id"], claims["sub"]))
    assert len(seen) == 1, seen
    return seen.pop()


def test_it_is_the_whole_token_that_counts(own, recorder, issuer):
    """One that is like a good one but for its signature, its header or its claims."""
    agent = own.agents[0]
    token = issuer.token("app")
    passed(own, recorder, agent, token)
    head, claims, signature = token.split(".")
    other_head, other_claims, other_signature = issuer.token("app", sub="root").split(".")
    recorder.requests.clear()
    for parts in ([head, claims, other_signature], [head, other_claims, signature],
                  [head, claims, ""], [head, claims, signature[:-4]], [head, claims, "A" * 86],
                  [head, claims, signature + "AAAA"], [other_head + "A", claims, signature]):
        for _ in range(4):
            refused(own, "credentials_invalid", shown(agent, ".".join(parts)))
    assert recorder.requests == []
    assert passed(own, recorder, agent, token) == ("app", "app@people.example")


def test_a_bad_one_is_not_kept_as_good(own, issuer):
    """Nor a good one as bad, whichever was there first."""
    agent = own.agents[0]
    token = issuer.token("app")
    bad = token[:-10] + ("A" if token[-10] != "A" else "B") + token[-9:]
    for _ in range(6):
        refused(own, "credentials_invalid", shown(agent, bad))
        assert own.request("GET", "/", shown(agent, token)).status == 200


def test_another_user_claim(own, recorder, issuer):
    agent = own.agents[0]
    token = issuer.token("app", email="ada@people.example")
    assert passed(own, recorder, agent, token) == ("app", "app@people.example")
    change(own, oauth=[issuer.policy(user_claim="email")])
    assert passed(own, recorder, agent, token) == ("app", "ada@people.example")


def test_another_user_claim_ends_sessions(own, issuer):
    """A session is bound to its user. That of an agent with a key ends with it, too."""
    agent = own.agents[0]
    token = issuer.token("app", email="ada@people.example")
    session = own.request("GET", "/", shown(agent, token)).get("X-AgentPort-Session")
    change(own, oauth=[issuer.policy(user_claim="email")])
    refused(own, "session_invalid", with_session(token, session))


def test_another_agent_claim(own, recorder, issuer):
    one, other = own.agents
    token = issuer.token("app", azp="second")
    passed(own, recorder, one, token)
    change(own, oauth=[issuer.policy(agent_claim="azp")],
           agents=replaced(own, other, oauth=[issuer.binding("second")]))
    assert passed(own, recorder, other, token) == ("other", "app@people.example")
    refused(own, "totp_invalid", shown(one, token))


def test_a_binding_that_moves_to_another_agent(own, recorder, issuer):
    one, other = own.agents
    token = issuer.token("app")
    session = own.request("GET", "/", shown(one, token)).get("X-AgentPort-Session")
    passed(own, recorder, one, token)
    entries = replaced(own, one, oauth=[])
    entries[1]["oauth"] = [issuer.binding("app")]
    change(own, agents=entries)
    assert passed(own, recorder, other, token) == ("other", "app@people.example")
    recorder.requests.clear()
    for _ in range(4):
        refused(own, "totp_invalid", shown(one, token))
        refused(own, "session_invalid", with_session(token, session))
    assert recorder.requests == []


def test_agents_in_another_order(own, recorder, issuer):
    token = issuer.token("app")
    passed(own, recorder, own.agents[0], token)
    change(own, agents=own.policy["agents"][::-1])
    assert passed(own, recorder, own.agents[0], token) == ("app", "app@people.example")


def test_keys_from_elsewhere(own, recorder, issuer, issuers):
    """The same issuer, its key set at another place: what was signed before is over."""
    agent, old = own.agents[0], issuer.token("app")
    passed(own, recorder, agent, old)
    second = issuers()
    change(own, oauth=[issuer.policy(jwks_url=second.url)])
    second.wait_fetches(1)
    new = issuer.token("app", second.key)
    assert passed(own, recorder, agent, new) == ("app", "app@people.example")
    refused(own, "credentials_invalid", shown(agent, old))


def test_a_reload_forgets_no_keys(own, issuer):
    """While the issuer is away, too."""
    issuer.server.stop()
    try:
        change(own, totp={"one_time": False, "max_failures": 7})
        for _ in range(4):
            assert verdict(own, issuer) == (200, None)
    finally:
        issuer.server.resume()


def test_a_request_that_waits_for_keys_and_leaves(own, issuer):
    """And a request behind one that waits, on the same connection."""
    agent = own.agents[0]
    unknown = shown(agent, issuer.token("app", Key()))
    for _ in range(20):
        with own.connect() as wire:
            wire.send(encode("GET", "/", unknown))
    with own.connect() as wire:
        wire.send(encode("GET", "/", unknown) + encode("GET", "/", agent.bearer()))
        assert wire.response().code == "credentials_invalid"
        assert wire.response().status == 200
