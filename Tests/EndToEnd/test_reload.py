# SPDX-License-Identifier: Apache-2.0
"""Reloads: what an operator changes holds for the next request, on connections that stay."""

import base64
import json
import signal
import threading

import pytest

from support.agents import Agent
from support.gateway import new_session
from support.recorder import Recorder
from support.reloading import change, counts, reload, replaced, without
from support.waiting import settle, wait_until
from support.wire import Closed, chunked, encode

PUBLIC = {"path": "/extra/", "public": True, "upstream": "openclaw"}


@pytest.fixture
def second():
    """Another upstream."""
    recorder = Recorder()
    yield recorder
    recorder.close()


class Held:
    """An upstream handler that answers when it is let."""

    def __init__(self, recorder, path):
        self.recorder, self.path = recorder, path
        self._release = threading.Event()
        recorder.on(path, self)

    def __call__(self, exchange):
        self._release.wait(20)
        exchange.reply(b"at last")

    def arrived(self):
        return wait_until(lambda: self.recorder.at(self.path), what="the request upstream")

    def let(self):
        self._release.set()


def claims(recorded):
    part = recorded.get("x-agentport-jwt").split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


# What changes, on a connection that stays.

def test_a_reload_without_a_change_changes_nothing(live, recorder):
    gateway, wire = live()
    agent = gateway.take_agent()
    for _ in range(3):
        reload(gateway)
        assert wire.request("GET", "/", agent.bearer()).status == 200
    assert counts(gateway) == (3, 0)


def test_a_route_is_added_and_removed(live):
    gateway, wire = live()
    routes = gateway.policy["routes"]
    assert wire.request("GET", "/extra/x").status == 401
    change(gateway, routes=[*routes, PUBLIC])
    assert wire.request("GET", "/extra/x").status == 200
    change(gateway, routes=routes)
    assert wire.request("GET", "/extra/x").status == 401
    change(gateway, routes=[r for r in routes if r["path"] != "/"])
    assert wire.request("GET", "/extra/x").verdict == (404, "no_route")
    change(gateway, routes=[{**r, "methods": ["POST"]} if r.get("public") else r for r in routes])
    assert wire.request("GET", "/public/x").verdict == (405, "method_not_allowed")
    change(gateway, routes=routes)


def test_an_agent_is_added_and_removed(live, recorder):
    gateway, wire = live()
    guest = Agent("guest")
    entry = guest.policy(gateway.secret("totp_guest", guest.seed))
    before = gateway.policy["agents"]
    assert wire.request("GET", "/", guest.bearer()).verdict == (401, "credentials_invalid")
    change(gateway, agents=[entry, *before])
    assert wire.request("GET", "/", guest.bearer()).status == 200
    # The others have other places in the list now.
    resident = gateway.take_agent()
    assert wire.request("GET", "/resident", resident.bearer()).status == 200
    assert claims(recorder.at("/resident")[0])["agent_id"] == resident.name
    change(gateway, agents=before)
    with recorder.untouched():
        assert wire.request("GET", "/", guest.bearer()).verdict == (401, "credentials_invalid")
    assert wire.request("GET", "/", resident.bearer()).status == 200


def test_agents_in_another_order_stay_who_they_are(live, recorder):
    gateway, wire = live()
    agents = [gateway.take_agent() for _ in range(4)]
    change(gateway, agents=gateway.policy["agents"][::-1])
    for agent in agents:
        assert wire.request("GET", f"/{agent.name}", agent.bearer()).status == 200
        found = claims(recorder.at(f"/{agent.name}")[0])
        assert (found["agent_id"], found["sub"]) == (agent.name, agent.user)
        assert gateway.wait_access(path=f"/{agent.name}")[0]["agent"] == agent.name


def test_a_key_is_changed(live):
    gateway, wire = live()
    agent = gateway.take_agent()
    assert wire.request("GET", "/", agent.bearer()).status == 200
    old = agent.bearer()
    agent.key = Agent("other").key
    change(gateway, agents=replaced(
        gateway, agent, api_key_sha256=agent.policy("")["api_key_sha256"]))
    assert wire.request("GET", "/", old).verdict == (401, "credentials_invalid")
    assert wire.request("GET", "/", agent.bearer()).status == 200


def test_a_user_is_changed(live, recorder):
    gateway, wire = live()
    agent = gateway.take_agent()
    assert wire.request("GET", "/before", agent.bearer()).status == 200
    change(gateway, agents=replaced(gateway, agent, user="next@example.com"))
    assert wire.request("GET", "/after", agent.bearer()).status == 200
    assert claims(recorder.at("/before")[0])["sub"] == agent.user
    assert claims(recorder.at("/after")[0])["sub"] == "next@example.com"
    assert gateway.wait_access(path="/after")[0]["user"] == "next@example.com"


