# SPDX-License-Identifier: Apache-2.0
"""What a pinned certificate opened: sessions, tickets and connections, and when they are over."""

import datetime
import ssl
import subprocess

import pytest

from support.certificates import NOW, client_pair
from support.pinned import Client, code, in_session, told
from support.reloading import change, replaced, without
from support.waiting import wait_until


def opened(client, agent):
    response = client.request("GET", "/", code(agent))
    assert response.status == 200, response.body
    return response.get("X-AgentPort-Session")


def test_a_session_in_place_of_the_code(pinned, recorder):
    gateway, (a, b, _) = pinned()
    agent = gateway.agents[0]
    session = opened(a, agent)
    for _ in range(3):
        assert a.request("GET", "/", in_session(session)).status == 200
    assert told(recorder)["amr"] == ["swk", "otp"] and told(recorder)["sid"]
    with recorder.untouched():
        assert gateway.request("GET", "/", in_session(session)).code == "credentials_missing"
        b.refused("session_invalid", in_session(session))
        # It is the certificate's, and not the key's, and the other way round.
        assert gateway.request("GET", "/", agent.session(session)).code == "session_invalid"
        a.refused("credentials_invalid", [*code(agent), *in_session(session)])


def test_a_key_s_session_is_not_the_certificate_s(pinned, recorder):
    gateway, (a, *_) = pinned()
    agent = gateway.agents[0]
    session = gateway.request("GET", "/", agent.bearer()).get("X-AgentPort-Session")
    with recorder.untouched():
        a.refused("session_invalid", in_session(session))
    assert gateway.request("GET", "/", agent.session(session)).status == 200


# Tickets.

def test_on_a_resumed_connection(pinned, recorder):
    gateway, (a, *_) = pinned()
    agent = gateway.agents[0]
    with a.connect() as wire:
        response = wire.request("GET", "/", code(agent))
        session, ticket = response.get("X-AgentPort-Session"), wire.socket.session
    for headers in (code(agent), in_session(session)):
        with a.connect(ticket) as wire:
            assert wire.socket.session_reused
            assert wire.request("GET", "/", headers).status == 200
            assert told(recorder)["amr"] == ["swk", "otp"]
    with recorder.untouched(), a.connect(ticket) as wire:
        assert wire.socket.session_reused
        assert wire.request("GET", "/").code == "totp_required"
        other = gateway.agents[1]
        assert wire.request("GET", "/", other.bearer()).code == "credentials_invalid"


def test_openssl_resumes_as_the_agent(pinned, tmp_path):
    gateway, (a, *_) = pinned()
    ticket = tmp_path / "ticket"

    def talk(*arguments):
        return subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{gateway.port}", "-ign_eof",
             *arguments], capture_output=True, text=True, timeout=20,
            input="GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                  f"X-AgentPort-TOTP: {gateway.agents[0].code()}\r\n\r\n").stdout

    assert "HTTP/1.1 200" in talk("-cert", a.path, "-key", a.path, "-sess_out", ticket)
    again = talk("-sess_in", ticket)
    assert "Reused, TLSv1.3" in again and "HTTP/1.1 200" in again


def test_it_does_not_outlive_the_certificate(pinned, tmp_path, recorder):
    """Not on a connection that was opened in time either, nor in the session it opened."""
    gateway, _ = pinned()
    agent = gateway.agents[0]
    since = datetime.datetime.now(datetime.timezone.utc) - NOW
    pair = client_pair(ends=since + datetime.timedelta(seconds=4))
    change(gateway, agents=replaced(gateway, agent, client_pins_sha256=[pair.pin]))
    client = Client(gateway, pair, tmp_path)
    with client.connect() as wire:
        session = wire.request("GET", "/", code(agent)).get("X-AgentPort-Session")
        assert wire.request("GET", "/", in_session(session)).status == 200
        last = wait_until(lambda: (r := wire.request("GET", "/", in_session(session))).status
                          != 200 and r, timeout=10, interval=0.1, what="its end")
        assert last.status in (401, 403)
    with pytest.raises(ssl.SSLError, match="EXPIRED"), client.connect() as wire:
        wire.receive()


