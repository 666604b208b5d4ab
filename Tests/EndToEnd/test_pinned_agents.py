# SPDX-License-Identifier: Apache-2.0
"""Certificates of clients in the place of keys: whose key is pinned to an agent is that agent."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from support.agents import Agent
from support.certificates import ClientAuthority, client_pair
from support.gateway import command
from support.idp import shown, wait_fetched
from support.pinned import FILTERS, Client, code, in_session, told
from support.reloading import change, replaced

KEYS = {"P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
        "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
        "Ed25519": ed25519.Ed25519PrivateKey.generate,
        "RSA": lambda: rsa.generate_private_key(65537, 2048)}


# In the place of the key.

def test_with_a_code(pinned, recorder):
    gateway, (a, b, _) = pinned()
    for client, agent in ((a, gateway.agents[0]), (b, gateway.agents[1])):
        assert client.request("GET", "/", code(agent)).status == 200
        claims = told(recorder)
        assert (claims["agent_id"], claims["sub"]) == (agent.name, agent.user)
        assert (claims["scope"], claims["amr"]) == ("tools:read", ["swk", "otp"])
        assert agent.name not in recorder.requests[-1].names
    gateway.wait_access(status=200, agent="a", user="a@example.com")


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
@pytest.mark.parametrize("by", ["authority", "itself"])
def test_of_any_key(start, tmp_path, recorder, key, by):
    """An authority may vouch for it; the pin is what names the agent."""
    clients = ClientAuthority()
    pair = clients.issue(key()) if by == "authority" else client_pair(key())
    (tmp_path / "ca.pem").write_bytes(clients.pem)
    tls = {"client_certificate": "required"}
    if by == "authority":
        tls["client_ca"] = str(tmp_path / "ca.pem")
    gateway = start({"listen": {"tls": tls}, "filters": FILTERS},
                    agents=[Agent("a", pins=(pair.pin,))], spare_agents=0)
    client = Client(gateway, pair, tmp_path)
    assert client.request("GET", "/", code(gateway.agents[0])).status == 200
    assert told(recorder)["amr"] == ["swk", "otp"]


def test_another_certificate_of_the_same_key(pinned, tmp_path):
    """It is the key that is pinned: who renews a certificate stays who they were."""
    gateway, _ = pinned()
    agent, key = gateway.agents[0], ec.generate_private_key(ec.SECP256R1())
    old, new = client_pair(key), ClientAuthority().issue(key)
    change(gateway, agents=replaced(gateway, agent, client_pins_sha256=[old.pin]))
    session = Client(gateway, old, tmp_path).request("GET", "/", code(agent)).get(
        "X-AgentPort-Session")
    renewed = Client(gateway, new, tmp_path)
    assert renewed.request("GET", "/", code(agent)).status == 200
    assert renewed.request("GET", "/", in_session(session)).status == 200


@pytest.mark.parametrize("key", [True, False], ids=["and a key", "and no key"])
def test_in_a_websocket_handshake(pinned, recorder, key):
    """A browser that has the certificate can put the code nowhere else."""
    gateway, (a, b, _) = pinned()
    agent = gateway.agents[0]
    protocols = f"agentport.totp.{agent.code()}, chat"
    if key:
        encoded = base64.urlsafe_b64encode(agent.key.encode()).decode().rstrip("=")
        protocols = f"agentport.bearer.{encoded}, {protocols}"
    headers = [("Connection", "Upgrade"), ("Upgrade", "websocket"),
               ("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
               ("Sec-WebSocket-Protocol", protocols)]
    with recorder.untouched():
        # Upgrades are not built yet; who may not make one is told so before.
        assert a.request("GET", "/", headers).verdict == (403, "upgrade_denied")
        b.refused("credentials_invalid" if key else "totp_invalid", headers)


def test_curl_shows_one(pinned):
    gateway, (a, *_) = pinned()
    shown = gateway.curl("/", "--cert", str(a.path), agent_headers=code(gateway.agents[0]))
    assert shown.stdout.endswith("\n200"), shown


def test_never_in_the_place_of_the_code(pinned, recorder):
    gateway, (a, *_) = pinned()
    agent = gateway.agents[0]
    with recorder.untouched():
        a.refused("totp_required", [])
        a.refused("totp_invalid", code(agent, agent.wrong_code()))
        a.refused("totp_invalid", code(agent, "12345"))
        a.refused("totp_invalid", code(gateway.agents[1]))
        a.refused("session_invalid", in_session("A" * 43))
    assert a.request("GET", "/", code(agent)).status == 200


def test_a_certificate_of_no_agent_is_no_key(pinned, recorder):
    """The listener's pins let in; they name nobody."""
    gateway, (*_, nobody) = pinned()
    with recorder.untouched():
        for headers in ([], code(gateway.agents[0]), code(gateway.agents[2])):
            nobody.refused("credentials_missing", headers)
    # With a key, it is as good as none.
    assert nobody.request("GET", "/", gateway.agents[2].bearer()).status == 200
    assert told(recorder)["amr"] == ["pwd", "otp"]


