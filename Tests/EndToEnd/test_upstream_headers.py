# SPDX-License-Identifier: Apache-2.0
"""What the upstream receives: whatever a client claims about itself goes, what was verified
comes, and the rest is left as it was."""

import re

import pytest

from support.wire import chunked, encode

UUID_V7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")
JWT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")

# What a client must not be able to tell the upstream.
CLAIMS = """
    x-agentport-jwt X-AgentPort-User x-agentport-agent x-agentport-anything-at-all
    x-forwarded-token x-forwarded-user x-forwarded-email x-forwarded-groups
    x-forwarded-preferred-username x-auth-request-user x-auth-request-email
    x-auth-request-access-token remote-user x-remote-user x-real-ip x-original-url
    x-rewrite-url x-http-method-override
    X_AgentPort_JWT x_agentport_user x_forwarded_token x-forwarded_user x_forwarded-email
    x_auth_request_user REMOTE_USER remote_user x_remote_user x_real_ip x_original_url
    x_rewrite_url x_http_method_override X-AGENTPORT-JWT
    x_agentport-totp x_agentport_session
""".split()

HOP_BY_HOP = ["Keep-Alive", "Proxy-Connection", "Proxy-Authorization", "Proxy-Authenticate"]
EVIL = "evil-marker"


@pytest.fixture(scope="module")
def policy_patch():
    return {"totp": {"one_time": False}}


@pytest.fixture(params=["/private", "/public/page"])
def target(request):
    return request.param


def passed(gateway, recorder, target, headers, body=None, host="claw.example.com"):
    recorder.requests.clear()
    assert gateway.request("POST" if body else "GET", target, headers, body,
                           host=host).status == 200
    return recorder.only()


@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_is_removed(gateway, agent, recorder, target, name):
    seen = passed(gateway, recorder, target, [*agent.bearer(), (name, EVIL)])
    assert EVIL.encode() not in seen.raw_head


def test_all_claims_at_once_are_removed(gateway, agent, recorder, target):
    claims = [(name, EVIL) for name in CLAIMS]
    seen = passed(gateway, recorder, target, [*claims, *agent.bearer(), *claims])
    assert EVIL.encode() not in seen.raw_head


def test_credentials_never_reach_the_upstream(gateway, agent, recorder, target):
    for headers in (agent.bearer(), agent.parameters(), agent.basic()):
        seen = passed(gateway, recorder, target, headers)
        head = seen.raw_head
        assert seen.all("Authorization") == []
        assert agent.key.encode() not in head and agent.seed.encode() not in head
        assert b"x-agentport-totp" not in head.lower()


@pytest.mark.parametrize("name", HOP_BY_HOP)
def test_hop_by_hop_fields_are_removed(gateway, agent, recorder, target, name):
    seen = passed(gateway, recorder, target, [*agent.bearer(), (name, EVIL)])
    assert EVIL.encode() not in seen.raw_head


@pytest.mark.parametrize("connection", ["X-Mine", "x-mine", "keep-alive, X-Mine",
                                        "close , x-mine,, ", "X-MINE, X-Other"])
def test_fields_named_in_connection_are_removed(gateway, agent, recorder, target, connection):
    seen = passed(gateway, recorder, target, [
        *agent.bearer(), ("X-Mine", EVIL), ("Connection", connection), ("x-mine", EVIL)])
    assert EVIL.encode() not in seen.raw_head
    assert "x-mine" not in seen.names


@pytest.mark.parametrize("named", [
    "x-agentport-jwt", "x-forwarded-for", "x-forwarded-proto", "x-request-id", "traceparent",
    "authorization", "x-forwarded-host", "forwarded"])
def test_connection_cannot_remove_what_the_gateway_adds(gateway, agent, recorder, named):
    plain = set(passed(gateway, recorder, "/p", agent.bearer()).names)
    seen = passed(gateway, recorder, "/p", [*agent.bearer(), ("Connection", named)])
    assert plain <= set(seen.names)


