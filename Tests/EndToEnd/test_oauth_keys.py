# SPDX-License-Identifier: Apache-2.0
"""Key sets of issuers: how the first one comes, and what is not believed to be one."""

import threading
import time

import pytest

from support.certificates import DAY, Authority
from support.gateway import command
from support.idp import WRONG, Slow, shown, verdict, wait_fetched, wait_good
from support.refusals import refused
from support.waiting import wait_until

# The first set.

def test_it_is_fetched_without_being_asked_for(behind, issuers):
    issuer = issuers()
    gateway = behind(issuer)
    wait_fetched(gateway, issuer)
    for _ in range(5):
        assert verdict(gateway, issuer) == (200, None)
    assert issuer.fetches == 1
    request = issuer.server.requests[0]
    assert (request.method, request.target) == ("GET", "/jwks")
    # It tells the issuer nothing of who asks for what.
    assert request.body == b"" and not request.all("Authorization") and not request.all("Cookie")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_plain_http_on_loopback(behind, issuers, host):
    issuer = issuers(plain=True, host=host)
    wait_good(behind(issuer), issuer)


def test_the_whole_of_its_address_is_asked_for(behind, issuers):
    issuer = issuers()
    issuer.url += "/of/one?tenant=a%2Fb&x="
    wait_good(behind(issuer), issuer)
    assert issuer.server.requests[0].target == "/jwks/of/one?tenant=a%2Fb&x="
    assert issuer.server.requests[0].get("Host") == f"localhost:{issuer.server.port}"


def test_a_name_that_nobody_has(behind, issuers, recorder):
    """The gateway starts all the same, and tells; who has a key is served."""
    lost, issuer = issuers(), issuers()
    lost.url = "https://nowhere.invalid/jwks"
    gateway = behind(lost, issuer)
    wait_good(gateway, issuer, number=1)
    with recorder.untouched():
        assert verdict(gateway, lost) == (503, "state_unavailable")
    assert gateway.request("GET", "/", gateway.agents[0].bearer()).status == 200
    wait_until(lambda: any("nowhere.invalid" in str(line) or lost.name in str(line)
                           for line in gateway.logs() if line["level"] == "warn"), what="a warning")


def test_plain_http_elsewhere_is_refused(make, recorder, tmp_path):
    for url in ("http://idp.example/jwks", "http://192.0.2.1/jwks", "http://127.0.0.1.nip.io/",
                "http://localhost.evil.example/", "ftp://127.0.0.1/", "file:///etc/passwd",
                "https://user:secret@idp.example/", "https://idp.example/jwks#keys", "jwks", ""):
        oauth = [{"issuer": "https://idp.example", "audience": "a", "jwks_url": url}]
        gateway = make().from_policy(recorder.url, {"oauth": oauth}, spare_agents=1)
        result = command("check", "--policy", gateway.policy_file, env=gateway.env)
        assert result.returncode == 1, url
        assert "/oauth/0/jwks_url" in result.stdout + result.stderr, url


def test_until_the_set_is_there_nobody_waits_for_long(behind, issuers, recorder):
    issuer = issuers()
    issuer.answer = slow = Slow(issuer.publish)
    gateway = behind(issuer)
    agent = gateway.agents[0]
    with recorder.untouched():
        for _ in range(5):
            token, code = issuer.token(agent.name), agent.code()
            began = time.monotonic()
            response = gateway.request("GET", "/", shown(agent, token, code))
            assert response.verdict == (503, "state_unavailable")
            assert int(response.get("Retry-After")) >= 1
            assert time.monotonic() - began < 0.5
    # Others are served meanwhile, by the one worker there is.
    assert gateway.request("GET", "/", agent.bearer()).status == 200
    refused(gateway, "credentials_invalid", shown(agent, issuer.token(agent.name, iss="x")))
    assert issuer.fetches == 1
    slow.release()
    wait_good(gateway, issuer)


