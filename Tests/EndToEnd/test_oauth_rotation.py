# SPDX-License-Identifier: Apache-2.0
"""Keys of issuers that come and go, and what verifying tokens may cost."""

import re
import threading
import time

import pytest

from support.gateway import MANY_CLIENTS
from support.idp import Slow, shown, verdict, wait_fetched, wait_good
from support.refusals import refused
from support.tokens import Key
from support.waiting import stays, wait_until


# Keys that come and go.

def test_a_new_key_is_looked_for_once(behind, issuers, recorder):
    """However many ask for keys that are not there, the issuer is asked once in 30 s."""
    issuer = issuers()
    gateway = behind(issuer, workers=2)
    wait_fetched(gateway, issuer)
    unknown = [Key() for _ in range(8)]
    with recorder.untouched():
        seen = {verdict(gateway, issuer, key) for key in unknown for _ in range(10)}
    issuer.wait_fetches(2)
    assert seen <= {(401, "credentials_invalid"), (503, "state_unavailable")}
    stays(lambda: issuer.fetches <= 2, 2)
    assert verdict(gateway, issuer) == (200, None)


def test_a_new_key_counts(behind, issuers):
    issuer = issuers()
    gateway = behind(issuer)
    wait_fetched(gateway, issuer)
    old, new = issuer.key, issuer.rotate("RS256")
    wait_good(gateway, issuer, new, timeout=10)
    # The one that the issuer withdrew does not, not even for a token that got in before.
    assert verdict(gateway, issuer, old) == (401, "credentials_invalid")
    assert issuer.fetches == 2


@pytest.mark.long
def test_who_rotates_twice_waits(behind, issuers):
    """Half a minute after the last time, the gateway looks again."""
    issuer = issuers()
    gateway = behind(issuer)
    wait_fetched(gateway, issuer)
    wait_good(gateway, issuer, issuer.rotate())
    began, second = time.monotonic(), issuer.rotate()
    wait_until(lambda: verdict(gateway, issuer, second) == (200, None), 45, "the second key",
               interval=0.2)
    assert time.monotonic() - began > 25
    assert issuer.fetches == 3


def test_a_token_that_got_in_ends_with_its_key(behind, issuers):
    issuer = issuers()
    gateway = behind(issuer)
    wait_fetched(gateway, issuer)
    agent = gateway.agents[0]
    token = issuer.token(agent.name)
    response = gateway.request("GET", "/", shown(agent, token))
    session = response.get("X-AgentPort-Session")
    wait_good(gateway, issuer, issuer.rotate(), timeout=10)
    refused(gateway, "credentials_invalid", shown(agent, token))
    refused(gateway, "credentials_invalid",
            [("Authorization", f"Bearer {token}"), ("X-AgentPort-Session", session)])


@pytest.mark.parametrize("how", ["stopped", "slow", "resetting"])
def test_known_keys_count_while_the_issuer_is_away(behind, issuers, how):
    issuer = issuers()
    gateway = behind(issuer)
    wait_fetched(gateway, issuer)
    if how == "stopped":
        issuer.server.stop()
    else:
        issuer.answer = (Slow(issuer.publish) if how == "slow"
                         else lambda exchange: exchange.reset())
    known, unknown = issuer.key, Key()
    for _ in range(5):
        began = time.monotonic()
        assert verdict(gateway, issuer, unknown) in (
            (401, "credentials_invalid"), (503, "state_unavailable"))
        assert verdict(gateway, issuer, known) == (200, None)
        assert time.monotonic() - began < 1


class Asker:
    """Asks without pause from an address of its own, with the issuer's key of now, and notes what
    became of it. Ten requests show the same token, so that it may ask as often as it does."""

    def __init__(self, gateway, issuer, source):
        self.seen = []
        self._source = source
        self._gateway, self._issuer, self._done = gateway, issuer, threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        self._thread.join(20)

    def _run(self):
        agent = self._gateway.agents[0]
        with self._gateway.connect(source=self._source) as wire:
            while not self._done.is_set():
                key = self._issuer.key
                token = self._issuer.token(agent.name, key)
                for _ in range(10):
                    response = wire.request("GET", "/", shown(agent, token))
                    self.seen.append((key.kid, response.verdict))

    def of(self, key):
        return [verdict for kid, verdict in self.seen if kid == key.kid]


def test_rotation_under_load(behind, issuers):
    """The issuer publishes the new key beside the old one, as it should: no token of either is
    refused once a token of the new one was taken, and of the old one none at all."""
    issuer = issuers()
    gateway = behind(issuer, workers=2, filters=MANY_CLIENTS["filters"])
    wait_fetched(gateway, issuer)
    old = issuer.key
    with Asker(gateway, issuer, "127.0.0.2") as one, \
            Asker(gateway, issuer, "127.0.0.3") as other:
        wait_until(lambda: len(one.of(old)) > 20 and len(other.of(old)) > 20, 20, "requests")
        new = Key()
        issuer.keys = [new, old]
        wait_until(lambda: all(asker.of(new)[-20:] == [(200, None)] * 20
                               for asker in (one, other)), 10, "the new key to count")
        assert verdict(gateway, issuer, old) == (200, None)
    for asker in (one, other):
        assert set(asker.of(old)) == {(200, None)}
        seen = asker.of(new)
        first = seen.index((200, None))
        assert set(seen[first:]) == {(200, None)}
        assert set(seen[:first]) <= {(401, "credentials_invalid"), (503, "state_unavailable")}
    assert issuer.fetches == 2


