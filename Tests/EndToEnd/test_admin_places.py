# SPDX-License-Identifier: Apache-2.0
"""Where the admin listener may be, and the commands that find it there by themselves."""

import json
import re
import signal
import subprocess

import pytest

from support.agents import new_seed
from support.gateway import command, new_session
from support.operator import Operator, lives, passes
from support.waiting import wait_until
from support.wire import Wire

LONG = "a-token-of-plenty-0123456789abcdefABCDEF"
WORDS = [("status",), ("rotate",), ("revoke",), ("disable",), ("enable",), ("keys",), ("reload",),
         ("drain",)]


def curl(*arguments):
    return subprocess.run(["curl", "-sS", "-w", "\n%{http_code}", *map(str, arguments)],
                          capture_output=True, text=True, timeout=10)


# A Unix socket.

@pytest.fixture
def by_socket(start_bare, tmp_path):
    path = tmp_path / "admin.sock"
    return start_bare({"AGENTPORT_ADMIN_LISTEN": f"unix:{path}"}), path


def test_over_a_unix_socket(by_socket):
    gateway, path = by_socket
    assert path.stat().st_mode & 0o777 == 0o600
    bearer = f"Authorization: Bearer {Operator(gateway).token}"
    url = "http://localhost/admin/status"
    result = curl("--unix-socket", path, "-H", bearer, url)
    assert result.stdout.endswith("\n200"), result
    assert json.loads(result.stdout.rpartition("\n")[0])["version"]
    assert curl("--unix-socket", path, url).stdout.endswith("\n401")
    foreign = curl("--unix-socket", path, "-H", bearer, "-H", "Origin: https://evil.example", url)
    assert foreign.stdout[-3:] in ("400", "403", "421")
    body = json.dumps({"agent": "default", "seed": new_seed()})
    result = curl("--unix-socket", path, "-H", bearer, "-d", body, "-H",
                  "Content-Type: application/json", "http://localhost/admin/secrets")
    assert result.stdout.endswith("\n200"), result


def test_commands_find_the_unix_socket(by_socket):
    gateway, path = by_socket
    operator = Operator(gateway)
    assert operator.command("admin", "status").returncode == 0
    assert operator.command("health", "--ready").returncode == 0
    gateway.stop()
    assert operator.command("health").returncode == 1


# Off loopback.

def on_all(make, recorder, token, pair=None):
    gateway = make(pair).from_environment(recorder.url)
    gateway.env["AGENTPORT_ADMIN_LISTEN"] = f"0.0.0.0:{gateway.admin_port}"
    if token is not None:
        gateway.secret("admin_token", token)
    return gateway


@pytest.mark.parametrize("token", ["", "short", "0123456789abcdef"[:15]])
def test_off_loopback_it_takes_a_token_of_128_bits(make, recorder, token):
    gateway = on_all(make, recorder, token).launch()
    assert gateway.wait() != 0
    assert len(gateway.errors) == 1, gateway.errors
    assert "admin_token" in gateway.errors[0]
    assert not token or token not in gateway.errors[0]


def test_off_loopback_a_reload_takes_no_shorter_one(make, recorder):
    gateway = on_all(make, recorder, LONG).start()
    gateway.secret("admin_token", "short-99")
    gateway.signal(signal.SIGHUP)
    wait_until(lambda: [line for line in gateway.logs() if line.get("audit")
                        and "reload" in line["msg"]], what="the reload")
    url = f"https://localhost:{gateway.admin_port}/admin/status"
    trust = ["--cacert", gateway.authority.path]
    seen = [curl(*trust, "-H", f"Authorization: Bearer {token}", url).stdout[-3:]
            for token in ("short-99", LONG)]
    assert seen == ["401", "200"]


@pytest.mark.parametrize("given", [True, False], ids=["given", "made"])
def test_off_loopback_it_speaks_tls_1_3_only(make, recorder, given):
    gateway = on_all(make, recorder, LONG if given else None).start()
    token = LONG if given else (gateway.state / "admin_token").read_text().strip()
    url = f"https://localhost:{gateway.admin_port}/admin/status"
    trust = ["--cacert", gateway.authority.path, "-H", f"Authorization: Bearer {token}"]
    assert curl(*trust, url).stdout.endswith("\n200")
    assert curl(*trust, "--tls-max", "1.2", url).returncode != 0
    plain = curl("-H", f"Authorization: Bearer {token}", url.replace("https", "http"))
    assert not plain.stdout.endswith("\n200")
    assert curl("--cacert", gateway.authority.path, url).stdout.endswith("\n401")
    health = curl("--cacert", gateway.authority.path, url.replace("/admin/status", "/livez"))
    assert health.stdout.endswith("\n200")


