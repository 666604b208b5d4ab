# SPDX-License-Identifier: Apache-2.0
"""The gateway as its operator starts it: a process with an environment, secrets and a policy."""

import contextlib
import json
import os
import random
import re
import resource
import signal
import socket
import ssl
import subprocess
import threading
from pathlib import Path

from .agents import Agent
from .waiting import wait_until
from .wire import Wire

REPOSITORY = Path(__file__).resolve().parents[3]
BINARY = Path(os.environ.get("AGENTPORT") or REPOSITORY / ".build/release/agentport").absolute()
CHAIN = [{"use": name} for name in ("tls_inspector", "ip_rate_limit", "identity", "totp",
                                    "agent_rate_limit", "jwt")]
# A process with mounts of its own, where the kernel allows that.
OWN_MOUNTS = ["unshare", "--map-root-user", "--mount"]
# For tests in which one address is many clients, one after the other or at once.
MANY_CLIENTS = {
    "listen": {"limits": {"connections_per_ip": 1000}},
    "filters": [{**f, **({"requests": 1000000, "per": "1s", "burst": 1000000}
                         if f["use"] == "ip_rate_limit" else {})} for f in CHAIN]}


# Below the ports that the kernel gives to connections, which could take one at any time.
PORTS = range(15000, 32000)
_given = set()


def free_port():
    """A port that nothing listens on and that no other call has given."""
    while True:
        port = random.choice(PORTS)
        if port in _given:
            continue
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            _given.add(port)
            return port


def command(*arguments, env=None, **options):
    """Runs `agentport` with these arguments to its end, its environment nothing but `env`."""
    if "input" not in options:
        options.setdefault("stdin", subprocess.DEVNULL)
    options.setdefault("timeout", 20)
    return subprocess.run([str(BINARY), *map(str, arguments)], capture_output=True, text=True,
                          env=environment(env), **options)


