# SPDX-License-Identifier: Apache-2.0
"""`agentport check`, and what `serve` makes of a policy file: faults are told with their place."""

import base64
import json
import re

import pytest

from support.gateway import command


@pytest.fixture
def policy(make, recorder):
    """A policy that is right, and how `check` finds it once it is changed."""
    gateway = make().from_policy(recorder.url, {}, spare_agents=2)

    class Policy:
        file = gateway.policy_file
        value = gateway.policy
        agents = gateway.agents

        def check(self, text=None):
            self.file.write_text(text if text is not None else json.dumps(self.value, indent=2))
            result = command("check", "--policy", self.file, env=gateway.env)
            shown = result.stdout + result.stderr
            for secret in [a.seed for a in self.agents] + [a.key for a in self.agents]:
                assert secret not in shown
            return result

        def fault(self, pointer, text=None):
            """Asserts that there is a fault at this place, and that it is located in the file."""
            result = self.check(text)
            assert result.returncode == 1, result.stdout
            shown = result.stdout + result.stderr
            line = rf"^{re.escape(str(self.file))}:\d+:\d+: {re.escape(pointer)}(/[^:]*)?: .+"
            assert re.search(line, shown, re.M), shown
            return shown

    return Policy()


def test_check_says_ok(policy):
    result = policy.check()
    assert result.returncode == 0 and result.stderr == ""
    assert "ok" in result.stdout.split()


def test_check_without_a_policy(make, recorder):
    gateway = make().from_environment(recorder.url)
    result = command("check", env=gateway.env)
    assert result.returncode == 0 and "ok" in result.stdout.split()
    assert gateway.agents[0].seed not in result.stdout
    assert gateway.agents[0].key not in result.stdout


def test_check_opens_no_socket_and_makes_no_state(make, recorder):
    gateway = make().from_environment(recorder.url, api_key=False).start()
    assert command("check", env=gateway.env).returncode == 0  # the address is in use
    gateway.stop()
    for path in gateway.state.iterdir():
        path.unlink() if path.is_file() else None
    kept = set(gateway.state.iterdir())
    command("check", env=gateway.env)
    assert set(gateway.state.iterdir()) == kept


def test_check_prints_where_a_value_comes_from(make, recorder):
    gateway = make().from_policy(recorder.url, {"issuer": {"name": "from-the-policy"}},
                                 spare_agents=1, env={"AGENTPORT_AUDIENCE": "from-the-shell"})
    shown = command("check", "--policy", gateway.policy_file, env=gateway.env).stdout
    [audience] = [line for line in shown.splitlines() if "from-the-shell" in line]
    assert re.search("environment|AGENTPORT_AUDIENCE", audience)
    [issuer] = [line for line in shown.splitlines() if "from-the-policy" in line]
    assert re.search("policy|AGENTPORT_POLICY", issuer.replace("from-the-policy", ""))


def test_comments_and_trailing_commas_are_allowed(policy):
    text = json.dumps(policy.value, indent=2)
    text = "// a comment\n/* another\n one */\n" + text.replace(
        '"agentport": 1,', '"agentport": 1, // what this is {"\n /* } */').rstrip()
    text = re.sub(r"\n\}$", ",\n}\n", text)
    text = re.sub(r"\n  \],?", lambda match: ",\n  ]" + match[0].strip()[1:], text, count=1)
    result = policy.check(text)
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_fault_is_found_at_its_line_and_column(policy):
    text = '{\n  "agentport": 1,\n  "upstreams": [],\n    "nonsense": true\n}\n'
    shown = policy.fault("/nonsense", text)
    assert re.search(rf"{re.escape(str(policy.file))}:4:\d+: /nonsense: ", shown)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"agentport": 1', "{'agentport': 1}",
                                  '{"agentport": 1, "agentport": 1}', '{"agentport": 2}',
                                  "{}", '{"agentport": 1} x', '{"agentport": "1"}', "\xff"])
