# SPDX-License-Identifier: Apache-2.0
"""The admin calls: what each does, at once and for everybody, and what it says when it does not."""

import re

import jwt
import pytest

from support.gateway import new_session
from support.operator import Operator, lives, passes, problem, told_once
from support.reloading import counts
from support.waiting import wait_until
from support.wire import chunked, encode

CALLS = [("GET", "/admin/status"), ("GET", "/admin/secrets"), ("POST", "/admin/secrets"),
         ("POST", "/admin/agents/agent-0/disable"), ("POST", "/admin/agents/agent-0/enable"),
         ("POST", "/admin/sessions/revoke"), ("GET", "/admin/keys"),
         ("POST", "/admin/keys/rotate"), ("POST", "/admin/reload"), ("POST", "/admin/drain")]
TARGETS = sorted({target for _, target in CALLS})
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture(scope="module")
def policy_patch():
    return {"totp": {"one_time": False}}


@pytest.fixture
def operator(gateway):
    return Operator(gateway)


# What they do.

def test_status(gateway, operator, agent):
    assert passes(gateway, agent)
    response = operator.get("/admin/status")
    assert response.status == 200
    assert response.get("Content-Type") == "application/json"
    assert "no-store" in response.get("Cache-Control")
    status = response.json()
    assert status["version"] and status["workers"] == 1 and status["uptime_seconds"] >= 0
    assert re.fullmatch(r"[0-9a-f]{64}", status["policy"]["sha256"])
    shown = response.body.decode()
    for word in ("loaded_at", "upstreams", "healthy", "certificate", "clock", "decisions",
                 "connections"):
        assert word in shown, word


def test_status_counts_decisions_and_rotations(start):
    gateway = start({"totp": {"one_time": False}})
    operator, agent = Operator(gateway), gateway.take_agent()
    agent = operator.rotate(agent)
    for _ in range(3):
        assert passes(gateway, agent)
    assert not passes(gateway, agent, agent.wrong_code())
    wait_until(lambda: operator.get("/admin/status").json()["decisions"].get("ok") == 3,
               what="three requests that passed")
    status = operator.get("/admin/status").json()
    assert status["decisions"]["totp_invalid"] == 1
    assert status["seeds"] == {"rotations": 1, "in_grace": 1}
    assert gateway.metrics()["agentport_seed_rotations_total{}"] == 1


def test_an_agent_is_disabled_and_enabled_at_once(gateway, operator, agent, recorder):
    session = new_session(gateway, agent)
    with gateway.connect() as wire:
        assert wire.request("GET", "/", agent.session(session)).status == 200
        operator.disable(agent)
        with recorder.untouched():
            for headers in (agent.session(session), agent.bearer(), agent.basic(),
                            agent.bearer(agent.wrong_code())):
                assert wire.request("GET", "/", headers).verdict == (403, "agent_disabled")
            wrong = [("Authorization", "Bearer wrong")]
            assert wire.request("GET", "/", wrong).verdict == (401, "credentials_invalid")
        operator.disable(agent)  # once more is harmless
        operator.enable(agent)
        assert wire.request("GET", "/", agent.bearer()).status == 200
        assert wire.request("GET", "/", agent.session(session)).verdict == (401, "session_invalid")
        operator.enable(agent)


def test_disabling_one_leaves_the_others(gateway, operator):
    one, other = gateway.take_agent(), gateway.take_agent()
    session = new_session(gateway, other)
    operator.disable(one)
    assert lives(gateway, other, session) and passes(gateway, other)


def test_sessions_of_an_agent_are_revoked(gateway, operator):
    one, other = gateway.take_agent(), gateway.take_agent()
    sessions = [new_session(gateway, one) for _ in range(3)]
    stays = new_session(gateway, other)
    response = operator.post("/admin/sessions/revoke", {"agent": one.name})
    assert response.status == 200, response.body
    assert not any(lives(gateway, one, session) for session in sessions)
    assert lives(gateway, other, stays)
    assert passes(gateway, one)


