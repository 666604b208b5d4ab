# SPDX-License-Identifier: Apache-2.0
"""Requests that break off: never whole to the upstream, and no harm to whoever comes next on its
connection. What is refused for its form is in `test_edge_requests.py`."""

import pytest

from support.waiting import settle
from support.wire import Closed, encode

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: claw.example.com\r\n\r\n"


@pytest.fixture(scope="module")
def policy_patch():
    return {"totp": {"one_time": False}}


def post(agent, name, value):
    return encode("POST", "/x", [*agent.bearer(), (name, value)])


def test_a_request_cut_short_is_never_a_request(gateway, agent, recorder):
    with gateway.connect() as wire:
        wire.send(post(agent, "Content-Length", "10") + b"half")
        wire.socket.unwrap().close()
    settle()
    assert recorder.whole == []


def test_a_refused_request_does_not_poison_the_pool(gateway, agent, recorder):
    """A body that breaks off in the middle must take its upstream connection with it."""
    for _ in range(5):
        with gateway.connect() as wire:
            wire.send(post(agent, "Transfer-Encoding", "chunked")
                      + b"5\r\nhello\r\nxx\r\n" + SMUGGLED)
            try:
                wire.response()
            except Closed:
                pass
        response = gateway.request("GET", "/after", agent.bearer())
        assert response.json()["target"] == "/after"
    assert recorder.at("/smuggled") == []
