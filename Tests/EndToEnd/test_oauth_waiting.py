# SPDX-License-Identifier: Apache-2.0
"""Requests that stand still while keys are fetched: whole, in order, and not for long."""

import dataclasses
import hashlib
import os
import signal
import threading
import time

import pytest

from support.agents import Agent
from support.gateway import MANY_CLIENTS
from support.idp import Slow, shown, verdict, wait_fetched
from support.reloading import change
from support.tokens import Key, base64url
from support.wire import chunked, encode

BODY = os.urandom(1 << 20)


@pytest.fixture
def ready(behind, issuers):
    """A gateway that has the keys of an issuer, who has a new one since. The next token makes it
    look for that, and stands still meanwhile."""
    issuer = issuers()
    gateway = behind(issuer, filters=MANY_CLIENTS["filters"])
    wait_fetched(gateway, issuer)
    issuer.rotate()
    return gateway, gateway.agents[0], issuer


def late(issuer, seconds=0.015):
    """Publishes after so short a while that a request waits for it."""
    def answer(exchange):
        time.sleep(seconds)
        issuer.publish(exchange)
    return answer


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_body_that_came_meanwhile_is_whole(ready, recorder, framing):
    gateway, agent, issuer = ready
    issuer.answer = late(issuer)
    headers = shown(agent, issuer.token(agent.name))
    with gateway.connect() as wire:
        if framing == "length":
            data = encode("POST", "/", headers, BODY)
        else:
            data = encode("POST", "/", [*headers, ("Transfer-Encoding", "chunked")],
                          chunked(*(BODY[n:n + 5000] for n in range(0, len(BODY), 5000))))
        wire.send(data)
        response = wire.response("POST")
        assert response.status == 200, response.body
        assert recorder.only().sha256 == hashlib.sha256(BODY).hexdigest()
        # And the connection goes on.
        assert wire.request("GET", "/", headers).status == 200