def test_scopes_are_changed(live, recorder):
    gateway, wire = live()
    agent = gateway.take_agent()
    token = new_session(gateway, agent)
    assert wire.request("GET", "/before", agent.session(token)).status == 200
    change(gateway, agents=replaced(gateway, agent, scopes=["none"]))
    assert wire.request("GET", "/after", agent.session(token)).status == 200
    assert claims(recorder.at("/before")[0])["scope"] == "tools:read"
    assert claims(recorder.at("/after")[0])["scope"] == "none"


def test_an_endpoint_is_changed(live, recorder, second):
    gateway, wire = live()
    agent = gateway.take_agent()
    assert wire.request("GET", "/first", agent.bearer()).status == 200
    change(gateway, upstreams=[{"name": "openclaw", "endpoints": [second.url]}])
    recorder.reset()
    assert wire.request("GET", "/second", agent.bearer()).status == 200
    assert second.at("/second") and not recorder.requests
    # Idle connections to what is no upstream any more do not linger.
    wait_until(lambda: recorder.open_connections == 0, what="the old connections to end")
    change(gateway, upstreams=[{"name": "openclaw", "endpoints": [recorder.url]}])
    assert wire.request("GET", "/third", agent.bearer()).status == 200
    assert recorder.at("/third") and not second.at("/third")


def test_an_endpoint_that_stays_keeps_its_connections(live, recorder, second):
    gateway, wire = live()
    agent = gateway.take_agent()
    assert wire.request("GET", "/", agent.bearer()).status == 200
    before = recorder.connections
    change(gateway, routes=[*gateway.policy["routes"], PUBLIC])
    assert wire.request("GET", "/", agent.bearer()).status == 200
    assert recorder.connections == before


def test_an_upstream_is_added_and_another_removed(live, recorder, second):
    gateway, wire = live()
    agent = gateway.take_agent()
    change(gateway, upstreams=[{"name": "next", "endpoints": [second.url], "audience": "next"}],
           routes=[{"path": "/", "upstream": "next"}, {"path": "/public/", "public": True}])
    assert wire.request("GET", "/x", agent.bearer()).status == 200
    assert claims(second.at("/x")[0])["aud"] == "next"


def test_limits_are_changed(live):
    gateway, wire = live()
    agent = gateway.take_agent()
    long = [("X-Long", "x" * 4000)]
    assert wire.request("GET", "/", [*agent.bearer(), *long]).status == 200
    assert wire.request("POST", "/", agent.bearer(), b"x" * 4000).status == 200
    change(gateway, {"listen": {"limits": {"header_bytes": "2KiB", "body": "1KiB"}}})
    assert wire.request("GET", "/", agent.bearer()).status == 200
    with gateway.connect() as other:
        other.send_all_it_takes(encode("GET", "/", [*agent.bearer(), *long]))
        assert other.response().verdict == (431, "headers_too_large")
    with gateway.connect() as other:
        other.send_all_it_takes(encode("POST", "/", agent.bearer(), b"x" * 4000))
        assert other.response().verdict == (413, "body_too_large")
    change(gateway, {"listen": {"limits": {"header_bytes": "32KiB", "body": "2MiB"}}})
    assert wire.request("POST", "/", [*agent.bearer(), *long], b"x" * 4000).status == 200


def test_the_limit_of_connections_is_changed(live):
    """What is open beyond a new bound stays; new ones have to wait for room."""
    gateway, wire = live()
    with gateway.connect() as second_wire:
        change(gateway, {"listen": {"limits": {"connections_per_ip": 1}}})
        for old in (wire, second_wire):
            assert old.request("GET", "/public/").status == 200
        with pytest.raises((OSError, Closed)):
            gateway.request("GET", "/public/")
    change(gateway, {"listen": {"limits": {"connections_per_ip": 256}}})
    assert gateway.request("GET", "/public/").status == 200


def test_the_idle_time_is_changed(live):
    gateway, _ = live()
    change(gateway, {"listen": {"limits": {"keepalive_timeout": "1s"}}})
    with gateway.connect() as wire:
        assert wire.request("GET", "/public/").status == 200
        wire.ends(timeout=4)
    change(gateway, {"listen": {"limits": {"keepalive_timeout": "60s"}}})


def test_rates_are_changed(live):
    gateway, wire = live()
    agent = gateway.take_agent()
    change(gateway, agents=replaced(
        gateway, agent, rate={"requests": 1, "per": "60s", "burst": 1}))
    seen = [wire.request("GET", "/", agent.bearer()).status for _ in range(3)]
    assert seen == [200, 429, 429]
    # The bucket is empty, and now fills up faster.
    change(gateway, agents=replaced(
        gateway, agent, rate={"requests": 1000, "per": "1s", "burst": 2000}))
    wait_until(lambda: wire.request("GET", "/", agent.bearer()).status == 200, timeout=1,
               what="a request to pass at the new rate")


# A request on its way.

