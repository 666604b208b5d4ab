# SPDX-License-Identifier: Apache-2.0
"""Routes: which of them a path takes, which upstream and methods and limits come with it."""

import threading
import time

import pytest

from support.gateway import upstream
from support.waiting import settle
from support.wire import Closed, chunked, encode

KIB = 1 << 10
TABLE = [
    {"path": "/", "upstream": "root"},
    {"path": "/api/", "upstream": "api"},
    {"path": "/api/v1/", "upstream": "root", "methods": ["GET", "POST"]},
    {"path": "/api/v1/tools", "upstream": "api", "methods": ["POST"]},
    {"path": "/api/v1/tools/", "upstream": "api", "methods": ["DELETE", "PUT"]},
    {"path": "/exact", "upstream": "api"},
]


@pytest.fixture(scope="module")
def policy_patch(module_recorder):
    """Every route is public. Both upstreams are one server: `Host` or path tell nothing, so that
    which upstream it was stands in the access line."""
    public = [{"public": True, **route} for route in [
        *({**route, "path": "/t" + route["path"]} for route in TABLE),
        *({"path": f"/{name}/", "upstream": "root", "limits": limits}
          for name, limits in LIMITS.items()),
        {"path": "/free/", "upstream": "root"}]]
    return {
        "filters": [{"use": "tls_inspector"}], "routes": public,
        "listen": {"limits": {"connections_per_ip": 1000, "body": "64KiB"}},
        "upstreams": [upstream(module_recorder, name="root"),
                      upstream(f"http://localhost:{module_recorder.port}", name="api")]}


LIMITS = {
    "body": {"body": "1KiB"},
    "large": {"body": "4MiB"},
    "nothing": {"body": "0B"},
    "slow": {"body_timeout": "400ms"},
    "bytes": {"header_bytes": "1KiB"},
    "fields": {"header_fields": 8},
    "line": {"request_line": "200B"},
}


@pytest.fixture
def asks(gateway, recorder):
    """Sends one request and tells its status, and which route and upstream it took."""
    def ask(method, target, headers=(), body=None):
        before = len(gateway.access())
        response = gateway.request(method, target, headers, body)
        line = gateway.wait_access(before + 1)[-1]
        return response, line.get("route"), line.get("upstream")
    return ask


# Which route.

@pytest.mark.parametrize("method, target, route, upstream_name", [
    ("GET", "/t/", "/t/", "root"), ("GET", "/t/x", "/t/", "root"), ("GET", "/t/api", "/t/", "root"),
    ("GET", "/t/api/", "/t/api/", "api"), ("PUT", "/t/api/x?v1/", "/t/api/", "api"),
    ("GET", "/t/api/v1", "/t/api/", "api"), ("GET", "/t/api/v1/", "/t/api/v1/", "root"),
    ("GET", "/t/api/v1/tool", "/t/api/v1/", "root"),
    ("GET", "/t/api/v1/toolsx", "/t/api/v1/", "root"),
    ("POST", "/t/api/v1/tools", "/t/api/v1/tools", "api"),
    ("POST", "/t/api/v1/tools?a=/b", "/t/api/v1/tools", "api"),
    ("DELETE", "/t/api/v1/tools/1", "/t/api/v1/tools/", "api"),
    ("GET", "/t/exact", "/t/exact", "api"), ("GET", "/t/exact/", "/t/", "root"),
    ("GET", "/t/exactly", "/t/", "root"), ("GET", "/t/EXACT", "/t/", "root"),
    ("GET", "/t/x/../exact", "/t/exact", "api"), ("GET", "/t//api//x", "/t/api/", "api"),
    ("GET", "/t/%61pi/x", "/t/api/", "api"), ("GET", "/t/./exact?q", "/t/exact", "api")])
def test_the_longest_match_decides(asks, recorder, method, target, route, upstream_name):
    response, taken, its_upstream = asks(method, target)
    assert (response.status, taken, its_upstream) == (200, route, upstream_name)
    assert len(recorder.requests) == 1


