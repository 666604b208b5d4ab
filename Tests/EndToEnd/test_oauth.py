# SPDX-License-Identifier: Apache-2.0
"""Access tokens of another issuer in the place of keys: who gets in by one, and as whom."""

import time

import jwt
import pytest

from support.agents import Agent
from support.idp import Issuer, shown, wait_fetched
from support.refusals import refused
from support.reloading import change, replaced
from support.tokens import ALGORITHMS, LIBRARIES, Key


@pytest.fixture(scope="module")
def second(authority):
    """An issuer whose tokens all stand for one agent, with claims of other names."""
    with Issuer(authority.server(authority.rsa)) as second:
        yield second


@pytest.fixture(scope="module")
def policy_patch(issuer, second):
    return {"totp": {"one_time": False},
            "oauth": [issuer.policy(),
                      second.policy(audience="https://claw.example", agent_claim="azp",
                                    user_claim="email")]}


@pytest.fixture(scope="module")
def policy_env(authority):
    return {"SSL_CERT_FILE": str(authority.path)}


@pytest.fixture(scope="module")
def policy_agents(issuer, second):
    """Each is a client of the first issuer by its own name, and the last all of the second."""
    agents = [Agent(f"app-{n}", oauth=(issuer.binding(f"app-{n}"),)) for n in range(40)]
    return [*agents, Agent("any-client", oauth=(second.binding(),))]


@pytest.fixture
def any_client(gateway):
    return gateway.agents[-1]


@pytest.fixture
def upstream_claims(gateway, recorder):
    """What the upstream is told of who asks."""
    def claims(headers):
        recorder.requests.clear()
        response = gateway.request("GET", "/jwt", headers)
        assert response.status == 200, response.body
        keys = jwt.PyJWKSet.from_dict(gateway.request("GET", "/.well-known/jwks.json").json())
        return jwt.decode(recorder.only().get("x-agentport-jwt"), keys.keys[0],
                          audience="openclaw-prod", issuer="agentport")
    return claims


# Who gets in.

@pytest.mark.parametrize("by", LIBRARIES.values(), ids=LIBRARIES)
@pytest.mark.parametrize("number, algorithm", [*enumerate(ALGORITHMS)])
def test_a_token_and_a_code(gateway, agent, issuer, number, algorithm, by):
    key = issuer.keys[number]
    assert key.algorithm == algorithm
    token = issuer.token(agent.name, key, by)
    assert gateway.request("GET", "/", shown(agent, token)).status == 200


@pytest.mark.parametrize("kind", ["at+jwt", "JWT", None])
def test_its_type_may_be_said(gateway, agent, issuer, kind):
    token = issuer.token(agent.name, header={"typ": kind})
    assert gateway.request("GET", "/", shown(agent, token)).status == 200


def test_curl_shows_one(gateway, agent, issuer):
    result = gateway.curl("/", "--oauth2-bearer", issuer.token(agent.name),
                          agent_headers=[("X-AgentPort-TOTP", agent.code())])
    assert result.stdout.endswith("\n200"), result


@pytest.mark.parametrize("audience", [["agentport"], ["https://other.example", "agentport"]])
def test_one_for_several_audiences(gateway, agent, issuer, audience):
    """RFC 7519 section 4.1.3: it is for each of them."""
    token = issuer.token(agent.name, aud=audience)
    assert gateway.request("GET", "/", shown(agent, token)).status == 200


def test_the_agent_s_key_counts_as_before(gateway, agent):
    assert gateway.request("GET", "/", agent.bearer()).status == 200


def test_an_agent_may_have_no_key_at_all(start, issuer, authority):
    agent = Agent("keyless", oauth=(issuer.binding("keyless"),))
    gateway = start({"oauth": [issuer.policy()]}, agents=[agent], spare_agents=0,
                    env={"SSL_CERT_FILE": str(authority.path)})
    entries = replaced(gateway, agent)
    del entries[0]["api_key_sha256"]
    change(gateway, agents=entries)
    wait_fetched(gateway, issuer)
    token = issuer.token("keyless")
    assert gateway.request("GET", "/", shown(agent, token)).status == 200
    refused(gateway, "credentials_invalid", agent.bearer())