def test_a_request_on_its_way_finishes_under_what_it_began_with(live, recorder, second):
    """Its route, its agent and its upstream are all gone before it is answered."""
    gateway, wire = live()
    agent, other = gateway.take_agent(), gateway.take_agent()
    held = Held(recorder, "/held")
    wire.send(encode("GET", "/held", agent.bearer()))
    held.arrived()
    change(gateway, agents=without(gateway, agent),
           upstreams=[{"name": "next", "endpoints": [second.url]}],
           routes=[{"path": "/next/", "upstream": "next"},
                   {"path": "/public/", "public": True, "upstream": "next"}])
    assert gateway.request("GET", "/next/", other.bearer()).status == 200
    held.let()
    response = wire.response()
    assert (response.status, response.body) == (200, b"at last")
    line = gateway.wait_access(path="/held")[0]
    assert (line["route"], line["upstream"], line["agent"]) == ("/", "openclaw", agent.name)
    assert wire.request("GET", "/next/", agent.bearer()).verdict == (401, "credentials_invalid")
    wait_until(lambda: recorder.open_connections == 0, what="the old connection to end")


def test_an_upload_on_its_way_keeps_its_limit(live, recorder):
    gateway, wire = live()
    agent = gateway.take_agent()
    wire.send(encode("POST", "/up", [*agent.bearer(), ("Transfer-Encoding", "chunked")])
              + b"4\r\nhalf\r\n")
    wait_until(lambda: recorder.at("/up"), what="the upload upstream")
    change(gateway, {"listen": {"limits": {"body": "1KiB"}}})
    wire.send(chunked(b"x" * 8000))
    response = wire.response()
    assert (response.status, response.json()["length"]) == (200, 8004)


def test_a_stream_on_its_way_goes_on(live, recorder, second):
    gateway, wire = live()
    agent, release = gateway.take_agent(), threading.Event()

    def stream(exchange):
        exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        release.wait(20)
        exchange.send(chunked(b"last"))

    recorder.on("/stream", stream)
    wire.send(encode("GET", "/stream", agent.bearer()))
    response = wire.head()
    change(gateway, agents=without(gateway, agent),
           upstreams=[{"name": "openclaw", "endpoints": [second.url]}])
    release.set()
    wire.read_body(response)
    assert response.body == b"firstlast"


@pytest.mark.parametrize("name", ["openclaw", "next"])
def test_a_request_in_line_is_served(live, recorder, second, name):
    """It waits for the one connection that there may be, when its endpoint is replaced, or its
    upstream goes altogether."""
    one = {"name": "openclaw", "endpoints": [recorder.url], "max_connections": 1}
    gateway, wire = live({"upstreams": [one]})
    agent, held = gateway.take_agent(), Held(recorder, "/held")
    wire.send(encode("GET", "/held", agent.bearer()))
    held.arrived()
    with gateway.connect() as other:
        other.send(encode("GET", "/in-line", agent.bearer()))
        settle()
        change(gateway, upstreams=[{**one, "name": name, "endpoints": [second.url]}],
               routes=[{"path": "/", "upstream": name}])
        with gateway.connect() as new:
            new.send(encode("GET", "/new", agent.bearer()))
            settle()
            held.let()
            assert wire.response().body == b"at last"
            assert other.response().status == 200
            assert new.response().status == 200
    assert len(recorder.at("/in-line") + second.at("/in-line")) == 1
    assert second.at("/new")


def test_more_connections_help_those_in_line(live, recorder):
    one = {"name": "openclaw", "endpoints": [recorder.url], "max_connections": 1}
    gateway, wire = live({"upstreams": [one]})
    agent, held = gateway.take_agent(), Held(recorder, "/held")
    wire.send(encode("GET", "/held", agent.bearer()))
    held.arrived()
    with gateway.connect() as other:
        other.send(encode("GET", "/in-line", agent.bearer()))
        settle()
        assert not recorder.at("/in-line")
        change(gateway, upstreams=[{**one, "max_connections": 2}])
        assert other.response().status == 200
    held.let()
    assert wire.response().status == 200


def test_half_a_head_is_judged_by_what_holds_when_it_is_whole(live):
    gateway, wire = live()
    whole = encode("GET", "/extra/x")
    wire.send(whole[:20])
    settle()
    change(gateway, routes=[*gateway.policy["routes"], PUBLIC])
    wire.send(whole[20:])
    assert wire.response().status == 200


# Together with the end.

def test_a_reload_in_a_drain_harms_nobody(start, recorder):
    gateway, held = start({"totp": {"one_time": False}}), Held(recorder, "/held")
    with gateway.connect() as wire:
        wire.send(encode("GET", "/held", gateway.take_agent().bearer()))
        held.arrived()
        gateway.signal(signal.SIGTERM)
        wait_until(lambda: gateway.admin("/readyz").status == 503, what="readyz to turn")
        gateway.signal(signal.SIGHUP)
        wait_until(lambda: counts(gateway) == (1, 0), what="the reload to be counted")
        held.let()
        assert wire.response().status == 200
    assert gateway.wait() == 0