# What it costs.

def spoilt(token):
    """The same, its signature another one: as costly to refuse as a good one to take."""
    head, claims, signature = token.split(".")
    return f"{head}.{claims}.{signature[:9]}{'B' if signature[9] == 'A' else 'A'}{signature[10:]}"


@pytest.fixture
def costly(behind, issuers):
    """A gateway at which one address may ask as often as it likes, but for what is costly."""
    issuer = issuers()
    gateway = behind(issuer, filters=MANY_CLIENTS["filters"])
    wait_fetched(gateway, issuer)
    return gateway, gateway.agents[0], issuer


def test_bad_signatures_from_one_address(costly, recorder):
    gateway, agent, issuer = costly
    with recorder.untouched(), gateway.connect(source="127.0.0.2") as wire:
        for _ in range(5000):
            response = wire.request("GET", "/", shown(agent, spoilt(issuer.token(agent.name))))
            if response.status != 401:
                break
            assert response.code == "credentials_invalid"
    assert response.verdict == (429, "rate_limited")
    assert int(response.get("Retry-After")) >= 1
    assert response.get("RateLimit") and response.get("RateLimit-Policy")
    gateway.wait_access(status=429, code="rate_limited", filter="identity", client="127.0.0.2")
    with gateway.connect(source="127.0.0.3") as other:
        assert other.request("GET", "/", shown(agent, issuer.token(agent.name))).status == 200
    # Where there was one verdict too many, a key costs as little as before.
    with gateway.connect(source="127.0.0.2") as wire:
        assert wire.request("GET", "/", agent.bearer()).status == 200
    # And the address is not barred for good.
    def good():
        with gateway.connect(source="127.0.0.2") as wire:
            return wire.request("GET", "/", shown(agent, issuer.token(agent.name))).status == 200
    wait_until(good, 10, "the bucket to fill", interval=0.2)


def test_the_share_of_an_address_is_one_for_all_workers(behind, issuers):
    issuer = issuers()
    gateway = behind(issuer, workers=2, filters=MANY_CLIENTS["filters"])
    wait_fetched(gateway, issuer)
    agent = gateway.agents[0]
    tokens = [spoilt(issuer.token(agent.name)) for _ in range(1200)]
    wires = [gateway.connect(source="127.0.0.2") for _ in range(12)]
    began, seen = time.monotonic(), []
    for number, token in enumerate(tokens):
        wire = wires[number % len(wires)]
        seen.append(wire.request("GET", "/", shown(agent, token)).status)
    seconds = time.monotonic() - began
    for wire in wires:
        wire.close()
    # What is told of the share: so many a second, and twice that at once.
    with gateway.connect(source="127.0.0.2") as wire:
        last = wait_until(lambda: (r := wire.request("GET", "/", shown(agent, spoilt(issuer.token(
            agent.name))))).status == 429 and r, 20, "a refusal", interval=0)
    share = int(re.search(r"q=(\d+)", last.get("RateLimit-Policy"))[1])
    assert set(seen) == {401, 429}
    assert seen.count(401) <= 2 * share + share * seconds + 5


@pytest.mark.parametrize("claims", [{"exp": 1}, {"aud": "x"}, {"iss": "https://evil.example"},
                                    {"pad": "p" * 9000}], ids=lambda claims: next(iter(claims)))
def test_what_is_refused_before_its_signature_costs_none(costly, recorder, claims):
    gateway, agent, issuer = costly
    tokens = [spoilt(issuer.token(agent.name, **claims)) for _ in range(600)]
    with gateway.connect(source="127.0.0.2") as wire:
        with recorder.untouched():
            for token in tokens:
                verdict = wire.request("GET", "/", shown(agent, token)).verdict
                assert verdict == (401, "credentials_invalid")
        good = issuer.token(agent.name)
        assert wire.request("GET", "/", shown(agent, good)).status == 200


def test_a_token_costs_a_signature_once(costly):
    """As many requests with one good token as anybody makes are not too many."""
    gateway, agent, issuer = costly
    token = issuer.token(agent.name)
    with gateway.connect(source="127.0.0.2") as wire:
        for _ in range(1000):
            assert wire.request("GET", "/", shown(agent, token)).status == 200
        # Nor does it stop counting where other tokens have used up the address's share.
        wait_until(lambda: wire.request("GET", "/", shown(agent, spoilt(issuer.token(
            agent.name)))).status == 429, 20, "the bucket to be empty", interval=0)
        assert wire.request("GET", "/", shown(agent, token)).status == 200
