# SPDX-License-Identifier: Apache-2.0
"""An upstream that is gone, slow, or talks nonsense: what its client is told instead."""

import socket
import time

import pytest

from support.gateway import free_port
from support.wire import Closed, encode


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


BAD_RESPONSES = {
    "no HTTP": b"220 smtp.example ESMTP\r\n\r\n",
    "another version": b"HTTP/2 200 OK\r\n\r\n",
    "no status": b"HTTP/1.1 OK\r\n\r\n",
    "a status of two digits": b"HTTP/1.1 20 OK\r\n\r\n",
    "a status of four digits": b"HTTP/1.1 2000 OK\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "both framings": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked"
                     b"\r\n\r\n2\r\nab\r\n0\r\n\r\n",
    "a negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    "an unknown coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: xyz\r\n\r\nabc",
    "a folded line": b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n",
    "a space before a colon": b"HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n",
    "a line without a colon": b"HTTP/1.1 200 OK\r\nnonsense\r\nContent-Length: 0\r\n\r\n",
    "NUL in a value": b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n",
    "an endless head": b"HTTP/1.1 200 OK\r\n" + b"X: " + b"a" * 200_000,
    "an upgrade nobody asked for": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n"
                                   b"Connection: Upgrade\r\n\r\n",
}


@pytest.mark.parametrize("raw", BAD_RESPONSES.values(), ids=BAD_RESPONSES.keys())
def test_a_bad_response(gateway, agent, recorder, raw):
    recorder.raw("/bad", raw, close=True)
    response = gateway.request("GET", "/bad", agent.bearer())
    assert response.verdict == (502, "upstream_bad_response")
    assert gateway.request("GET", "/", agent.bearer()).status == 200


CUT_SHORT = {
    "in a length": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
    "in a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhalf",
    "before the last chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    "by a bad chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n",
}


@pytest.mark.parametrize("raw", CUT_SHORT.values(), ids=CUT_SHORT.keys())
def test_a_response_cut_short_does_not_look_whole(gateway, agent, recorder, raw):
    recorder.raw("/cut", raw, close=True)
    with gateway.connect() as wire:
        wire.send(encode("GET", "/cut", agent.bearer()))
        try:
            response = wire.response()
        except Closed:
            pass  # begun, and ended without the framing's end
        else:
            assert response.verdict == (502, "upstream_bad_response")
    assert gateway.request("GET", "/", agent.bearer()).status == 200


def test_no_upstream_is_contacted_before_a_request_has_passed(start, recorder):
    with recorder.untouched():
        gateway = start()
        for _ in range(5):
            assert gateway.request("GET", "/").status == 401
            with socket.create_connection(gateway.address):
                pass
    assert gateway.request("GET", "/", gateway.take_agent().bearer()).status == 200
