# SPDX-License-Identifier: Apache-2.0
"""Changing what a running gateway is configured with, as an operator does, and seeing it taken."""

import copy
import json
import re
import signal

from .gateway import merged
from .waiting import wait_until

COUNT = re.compile(rb'^agentport_config_reload_total\{result="(\w+)"\} (\d+)', re.MULTILINE)


def counts(gateway):
    """How many reloads there were, as (succeeded, failed)."""
    found = {result.decode(): int(count)
             for result, count in COUNT.findall(gateway.admin("/metrics").body)}
    return found["ok"], found["failed"]


def reload(gateway, fails=False):
    """SIGHUP, waited for; fails unless it goes as it is meant to.

    Files are written in place before, so that nothing but the signal makes them count.
    """
    before = counts(gateway)
    after = (before[0], before[1] + 1) if fails else (before[0] + 1, before[1])
    gateway.signal(signal.SIGHUP)
    now = wait_until(lambda: (seen := counts(gateway)) != before and seen,
                     what="the reload to be counted")
    assert now == after, (now, after, audits(gateway)[-3:])


def change(gateway, patch=None, fails=False, **members):
    """Lays a patch over the policy, or puts members in place of its own, and reloads."""
    gateway.policy = merged(gateway.policy, patch or {}) | members
    gateway.write_policy()
    reload(gateway, fails)


def without(gateway, agent):
    """The policy's agents but this one."""
    return [entry for entry in gateway.policy["agents"] if entry["name"] != agent.name]


def replaced(gateway, agent, **members):
    """The policy's agents, this one with other members."""
    return [entry | members if entry["name"] == agent.name else entry
            for entry in copy.deepcopy(gateway.policy["agents"])]


def audits(gateway):
    return [line for line in gateway.logs() if line.get("audit")]


def warnings(gateway):
    return [line for line in gateway.logs() if line["level"] == "warn"]


def failures(gateway):
    """What the log says of reloads that failed."""
    return [line["reason"] for line in audits(gateway)
            if line["level"] == "error" and line["msg"].startswith("reload failed")]


def replace_file(path, content):
    """Puts another file in this one's place, as most programs that care write files."""
    new = path.with_name(path.name + ".new")
    new.write_bytes(content if isinstance(content, bytes) else content.encode())
    new.chmod(0o600)
    new.rename(path)


class Mount:
    """A folder as Kubernetes mounts a secret: names that are links into `..data`, itself a link
    to a folder that is never changed; an update makes another one and renames a link over it."""

    def __init__(self, folder, files):
        self.folder = folder
        folder.mkdir()
        self._updates = 0
        self.update(files)
        for name in files:
            (folder / name).symlink_to(f"..data/{name}")

    def update(self, files):
        self._updates += 1
        version = self.folder / f"..2026_11_26_{self._updates:02}"
        version.mkdir()
        for name, content in files.items():
            (version / name).write_bytes(
                content if isinstance(content, bytes) else content.encode())
            (version / name).chmod(0o600)
        link = self.folder / "..data_tmp"
        link.symlink_to(version.name)
        link.rename(self.folder / "..data")

    def __truediv__(self, name):
        return self.folder / name


def text(policy):
    return json.dumps(policy, indent=2)
