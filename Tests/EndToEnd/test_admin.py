# SPDX-License-Identifier: Apache-2.0
"""The admin listener, the metrics, and the log: what an operator sees, and no secret in it."""

import json
import re
import subprocess
import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

from support.gateway import new_session, sample_key
from support.waiting import wait_until
from support.wire import Wire

FIELDS = {"ts", "level", "msg", "request_id", "trace_id", "span_id", "client", "agent", "user",
          "method", "path", "status", "code", "filter", "route", "upstream", "upstream_status",
          "bytes_in", "bytes_out", "duration_us", "gateway_us", "tls"}
TS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


@pytest.fixture(scope="module")
def policy_patch():
    return {"totp": {"one_time": False}}


@pytest.mark.parametrize("target", ["/livez", "/readyz", "/metrics"])
def test_no_token_is_needed(gateway, target):
    assert gateway.admin(target).status == 200


def test_the_rest_is_not_open(gateway):
    assert gateway.admin("/admin/status").status in (401, 404)
    assert gateway.admin("/nowhere").status in (401, 404)
    assert gateway.admin("/livez", method="DELETE").status in (404, 405)


def test_a_foreign_origin_is_refused(gateway):
    headers = [("Origin", "https://evil.example")]
    assert gateway.admin("/metrics", headers=headers).status in (400, 403, 421)


def test_a_foreign_host_is_refused(gateway):
    with Wire(("127.0.0.1", gateway.admin_port)) as wire:
        assert wire.request("GET", "/metrics", host="evil.example").status in (400, 403, 421)


def test_the_admin_listener_survives_nonsense(gateway):
    for raw in (b"\r\n\r\n", b"\x16\x03\x01\x00\x05hello", b"GET /livez HTTP/1.1\r\n\r\n",
                b"GET / HTTP/9.9\r\n\r\n", b"A" * 70000):
        with Wire(("127.0.0.1", gateway.admin_port)) as wire:
            wire.send_all_it_takes(raw)
    assert gateway.admin("/livez").status == 200


def test_the_admin_paths_are_not_on_the_listener(gateway, agent, recorder):
    for target in ("/livez", "/readyz", "/metrics", "/admin/status"):
        assert gateway.request("GET", target).status == 401
    assert recorder.requests == []


def test_a_unix_socket(start_bare, tmp_path):
    path = tmp_path / "admin.sock"
    gateway = start_bare({"AGENTPORT_ADMIN_LISTEN": f"unix:{path}"})
    assert path.stat().st_mode & 0o777 == 0o600
    result = subprocess.run(["curl", "-sS", "--unix-socket", str(path), "-o", "/dev/null", "-w",
                             "%{http_code}", "http://localhost/readyz"],
                            capture_output=True, text=True, timeout=10)
    assert result.stdout == "200", result
    assert gateway.stop() == 0


def test_it_can_be_off(start_bare):
    gateway = start_bare({"AGENTPORT_ADMIN_LISTEN": "off"})
    assert gateway.request("GET", "/healthz").status == 200
    with pytest.raises(OSError):
        gateway.admin("/livez")


def test_metrics_are_the_text_format(gateway, agent):
    gateway.request("GET", "/", agent.bearer())
    response = gateway.admin("/metrics")
    assert response.get("Content-Type").startswith("text/plain")
    families = {f.name: f for f in text_string_to_metric_families(response.body.decode())}
    for name, kind in (("agentport_requests", "counter"),
                       ("agentport_request_duration_seconds", "histogram"),
                       ("agentport_gateway_duration_seconds", "histogram"),
                       ("agentport_filter_duration_seconds", None),
                       ("agentport_filter_rejections", "counter"),
                       ("agentport_totp_attempts", "counter"),
                       ("agentport_jwt_sign_duration_seconds", None),
                       ("agentport_connections", "gauge"), ("agentport_sessions", "gauge"),
                       ("agentport_upstream_requests", "counter"),
                       ("agentport_tls_handshakes", "counter"),
                       ("agentport_tls_handshake_duration_seconds", None),
                       ("agentport_certificate_expiry_timestamp_seconds", "gauge"),
                       ("agentport_log_dropped", "counter"),
                       ("process_resident_memory_bytes", "gauge"),
                       ("process_start_time_seconds", "gauge")):
        assert name in families, name
        assert families[name].documentation, name
        if kind:
            assert families[name].type == kind, (name, families[name].type)