def test_all_sessions_are_revoked(start):
    gateway = start({"totp": {"one_time": False}})
    agents = [gateway.take_agent() for _ in range(2)]
    sessions = [new_session(gateway, agent) for agent in agents]
    assert Operator(gateway).post("/admin/sessions/revoke", {"all": True}).status == 200
    assert not any(map(lambda pair: lives(gateway, *pair), zip(agents, sessions)))


def test_one_session_is_revoked_by_its_sid(gateway, operator, agent, recorder):
    sessions = [new_session(gateway, agent) for _ in range(2)]
    recorder.requests.clear()
    assert lives(gateway, agent, sessions[0])
    token = recorder.only().get("x-agentport-jwt")
    sid = jwt.decode(token, options={"verify_signature": False})["sid"]
    assert operator.post("/admin/sessions/revoke", {"sid": sid}).status == 200
    assert [lives(gateway, agent, session) for session in sessions] == [False, True]


@pytest.mark.parametrize("body", [
    {}, {"all": False}, {"all": True, "agent": "agent-0"}, {"sid": 7}, {"agent": None}, [], "all",
    {"everyone": True}, {"sid": ""}, {"agent": ["agent-0"]}])
def test_what_to_revoke_must_be_said_in_one_way(gateway, operator, agent, body):
    session = new_session(gateway, agent)
    response = operator.post("/admin/sessions/revoke", body)
    problem(response, response.status)
    assert response.status in (400, 404, 422)
    assert lives(gateway, agent, session)


def test_all_of_it_counts_on_every_worker_at_once(start):
    gateway = start({"totp": {"one_time": False}}, env={"AGENTPORT_WORKERS": "2"})
    operator, agent = Operator(gateway), gateway.take_agent()
    wires = [gateway.connect() for _ in range(12)]

    def verdicts(headers):
        return {wire.request("GET", "/", headers).verdict for wire in wires}

    for _ in range(5):
        session = new_session(gateway, agent)
        assert verdicts(agent.session(session)) == {(200, None)}
        assert operator.post("/admin/sessions/revoke", {"agent": agent.name}).status == 200
        assert verdicts(agent.session(session)) == {(401, "session_invalid")}
        operator.disable(agent)
        assert verdicts(agent.bearer()) == {(403, "agent_disabled")}
        operator.enable(agent)
        assert verdicts(agent.bearer()) == {(200, None)}
    for wire in wires:
        wire.close()


def test_reload(gateway, operator, agent):
    before = counts(gateway)
    with told_once(gateway, method="POST", path="/admin/reload"):
        operator.reload()
    assert counts(gateway) == (before[0] + 1, before[1])


def test_a_reload_that_fails_says_so(start):
    gateway = start()
    operator, agent = Operator(gateway), gateway.take_agent()
    gateway.policy_file.write_text('{\n  "agentport": 1,\n  "listen" {}\n}\n')
    response = operator.post("/admin/reload")
    assert (response.status, response.json()["status"]) == (422, 422)
    assert response.get("Content-Type") == "application/problem+json"
    assert "policy.json:3:" in response.body.decode()
    assert counts(gateway) == (0, 1) and passes(gateway, agent)


def test_drain_ends_it(start):
    gateway = start()
    response = Operator(gateway).post("/admin/drain")
    assert 200 <= response.status < 300, response.body
    assert gateway.wait() == 0


def test_readyz_tells_of_the_drain(start):
    gateway = start({"drain": {"grace": "2s"}})
    operator = Operator(gateway)
    operator.post("/admin/drain")
    assert operator.get("/readyz", token=False).status == 503
    assert operator.get("/livez", token=False).status == 200
    with gateway.connect() as wire:
        assert wire.request("GET", "/public/").get("Connection", "").lower() == "close"
    assert gateway.wait() == 0


# Who asks, and how.

@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"])
def test_other_methods_are_named(operator, target, method):
    response = operator.call(method, target)
    problem(response, 405, "method_not_allowed")
    allowed = {word.strip() for word in response.get("Allow").split(",")}
    assert allowed - {"HEAD"} == {m for m, t in CALLS if t == target}