def test_claims_in_trailers_are_removed_too(gateway, agent, recorder, target):
    trailers = [*((name, EVIL) for name in CLAIMS), ("Authorization", f"Bearer {EVIL}"),
                ("X-AgentPort-TOTP", EVIL), ("X-Checksum", "kept")]
    seen = passed(gateway, recorder, target,
                  [*agent.bearer(), ("Transfer-Encoding", "chunked"), ("Trailer", "X-Checksum")],
                  chunked(b"body", trailers=trailers))
    assert seen.body == b"body"
    assert seen.trailers == [("X-Checksum", "kept")]


def test_framing_fields_in_trailers_are_not_passed_on(gateway, agent, recorder):
    """RFC 9110 section 6.5.1: a recipient that merged them would read another message."""
    trailers = [("Content-Length", "0"), ("Transfer-Encoding", "chunked"), ("Host", EVIL)]
    with gateway.connect() as wire:
        wire.send(encode("POST", "/t", [*agent.bearer(), ("Transfer-Encoding", "chunked")],
                         chunked(b"body", trailers=trailers)))
        assert wire.response().status in (200, 400)
    for request in recorder.whole:
        assert request.trailers == []


# What is added.

def test_a_request_that_passed_carries_one_jwt(gateway, agent, recorder):
    seen = passed(gateway, recorder, "/private", agent.bearer())
    assert JWT.fullmatch(seen.get("x-agentport-jwt"))


def test_a_public_route_gets_no_identity(gateway, agent, recorder):
    """Nor does it with credentials: nobody has verified them."""
    for headers in ([], agent.bearer(), [("X-AgentPort-JWT", "a.b.c")]):
        seen = passed(gateway, recorder, "/public/page", headers)
        assert [n for n in seen.names if n.startswith(("x-agentport-", "x-openclaw-"))] == []
        assert seen.all("x-forwarded-token") == []


def test_the_legacy_header_is_sent_only_when_asked_for(start, recorder):
    gateway = start({"issuer": {"legacy_header": True}})
    agent = gateway.take_agent()
    seen = passed(gateway, recorder, "/", [*agent.bearer(), ("X-Forwarded-Token", EVIL)])
    assert seen.get("x-forwarded-token") == seen.get("x-agentport-jwt")
    assert [line for line in gateway.logs()
            if line["level"] == "warn" and "legacy_header" in str(line)]


def test_where_the_request_came_from(gateway, agent, recorder, target):
    spoofed = [("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-Proto", "http"),
               ("X-Forwarded-Host", "evil.example"), ("X_Forwarded_For", "6.6.6.6"),
               ("Forwarded", "for=6.6.6.6;proto=http;host=evil.example"),
               ("X-Forwarded-For", "7.7.7.7")]
    seen = passed(gateway, recorder, target, [*agent.bearer(), *spoofed],
                  host="claw.example.com:8443")
    assert seen.get("x-forwarded-for") == "127.0.0.1"
    assert seen.get("x-forwarded-proto") == "https"
    assert seen.get("x-forwarded-host") == "claw.example.com:8443"
    forwarded = seen.get("forwarded").lower().replace('"', "")
    assert "for=127.0.0.1" in forwarded and "proto=https" in forwarded
    assert "host=claw.example.com:8443" in forwarded
    for spoof in (b"6.6.6.6", b"7.7.7.7", b"evil.example"):
        assert spoof not in seen.raw_head


def test_the_host_is_kept(gateway, agent, recorder):
    seen = passed(gateway, recorder, "/", agent.bearer(), host="claw.example.com:8443")
    assert seen.get("Host") == "claw.example.com:8443"


