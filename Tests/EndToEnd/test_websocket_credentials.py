# SPDX-License-Identifier: Apache-2.0
"""Credentials in `Sec-WebSocket-Protocol`, where a browser can put no others.

Upgrades are not built yet: who has both factors learns that this one is denied, with 403, and who
has not gets the 401 that any request gets.
"""

import base64

import pytest

from support.gateway import new_session
from support.refusals import refused

UPGRADE = [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
           ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")]


@pytest.fixture(scope="module")
def policy_patch():
    return {"totp": {"one_time": False}}


def base64url(text):
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def bearer(key):
    return f"agentport.bearer.{base64url(key)}"


def offer(*protocols):
    return [("Sec-WebSocket-Protocol", ", ".join(protocols))]


def pair(agent, code=None, *more):
    return offer(bearer(agent.key), f"agentport.totp.{code or agent.code()}", *more)


@pytest.fixture
def denied(gateway, recorder):
    """Asserts that these credentials are right: that it is the upgrade that is refused."""
    def check(headers):
        with recorder.untouched():
            response = gateway.request("GET", "/", [*UPGRADE, *headers])
        assert response.verdict == (403, "upgrade_denied"), (response.status, response.body)
        # Neither the key nor the code comes back.
        assert response.all("Sec-WebSocket-Protocol") == []
    return check


@pytest.fixture
def turned_away(gateway, recorder):
    def check(code, headers):
        with recorder.untouched():
            refused(gateway, code, [*UPGRADE, *headers])
    return check


# Both factors.

@pytest.mark.parametrize("more", [(), ("chat",), ("chat", "superchat")])
def test_a_key_and_a_code(denied, agent, more):
    denied(pair(agent, None, *more))


def test_in_any_order_and_in_several_fields(denied, agent):
    """RFC 6455 section 11.3.4: several fields are one list."""
    key, code = bearer(agent.key), f"agentport.totp.{agent.code()}"
    denied(offer("chat", code, key))
    denied([*offer(key), *offer(code), *offer("chat")])
    denied([("Sec-WebSocket-Protocol", f"{key},{code}")])
    denied([("Sec-WebSocket-Protocol", f" {key} ,\t{code} , chat")])


def test_the_second_factor_may_stand_in_its_header(denied, gateway, recorder, agent):
    """A session's token may (form 6 of the specification); of a code it says neither."""
    denied([("X-AgentPort-Session", new_session(gateway, agent)), *offer(bearer(agent.key))])
    recorder.requests.clear()
    with recorder.untouched():
        response = gateway.request("GET", "/", [
            *UPGRADE, ("X-AgentPort-TOTP", agent.code()), *offer(bearer(agent.key))])
    assert response.verdict in ((403, "upgrade_denied"), (401, "credentials_invalid"))


def test_a_session_s_token_is_no_code(turned_away, gateway, agent):
    session = new_session(gateway, agent)
    turned_away("totp_invalid", offer(bearer(agent.key), f"agentport.totp.{session}"))


def test_the_usual_headers_count_as_ever(denied, turned_away, agent):
    """Programs that can set headers do, whatever protocols they offer."""
    denied([*agent.bearer(), *offer("chat")])
    denied([*agent.basic(), *offer("agentport", "agentport.other")])
    turned_away("totp_invalid", [*agent.bearer(agent.wrong_code()), *offer("chat")])


# One factor, or none.

def test_what_is_wrong(turned_away, agent):
    code = f"agentport.totp.{agent.code()}"
    turned_away("credentials_missing", [])
    turned_away("credentials_missing", offer("chat"))
    turned_away("credentials_missing", offer(code, "chat"))
    turned_away("totp_required", offer(bearer(agent.key), "chat"))
    turned_away("totp_invalid", pair(agent, agent.wrong_code()))
    turned_away("totp_invalid", pair(agent, "12345"))
    turned_away("credentials_invalid", offer(bearer("wrong" * 8), code))
    turned_away("credentials_invalid", offer(bearer(agent.key + "x"), code))


@pytest.mark.parametrize("spoil", [
    lambda key: f"agentport.bearer.{key}", lambda key: "agentport.bearer.",
    lambda key: f"agentport.bearer.{base64url(key)}=", lambda key: "agentport.bearer.A",
    lambda key: f"agentport.bearer.{base64url(key)}.x", lambda key: f"agentport.bearer.*{key}",
    lambda key: f"agentport.bearer.{base64url(base64url(key))}",
    lambda key: f"agentport.bearer.{'A' * 9000}"],
    ids=["not encoded", "empty", "padded", "no bytes", "a part more", "no base64url",
         "encoded twice", "long"])
def test_what_is_no_key(gateway, recorder, agent, spoil):
    protocols = offer(spoil(agent.key), f"agentport.totp.{agent.code()}")
    with recorder.untouched():
        response = gateway.request("GET", "/", [*UPGRADE, *protocols])
    assert response.status in (400, 401) and response.code != "totp_invalid", response.body


@pytest.mark.parametrize("prefix", ["AgentPort.Bearer.", "agentport.bearer", "agentport-bearer.",
                                    "xagentport.bearer.", "agentport.Bearer."])
def test_another_prefix_is_another_protocol(gateway, recorder, agent, prefix):
    """Names of subprotocols are told apart by case (RFC 6455 section 11.5 registers them so)."""
    protocols = offer(prefix + base64url(agent.key), f"agentport.totp.{agent.code()}")
    with recorder.untouched():
        response = gateway.request("GET", "/", [*UPGRADE, *protocols])
    assert response.status == 401 and response.code.startswith("credentials_")


# Two at once.

@pytest.mark.parametrize("twist", [
    lambda a: [*a.bearer(), *pair(a)],
    lambda a: [*a.parameters(), *pair(a)],
    lambda a: [*a.basic(), *pair(a)],
    lambda a: [("Authorization", f"Bearer {a.key}"), *pair(a)],
    lambda a: [("X-AgentPort-TOTP", a.code()), *pair(a)],
    lambda a: [("Authorization", f"Bearer {a.key}"), *offer(f"agentport.totp.{a.code()}")],
    lambda a: offer(bearer(a.key), bearer(a.key), f"agentport.totp.{a.code()}"),
    lambda a: [*pair(a), *offer(bearer(a.key))],
    lambda a: [*pair(a), *offer(f"agentport.totp.{a.code()}")],
    lambda a: [*pair(a), *pair(a)],
    lambda a: [*pair(a), ("X-AgentPort-Session", "A" * 43)]],
    ids=["Bearer", "parameters", "Basic", "a key twice", "a code twice",
         "a key apart", "two keys", "two keys in two fields", "two codes", "all of it twice",
         "a code and a session"])
def test_two_forms_at_once(turned_away, agent, twist):
    turned_away("credentials_invalid", twist(agent))


def test_two_forms_at_once_use_up_nothing(start, recorder):
    gateway = start()
    agent = gateway.take_agent()
    agent.steady()
    code = agent.code()
    with recorder.untouched():
        refused(gateway, "credentials_invalid",
                [*UPGRADE, *agent.bearer(code), *pair(agent, code)])
    assert gateway.request("GET", "/", agent.bearer(code)).status == 200


def test_a_code_is_good_once_here_too(start, recorder):
    gateway = start()
    agent = gateway.take_agent()
    agent.steady()
    code = agent.code()
    assert gateway.request("GET", "/", agent.bearer(code)).status == 200
    with recorder.untouched():
        refused(gateway, "totp_invalid", [*UPGRADE, *pair(agent, code)])


# Without an upgrade.

@pytest.mark.parametrize("headers", [
    [], [("Connection", "Upgrade")], [("Upgrade", "websocket")], UPGRADE[2:],
    [("Connection", "keep-alive"), *UPGRADE[1:]]],
    ids=["nothing", "Connection", "Upgrade", "the key alone", "no Connection: Upgrade"])
def test_they_are_no_credentials(gateway, recorder, agent, headers):
    with recorder.untouched():
        response = gateway.request("GET", "/", [*headers, *pair(agent)])
    assert response.verdict in ((401, "credentials_missing"), (400, "http_malformed"))


@pytest.mark.parametrize("name", ["h2c", "TLS/1.2", "websockets", "agentport"])
def test_another_upgrade(gateway, recorder, agent, name):
    headers = [("Connection", "Upgrade"), ("Upgrade", name), *pair(agent)]
    with recorder.untouched():
        response = gateway.request("GET", "/", headers)
    assert response.verdict in ((401, "credentials_missing"), (403, "upgrade_denied"))


def test_they_are_in_no_log(gateway, agent):
    code = agent.code()
    response = gateway.request("GET", "/", [*UPGRADE, *pair(agent, code)])
    gateway.wait_access(request_id=response.get("X-Request-Id"))
    assert base64url(agent.key) not in gateway.output() and agent.key not in gateway.output()