def test_histograms_add_up(gateway, agent):
    gateway.request("GET", "/", agent.bearer())
    text = gateway.admin("/metrics").body.decode()
    for family in text_string_to_metric_families(text):
        if family.type != "histogram":
            continue
        series = {}
        for sample in family.samples:
            labels = tuple(sorted((k, v) for k, v in sample.labels.items() if k != "le"))
            series.setdefault(labels, []).append(sample)
        for samples in series.values():
            buckets = [s for s in samples if s.name.endswith("_bucket")]
            counts = [s.value for s in buckets]
            assert counts == sorted(counts), family.name
            assert buckets[-1].labels["le"] == "+Inf"
            total = [s.value for s in samples if s.name.endswith("_count")]
            assert total == [counts[-1]], family.name


def test_requests_are_counted(gateway, agent):
    ok = sample_key("agentport_requests_total", {"route": "/", "code": "ok", "status": "200"})
    missing = sample_key("agentport_requests_total",
                         {"route": "/", "code": "credentials_missing", "status": "401"})
    before = gateway.metrics()
    for _ in range(3):
        gateway.request("GET", "/some/path", agent.bearer())
    gateway.request("GET", "/")
    wait_until(lambda: gateway.metrics().get(ok, 0) - before.get(ok, 0) == 3,
               what="three requests counted")
    wait_until(lambda: gateway.metrics().get(missing, 0) - before.get(missing, 0) == 1,
               what="a refusal counted")


def test_rejections_name_their_filter(gateway, agent):
    def count():
        return sum(value for key, value in gateway.metrics().items()
                   if key.startswith("agentport_filter_rejections_total{")
                   and 'code="totp_invalid"' in key and 'filter="totp"' in key)
    before = count()
    gateway.request("GET", "/", agent.bearer(agent.wrong_code()))
    wait_until(lambda: count() == before + 1, what="the rejection to be counted")


def test_filters_and_signatures_are_timed(start):
    """Each filter that ran counts, those behind a refusal do not; a session is signed for once."""
    gateway = start()
    agent = gateway.take_agent()

    def count(family, labels=None):
        return gateway.metrics().get(sample_key(family + "_count", labels or {}), 0)

    def ran(name):
        return count("agentport_filter_duration_seconds", {"filter": name})

    session = new_session(gateway, agent)
    assert gateway.request("GET", "/", agent.session(session)).status == 200
    assert gateway.request("GET", "/").status == 401
    wait_until(lambda: ran("identity") == 3, what="three runs of identity")
    assert ran("ip_rate_limit") == 3
    assert ran("totp") == ran("jwt") == 2
    assert 1 <= count("agentport_jwt_sign_duration_seconds") <= 2
    assert count("agentport_event_loop_lag_seconds") > 0


def test_connections_are_counted(gateway):
    def open_now():
        return sum(value for key, value in gateway.metrics().items()
                   if key.startswith("agentport_connections{"))
    before = open_now()
    wires = [gateway.connect() for _ in range(5)]
    wait_until(lambda: open_now() >= before + 5, what="five connections more")
    for wire in wires:
        wire.close()
    wait_until(lambda: open_now() <= before, what="none of them left")


def test_labels_hold_no_agent_and_no_address(gateway, agent):
    gateway.request("GET", "/secret-looking-path", agent.bearer())
    text = gateway.admin("/metrics").body.decode()
    assert agent.name not in text and agent.user not in text
    assert "secret-looking-path" not in text


def test_an_access_line_for_a_request_that_passed(gateway, agent, recorder):
    recorder.reply("/log/this", b"0123456789")
    response = gateway.request("POST", "/log/this?q=secret-query", agent.bearer(), b"12345")
    [line] = gateway.wait_access(request_id=response.get("X-Request-Id"))
    assert FIELDS <= set(line), FIELDS - set(line)
    assert TS.fullmatch(line["ts"])
    assert (line["agent"], line["user"]) == (agent.name, agent.user)
    assert (line["method"], line["path"], line["status"]) == ("POST", "/log/this", 200)
    assert (line["code"], line["route"], line["upstream"]) == ("ok", "/", "openclaw")
    assert line["upstream_status"] == 200
    assert line["client"].startswith("127.0.0.1")
    assert line["trace_id"] in recorder.only().get("traceparent")
    assert line["bytes_in"] >= 5 and line["bytes_out"] >= 10
    assert 0 < line["gateway_us"] <= line["duration_us"] < 5_000_000
    assert "1.3" in str(line["tls"])
    assert "secret-query" not in gateway.output()