@pytest.mark.parametrize("target", ["/", "/t", "/tt/", "/T/", "/free", "/body"])
def test_no_route(gateway, recorder, target):
    with recorder.untouched():
        assert gateway.request("GET", target).verdict == (404, "no_route")


# Methods.

@pytest.mark.parametrize("method, target, allowed", [
    ("GET", "/t/api/v1/tools", {"POST"}), ("DELETE", "/t/api/v1/tools", {"POST"}),
    ("OPTIONS", "/t/api/v1/tools", {"POST"}), ("PUT", "/t/api/v1/x", {"GET", "POST"}),
    ("GET", "/t/api/v1/tools/1", {"DELETE", "PUT"}), ("post", "/t/api/v1/tools", {"POST"}),
    ("BREW", "/t/api/v1/tools", {"POST"})])
def test_a_method_that_is_not_allowed(gateway, recorder, method, target, allowed):
    """Of the longest match alone: what a shorter one would allow counts for nothing."""
    with recorder.untouched():
        response = gateway.request(method, target)
    assert response.verdict == (405, "method_not_allowed")
    assert {name.strip() for name in response.get("Allow").split(",")} == allowed


def test_head_where_only_get_is_named(gateway, recorder):
    """HEAD is a method of its own; a policy that means it names it."""
    with recorder.untouched():
        response = gateway.request("HEAD", "/t/api/v1/x")
    assert response.status == 405 and "GET" in response.get("Allow")


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS",
                                    "PROPFIND"])
def test_any_method_where_none_is_named(gateway, recorder, method):
    assert gateway.request(method, "/t/exact").status == 200
    assert recorder.only().method == method


# Limits of a route.

def refused(gateway, recorder, verdict, method, target, headers=(), body=None):
    with recorder.untouched(), gateway.connect() as wire:
        wire.send_all_it_takes(encode(method, target, headers, body))
        assert wire.response(method).verdict == verdict


@pytest.mark.parametrize("name, most", [
    ("body", KIB), ("free", 64 * KIB), ("large", 4096 * KIB), ("nothing", 0)])
def test_a_body(gateway, recorder, name, most):
    """A route may allow more than the listener, too."""
    assert gateway.request("POST", f"/{name}/", body=b"x" * most).status == 200
    assert recorder.only().length == most
    refused(gateway, recorder, (413, "body_too_large"), "POST", f"/{name}/", body=b"x" * (most + 1))
    refused(gateway, recorder, (413, "body_too_large"), "POST", f"/{name}/",
            [("Content-Length", str(most + 1)), ("Expect", "100-continue")])