# As whom.

def test_what_the_upstream_is_told(issuer, agent, upstream_claims):
    token = issuer.token(agent.name, sub="ada@people.example", scope="mail:read mail:send")
    claims = upstream_claims(shown(agent, token))
    assert (claims["agent_id"], claims["sub"]) == (agent.name, "ada@people.example")
    assert claims["scope"] == "mail:read mail:send"
    assert claims["amr"][-1] == "otp" and len(claims["amr"]) == 2
    # A bearer token proves no possession of a key.
    assert "swk" not in claims["amr"] and "hwk" not in claims["amr"]


def test_without_scopes_it_has_not_those_of_others(issuer, agent, upstream_claims):
    claims = upstream_claims(shown(agent, issuer.token(agent.name, scope=None)))
    assert claims["scope"] in ("", " ".join(agent.scopes))


def test_by_key_it_is_the_agent_s_own_user(agent, upstream_claims):
    claims = upstream_claims(agent.bearer())
    assert (claims["sub"], claims["scope"]) == (agent.user, "tools:read")


def test_no_token_reaches_the_upstream(gateway, recorder, issuer, agent):
    token = issuer.token(agent.name)
    assert gateway.request("GET", "/", shown(agent, token)).status == 200
    head = recorder.only().raw_head
    assert b"authorization:" not in head.lower() and token.encode() not in head
    assert token not in gateway.output()


@pytest.mark.parametrize("seconds", [15, 600])
def test_the_upstream_s_jwt_does_not_outlive_it(issuer, agent, upstream_claims, seconds):
    end = int(time.time()) + seconds
    claims = upstream_claims(shown(agent, issuer.token(agent.name, exp=end)))
    assert claims["iat"] < claims["exp"] <= min(end, claims["iat"] + 60)


def test_claims_of_other_names(second, any_client, upstream_claims):
    token = second.token(None, aud="https://claw.example", azp="whoever", email="bob@b.example",
                         sub="0123")
    claims = upstream_claims(shown(any_client, token))
    assert (claims["agent_id"], claims["sub"]) == ("any-client", "bob@b.example")


def test_claims_of_other_names_are_needed(gateway, recorder, second, any_client):
    token = second.token("whoever", aud="https://claw.example", azp="whoever")
    with recorder.untouched():
        refused(gateway, "credentials_invalid", shown(any_client, token))


# Whom it stands for.

def test_a_client_that_no_agent_is_bound_to(gateway, recorder, issuer, agent):
    with recorder.untouched():
        for client in ("nobody", agent.name.upper(), f"{agent.name} ", f"{agent.name},x", ""):
            refused(gateway, "credentials_invalid", shown(agent, issuer.token(client)))


def test_another_client_s_token_and_one_s_own_code(gateway, recorder, issuer):
    mine, yours = gateway.take_agent(), gateway.take_agent()
    with recorder.untouched():
        refused(gateway, "totp_invalid", shown(mine, issuer.token(yours.name)))


def test_an_issuer_speaks_for_none_but_those_who_list_it(gateway, recorder, issuer, second, agent,
                                                         any_client):
    with recorder.untouched():
        # Of the second issuer, in the name of a client of the first.
        token = second.token(None, aud="https://claw.example", azp=agent.name, email="a@b.c")
        refused(gateway, "totp_invalid", shown(agent, token))
        # The first issuer's name, signed by the second, and the other way round.
        for name, client, key in ((issuer, agent, second.key), (second, any_client, issuer.key)):
            token = name.token(client.name, key, azp="x", email="a@b.c",
                               aud=name.policy()["audience"])
            refused(gateway, "credentials_invalid", shown(client, token))
        # The audience of the second, from the first.
        token = issuer.token(agent.name, aud="https://claw.example")
        refused(gateway, "credentials_invalid", shown(agent, token))


