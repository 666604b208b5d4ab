# SPDX-License-Identifier: Apache-2.0
"""The operator: who holds the admin token, and calls the admin listener or the commands with it."""

import contextlib
import dataclasses
import datetime
import json
import re
import time

from .agents import new_seed
from .gateway import command
from .wire import Wire, encode

TOKEN = re.compile(r"[A-Za-z0-9._~+/-]{22,}=*")  # 128 bits at the very least


class Operator:
    """Calls one gateway; its token is that in the state directory unless another is given."""

    def __init__(self, gateway, token=None):
        self.gateway = gateway
        self._token = token

    @property
    def token(self):
        return self._token or (self.gateway.state / "admin_token").read_text().strip()

    def call(self, method, target, body=None, headers=(), token=None, host=None):
        """One call; a body that is not bytes is sent as JSON, `token` False sends none."""
        fields = list(headers)
        if token is not False:
            fields.append(("Authorization", f"Bearer {token or self.token}"))
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            fields.append(("Content-Type", "application/json"))
        with self.wire() as wire:
            wire.send_all_it_takes(encode(method, target, fields, body, host or self.host))
            return wire.response(method)

    def wire(self):
        return Wire(("127.0.0.1", self.gateway.admin_port))

    @property
    def host(self):
        return f"127.0.0.1:{self.gateway.admin_port}"

    def get(self, target, **options):
        return self.call("GET", target, **options)

    def post(self, target, body=None, **options):
        return self.call("POST", target, body, **options)

    # The calls, each as it must go: they fail where the gateway refuses.

    def rotate(self, agent, seed=None, **options):
        """Puts another seed in force; the agent as it is from then on."""
        successor = dataclasses.replace(agent, seed=seed or new_seed())
        response = self.try_rotate(agent, successor.seed, **options)
        assert response.status == 200, (response.status, response.body)
        return successor

    def try_rotate(self, agent, seed, expires_at=None, expires_in=None, key=None, **members):
        """The answer to a rotation; its end as a text, or so many seconds from now."""
        if expires_in is not None:
            expires_at = rfc3339(time.time() + expires_in)
        body = {"agent": getattr(agent, "name", agent), "seed": seed, **members}
        if expires_at is not None:
            body["expires_at"] = expires_at
        headers = [("Idempotency-Key", key)] if key else []
        return self.post("/admin/secrets", body, headers=headers)

    def disable(self, agent, enable=False):
        response = self.post(f"/admin/agents/{agent.name}/{'enable' if enable else 'disable'}")
        assert response.status == 200, (response.status, response.body)

    def enable(self, agent):
        self.disable(agent, enable=True)

    def reload(self):
        response = self.post("/admin/reload")
        assert response.status == 200, (response.status, response.body)

    def seeds(self, agent):
        """What is told of an agent's seeds, the one in force first."""
        shown = self.get("/admin/secrets").json()["agents"]
        return next(entry for entry in shown if entry["agent"] == agent.name)["seeds"]

    def keys(self):
        return self.get("/admin/keys").json()["keys"]

    def command(self, *arguments, env=None, **options):
        """Runs `agentport` as beside the gateway: with its environment, and nothing else."""
        told = dict(self.gateway.env)
        told.pop("LD_PRELOAD", None)
        if "--policy" in self.gateway.arguments:
            told["AGENTPORT_POLICY"] = str(self.gateway.policy_file)
        told = {k: v for k, v in (told | (env or {})).items() if v is not None}
        return command(*arguments, env=told, **options)


def rfc3339(at):
    """A time in seconds, rounded up to whole ones, as calls write it."""
    moment = datetime.datetime.fromtimestamp(int(-(-at // 1)), datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds(text):
    """The time that an answer names, in seconds."""
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def passes(gateway, agent, code=None, **options):
    """Whether a code of this agent, its present one unless given, lets a request through.
    What is refused is refused for its code and for nothing else."""
    response = gateway.request("GET", "/", agent.bearer(code), **options)
    assert response.verdict in ((200, None), (401, "totp_invalid")), response.verdict
    return response.status == 200


def lives(gateway, agent, session):
    """Whether a session is still good."""
    response = gateway.request("GET", "/", agent.session(session))
    assert response.verdict in ((200, None), (401, "session_invalid")), response.verdict
    return response.status == 200


def problem(response, status, code=None, pointer=None):
    """Asserts that an answer is a whole problem of RFC 9457, as every refusal is."""
    assert response.status == status, (response.status, response.body)
    assert response.get("Content-Type").split(";")[0] == "application/problem+json"
    shown = response.json()
    required = {"type", "title", "status", "code", "detail", "request_id"}
    assert required <= set(shown) <= required | {"pointer"}, shown
    assert shown["status"] == status
    assert shown["type"] == f"https://agentport.dev/problems/{shown['code']}"
    assert shown["title"] and shown["request_id"]
    if code is not None:
        assert shown["code"] == code
    if pointer is not None:
        assert shown.get("pointer") == pointer, shown
    return shown


@contextlib.contextmanager
def told_once(gateway, **members):
    """Asserts that the block causes exactly one audit line with these members."""
    def count():
        return sum(1 for line in gateway.logs() if line.get("audit")
                   and all(line.get(name) == value for name, value in members.items()))
    from .waiting import settle, wait_until
    before = count()
    yield
    wait_until(lambda: count() > before, what=f"an audit line with {members}")
    settle()
    assert count() == before + 1, f"several lines with {members}"
