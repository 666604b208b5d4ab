# SPDX-License-Identifier: Apache-2.0
"""A gateway to be measured: throw-away secrets, a policy for one of three modes, an upstream.

- `plain`: a public route, the chain is the TLS inspector alone: proxying with TLS
- `session`: the whole chain, the second factor and the token taken from a cached session
- `totp`: the whole chain, a code and a token signed afresh for each request
"""

import base64
import hashlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from load import Target

REPOSITORY = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("AGENTPORT") or REPOSITORY / ".build/release/agentport").absolute()
MODES = ("plain", "session", "totp")
PLENTY = {"requests": 1_000_000, "per": "1s", "burst": 1_000_000}
CHAIN = [{"use": "tls_inspector"}, {"use": "ip_rate_limit", **PLENTY}, {"use": "identity"},
         {"use": "totp"}, {"use": "agent_rate_limit"}, {"use": "jwt"}]


def need(*commands):
    """Ends with one line where a program is missing."""
    packages = {"perf": "linux-perf", "callgrind_control": "valgrind"}
    missing = [packages.get(name, name) for name in commands if not shutil.which(name)]
    if missing:
        raise SystemExit(f"missing: apt-get install {' '.join(sorted(set(missing)))}")
    if not BINARY.exists():
        raise SystemExit(f"{BINARY} is not there: swift build -c release --product agentport")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def end_once(number, _):
    """Ends the script tidily, which a second signal must not cut short."""
    signal.signal(number, signal.SIG_IGN)
    sys.exit(128 + number)


class Testbed:
    """`with Testbed("session") as bed:` is a gateway that accepts, with one worker."""

    def __init__(self, mode, prefix=(), environment=None):
        self.mode = mode
        self.prefix = list(prefix)
        self.environment = environment or {}
        self.processes = []

    def __enter__(self):
        # Whoever ends the script, ends what it started.
        signal.signal(signal.SIGTERM, end_once)
        self.folder = Path(tempfile.mkdtemp(prefix="agentport-perf-"))
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self):
        self.port = free_port()
        self.key = secrets.token_urlsafe(32)
        self.seed = base64.b32encode(os.urandom(20)).decode()
        self.make_secrets()
        upstream = self.spawn([sys.executable, str(Path(__file__).parent / "upstream.py")],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.write_policy(int(upstream.stdout.readline()))
        # What a gateway logs at a level of `info` goes the way it goes in production, up to the
        # write; nothing reads it.
        self.process = self.spawn(
            [*self.prefix, str(BINARY), "serve", "--policy", str(self.folder / "policy.json")],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=(self.folder / "stderr").open("wb"), cwd=self.folder,
            env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"),
                 "AGENTPORT_WORKERS": "1", "AGENTPORT_STATE_DIR": str(self.folder),
                 **self.environment})
        self.wait_until_it_accepts()

    def spawn(self, command, **options):
        process = subprocess.Popen(command, **options)
        self.processes.append(process)
        return process

    def make_secrets(self):
        self.folder.chmod(0o700)
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-days", "2", "-subj", "/CN=localhost",
             "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
             "-keyout", "tls_key", "-out", "tls_cert"],
            cwd=self.folder, check=True, capture_output=True)
        (self.folder / "seed").write_text(self.seed + "\n")
        for name in ("tls_key", "seed"):
            (self.folder / name).chmod(0o600)

    def write_policy(self, upstream_port):
        is_plain = self.mode == "plain"
        policy = {
            "agentport": 1,
            "listen": {"address": f"127.0.0.1:{self.port}",
                       "tls": {"certificate": "tls_cert", "key": "tls_key"}},
            "admin": {"address": f"127.0.0.1:{free_port()}"},
            "upstreams": [{"name": "openclaw", "endpoints": [f"http://127.0.0.1:{upstream_port}"]}],
            "agents": [{"name": "weather-1", "user": "ops@example.com", "scopes": ["tools:read"],
                        "api_key_sha256": [hashlib.sha256(self.key.encode()).hexdigest()],
                        "totp": {"seed_file": "seed"}, "rate": PLENTY}],
            "totp": {"one_time": False},
            "sessions": {"enabled": self.mode != "totp"},
            "filters": [{"use": "tls_inspector"}] if is_plain else CHAIN,
            "routes": [{"path": "/", "upstream": "openclaw", "public": is_plain}]}
        (self.folder / "policy.json").write_text(json.dumps(policy, indent=2))

    def wait_until_it_accepts(self):
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise SystemExit("the gateway ended:\n" + (self.folder / "stderr").read_text())
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise SystemExit("the gateway does not accept")

    @property
    def target(self):
        return Target({
            "PERF_PORT": str(self.port), "PERF_CA": str(self.folder / "tls_cert"),
            "PERF_MODE": self.mode, "PERF_PATH": "/v1/tools/weather?units=metric",
            "PERF_KEY": self.key, "PERF_SEED": self.seed})

    def threads(self):
        """The names of the gateway's threads, by their numbers."""
        tasks = Path(f"/proc/{self.process.pid}/task")
        return {int(task.name): (task / "comm").read_text().strip() for task in tasks.iterdir()}