@pytest.mark.parametrize("turned", [False, True], ids=["first", "last"])
def test_who_is_bound_to_a_client_comes_before_who_is_to_all(start, issuer, authority, turned):
    one = Agent("one", oauth=(issuer.binding("one"),))
    rest = Agent("rest", oauth=(issuer.binding(),))
    gateway = start({"oauth": [issuer.policy()], "totp": {"one_time": False}},
                    agents=[rest, one] if turned else [one, rest], spare_agents=0,
                    env={"SSL_CERT_FILE": str(authority.path)})
    wait_fetched(gateway, issuer)
    for client, agent, other in (("one", one, rest), ("two", rest, one)):
        assert gateway.request("GET", "/", shown(agent, issuer.token(client))).status == 200
        refused(gateway, "totp_invalid", shown(other, issuer.token(client)))


# With its code.

def test_without_a_code(gateway, recorder, issuer, agent):
    token = issuer.token(agent.name)
    with recorder.untouched():
        refused(gateway, "totp_required", [("Authorization", f"Bearer {token}")])
        refused(gateway, "totp_invalid", shown(agent, token, agent.wrong_code()))
        refused(gateway, "totp_invalid", shown(agent, token, "12345"))
    assert gateway.request("GET", "/", shown(agent, token)).status == 200


def test_a_code_is_used_up_by_either_factor(start, issuer, authority):
    agent = Agent("app", oauth=(issuer.binding("app"),))
    gateway = start({"oauth": [issuer.policy()]}, agents=[agent], spare_agents=0,
                    env={"SSL_CERT_FILE": str(authority.path)})
    wait_fetched(gateway, issuer)
    agent.steady(6)
    token = issuer.token("app")
    assert gateway.request("GET", "/", shown(agent, token, agent.code(-1))).status == 200
    refused(gateway, "totp_invalid", agent.bearer(agent.code(-1)))
    assert gateway.request("GET", "/", agent.bearer(agent.code())).status == 200
    refused(gateway, "totp_invalid", shown(agent, token))


def test_a_bad_token_tells_nothing_of_a_lock(start, issuer, authority):
    agent = Agent("app", oauth=(issuer.binding("app"),))
    gateway = start({"oauth": [issuer.policy()], "totp": {"max_failures": 1, "lockout": "30s"}},
                    agents=[agent], spare_agents=0, env={"SSL_CERT_FILE": str(authority.path)})
    wait_fetched(gateway, issuer)
    token = issuer.token("app")
    refused(gateway, "totp_invalid", shown(agent, token, agent.wrong_code()))
    assert gateway.request("GET", "/", shown(agent, token)).verdict == (429, "totp_locked")
    assert gateway.request("GET", "/", agent.bearer()).verdict == (429, "totp_locked")
    forged = issuer.token("app", Key(kid=issuer.key.kid))
    refused(gateway, "credentials_invalid", shown(agent, forged))


# Two at once.

@pytest.mark.parametrize("more", ["bearer", "parameters", "basic"])
@pytest.mark.parametrize("last", [False, True], ids=["first", "last"])
def test_a_token_and_a_key(gateway, recorder, issuer, agent, more, last):
    both = [*getattr(agent, more)(), ("Authorization", f"Bearer {issuer.token(agent.name)}")]
    with recorder.untouched():
        refused(gateway, "credentials_invalid", both if last else both[::-1])


def test_two_tokens(gateway, recorder, issuer, agent):
    with recorder.untouched():
        for tokens in ([issuer.token(agent.name)] * 2,
                       [issuer.token(agent.name), issuer.token(agent.name)]):
            refused(gateway, "credentials_invalid",
                    [("Authorization", f"Bearer {token}") for token in tokens]
                    + [("X-AgentPort-TOTP", agent.code())])


def test_a_token_in_the_query_string(gateway, recorder, issuer, agent):
    with recorder.untouched():
        refused(gateway, "credentials_missing", [("X-AgentPort-TOTP", agent.code())],
                target=f"/?access_token={issuer.token(agent.name)}")
