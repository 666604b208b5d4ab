# SPDX-License-Identifier: Apache-2.0
"""Who the client is where requests come by way of proxies, and whom of them to believe."""

import pytest

from support.gateway import CHAIN, new_session

# As far as the gateway knows, this machine is a proxy, and so is 10.0.0.0/8.
TRUSTING = {
    "totp": {"one_time": False},
    "listen": {"trusted_proxies": ["127.0.0.0/8", "10.0.0.0/8"]},
    "filters": [{**f, **({"requests": 3, "per": "60s", "burst": 3}
                         if f["use"] == "ip_rate_limit" else {})} for f in CHAIN]}

CLIENTS = {
    "one address": (["192.0.2.7"], "192.0.2.7"),
    "an IPv6 address": (["2001:db8::7"], "2001:db8::7"),
    "an address with a port": (["192.0.2.7:4711"], "192.0.2.7"),
    "an IPv6 address in brackets, with a port": (["[2001:db8::7]:4711"], "2001:db8::7"),
    "what the client wrote itself, then the proxy": (["203.0.113.9, 192.0.2.7"], "192.0.2.7"),
    "two proxies": (["192.0.2.7, 10.1.2.3"], "192.0.2.7"),
    "two fields": (["203.0.113.9, 192.0.2.7", "10.1.2.3"], "192.0.2.7"),
    "white space and empty elements at the front": ([" , ,\t192.0.2.7 "], "192.0.2.7"),
    "nothing but proxies": (["10.9.9.9, 10.1.2.3"], "10.9.9.9"),
    "no address": (["unknown"], "127.0.0.1"),
    "no address before a proxy": (["unknown, 10.1.2.3"], "10.1.2.3"),
    "nothing": ([], "127.0.0.1"),
    "an empty field": ([""], "127.0.0.1"),
}


@pytest.mark.parametrize("fields, client", CLIENTS.values(), ids=CLIENTS.keys())
def test_the_client_is_the_last_who_is_no_proxy(start, fields, client):
    gateway = start(TRUSTING)
    response = gateway.request("GET", "/public/x", [("X-Forwarded-For", f) for f in fields])
    assert response.status == 200
    assert gateway.wait_access(path="/public/x")[0]["client"] == client


def test_rates_are_counted_by_client(start):
    gateway = start(TRUSTING)
    agent = gateway.take_agent()

    def status(client):
        return gateway.request("GET", "/x", [*agent.bearer(), ("X-Forwarded-For", client)]).status

    assert [status("192.0.2.1") for _ in range(4)] == [200, 200, 200, 429]
    assert status("192.0.2.2") == 200
    # What stands before the last proxy's word changes nothing.
    assert status("198.51.100.1, 192.0.2.1") == 429


def test_a_session_is_bound_to_the_client(start):
    gateway = start(TRUSTING)
    agent = gateway.take_agent()
    granted = gateway.request(
        "GET", "/x", [*agent.bearer(), ("X-Forwarded-For", "192.0.2.1")])
    token = granted.get("X-AgentPort-Session")
    for client, status in (("192.0.2.1", 200), ("192.0.2.2", 401)):
        response = gateway.request("GET", "/x", [
            ("Authorization", f"Bearer {agent.key}"), ("X-AgentPort-Session", token),
            ("X-Forwarded-For", client)])
        assert response.status == status, client


def test_whoever_is_no_proxy_is_not_believed(start, recorder):
    gateway = start({"totp": {"one_time": False}})
    agent = gateway.take_agent()
    new_session(gateway, agent)
    response = gateway.request(
        "GET", "/mine", [*agent.bearer(), ("X-Forwarded-For", "192.0.2.1")])
    assert response.status == 200
    assert gateway.wait_access(path="/mine")[0]["client"] == "127.0.0.1"
    seen = recorder.at("/mine")[0]
    assert seen.all("X-Forwarded-For") == ["127.0.0.1"]


def test_a_proxy_may_have_more_connections_than_a_client(start):
    gateway = start({**TRUSTING, "listen": {**TRUSTING["listen"],
                                            "limits": {"connections_per_ip": 2}}})
    wires = [gateway.connect() for _ in range(6)]
    for number, wire in enumerate(wires):
        response = wire.request("GET", "/public/x", [("X-Forwarded-For", f"192.0.2.{number}")])
        assert response.status == 200
        wire.close()