def in_form(form, agent, token):
    """The token in the place of the key, where a form of credentials has one."""
    shows = dataclasses.replace(agent, key=token)
    if form != "protocols":
        return getattr(shows, form)()
    offered = f"agentport.bearer.{base64url(token.encode())}, agentport.totp.{agent.code()}"
    return [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="), ("Sec-WebSocket-Protocol", offered)]


FORMS = ["bearer", "parameters", "basic", "protocols"]
# Upgrades are not built yet.
PASSES = {form: (200, None) for form in FORMS} | {"protocols": (403, "upgrade_denied")}


@pytest.mark.parametrize("form", FORMS)
def test_no_form_waits_for_known_keys(behind, issuers, form):
    issuer = issuers()
    gateway = behind(issuer)
    wait_fetched(gateway, issuer)
    agent = gateway.agents[0]
    headers = in_form(form, agent, issuer.token(agent.name))
    assert gateway.request("GET", "/", headers).verdict == PASSES[form]


@pytest.mark.parametrize("form", FORMS)
def test_each_form_waits_for_a_new_key(ready, form):
    gateway, agent, issuer = ready
    headers = in_form(form, agent, issuer.token(agent.name))
    assert gateway.request("GET", "/", headers).verdict == PASSES[form]


@pytest.mark.parametrize("form", FORMS)
def test_each_form_waits_for_the_first_set(behind, issuers, form):
    """What becomes of it is not known, and is not told as if it were."""
    issuer = issuers()
    issuer.answer = slow = Slow(issuer.publish)
    gateway = behind(issuer)
    issuer.wait_fetches(1)
    agent = gateway.agents[0]
    headers = in_form(form, agent, issuer.token(agent.name))
    assert gateway.request("GET", "/", headers).verdict == (503, "state_unavailable")
    slow.release()


def test_requests_behind_it_are_answered_in_order(ready, recorder):
    gateway, agent, issuer = ready
    issuer.answer = late(issuer)
    headers = shown(agent, issuer.token(agent.name))
    with gateway.connect() as wire:
        wire.send(b"".join(encode("GET", f"/{n}", headers if n % 2 == 0 else agent.bearer())
                           for n in range(10)))
        for n in range(10):
            assert wire.response().json()["target"] == f"/{n}"


def test_a_client_that_expects_100(ready, recorder):
    """Is not told to go on before its token counts."""
    gateway, agent, issuer = ready
    issuer.answer = slow = Slow(issuer.publish)
    headers = [*shown(agent, issuer.token(agent.name)), ("Expect", "100-continue"),
               ("Content-Length", "5")]
    with recorder.untouched(), gateway.connect() as wire:
        wire.send(encode("POST", "/", headers))
        response = wire.response("POST")
        assert (response.interim, response.verdict) == ([], (503, "state_unavailable"))
    slow.release()


def test_many_at_once(ready, recorder):
    """All of them wait for one fetch, and all of them get through."""
    gateway, agent, issuer = ready
    token = issuer.token(agent.name)
    wires = [gateway.connect() for _ in range(100)]
    for wire in wires[1:]:
        assert wire.request("GET", "/public/").status == 200
    issuer.answer = late(issuer)
    for wire in wires:
        wire.send(encode("GET", "/", shown(agent, token)))
    seen = {wire.response().verdict for wire in wires}
    for wire in wires:
        wire.close()
    assert seen <= {(200, None), (503, "state_unavailable")}, seen
    assert verdict(gateway, issuer) == (200, None)
    assert issuer.fetches == 2


def test_a_code_that_waits_is_good_once(behind, issuers, recorder):
    """Of many requests with one code, all of which stand still at the same time, one passes."""
    issuer = issuers()
    gateway = behind(issuer, workers=2, totp={"one_time": True})
    wait_fetched(gateway, issuer)
    agent = gateway.agents[0]
    agent.steady(8)
    issuer.rotate()
    issuer.answer = late(issuer)
    token, code = issuer.token(agent.name), agent.code()
    wires = [gateway.connect() for _ in range(20)]
    for wire in wires:
        wire.send(encode("GET", "/once", shown(agent, token, code)))
    seen = [wire.response().verdict for wire in wires]
    for wire in wires:
        wire.close()
    assert seen.count((200, None)) == 1 and len(recorder.at("/once")) == 1, seen
    assert set(seen) <= {(200, None), (401, "totp_invalid"), (503, "state_unavailable")}


def test_the_end_comes_while_they_wait(ready):
    """A drain answers them, and ends."""
    gateway, agent, issuer = ready
    issuer.answer = slow = Slow(issuer.publish)
    wires = [gateway.connect() for _ in range(10)]
    for wire in wires:
        wire.send(encode("GET", "/", shown(agent, issuer.token(agent.name))))
    gateway.signal(signal.SIGTERM)
    for wire in wires:
        assert wire.response().verdict in ((503, "state_unavailable"), (503, "draining"))
        wire.close()
    assert gateway.wait() == 0
    slow.release()


def test_reloads_while_they_wait(behind, issuers):
    """Issuers, bindings and agents come and go under requests that stand still: each of those is
    answered, and never as somebody else's."""
    issuer = issuers()
    issuer.answer = slow = Slow(issuer.publish)
    gateway = behind(issuer, workers=2, filters=MANY_CLIENTS["filters"])
    agent, done, seen = gateway.agents[0], threading.Event(), []

    def ask(source):
        with gateway.connect(source=source) as wire:
            while not done.is_set():
                token = issuer.token(agent.name, Key(kid="unknown"))
                began = time.monotonic()
                seen.append((wire.request("GET", "/", shown(agent, token)).verdict,
                             time.monotonic() - began))

    threads = [threading.Thread(target=ask, args=[f"127.0.0.{n}"]) for n in range(2, 8)]
    for thread in threads:
        thread.start()
    before, other = gateway.policy["agents"], Agent("other")
    entry = other.policy(gateway.secret("totp_other", other.seed))
    for n in range(12):
        change(gateway, agents=[[entry], [*before, entry], [entry, *before]][n % 3],
               oauth=[] if n % 3 == 0 else [issuer.policy(audience=["agentport", "x"][n % 2])])
    change(gateway, agents=before, oauth=[issuer.policy()])
    done.set()
    for thread in threads:
        thread.join(10)
    slow.release()
    assert {each for each, _ in seen} <= {(401, "credentials_invalid"),
                                          (503, "state_unavailable")}
    assert max(taken for _, taken in seen) < 2
    assert gateway.request("GET", "/", agent.bearer()).status == 200