@pytest.mark.parametrize("host, status", [
    ("localhost", 200), ("127.0.0.1", 200), ("10.1.2.3", 200), ("[::1]", 200),
    ("evil.example", 403), ("localhost.evil.example", 403), ("", 403)])
def test_off_loopback_it_answers_to_its_own_names(make, recorder, host, status):
    """Those of its certificate, and any address."""
    gateway = on_all(make, recorder, LONG).start()
    url = f"https://localhost:{gateway.admin_port}/admin/status"
    shown = curl("--cacert", gateway.authority.path, "-H", f"Authorization: Bearer {LONG}",
                 "-H", f"Host: {host}:{gateway.admin_port}" if host else "Host: .", url)
    assert shown.stdout.endswith(f"\n{status}"), shown.stdout


def test_metrics_take_the_token_off_loopback(make, recorder):
    """Without one they are for loopback alone."""
    gateway = on_all(make, recorder, LONG).start()
    url = f"https://localhost:{gateway.admin_port}/metrics"
    trust = ["--cacert", gateway.authority.path]
    assert curl(*trust, url).stdout.endswith("\n401")
    assert curl(*trust, "-H", f"Authorization: Bearer {LONG}", url).stdout.endswith("\n200")


def test_commands_find_the_tls_form(make, recorder):
    gateway = on_all(make, recorder, LONG).start()
    operator = Operator(gateway, LONG)
    trust = ["--ca", gateway.authority.path]
    for words in (["admin", "status"], ["admin", "keys"], ["health"], ["health", "--ready"]):
        result = operator.command(*words, *trust)
        assert result.returncode == 0, (words, result)
    assert LONG not in "".join(gateway.lines)


def test_a_command_does_not_give_its_token_to_a_stranger(make, recorder, authority):
    """A server that nobody vouches for is not told the token."""
    gateway = on_all(make, recorder, LONG).start()
    result = Operator(gateway, LONG).command("admin", "status", "--ca", "/etc/hostname")
    assert result.returncode == 1 and result.stdout == ""
    [line] = result.stderr.splitlines()
    assert LONG not in line
    assert gateway.told("admin call") == []


# The commands.

@pytest.fixture
def operator(start):
    gateway = start({"totp": {"one_time": False}})
    return Operator(gateway)


def done(operator, *words, **options):
    result = operator.command("admin", *words, **options)
    assert (result.returncode, result.stderr) == (0, ""), result
    return result.stdout


def test_status_and_keys(operator):
    assert json.loads(done(operator, "status"))["version"]
    [key] = json.loads(done(operator, "keys"))["keys"]
    rotated = json.loads(done(operator, "keys", "rotate"))
    assert rotated["kid"] != key["kid"]
    assert len(json.loads(done(operator, "keys"))["keys"]) == 2


@pytest.mark.parametrize("by", ["file", "input"])
def test_rotate(operator, tmp_path, by):
    gateway = operator.gateway
    old = gateway.take_agent()
    seed = new_seed()
    if by == "file":
        path = tmp_path / "seed"
        path.write_text(seed + "\n")
        path.chmod(0o600)
        shown = done(operator, "rotate", old.name, "--seed-file", path)
    else:
        shown = done(operator, "rotate", old.name, "--expires-at", "2026-01-01T00:00:00Z",
                     input=seed + "\n")
    assert seed not in shown
    new = type(old)(**{**vars(old), "seed": seed})
    assert passes(gateway, new)
    assert passes(gateway, old) == (by == "file")


def test_a_command_repeated_with_its_key_is_harmless(operator):
    agent = operator.gateway.take_agent()
    words = ["rotate", agent.name, "--idempotency-key", "one"]
    seed = new_seed()
    first, again = (done(operator, *words, input=seed) for _ in range(2))
    assert first == again


def test_disable_enable_revoke_and_reload(operator):
    gateway = operator.gateway
    agent, other = gateway.take_agent(), gateway.take_agent()
    done(operator, "disable", agent.name)
    assert gateway.request("GET", "/", agent.bearer()).verdict == (403, "agent_disabled")
    done(operator, "enable", agent.name)
    sessions = [new_session(gateway, each) for each in (agent, other)]
    done(operator, "revoke", agent.name)
    assert not lives(gateway, agent, sessions[0]) and lives(gateway, other, sessions[1])
    done(operator, "revoke", "--all")
    assert not lives(gateway, other, sessions[1])
    done(operator, "reload")
    done(operator, "drain")
    assert gateway.wait() == 0