# Pins that come and go.

def test_a_backup_pin(pinned, tmp_path):
    gateway, (a, *_) = pinned()
    agent, spare = gateway.agents[0], client_pair()
    pins = [*agent.pins, spare.pin]
    change(gateway, agents=replaced(gateway, agent, client_pins_sha256=pins))
    second = Client(gateway, spare, tmp_path)
    session = opened(second, agent)
    assert second.request("GET", "/", in_session(session)).status == 200
    # Two certificates of one agent are two credentials.
    a.refused("session_invalid", in_session(session))
    kept = opened(a, agent)
    change(gateway, agents=replaced(gateway, agent, client_pins_sha256=list(agent.pins)))
    assert second.request("GET", "/", code(agent)).verdict == (403, "certificate_not_pinned")
    assert a.request("GET", "/", in_session(kept)).status == 200


@pytest.mark.parametrize("how", ["open", "resumed", "new"])
def test_a_pin_that_is_taken_away(pinned, recorder, how):
    gateway, (a, *_) = pinned()
    agent = gateway.agents[0]
    with a.connect() as wire:
        session = wire.request("GET", "/", code(agent)).get("X-AgentPort-Session")
        ticket = wire.socket.session
        change(gateway, agents=replaced(gateway, agent, client_pins_sha256=[]))
        with recorder.untouched():
            for headers in (in_session(session), code(agent), agent.bearer()):
                if how == "open":
                    response = wire.request("GET", "/", headers)
                else:
                    with a.connect(ticket if how == "resumed" else None) as other:
                        response = other.request("GET", "/", headers)
                assert response.verdict == (403, "certificate_not_pinned")
                if how == "open":
                    break
    change(gateway, agents=replaced(gateway, agent, client_pins_sha256=list(agent.pins)))
    a.refused("session_invalid", in_session(session))
    assert a.request("GET", "/", code(agent)).status == 200


def test_a_pin_that_moves_to_another_agent(pinned, recorder):
    gateway, (a, *_) = pinned()
    one, other = gateway.agents[0], gateway.agents[2]
    session = opened(a, one)
    with a.connect() as wire:
        assert wire.request("GET", "/public/").status == 200
        change(gateway, agents=[*without(gateway, one)[:-1],
                                {**replaced(gateway, one)[0], "client_pins_sha256": []},
                                {**replaced(gateway, other)[2],
                                 "client_pins_sha256": list(one.pins)}])
        with recorder.untouched():
            assert wire.request("GET", "/", code(one)).code == "totp_invalid"
            assert wire.request("GET", "/", in_session(session)).code == "session_invalid"
        assert wire.request("GET", "/", code(other)).status == 200
        assert told(recorder)["agent_id"] == "c"


@pytest.mark.parametrize("what", ["pin", "key"])
def test_a_credential_that_moves_and_returns(pinned, what):
    """What it opened is over, as when it was nobody's meanwhile."""
    gateway, (a, *_) = pinned()
    one, member = gateway.agents[0], {"pin": "client_pins_sha256", "key": "api_key_sha256"}[what]
    if what == "pin":
        session = in_session(opened(a, one))
    else:
        bought = gateway.request("GET", "/", one.bearer()).get("X-AgentPort-Session")
        session = one.session(bought)
    before = gateway.policy["agents"]
    first, second = before[0][member], before[1][member]
    change(gateway, agents=[{**before[0], member: second}, {**before[1], member: first},
                            before[2]])
    client = a if what == "pin" else gateway
    assert client.request("GET", "/", session).code == "session_invalid"
    change(gateway, agents=before)
    assert client.request("GET", "/", session).code == "session_invalid"