def test_what_is_no_policy(policy, text):
    result = policy.check(text)
    assert result.returncode == 1
    assert re.search(rf"^{re.escape(str(policy.file))}:\d+:\d+: ",
                     result.stdout + result.stderr, re.M)


FAULTS = {
    "an unknown section": (lambda p: p.update(nonsense={}), "/nonsense"),
    "an unknown key": (lambda p: p["listen"].update(adress="x"), "/listen/adress"),
    "a duration without a unit": (lambda p: p.update(sessions={"lifetime": "5"}),
                                  "/sessions/lifetime"),
    "a duration that is a number": (lambda p: p.update(sessions={"lifetime": 300}),
                                    "/sessions/lifetime"),
    "a size without a unit": (lambda p: p["listen"].update(limits={"body": "2"}),
                              "/listen/limits/body"),
    "a negative number": (lambda p: p.update(totp={"skew": -1}), "/totp/skew"),
    "a number for a truth": (lambda p: p.update(totp={"one_time": 1}), "/totp/one_time"),
    "an unknown algorithm": (lambda p: p.update(issuer={"algorithm": "HS256"}),
                             "/issuer/algorithm"),
    "an unknown filter": (lambda p: p["filters"].insert(0, {"use": "nothing"}), "/filters/0"),
    "an address without a port": (lambda p: p["listen"].update(address="127.0.0.1"),
                                  "/listen/address"),
    "an endpoint that is no URL": (lambda p: p["upstreams"][0].update(endpoints=["nothing"]),
                                   "/upstreams/0/endpoints"),
    "one endpoint of several": (lambda p: _upstream(p).update(
        endpoints=["http://a", "unix:/run/a.sock", "https://a/path"]), "/upstreams/0/endpoints/2"),
    "a socket's relative path": (lambda p: _upstream(p).update(endpoints=["unix:run/a.sock"]),
                                 "/upstreams/0/endpoints/0"),
    "no endpoints": (lambda p: _upstream(p).update(endpoints=[]), "/upstreams/0/endpoints"),
    "65 endpoints": (lambda p: _upstream(p).update(
        endpoints=[f"http://a:{port}" for port in range(1, 66)]), "/upstreams/0/endpoints"),
    "an endpoint twice": (lambda p: _upstream(p).update(endpoints=["http://a", "http://A:80/"]),
                          "/upstreams/0/endpoints/1"),
    "an unknown balance": (lambda p: _upstream(p).update(balance="random"),
                           "/upstreams/0/balance"),
    "ejection before any failure": (lambda p: _upstream(p).update(eject_after=0),
                                    "/upstreams/0/eject_after"),
    "a health check without a path": (lambda p: _upstream(p).update(
        health_check={"interval": "5s"}), "/upstreams/0/health_check"),
    "a health check's fragment": (lambda p: _upstream(p).update(health_check={"path": "/#a"}),
                                  "/upstreams/0/health_check/path"),
    "a health check that never rests": (lambda p: _upstream(p).update(
        health_check={"path": "/", "interval": "99ms"}), "/upstreams/0/health_check/interval"),
    "TLS that no endpoint speaks": (lambda p: _upstream(p).update(tls={"server_name": "a"}),
                                    "/upstreams/0/tls"),
    "an authority that is not there": (lambda p: _upstream(p).update(
        endpoints=["https://a"], tls={"ca": "/nowhere"}), "/upstreams/0/tls/ca"),
    "a server name with a port": (lambda p: _upstream(p).update(
        endpoints=["https://a"], tls={"server_name": "a:443"}), "/upstreams/0/tls/server_name"),
    "a pin in hexadecimal": (lambda p: _upstream(p).update(
        endpoints=["https://a"], tls={"pins_sha256": ["ab" * 32]}),
        "/upstreams/0/tls/pins_sha256/0"),
    "a profile": (lambda p: _upstream(p).update(profile="openclaw"), "/upstreams/0/profile"),
    "a route's limit beyond the listener's": (lambda p: p["routes"][0].update(
        limits={"header_fields": 101}), "/routes/0/limits/header_fields"),
    "a route's limit that is the listener's": (lambda p: p["routes"][0].update(
        limits={"connections": 5}), "/routes/0/limits/connections"),
    "a route's timeout that is none": (lambda p: p["routes"][1].update(
        timeouts={"idle": "0s"}), "/routes/1/timeouts/idle"),
    "an unknown upstream": (lambda p: p["routes"][0].update(upstream="nowhere"),
                            "/routes/0/upstream"),
    "a path without a slash": (lambda p: p["routes"][0].update(path="x"), "/routes/0/path"),
    "a route twice": (lambda p: p["routes"].append(dict(p["routes"][0])), "/routes/2"),
    "a hash that is none": (lambda p: p["agents"][0].update(api_key_sha256=["abc"]),
                            "/agents/0/api_key_sha256"),
    "an agent without a key": (lambda p: p["agents"][0].pop("api_key_sha256"), "/agents/0"),
    "an agent's bad name": (lambda p: p["agents"][0].update(name="a b"), "/agents/0/name"),
    "an agent twice": (lambda p: p["agents"][1].update(name=p["agents"][0]["name"]), "/agents/1"),
    "a key twice": (lambda p: p["agents"][1].update(
        api_key_sha256=p["agents"][0]["api_key_sha256"]), "/agents/1"),
    "a seed twice": (lambda p: p["agents"][1].update(totp=p["agents"][0]["totp"]), "/agents/1"),
    "a user twice": (lambda p: p["agents"][1].update(user=p["agents"][0]["user"]), "/agents/1"),
    "nine digits": (lambda p: p["agents"][0]["totp"].update(digits=9), "/agents/0/totp/digits"),
    "a seed that is not there": (lambda p: p["agents"][0]["totp"].update(seed_file="/nowhere"),
                                 "/agents/0/totp/seed_file"),
    "an endpoint that is the admin listener": (lambda p: p["upstreams"][0].update(
        endpoints=["http://" + p["admin"]["address"]]), "/upstreams/0/endpoints"),
    "one of several is the admin listener": (lambda p: _upstream(p).update(
        endpoints=["http://a", "https://" + p["admin"]["address"]]), "/upstreams/0/endpoints/1"),
    "one of several is the admin socket": (lambda p: (
        p["admin"].update(address="unix:/run/admin.sock"),
        _upstream(p).update(endpoints=["http://a", "unix:/run/admin.sock"])),
        "/upstreams/0/endpoints/1"),
    "an endpoint that is the gateway itself": (lambda p: _upstream(p).update(
        endpoints=["https://" + p["listen"]["address"]]), "/upstreams/0/endpoints/0"),
    "two upstreams with one audience": (lambda p: p["upstreams"].append(
        dict(p["upstreams"][0], name="second")), "/upstreams/1"),
    "TOTP before identity": (lambda p: p.update(filters=_chain(4, 3)), "/filters"),
    "JWT not last": (lambda p: p.update(filters=_chain(5, 6)), "/filters"),
    "the address limit after identity": (lambda p: p.update(filters=_chain(2, 3)), "/filters"),
    "clients' pins after identity": (lambda p: p.update(filters=_chain(1, 3)), "/filters"),
    "an authority of clients that is not there": (lambda p: p["listen"]["tls"].update(
        client_certificate="required", client_ca="/nowhere"), "/listen/tls/client_ca"),
    "a certificate of anybody": (lambda p: p["listen"]["tls"].update(
        client_certificate="required"), "/listen/tls/client_certificate"),
    "pins of clients who are not asked": (lambda p: p["listen"]["tls"].update(
        client_pins_sha256=["A" * 43 + "="]), "/listen/tls/client_pins_sha256"),
    "an agent's pin that cannot be shown": (lambda p: p["agents"][0].update(
        client_pins_sha256=["A" * 43 + "="]), "/agents/0/client_pins_sha256"),
    "no JWT": (lambda p: p["filters"].pop(5), "/filters"),
    "no TOTP": (lambda p: p["filters"].pop(3), "/filters"),
    "no identity": (lambda p: p["filters"].pop(2), "/filters"),
    "identity twice": (lambda p: p["filters"].insert(3, {"use": "identity"}), "/filters"),
}