def test_a_request_id_is_made(gateway, agent, recorder, target):
    first = passed(gateway, recorder, target, agent.bearer())
    second = passed(gateway, recorder, target, agent.bearer())
    ids = [seen.get("x-request-id") for seen in (first, second)]
    assert all(UUID_V7.fullmatch(value) for value in ids), ids
    assert ids[0] < ids[1], "a UUIDv7 sorts by its time"


@pytest.mark.parametrize("value", ["a", "req-1.2_3", "A" * 128])
def test_an_agent_s_request_id_is_kept(gateway, agent, recorder, value):
    response = gateway.request("GET", "/", [*agent.bearer(), ("X-Request-Id", value)])
    assert recorder.only().get("x-request-id") == value == response.get("X-Request-Id")


@pytest.mark.parametrize("value", ["", "A" * 129, "a b", "a;b", "ü", '"a"', "a,b", "<x>"])
def test_an_unfit_request_id_is_replaced(gateway, agent, recorder, value):
    header = ("X-Request-Id", value.encode().decode("latin-1"))
    seen = passed(gateway, recorder, "/", [*agent.bearer(), header])
    assert UUID_V7.fullmatch(seen.get("x-request-id"))


def test_a_stranger_s_request_id_is_replaced(gateway, recorder):
    seen = passed(gateway, recorder, "/public/", [("X-Request-Id", "mine")])
    assert UUID_V7.fullmatch(seen.get("x-request-id"))
    refusal = gateway.request("GET", "/", [("X-Request-Id", "mine")])
    assert UUID_V7.fullmatch(refusal.get("X-Request-Id"))


def test_the_response_carries_the_request_id(gateway, agent, recorder):
    recorder.reply("/id", headers=[("X-Request-Id", "the-upstream-s-own")])
    response = gateway.request("GET", "/id", agent.bearer())
    assert response.get("X-Request-Id") == recorder.only().get("x-request-id")


def test_a_trace_is_started(gateway, agent, recorder, target):
    values = [passed(gateway, recorder, target, agent.bearer()).get("traceparent")
              for _ in range(2)]
    first, second = (TRACEPARENT.fullmatch(value) for value in values)
    assert first and second, values
    assert first[1] != second[1]


def test_a_trace_is_continued(gateway, agent, recorder, target):
    given = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    seen = passed(gateway, recorder, target, [*agent.bearer(), ("traceparent", given),
                                              ("tracestate", "vendor=1")])
    match = TRACEPARENT.fullmatch(seen.get("traceparent"))
    assert match[1] == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert seen.get("tracestate") == "vendor=1"


@pytest.mark.parametrize("given", [
    "", "nonsense", "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
    "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more"])
def test_an_invalid_trace_is_replaced(gateway, agent, recorder, given):
    seen = passed(gateway, recorder, "/", [*agent.bearer(), ("traceparent", given)])
    match = TRACEPARENT.fullmatch(seen.get("traceparent"))
    assert match and match[1] != "4bf92f3577b34da6a3ce929d0e0e4736"


# What is left as it was.

def test_everything_else_is_byte_for_byte(gateway, agent, recorder):
    kept = [("Accept", "text/html, */*;q=0.1"), ("Cookie", "a=1; b=2"), ("X-Twice", "one"),
            ("X-Twice", "two"), ("User-Agent", "test/1.0 (x; y)"), ("X-Empty", ""),
            ("X-High", "gr\xfc\xdfe"), ("X-Spaces", "a  b\tc"), ("Origin", "https://a.example"),
            ("Content-Type", "application/json; charset=utf-8"), ("x-forwarded-port", "1"),
            ("X-Remote-Users", "near miss"), ("Remote-User-Agent", "near miss")]
    seen = passed(gateway, recorder, "/", [*kept, *agent.bearer()], b'{"a": 1}')
    names = {name.lower() for name, _ in kept}
    assert [(n.lower(), v) for n, v in seen.headers if n.lower() in names] \
        == [(n.lower(), v) for n, v in kept]
    assert seen.body == b'{"a": 1}'