def test_the_name_alone_is_no_key(pinned, recorder):
    """One that says another's name, or a certificate without its key, gets nowhere."""
    gateway, _ = pinned()
    with recorder.untouched():
        response = gateway.request("GET", "/", code(gateway.agents[0]))
        assert response.verdict == (401, "credentials_missing")


def test_an_agent_may_have_no_key_at_all(pinned, recorder):
    gateway, (a, *_) = pinned()
    agent = gateway.agents[0]
    entries = replaced(gateway, agent)
    del entries[0]["api_key_sha256"]
    change(gateway, agents=entries)
    assert a.request("GET", "/", code(agent)).status == 200
    with recorder.untouched():
        a.refused("credentials_invalid", agent.bearer())


# A certificate and a key.

@pytest.mark.parametrize("form", ["bearer", "parameters", "basic"])
def test_of_one_agent(pinned, recorder, form):
    gateway, (a, *_) = pinned()
    agent = gateway.agents[0]
    assert a.request("GET", "/", getattr(agent, form)()).status == 200
    claims = told(recorder)
    assert claims["agent_id"] == "a" and claims["amr"][-1] == "otp"


@pytest.mark.parametrize("form", ["bearer", "parameters", "basic"])
def test_of_two_agents(pinned, recorder, form):
    gateway, (a, *_) = pinned({"totp": {"one_time": True}})
    for other in gateway.agents[1:]:
        codes = other.code(), gateway.agents[0].code()
        with recorder.untouched():
            for value in codes:
                a.refused("credentials_invalid", getattr(other, form)(value))
        # Neither agent's code was used up.
        assert gateway.request("GET", "/", other.bearer(codes[0])).status == 200
    assert a.request("GET", "/", code(gateway.agents[0], codes[1])).status == 200


def test_with_a_wrong_key(pinned, recorder):
    """What is shown has to be right, all of it."""
    gateway, (a, *_) = pinned()
    agent = gateway.agents[0]
    with recorder.untouched():
        for value in ("Bearer wrong", "Bearer", "Basic YTpi", 'AgentPort agent="a", key="x"'):
            response = a.request("GET", "/", [("Authorization", value), *code(agent)])
            assert response.status == 401 and response.code.startswith("credentials_"), value


def test_and_a_token(pinned, recorder, issuer, authority):
    gateway, (a, b, _) = pinned({"oauth": [issuer.policy()]},
                                env={"SSL_CERT_FILE": str(authority.path)})
    agent = gateway.agents[0]
    change(gateway, agents=replaced(gateway, agent, oauth=[issuer.binding("app")]))
    wait_fetched(gateway, issuer)
    token = issuer.token("app")
    assert a.request("GET", "/", shown(agent, token)).status == 200
    with recorder.untouched():
        b.refused("credentials_invalid", shown(agent, token))
        b.refused("credentials_invalid", shown(gateway.agents[1], token))


# Codes are the agent's, whichever factor came first.

def test_a_code_is_used_up_by_either(pinned):
    gateway, (a, *_) = pinned({"totp": {"one_time": True}})
    agent = gateway.agents[0]
    agent.steady(6)
    assert a.request("GET", "/", code(agent, agent.code(-1))).status == 200
    assert gateway.request("GET", "/", agent.bearer(agent.code(-1))).code == "totp_invalid"
    assert gateway.request("GET", "/", agent.bearer()).status == 200
    a.refused("totp_invalid", code(agent))


def test_guesses_count_together(pinned):
    gateway, (a, *_) = pinned({"totp": {"max_failures": 2, "lockout": "30s"}})
    agent = gateway.agents[0]
    a.refused("totp_invalid", code(agent, agent.wrong_code()))
    assert gateway.request("GET", "/", agent.bearer(agent.wrong_code())).code == "totp_invalid"
    assert a.request("GET", "/", code(agent)).verdict == (429, "totp_locked")
    assert gateway.request("GET", "/", agent.bearer()).verdict == (429, "totp_locked")


def test_one_pin_is_one_agent(pinned):
    gateway, _ = pinned()
    gateway.policy["agents"] = replaced(gateway, gateway.agents[1],
                                        client_pins_sha256=list(gateway.agents[0].pins))
    gateway.write_policy()
    result = command("check", "--policy", gateway.policy_file, env=gateway.env)
    assert result.returncode == 1 and "/agents/1" in result.stdout + result.stderr