@pytest.mark.parametrize("target", [
    "/admin", "/admin/", "/admin/nowhere", "/admin/secrets/", "/admin/agents/agent-0",
    "/admin/agents//disable", "/admin/agents/agent-0/disable/x", "/admin/agents/../status",
    "/ADMIN/status", "/admin//status", "/nowhere"])
def test_there_is_nothing_elsewhere(operator, target):
    response = operator.get(target)
    assert response.status in (400, 404), (response.status, response.body)
    problem(response, response.status)


@pytest.mark.parametrize("name", ["nobody", "x" * 64, "%61gent-0x", "a" * 3000, "a%2fb", "%00",
                                  "%zz"])
def test_an_agent_that_is_not_there(operator, name):
    response = operator.post(f"/admin/agents/{name}/disable")
    assert response.status in (400, 404)
    problem(response, response.status)


@pytest.mark.parametrize("method, target", CALLS)
def test_every_call_needs_a_token(gateway, method, target):
    response = Operator(gateway).call(method, target, token=False)
    problem(response, 401)
    assert response.get("WWW-Authenticate", "").startswith("Bearer")
    assert gateway.running


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("fields, host", [
    ([], "evil.example"), ([], "127.0.0.1.evil.example"), ([("Origin", "https://evil.example")],
                                                            None), ([("Origin", "null")], None)])
def test_another_host_or_origin_is_refused_even_with_the_token(operator, target, fields, host):
    response = operator.call("GET", target, headers=fields, host=host)
    assert response.status in (400, 403, 421), response.status
    problem(response, response.status)


# Bodies.

GOOD = b'{"agent":"agent-0","seed":"JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"}'
MALFORMED = {
    "nothing": b"", "white space": b" ", "cut": GOOD[:-1], "twice": GOOD + GOOD,
    "a duplicate key": b'{"agent":"a","agent":"b","seed":"c"}', "trailing comma": GOOD[:-1] + b",}",
    "a comment": GOOD + b"// so", "no UTF-8": b'{"agent":"\xff"}', "a lone surrogate":
    b'{"agent":"\\ud800"}', "deep": b"[" * 3000, "NUL": GOOD + b"\0",
    "a duplicate key, escaped": b'{"agent":"a","\\u0061gent":"b","seed":"c"}',
    "a byte order mark": b"\xef\xbb\xbf" + GOOD}
TYPE = [("Content-Type", "application/json")]


@pytest.mark.parametrize("name", MALFORMED)
@pytest.mark.parametrize("target", ["/admin/secrets", "/admin/sessions/revoke"])
def test_malformed_bodies(operator, target, name):
    response = operator.post(target, MALFORMED[name], headers=TYPE)
    problem(response, 400)


