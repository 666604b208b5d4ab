# SPDX-License-Identifier: Apache-2.0
"""An upstream that is gone or slow: what its client is told instead. For one that talks nonsense
see `test_edge_responses.py`."""

import socket
import time

import pytest

from support.gateway import free_port


@pytest.fixture(scope="module")
def policy_patch(module_recorder):
    return {
        "totp": {"one_time": False},
        "upstreams": [
            {"name": "openclaw", "endpoints": [module_recorder.url]},
            {"name": "gone", "endpoints": [f"http://127.0.0.1:{free_port()}"],
             "audience": "gone"},
            {"name": "slow", "endpoints": [module_recorder.url], "audience": "slow",
             "first_byte_timeout": "300ms"}],
        "routes": [
            {"path": "/", "upstream": "openclaw"}, {"path": "/gone/", "upstream": "gone"},
            {"path": "/slow/", "upstream": "slow"}]}


def test_an_upstream_that_is_not_there(gateway, agent):
    response = gateway.request("GET", "/gone/x", agent.bearer())
    assert response.verdict == (503, "upstream_unavailable")
    assert int(response.get("Retry-After")) >= 1


def test_an_upstream_that_does_not_answer(gateway, agent, recorder):
    recorder.on("/slow/x", lambda exchange: time.sleep(3))
    began = time.monotonic()
    response = gateway.request("GET", "/slow/x", agent.bearer())
    assert response.verdict == (504, "upstream_timeout")
    assert 0.25 < time.monotonic() - began < 2.5


def test_no_upstream_is_contacted_before_a_request_has_passed(start, recorder):
    with recorder.untouched():
        gateway = start()
        for _ in range(5):
            assert gateway.request("GET", "/").status == 401
            with socket.create_connection(gateway.address):
                pass
    assert gateway.request("GET", "/", gateway.take_agent().bearer()).status == 200