def environment(extra=None):
    """A process environment without a developer's own AGENTPORT_ variables."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return {**kept, **(extra or {})}


def merged(base, patch):
    """`base` with `patch` laid over it: objects member by member, anything else replaced."""
    result = dict(base)
    for name, value in patch.items():
        if isinstance(value, dict) and isinstance(result.get(name), dict):
            result[name] = merged(result[name], value)
        else:
            result[name] = value
    return result


def upstream(*endpoints, name="openclaw", **members):
    """An upstream as the policy has it; each endpoint a URL, or a peer that has one."""
    urls = [getattr(endpoint, "url", endpoint) for endpoint in endpoints]
    return {"name": name, "endpoints": urls, "audience": name, **members}


class Gateway:
    """One gateway on free loopback ports, with a directory of its own for everything."""

    def __init__(self, directory, authority, pair=None):
        self.directory = Path(directory)
        self.authority = authority
        self.secrets = self._folder("secrets")
        self.state = self._folder("state")
        self.port, self.admin_port = free_port(), free_port()
        self.address = ("127.0.0.1", self.port)
        self.agents = []
        self.env = {"AGENTPORT_STATE_DIR": str(self.state),
                    "AGENTPORT_SECRETS_DIR": str(self.secrets),
                    "AGENTPORT_WORKERS": "1"}
        self.prefix = []
        self.arguments = ["serve"]
        # The most files that the process may have open, if not as many as this one.
        self.descriptors = None
        self.process = None
        self.lines, self.errors = [], []
        pair = pair or authority.ecdsa
        self.secret("tls_cert", pair.certificate)
        self.secret("tls_key", pair.key)

    def _folder(self, name):
        folder = self.directory / name
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder

    def secret(self, name, content):
        """Writes a secret as a mount would show it: readable by its owner alone."""
        path = self.secrets / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        path.chmod(0o600)
        return path

    # Two ways to configure it.

    def from_environment(self, upstream, env=None, api_key=True):
        """No policy file: one agent, `default`, from the secrets."""
        agent = Agent("default")
        self.agents = [agent]
        self.secret("totp_seed", agent.seed + "\n")
        if api_key:
            self.secret("api_key", agent.key + "\n")
        self.env |= {"AGENTPORT_UPSTREAM": upstream,
                     "AGENTPORT_LISTEN": f"127.0.0.1:{self.port}",
                     "AGENTPORT_ADMIN_LISTEN": f"127.0.0.1:{self.admin_port}",
                     **(env or {})}
        return self

    def from_policy(self, upstream, patch=None, agents=None, env=None, spare_agents=0):
        """A policy file with an agent for each test that asks for one."""
        self.agents = [*(agents or []), *(Agent(f"agent-{n}") for n in range(spare_agents))]
        base = {
            "agentport": 1,
            "listen": {"address": f"127.0.0.1:{self.port}",
                       "tls": {"certificate": str(self.secrets / "tls_cert"),
                               "key": str(self.secrets / "tls_key")}},
            "admin": {"address": f"127.0.0.1:{self.admin_port}"},
            "upstreams": [{"name": "openclaw", "endpoints": [upstream]}],
            "agents": [agent.policy(self.secret(f"totp_{agent.name}", agent.seed + "\n"))
                       for agent in self.agents],
            "filters": CHAIN,
            "routes": [{"path": "/", "upstream": "openclaw"},
                       {"path": "/public/", "public": True, "upstream": "openclaw"}]}
        self.policy = merged(base, patch or {})
        self.policy_file = self.directory / "policy.json"
        self.write_policy()
        self.arguments = ["serve", "--policy", str(self.policy_file)]
        self.env |= env or {}
        self._taken = 0
        return self

    def write_policy(self):
        self.policy_file.write_text(json.dumps(self.policy, indent=2))

    def take_agent(self):
        """An agent that no test has used yet."""
        self._taken += 1
        assert self._taken <= len(self.agents), "this gateway has too few spare agents"
        return self.agents[self._taken - 1]

    def with_files(self, files):
        """Has the process, and no other, read other files in place of these."""
        script = "".join(f'mount --bind "{file}" "{place}" && ' for place, file in files.items())
        self.prefix = [*OWN_MOUNTS, "sh", "-c", script + 'exec "$@"', "sh"]
        return self

    # Its life.

    def launch(self):
        """Starts the process without waiting for anything."""
        self.process = subprocess.Popen(
            [*self.prefix, str(BINARY), *self.arguments], env=environment(self.env),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            preexec_fn=self._limit_descriptors if self.descriptors else None)
        self._readers = [
            threading.Thread(target=_drain, args=(stream, into), daemon=True)
            for stream, into in ((self.process.stdout, self.lines),
                                 (self.process.stderr, self.errors))]
        for reader in self._readers:
            reader.start()
        return self

    def _limit_descriptors(self):
        resource.setrlimit(resource.RLIMIT_NOFILE, (self.descriptors, self.descriptors))

    def start(self):
        """Starts the process and waits until it accepts on both listeners."""
        self.launch()
        ports = [self.port]
        admin = self.env.get("AGENTPORT_ADMIN_LISTEN", "")
        if admin != "off" and not admin.startswith("unix:"):
            ports.append(self.admin_port)
        wait_until(lambda: all(map(self._accepts, ports)), timeout=15,
                   what="the gateway to accept")
        return self

    def _accepts(self, port):
        if self.process.poll() is not None:
            self._finish()
            raise AssertionError(f"the gateway ended with {self.process.returncode}:\n"
                                 + "".join(self.errors[-20:] + self.lines[-20:]))
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return True
        except OSError:
            return False

    def _finish(self):
        for reader in self._readers:
            reader.join(5)

    @property
    def running(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    @contextlib.contextmanager
    def stopped(self):
        """For the block, no thread of it runs: whatever comes meanwhile, it finds at once."""
        self.signal(signal.SIGSTOP)
        try:
            threads = Path(f"/proc/{self.process.pid}/task")
            wait_until(lambda: all(each.read_text().rpartition(")")[2].split()[0] == "T"
                                   for each in threads.glob("*/stat")),
                       what="the gateway to stop")
            yield
        finally:
            self.signal(signal.SIGCONT)

    def wait(self, timeout=20):
        """Its exit status; fails if it is still running at the deadline."""
        status = self.process.wait(timeout)
        self._finish()
        return status

    def stop(self):
        """Ends it as an orchestrator does: SIGTERM, and SIGKILL when that takes too long."""
        if not self.running:
            return self.process.returncode if self.process else None
        self.signal(signal.SIGTERM)
        try:
            return self.wait(10)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self):
        self.process.kill()
        return self.wait()

    def restart(self, kill=False):
        self.kill() if kill else self.stop()
        return self.start()

    # Talking to it.

    def context(self, alpn=("http/1.1",)):
        context = ssl.create_default_context(cafile=str(self.authority.path))
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if alpn:
            context.set_alpn_protocols(list(alpn))
        return context

    def connect(self, context=None, timeout=10, session=None, source=None):
        return Wire(self.address, context or self.context(), timeout=timeout, session=session,
                    source=source)

    def plaintext(self, timeout=10):
        return Wire(self.address, timeout=timeout)

    def request(self, method, target, headers=(), body=None, **options):
        """One request on a connection of its own."""
        with self.connect() as wire:
            return wire.request(method, target, headers, body, **options)

    def admin(self, target, method="GET", headers=()):
        with Wire(("127.0.0.1", self.admin_port)) as wire:
            return wire.request(method, target, headers, host=f"127.0.0.1:{self.admin_port}")

    @property
    def url(self):
        return f"https://localhost:{self.port}"

    def curl(self, target, *arguments, agent_headers=(), timeout=30):
        """curl against this gateway, its authority trusted; the status on the last line."""
        headers = [part for name, value in agent_headers for part in ("-H", f"{name}: {value}")]
        return subprocess.run(
            ["curl", "-sS", "--cacert", str(self.authority.path), "-w", "\n%{http_code}",
             *headers, *arguments, self.url + target],
            capture_output=True, text=True, timeout=timeout)

    # What it shows.

    def logs(self):
        return [json.loads(line) for line in list(self.lines)]

    def access(self, **members):
        """The access lines that have these members."""
        return [line for line in self.logs()
                if "duration_us" in line and all(line.get(k) == v for k, v in members.items())]

    def wait_access(self, count=1, **members):
        return wait_until(lambda: len(found := self.access(**members)) >= count and found,
                          what=f"an access line with {members}")

    def told(self, message, **members):
        """The log lines with this message and these members."""
        return [line for line in self.logs() if line["msg"] == message
                and all(line.get(name) == value for name, value in members.items())]

    def wait_told(self, message, count=1, timeout=5, **members):
        return wait_until(lambda: len(found := self.told(message, **members)) >= count and found,
                          timeout, what=f"{count} lines {message!r} with {members}")

    def output(self):
        return "".join(self.lines + self.errors)

    def metrics(self):
        from prometheus_client.parser import text_string_to_metric_families
        text = self.admin("/metrics").body.decode()
        return {sample_key(s.name, s.labels): s.value
                for family in text_string_to_metric_families(text) for s in family.samples}

    def endpoint_health(self, endpoint, upstream="openclaw"):
        """What the metric says of an endpoint: 1 or 0."""
        labels = {"upstream": upstream, "endpoint": getattr(endpoint, "label", endpoint)}
        return self.metrics()[sample_key("agentport_upstream_healthy", labels)]

    def resident_bytes(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024


def sample_key(name, labels):
    return name + "{" + ",".join(f'{k}="{v}"' for k, v in sorted(labels.items())) + "}"


def _drain(stream, into):
    with contextlib.suppress(ValueError):
        for line in stream:
            into.append(line)


def new_session(gateway, agent, **options):
    """A session token for this agent, by a code."""
    response = gateway.request("GET", "/session-please", agent.bearer(**options))
    assert response.status == 200, response
    return response.get("X-AgentPort-Session")


def ask(gateway, count, path="/"):
    """One after another; their verdicts."""
    with gateway.connect() as wire:
        return [wire.request("POST", f"{path}?{n}", body=b"x").verdict for n in range(count)]
