# SPDX-License-Identifier: Apache-2.0
"""What `agentport check` finds in issuers, and in what agents say of them and of their pins."""

import pytest

from support.agents import Agent
from support.certificates import client_pair
from support.gateway import command

PIN = client_pair().pin


def entry(name="https://idp.example", **members):
    return {"issuer": name, "audience": "agentport", "jwks_url": "https://idp.example/jwks",
            **members}


@pytest.fixture
def checked(make, recorder):
    """What check says of a policy with one issuer, to whom two agents are bound, once `change`
    was made to it."""
    def check(change=lambda policy: None):
        agents = [Agent(name, oauth=({"issuer": "https://idp.example", "client": name},))
                  for name in ("one", "two")]
        gateway = make().from_policy(recorder.url, {"oauth": [entry()]}, agents)
        change(gateway.policy)
        gateway.write_policy()
        result = command("check", "--policy", gateway.policy_file, env=gateway.env)
        return result.returncode, result.stdout + result.stderr
    return check


def bind(number, *bindings):
    return lambda p: p["agents"][number].update(oauth=list(bindings))


GOOD = {
    "as it is": lambda p: None,
    "claims of other names": lambda p: p["oauth"][0].update(agent_claim="azp", user_claim="email"),
    "two issuers": lambda p: p["oauth"].append(entry("https://other.example")),
    "two bindings": bind(0, {"issuer": "https://idp.example", "client": "one"},
                         {"issuer": "https://idp.example", "client": "uno"}),
    "no key, but a binding": lambda p: p["agents"][0].pop("api_key_sha256"),
    "no key, but a pin": lambda p: (
        p["agents"][0].pop("api_key_sha256"), p["agents"][0].pop("oauth"),
        p["agents"][0].update(client_pins_sha256=[PIN]),
        p["filters"].insert(1, {"use": "client_pins"}),
        p["listen"]["tls"].update(client_certificate="optional")),
}

FAULTS = {
    "an issuer twice": (lambda p: p["oauth"].append(entry()), "/oauth/1"),
    "an issuer without a name": (lambda p: p["oauth"][0].pop("issuer"), "/oauth/0"),
    "an issuer without keys": (lambda p: p["oauth"][0].pop("jwks_url"), "/oauth/0"),
    "an issuer without an audience": (lambda p: p["oauth"][0].pop("audience"), "/oauth/0"),
    "an empty audience": (lambda p: p["oauth"][0].update(audience=""), "/oauth/0/audience"),
    "an empty name": (lambda p: p["oauth"][0].update(issuer=""), "/oauth/0/issuer"),
    "an empty claim": (lambda p: p["oauth"][0].update(user_claim=""), "/oauth/0/user_claim"),
    "an unknown member": (lambda p: p["oauth"][0].update(jwks="x"), "/oauth/0/jwks"),
    "a binding to nobody": (bind(0, {"issuer": "https://nobody.example", "client": "one"}),
                            "/agents/0/oauth/0"),
    "a binding without an issuer": (bind(0, {"client": "one"}), "/agents/0/oauth/0"),
    "an empty client": (bind(0, {"issuer": "https://idp.example", "client": ""}),
                        "/agents/0/oauth/0"),
    "a client of two agents": (bind(1, {"issuer": "https://idp.example", "client": "one"}),
                               "/agents/1"),
    "an issuer of two agents": (lambda p: (bind(0, {"issuer": "https://idp.example"})(p),
                                           bind(1, {"issuer": "https://idp.example"})(p)),
                                "/agents/1"),
    "a binding twice": (bind(0, *[{"issuer": "https://idp.example", "client": "one"}] * 2),
                        "/agents/0/oauth/1"),
    "no first factor at all": (lambda p: (p["agents"][0].pop("api_key_sha256"),
                                          p["agents"][0].pop("oauth")), "/agents/0"),
    "no first factor but empty lists": (lambda p: p["agents"][0].update(
        api_key_sha256=[], oauth=[], client_pins_sha256=[]), "/agents/0"),
    "a pin of two agents": (lambda p: (
        p["listen"]["tls"].update(client_certificate="optional"),
        [agent.update(client_pins_sha256=[PIN]) for agent in p["agents"]]), "/agents/1"),
    "a pin of an agent, in hexadecimal": (lambda p: (
        p["listen"]["tls"].update(client_certificate="optional"),
        p["agents"][0].update(client_pins_sha256=["ab" * 32])), "/agents/0/client_pins_sha256/0"),
}


@pytest.mark.parametrize("name", GOOD)
def test_in_order(checked, name):
    status, told = checked(GOOD[name])
    assert status == 0 and told.startswith("ok"), told


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault(checked, name):
    change, pointer = FAULTS[name]
    status, told = checked(change)
    assert status == 1, told
    assert f" {pointer}" in told, told


def test_the_summary_names_issuers(checked):
    _, told = checked()
    assert "https://idp.example" in told