@pytest.mark.parametrize("name, most", [("body", KIB), ("large", 4096 * KIB), ("nothing", 0)])
def test_a_body_in_chunks(gateway, recorder, name, most):
    coding = [("Transfer-Encoding", "chunked")]
    pieces = [b"x" * min(most, 60000)] * (most // max(1, min(most, 60000)))
    pieces += [b"x" * (most - sum(map(len, pieces)))] if most > sum(map(len, pieces)) else []
    assert gateway.request("POST", f"/{name}/", coding, chunked(*pieces)).status == 200
    assert recorder.only().length == most
    with gateway.connect() as wire:
        wire.send_all_it_takes(encode("POST", f"/{name}/", coding, chunked(*pieces, b"x")))
        assert wire.response().verdict == (413, "body_too_large")
    settle()
    assert len(recorder.whole) == 1


def test_a_body_that_stalls(gateway, recorder):
    with gateway.connect() as wire:
        began = time.monotonic()
        wire.send(encode("POST", "/slow/x", [("Content-Length", "10")], b"half"))
        assert wire.response().verdict == (408, "request_timeout")
        assert 0.3 < time.monotonic() - began < 2
        wire.ends()
    settle()
    assert recorder.whole == []


def test_a_body_that_comes_slowly_but_steadily(gateway, recorder):
    pause = threading.Event()
    with gateway.connect() as wire:
        wire.send(encode("POST", "/slow/x", [("Content-Length", "8")]))
        for _ in range(8):
            pause.wait(0.1)
            wire.send(b"x")
        assert wire.response().status == 200
    assert recorder.only().length == 8


def test_a_body_that_stalls_where_nothing_is_said(gateway, recorder):
    pause = threading.Event()
    with gateway.connect() as wire:
        wire.send(encode("POST", "/free/x", [("Content-Length", "8")], b"half"))
        pause.wait(0.8)
        wire.send(b"rest")
        assert wire.response().status == 200


def test_a_head_of_too_many_bytes(gateway, recorder):
    assert gateway.request("GET", "/bytes/", [("X", "a" * 800)]).status == 200
    refused(gateway, recorder, (431, "headers_too_large"), "GET", "/bytes/", [("X", "a" * 1000)])
    assert gateway.request("GET", "/free/", [("X", "a" * 5000)]).status == 200


def test_a_head_of_too_many_fields(gateway, recorder):
    # Host is one of them.
    assert gateway.request("GET", "/fields/", [(f"X-{n}", "a") for n in range(7)]).status == 200
    refused(gateway, recorder, (431, "headers_too_large"), "GET", "/fields/",
            [(f"X-{n}", "a") for n in range(8)])
    assert gateway.request("GET", "/free/", [(f"X-{n}", "a") for n in range(50)]).status == 200


def test_a_request_line_that_is_too_long(gateway, recorder):
    # `GET `, ` HTTP/1.1` and the line's end count, or do not: a few bytes are left open.
    assert gateway.request("GET", "/line/" + "a" * 170).status == 200
    refused(gateway, recorder, (414, "uri_too_long"), "GET", "/line/" + "a" * 200)
    assert gateway.request("GET", "/free/" + "a" * 5000).status == 200


def test_a_limit_holds_for_each_request_of_a_connection(gateway, recorder):
    """Not the one of the request before."""
    with gateway.connect() as wire:
        assert wire.request("POST", "/large/", body=b"x" * 200_000).status == 200
        assert wire.request("POST", "/body/", body=b"x" * KIB).status == 200
        assert wire.request("POST", "/large/", body=b"x" * 200_000).status == 200
        wire.send_all_it_takes(encode("POST", "/body/", body=b"x" * (KIB + 1)))
        assert wire.response().verdict == (413, "body_too_large")


def test_a_refused_body_does_not_look_like_a_whole_one_upstream(gateway, recorder):
    """What was sent of it before it became too long must not be taken for all."""
    coding = [("Transfer-Encoding", "chunked")]
    with gateway.connect() as wire:
        wire.send(encode("POST", "/body/", coding, b"100\r\n" + b"x" * 256 + b"\r\n"))
        settle()
        wire.send_all_it_takes(b"400\r\n" + b"x" * 1024 + b"\r\n0\r\n\r\n")
        try:
            assert wire.response().verdict == (413, "body_too_large")
        except Closed as closed:
            assert not closed.clean
    settle()
    assert recorder.whole == []
    assert gateway.request("GET", "/free/").status == 200


# Per-route upstreams.

def test_each_route_has_its_own_upstream(front, recorders):
    one, other = recorders(), recorders()
    gateway = front(upstream(one, name="one"), upstream(other, name="other"), routes=[
        {"path": "/"}, {"path": "/other/", "upstream": "other"}])
    with gateway.connect() as wire:
        for number in range(3):
            assert wire.request("GET", f"/{number}").status == 200
            assert wire.request("GET", f"/other/{number}").status == 200
        other.stop()
        other.hang_up()
        assert wire.request("GET", "/other/x").verdict == (503, "upstream_unavailable")
        assert wire.request("GET", "/x").status == 200
    assert [r.target for r in one.requests] == ["/0", "/1", "/2", "/x"]
    assert [r.target for r in other.requests] == ["/other/0", "/other/1", "/other/2"]