def test_a_refusal_is_one_line_and_exit_1(operator):
    for words in (["disable", "nobody"], ["revoke", "nobody"], ["rotate", "nobody"],
                  ["rotate", "agent-0", "--expires-at", "tomorrow"]):
        result = operator.command("admin", *words, input=new_seed())
        assert (result.returncode, result.stdout) == (1, ""), result
        assert len(result.stderr.splitlines()) == 1, result.stderr
    weak = operator.command("admin", "rotate", "agent-0", input="AAAA")
    assert weak.returncode == 1 and len(weak.stderr.splitlines()) == 1


def test_a_reload_that_fails_is_told(operator):
    operator.gateway.policy_file.write_text(operator.gateway.policy_file.read_text()
                                            .replace('"routes"', '"routez"'))
    result = operator.command("admin", "reload")
    assert result.returncode == 1
    assert "routez" in result.stderr and result.stdout == ""


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_without_a_gateway_it_is_one_line_and_exit_1(make, recorder, words):
    gateway = make().from_environment(recorder.url)
    gateway.secret("admin_token", LONG)
    more = ["default"] if words[0] in ("rotate", "revoke", "disable", "enable") else []
    result = Operator(gateway, LONG).command("admin", *words, *more, input=new_seed())
    assert (result.returncode, result.stdout) == (1, "")
    assert len(result.stderr.splitlines()) == 1 and str(gateway.admin_port) in result.stderr


def test_without_a_token_it_is_one_line_and_exit_1(make, recorder):
    gateway = make().from_environment(recorder.url)
    result = Operator(gateway).command("admin", "status")
    assert (result.returncode, result.stdout) == (1, "")
    assert len(result.stderr.splitlines()) == 1 and "admin_token" in result.stderr


@pytest.mark.parametrize("words", [
    ("admin", "rotate"), ("admin", "disable"), ("admin", "revoke"), ("admin", "status", "x"),
    ("admin", "revoke", "a", "--all"), ("admin", "keys", "rotte"), ("admin", "statu"),
    ("keys", "exprt"), ("health", "--raedy"), ("admin", "disable", "a", "b")], ids=" ".join)
def test_misuse_is_exit_2(words):
    result = command(*words)
    assert result.returncode == 2 and result.stdout == "" and result.stderr


def test_health(operator):
    assert operator.command("health").returncode == 0
    assert operator.command("health", "--ready").returncode == 0


def test_health_tells_of_a_drain(start):
    gateway = start({"drain": {"grace": "3s"}})
    operator = Operator(gateway)
    operator.post("/admin/drain")
    assert operator.command("health").returncode == 0
    ready = operator.command("health", "--ready")
    assert ready.returncode == 1 and len(ready.stderr.splitlines()) <= 1


def test_health_needs_no_secret(start_bare):
    gateway = start_bare()
    env = {"AGENTPORT_ADMIN_LISTEN": f"127.0.0.1:{gateway.admin_port}"}
    assert command("health", env=env).returncode == 0


def test_keys_export(operator):
    served = operator.gateway.request("GET", "/.well-known/jwks.json").json()
    result = operator.command("keys", "export")
    assert (result.returncode, result.stderr) == (0, ""), result
    assert json.loads(result.stdout) == served


HELPS = [("admin",), ("keys",), ("health",), *(("admin", *words) for words in WORDS),
         ("keys", "export")]


@pytest.mark.parametrize("words", HELPS, ids=" ".join)
def test_help_fits_a_terminal(words):
    result = command(*words, "--help")
    assert result.returncode == 0 and result.stderr == ""
    assert " ".join(("agentport", *words)) in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 100


def test_a_listener_that_is_off_is_named(start_bare):
    gateway = start_bare({"AGENTPORT_ADMIN_LISTEN": "off"})
    for words in (["admin", "status"], ["health"]):
        result = Operator(gateway).command(*words)
        assert result.returncode == 1
        assert re.search(r"off|AGENTPORT_ADMIN_LISTEN", result.stderr), result.stderr


def test_a_token_is_not_read_from_the_command_line(operator):
    """What stands there, everybody on the machine reads."""
    result = operator.command("admin", "status", "--token", operator.token)
    assert result.returncode == 2 and operator.token not in result.stderr


def test_the_listener_is_on_loopback_alone(start_bare):
    gateway = start_bare()
    own = subprocess.run(["hostname", "-I"], capture_output=True, text=True).stdout.split()
    for address in own[:1]:
        with pytest.raises(OSError):
            Wire((address, gateway.admin_port), timeout=2)