def test_many_at_once_before_the_set_is_there(behind, issuers):
    issuer = issuers()
    issuer.answer = slow = Slow(issuer.publish)
    gateway = behind(issuer, workers=2)
    agent = gateway.agents[0]
    seen = []

    def one():
        seen.append(verdict(gateway, issuer))

    threads = [threading.Thread(target=one) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert seen == [(503, "state_unavailable")] * 40
    assert issuer.fetches == 1 and issuer.server.connections == 1
    assert gateway.request("GET", "/", agent.bearer()).status == 200
    slow.release()
    wait_good(gateway, issuer)


def test_an_issuer_that_is_away_at_first(behind, issuers, recorder):
    issuer = issuers()
    issuer.server.stop()
    gateway = behind(issuer)
    with recorder.untouched():
        assert verdict(gateway, issuer) == (503, "state_unavailable")
    assert gateway.request("GET", "/", gateway.agents[0].bearer()).status == 200
    issuer.server.resume()
    wait_good(gateway, issuer, timeout=45)


@pytest.mark.long
@pytest.mark.parametrize("how", ["silent", "in drops"])
def test_an_issuer_that_never_ends_is_given_up(behind, issuers, how):
    """And asked again, on a connection of its own."""
    issuer = issuers()

    def drops(exchange):
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        for _ in range(500):
            time.sleep(0.1)
            exchange.send(b" ")

    issuer.answer = slow = Slow(lambda exchange: None) if how == "silent" else drops
    gateway = behind(issuer)
    issuer.wait_fetches(1)
    issuer.answer = issuer.publish
    wait_good(gateway, issuer, timeout=45)
    assert issuer.fetches == 2
    if how == "silent":
        slow.release()


@pytest.mark.parametrize("fault", ["untrusted", "wrong name", "expired"])
def test_over_tls_that_is_not_the_issuer_s(behind, issuers, authority, recorder, tmp_path, fault):
    (tmp_path / "other").mkdir()
    pair = {"untrusted": lambda: Authority(tmp_path / "other").ecdsa,
            "wrong name": lambda: authority.issue(names=["idp.example"]),
            "expired": lambda: authority.issue(ends=-DAY / 24)}[fault]()
    issuer, good = issuers(pair), issuers()
    gateway = behind(issuer, good)
    wait_good(gateway, good, number=1)
    with recorder.untouched():
        assert verdict(gateway, issuer) == (503, "state_unavailable")
    assert issuer.fetches == 0
    told = wait_until(lambda: [line for line in gateway.logs() if line["level"] == "warn"
                               and line.get("issuer") == issuer.name], what="a warning")
    assert told[0].get("reason"), told


# What is no set.

def test_what_is_no_set_is_not_believed(behind, issuers, recorder):
    """Each issuer of these answers in another wrong way, and then as it should."""
    wrong = {name: issuers() for name in WRONG}
    for name, issuer in wrong.items():
        issuer.answer = lambda exchange, i=issuer, n=name: WRONG[n](i, exchange)
    gateway = behind(*wrong.values())
    for issuer in wrong.values():
        issuer.wait_fetches(1)
    with recorder.untouched():
        for number, (name, issuer) in enumerate(wrong.items()):
            # An empty set is one, in which the key is not found; of others there is none.
            expected = {(401, "credentials_invalid")} if name == "no keys" else set()
            expected |= {(503, "state_unavailable")}
            assert verdict(gateway, issuer, number=number) in expected, name
            assert not [r for r in issuer.server.requests if r.path != "/jwks"], name
    assert gateway.request("GET", "/", gateway.agents[0].bearer()).status == 200


def test_what_is_no_set_replaces_none(behind, issuers):
    """The same after a good set: the keys of that stay, and those within do not count."""
    wrong = {name: issuers() for name in WRONG}
    gateway = behind(*wrong.values())
    old, new = {}, {}
    wait_fetched(gateway, *wrong.values())
    for number, (name, issuer) in enumerate(wrong.items()):
        assert verdict(gateway, issuer, number=number) == (200, None)
        old[name] = issuer.key
        issuer.answer = lambda exchange, i=issuer, n=name: WRONG[n](i, exchange)
        new[name] = issuer.rotate()
    for number, (name, issuer) in enumerate(wrong.items()):
        before = issuer.fetches + issuer.server.connections
        wait_until(lambda: verdict(gateway, issuer, new[name], number)
                   and issuer.fetches + issuer.server.connections > before, timeout=45,
                   interval=0.2, what=f"a fetch of {name}")
    for number, (name, issuer) in enumerate(wrong.items()):
        assert verdict(gateway, issuer, old[name], number) == (200, None), name
        assert verdict(gateway, issuer, new[name], number) != (200, None), name


def test_a_set_may_be_large(behind, issuers):
    issuer = issuers()
    issuer.extra = [{"kty": "x", "x": "x" * (250 << 10)}]
    wait_good(behind(issuer), issuer)
