# SPDX-License-Identifier: Apache-2.0
"""Starting from the environment and a secrets directory alone, and refusing to start."""

import json
import re
import socket

import pytest

from support.gateway import command
from support.waiting import wait_until


@pytest.mark.parametrize("variable, value", [
    ("AGENTPORT_TLS_MIN_VERSION", "1.2"), ("AGENTPORT_TLS_MIN_VERSION", "TLSv1.0"),
    ("AGENTPORT_STATE_URL", "redis://127.0.0.1:6379")])
def test_serve_refuses_to_start(make, recorder, variable, value):
    gateway = make().from_environment(recorder.url, {variable: value}).launch()
    assert gateway.wait() != 0
    assert len(gateway.errors) == 1 and variable in gateway.errors[0], gateway.errors


def test_tls_min_version_1_3_is_what_it_does_anyway(start_bare):
    gateway = start_bare({"AGENTPORT_TLS_MIN_VERSION": "1.3"})
    assert gateway.request("GET", "/healthz").status == 200


@pytest.mark.parametrize("name, content", [
    ("tls_key", None), ("tls_cert", None), ("tls_cert", b"no certificate at all"),
    ("tls_key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
    ("totp_seed", None), ("totp_seed", b"not!base32"), ("totp_seed", b"")])
def test_a_bad_secret_stops_the_start_with_one_line(make, recorder, name, content):
    gateway = make().from_environment(recorder.url)
    if content is None:
        (gateway.secrets / name).unlink()
    else:
        gateway.secret(name, content)
    assert gateway.launch().wait() != 0
    assert len(gateway.errors) == 1, gateway.errors
    assert str(gateway.secrets / name) in gateway.errors[0]
    assert "not!base32" not in gateway.output()


def test_a_key_of_another_certificate_stops_the_start(make, recorder, authority):
    gateway = make().from_environment(recorder.url)
    gateway.secret("tls_key", authority.rsa.key)
    assert gateway.launch().wait() != 0
    assert len(gateway.errors) == 1 and "tls_key" in gateway.errors[0]


def test_a_secret_readable_by_others_draws_a_warning(make, recorder):
    gateway = make().from_environment(recorder.url)
    (gateway.secrets / "tls_key").chmod(0o644)
    gateway.start()
    path = str(gateway.secrets / "tls_key")
    wait_until(lambda: [line for line in gateway.logs()
                        if line["level"] == "warn" and path in json.dumps(line)],
               what="a warning about the file's mode")


def test_without_a_key_one_is_made_and_kept(make, recorder):
    gateway = make().from_environment(recorder.url, api_key=False).start()
    kept = [path for path in gateway.state.rglob("*") if "api_key" in path.name]
    assert len(kept) == 1, list(gateway.state.rglob("*"))
    assert kept[0].stat().st_mode & 0o777 == 0o600
    agent = gateway.agents[0]
    agent.key = kept[0].read_text().strip()
    assert len(agent.key) >= 22  # 128 bits at the very least, in base64url
    assert gateway.request("GET", "/", agent.bearer()).status == 200
    assert str(kept[0]) in gateway.output()
    assert agent.key not in gateway.output()
    gateway.restart()
    assert kept[0].read_text().strip() == agent.key
    assert gateway.request("GET", "/", agent.bearer(agent.code(1))).status == 200


def test_a_made_file_that_a_power_cut_emptied_is_made_anew(make, recorder):
    """What this start makes is synced only after it listens; an empty file is none."""
    gateway = make().from_environment(recorder.url, api_key=False)
    gateway.start()
    made = [gateway.state / name for name in ("api_key", "admin_token")]
    gateway.stop()
    for path in made:
        assert path.stat().st_size > 0
        path.write_bytes(b"")
    gateway.start()
    for path in made:
        assert path.stat().st_size > 0
        assert path.stat().st_mode & 0o777 == 0o600


def test_without_a_key_and_without_a_place_for_one_the_start_fails(make, recorder):
    gateway = make().from_environment(recorder.url, {"AGENTPORT_STATE_DIR": "/dev/null/state"},
                                      api_key=False)
    assert gateway.launch().wait() != 0
    assert len(gateway.errors) == 1
    assert re.search(r"api_key", gateway.errors[0]) and "mount" in gateway.errors[0]


def test_white_space_in_the_seed_is_ignored(make, recorder):
    gateway = make().from_environment(recorder.url)
    seed = gateway.agents[0].seed
    gateway.secret("totp_seed", " " + " ".join(seed[n:n + 4] for n in range(0, 32, 4)) + "\r\n\n")
    gateway.start()
    assert gateway.request("GET", "/", gateway.agents[0].bearer()).status == 200


def test_an_upstream_must_be_named(make, recorder):
    gateway = make().from_environment(recorder.url)
    del gateway.env["AGENTPORT_UPSTREAM"]
    assert gateway.launch().wait() != 0
    assert "AGENTPORT_UPSTREAM" in "".join(gateway.errors)
    assert command("check", env=gateway.env).returncode == 1


def test_an_address_in_use_stops_the_start(make, recorder):
    gateway = make().from_environment(recorder.url)
    with socket.create_server(gateway.address):
        assert gateway.launch().wait() != 0
    assert len(gateway.errors) == 1 and str(gateway.port) in gateway.errors[0]