@pytest.mark.parametrize("body, pointer", [
    ({"seed": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"}, None), ({"agent": "agent-0"}, None),
    ({"agent": 7, "seed": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"}, "/agent"),
    ({"agent": "agent-0", "seed": 7}, "/seed"), ({"agent": "agent-0", "seed": None}, "/seed"),
    ({"agent": "agent-0", "seed": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "a/b": 1}, "/a~1b"),
    ({"agent": "agent-0", "seed": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "expires_at": 7},
     "/expires_at"), ([], None), ("text", None), (7, None), (None, None)])
def test_bodies_of_another_shape(operator, body, pointer):
    if body is None:
        body = b"null"
    response = operator.post("/admin/secrets", body, headers=TYPE if body == b"null" else ())
    assert response.status in (400, 422)
    shown = problem(response, response.status)
    assert "pointer" in shown
    if pointer:
        assert shown["pointer"] == pointer


def test_a_huge_body_is_refused(operator):
    body = b'{"agent":"' + b"a" * 3_000_000 + b'"}'
    problem(operator.post("/admin/secrets", body, headers=TYPE), 413, "body_too_large")


def test_a_huge_body_is_not_waited_for(operator):
    with operator.wire() as wire:
        wire.socket.settimeout(3)
        fields = [("Authorization", f"Bearer {operator.token}"), ("Content-Length", "99999999999")]
        wire.send(encode("POST", "/admin/secrets", fields, host=operator.host))
        problem(wire.response(), 413, "body_too_large")


def test_a_body_in_chunks(gateway, operator, agent):
    session = new_session(gateway, agent)
    body = b'{"agent":"%s"}' % agent.name.encode()
    with operator.wire() as wire:
        fields = [("Authorization", f"Bearer {operator.token}"), *TYPE,
                  ("Transfer-Encoding", "chunked")]
        wire.send(encode("POST", "/admin/sessions/revoke", fields, host=operator.host))
        for byte in chunked(*(bytes([b]) for b in body)):
            wire.send(bytes([byte]))
        response = wire.response()
    # A listener that takes no chunks says so; nothing is done by halves.
    assert response.status in (200, 400, 411, 501), response.body
    assert lives(gateway, agent, session) == (response.status != 200)


def test_a_client_that_waits_to_be_told_to_go_on(operator):
    with operator.wire() as wire:
        wire.socket.settimeout(3)
        fields = [("Authorization", f"Bearer {operator.token}"), *TYPE, ("Content-Length", "12"),
                  ("Expect", "100-continue")]
        wire.send(encode("POST", "/admin/sessions/revoke", fields, host=operator.host))
        assert wire.head().status in (100, 417)


@pytest.mark.parametrize("type_", ["text/plain", "application/x-www-form-urlencoded"])
def test_what_a_browser_sends_without_asking_changes_nothing(gateway, operator, agent, type_):
    """A form or a simple request: it has no token, and would be refused with one too."""
    session = new_session(gateway, agent)
    response = operator.post("/admin/sessions/revoke", b'{"all":true}',
                             headers=[("Content-Type", type_)], token=False)
    problem(response, response.status)
    assert lives(gateway, agent, session)


# What is written down.

@pytest.mark.parametrize("method, target", [
    call for call in CALLS if not call[1].endswith(("drain", "able"))])
def test_one_audit_line_a_call(gateway, operator, method, target):
    with told_once(gateway, method=method, path=target, msg="admin call",
                   trace_id="4bf92f3577b34da6a3ce929d0e0e4736"):
        operator.call(method, target, headers=[("traceparent", TRACE)])


@pytest.mark.parametrize("value", [
    TRACE.upper(), "00-" + "0" * 32 + "-00f067aa0ba902b7-01", TRACE[:-1], "ff" + TRACE[2:],
    TRACE + "-x", "00-4bf92f3577b34da6a3ce929d0e0e4736-" + "0" * 16 + "-01"])
def test_a_trace_that_is_none_is_not_continued(gateway, operator, value):
    before = len(gateway.told("admin call"))
    assert operator.get("/admin/keys", headers=[("traceparent", value)]).status == 200
    [line] = wait_until(lambda: gateway.told("admin call")[before:], what="its audit line")
    assert re.fullmatch(r"[0-9a-f]{32}", line["trace_id"])
    assert line["trace_id"] not in value.lower()


def test_an_answer_names_the_trace_of_its_rotation(gateway, operator, agent):
    response = operator.post("/admin/secrets", {"agent": agent.name, "seed":
                                                "KRSXG5DTMVSWILDTN5XW4ZLSFY3DONJR"},
                             headers=[("traceparent", TRACE)])
    assert response.json()["trace_id"] == TRACE.split("-")[1]
    gateway.wait_told("seed rotated", agent=agent.name, trace_id=TRACE.split("-")[1],
                      rotation_id=response.json()["rotation_id"])


def test_a_refused_call_is_written_down_too(start_bare):
    gateway = start_bare()
    operator = Operator(gateway)
    with told_once(gateway, method="GET", path="/admin/secrets", status=401):
        operator.get("/admin/secrets", token=False)
    with told_once(gateway, method="POST", path="/admin/agents/nobody/disable", status=404):
        operator.post("/admin/agents/nobody/disable")