def _upstream(value):
    """The one upstream of the usual policy."""
    return value["upstreams"][0]


def _chain(one, other):
    """The usual chain with two filters changed about."""
    names = ["tls_inspector", "client_pins", "ip_rate_limit", "identity", "totp",
             "agent_rate_limit", "jwt"]
    names[one], names[other] = names[other], names[one]
    return [{"use": name} for name in names]


@pytest.mark.parametrize("change, pointer", FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_of_the_policy(policy, change, pointer):
    policy.value = json.loads(json.dumps(policy.value))
    change(policy.value)
    policy.fault(pointer)


def test_what_upstreams_and_routes_say_is_shown(policy):
    """All of it can be reviewed in the summary, each line with its source."""
    authority = policy.file.parent / "authority.pem"
    authority.write_text(open(policy.value["listen"]["tls"]["certificate"]).read())
    policy.value["upstreams"] = [
        {"name": "claw", "endpoints": ["http://a:1", "https://b", "unix:/run/c.sock"],
         "balance": "round_robin", "eject_after": 7,
         "health_check": {"path": "/well", "interval": "250ms", "unhealthy_after": 2},
         "tls": {"ca": "authority.pem", "server_name": "claw.internal",
                 "pins_sha256": [base64.b64encode(bytes(32)).decode()]}},
        # Two may share an endpoint; what says nothing is as if it were not there.
        {"name": "other", "endpoints": ["http://a:1"], "audience": "other", "health_check": None,
         "tls": {"ca": None, "server_name": None, "pins_sha256": []}}]
    policy.value["routes"] = [
        {"path": "/", "upstream": "claw", "timeouts": {"first_byte": "2m", "idle": "30s"},
         "limits": {"body": "16MiB", "body_timeout": "1m", "header_fields": 50}},
        {"path": "/other", "upstream": "other"}]
    result = policy.check()
    assert result.returncode == 0, result.stderr
    for words in (["http://a:1", "https://b", "unix:/run/c.sock"], ["round_robin"], ["7 failures"],
                  ["/well", "250ms", "2 failures"], [str(authority), "claw.internal", "1 pin"],
                  ["16MiB", "1m", "50"], ["2m", "30s"]):
        [line] = [line for line in result.stdout.splitlines() if all(w in line for w in words)]
        assert line.endswith("policy")
    assert base64.b64encode(bytes(32)).decode() not in result.stdout


@pytest.mark.parametrize("text, endpoints", [
    ("https://a", 1), ("unix:/run/a.sock", 1), (" http://a:1 ,\n https://b , unix:/c ", 3)])
def test_endpoints_of_the_environment(make, text, endpoints):
    result = command("check", env=make().from_environment(text).env)
    assert result.returncode == 0, result.stderr
    [line] = [line for line in result.stdout.splitlines() if line.endswith("AGENTPORT_UPSTREAM")]
    assert sum(line.count(scheme) for scheme in ("http://", "https://", "unix:")) == endpoints


@pytest.mark.parametrize("text", [
    "http://a,", ",http://a", "http://a,,http://b", "http://a,http://a", "http://a,b",
    "http://a http://b", "unix:a", "http://a,http://user:hunter2@b"])
def test_faulty_endpoints_of_the_environment(make, text):
    result = command("check", env=make().from_environment(text).env)
    assert result.returncode == 1 and result.stdout == ""
    [line] = result.stderr.splitlines()
    assert line.startswith("AGENTPORT_UPSTREAM: ") and "hunter2" not in line


def test_two_agents_with_one_seed_in_two_files(policy):
    """Written in two ways, and yet the same secret."""
    one, other = (agent["totp"]["seed_file"] for agent in policy.value["agents"])
    seed = policy.agents[0].seed.lower()
    with open(other, "w") as file:
        file.write(" ".join(seed[n:n + 4] for n in range(0, len(seed), 4)))
    result = policy.check()
    assert result.returncode == 1
    [line] = result.stderr.splitlines()
    assert one in line and line.startswith(other + ": ") and policy.agents[1].name in line
    assert seed[:8] not in line


@pytest.mark.parametrize("name, content", [
    ("api_key", "short"), ("api_key", " \n"), ("api_key", "two keys of some\nlength in one file"),
    ("totp_seed", "GEZDGNBV"), ("tls_key", "no key"), ("tls_cert", "no certificate"),
    ("signing_key", "no key")])
def test_a_fault_inside_a_secret(make, recorder, name, content):
    gateway = make().from_environment(recorder.url)
    path = gateway.secret(name, content)
    result = command("check", env=gateway.env)
    assert result.returncode == 1 and result.stdout == ""
    [line] = result.stderr.splitlines()
    assert line.startswith(f"{path}: ")
    assert not content.strip() or content not in line.replace(str(path), "")


def test_an_api_key_may_have_white_space_around_it(make, recorder):
    gateway = make().from_environment(recorder.url)
    gateway.secret("api_key", "\ufeff  " + gateway.agents[0].key + " \r\n\n")
    result = command("check", env=gateway.env)
    assert result.returncode == 0 and result.stderr == ""


def test_all_faults_are_told_at_once(policy):
    policy.value["totp"] = {"skew": "one"}
    policy.value["sessions"] = {"lifetime": 5}
    shown = policy.fault("/totp/skew")
    assert "/sessions/lifetime" in shown


@pytest.mark.parametrize("section, value", [
    ("tools", [{"name": "x", "effect": "deny"}]),
    ("people", [{"name": "ops", "totp": {"seed_file": "/x"}}])])
def test_a_section_that_is_not_built_yet_is_refused_by_name(policy, section, value):
    policy.value[section] = value
    policy.fault(f"/{section}")


def test_a_policy_that_is_not_there(tmp_path):
    path = tmp_path / "nowhere.json"
    for name in ("check", "serve"):
        result = command(name, "--policy", path)
        assert result.returncode == 1 and str(path) in result.stderr + result.stdout


def test_serve_refuses_what_check_refuses(make, recorder):
    gateway = make().from_policy(recorder.url, {"nonsense": 1}).launch()
    assert gateway.wait() == 1
    assert len(gateway.errors) == 1 and "/nonsense" in gateway.errors[0]


def test_serve_is_the_default_command(make, recorder):
    gateway = make().from_environment(recorder.url)
    gateway.arguments = []
    assert gateway.start().request("GET", "/healthz").status == 200


def test_files_in_a_policy_are_relative_to_its_folder(make, recorder):
    gateway = make().from_policy(recorder.url, spare_agents=1)
    gateway.policy["listen"]["tls"] = {"certificate": "secrets/tls_cert", "key": "secrets/tls_key"}
    agent = gateway.agents[0]
    gateway.policy["agents"][0]["totp"]["seed_file"] = f"secrets/totp_{agent.name}"
    gateway.write_policy()
    gateway.start()
    assert gateway.request("GET", "/", agent.bearer()).status == 200


def test_the_policy_can_be_named_in_the_environment(make, recorder):
    gateway = make().from_policy(recorder.url, spare_agents=1)
    gateway.arguments = ["serve"]
    gateway.env["AGENTPORT_POLICY"] = str(gateway.policy_file)
    gateway.start()
    assert gateway.request("GET", "/", gateway.agents[0].bearer()).status == 200
