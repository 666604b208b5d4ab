# SPDX-License-Identifier: Apache-2.0
"""What the client receives: the upstream's answer, less what was meant for one hop and what
only the gateway may say."""

import pytest

from support.gateway import new_session

EVIL = "evil-marker"


@pytest.fixture(scope="module")
def policy_patch():
    return {"totp": {"one_time": False}}


def test_a_response_comes_as_the_upstream_sent_it(gateway, agent, recorder):
    token = new_session(gateway, agent)
    sent = [("Content-Type", "text/plain"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2; Secure"),
            ("X-High", "gr\xfc\xdfe"), ("ETag", 'W/"x"'), ("Server", "own"), ("Vary", "Accept")]
    recorder.reply("/r", b"body", status="418 I'm a teapot", headers=sent)
    response = gateway.request("GET", "/r", agent.session(token))
    assert (response.status, response.reason, response.body) == (418, "I'm a teapot", b"body")
    names = {name.lower() for name, _ in sent}
    assert [(n.lower(), v) for n, v in response.headers if n.lower() in names] \
        == [(n.lower(), v) for n, v in sent]


def test_hop_by_hop_fields_of_a_response_are_removed(gateway, agent, recorder):
    recorder.reply("/r", headers=[("Connection", "keep-alive, X-Hop"), ("X-Hop", EVIL),
                                  ("Keep-Alive", EVIL), ("Proxy-Authenticate", EVIL)])
    response = gateway.request("GET", "/r", agent.bearer())
    assert EVIL not in str(response.headers)
    recorder.reply("/c", headers=[("Connection", "close")])
    with gateway.connect() as wire:
        assert wire.request("GET", "/c", agent.bearer()).get("Connection") != "close"
        assert wire.request("GET", "/", agent.bearer()).status == 200


def test_what_an_upstream_sends_in_our_name_is_removed(gateway, agent, recorder):
    token = new_session(gateway, agent)
    recorder.reply("/r", headers=[("X-AgentPort-User", EVIL), ("x-agentport-jwt", EVIL),
                                  ("X-AGENTPORT-ANYTHING", EVIL)])
    response = gateway.request("GET", "/r", agent.session(token))
    assert EVIL not in str(response.headers)