def test_an_access_line_for_a_request_that_was_refused(gateway, agent):
    response = gateway.request("GET", "/log", agent.bearer(agent.wrong_code()))
    [line] = gateway.wait_access(request_id=response.get("X-Request-Id"))
    assert (line["status"], line["code"], line["filter"]) == (401, "totp_invalid", "totp")
    assert not line.get("upstream_status")


def test_a_path_cannot_break_the_log(gateway):
    nasty = '/a%22%0a{"level":"fatal"}<script>'
    response = gateway.request("GET", nasty)
    gateway.wait_access(request_id=response.get("X-Request-Id"))


def test_the_upstream_s_time_is_not_the_gateway_s(gateway, agent, recorder):
    recorder.on("/slow", lambda exchange: (time.sleep(0.3), exchange.reply())[1])
    response = gateway.request("GET", "/slow", agent.bearer())
    [line] = gateway.wait_access(request_id=response.get("X-Request-Id"))
    assert line["duration_us"] >= 300_000
    assert line["gateway_us"] < 150_000


def test_one_line_a_request(gateway, agent):
    with gateway.connect() as wire:
        ids = [wire.request("GET", f"/{n}", agent.bearer()).get("X-Request-Id")
               for n in range(30)]
    for request_id in ids:
        assert len(gateway.wait_access(request_id=request_id)) == 1


def test_every_line_is_one_json_object(gateway):
    assert gateway.lines
    for line in list(gateway.lines):
        parsed = json.loads(line)
        assert {"ts", "level", "msg"} <= set(parsed), line
        assert TS.fullmatch(parsed["ts"])
        assert parsed["level"] in ("debug", "info", "warn", "error")
    assert gateway.errors == []


@pytest.mark.parametrize("level", ["debug", "info"])
def test_no_secret_in_any_output(start_bare, recorder, level):
    gateway = start_bare({"AGENTPORT_LOG_LEVEL": level, "AGENTPORT_TOTP_ONE_TIME": "false"})
    agent = gateway.agents[0]
    admin_token = "admin-token-0123456789abcdef0123456789abcdef"
    basic = agent.basic()[0][1].split()[1]
    response = gateway.request("GET", "/", agent.bearer())
    session = response.get("X-AgentPort-Session")
    gateway.request("GET", "/", agent.session(session))
    gateway.request("GET", "/", agent.parameters())
    gateway.request("GET", "/", agent.basic())
    gateway.request("GET", "/", agent.bearer(agent.wrong_code()))
    gateway.request("GET", "/", [("Authorization", "Bearer a-key-that-is-wrong")])
    gateway.request("GET", f"/?token={agent.key}", [("Cookie", "s=cookie-secret")])
    with gateway.plaintext() as wire:
        wire.request("GET", "/", agent.bearer())
    gateway.admin("/admin/status", headers=[("Authorization", f"Bearer {admin_token}")])
    shown = "".join(gateway.admin(target).body.decode() for target in ("/metrics", "/readyz"))
    assert gateway.stop() == 0
    tokens = [token for request in recorder.requests for token in request.all("x-agentport-jwt")]
    assert len(tokens) >= 3
    private = (gateway.secrets / "tls_key").read_text().splitlines()[1]
    for secret in (agent.key, agent.seed, session, basic, private, admin_token, *tokens,
                   "a-key-that-is-wrong", "cookie-secret"):
        assert secret not in gateway.output() + shown


def test_sessions_are_counted(gateway, agent):
    before = gateway.metrics()["agentport_sessions{}"]
    for _ in range(3):
        new_session(gateway, agent)
    wait_until(lambda: gateway.metrics()["agentport_sessions{}"] >= before + 3,
               what="three sessions more")


def test_the_error_level_silences_the_access_log(start_bare):
    gateway = start_bare({"AGENTPORT_LOG_LEVEL": "error"})
    gateway.request("GET", "/", gateway.agents[0].bearer())
    assert gateway.stop() == 0
    assert gateway.access() == []
