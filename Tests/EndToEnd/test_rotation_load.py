# SPDX-License-Identifier: Apache-2.0
"""Seeds rotate while clients of the old and the new one ask: nobody is refused who should pass."""

import itertools
import signal
import threading
import time

import pytest

from support.load import Load
from support.operator import Operator, passes
from support.waiting import wait_until

PAST = "2026-01-01T00:00:00Z"
PLENTY = {"requests": 1_000_000, "per": "1s", "burst": 1_000_000}
REQUESTS_PER_SECOND = 1000
AGENTS = 4


class Pace:
    """Lets so many requests a second go, of all clients together."""

    def __init__(self, per_second):
        self._turns = itertools.count()
        self._began, self._per_second = time.monotonic(), per_second

    def wait(self):
        ahead = self._began + next(self._turns) / self._per_second - time.monotonic()
        if ahead > 0:
            time.sleep(ahead)


class Credentials:
    """The headers of whoever holds one of an agent's seeds; another may take its place."""

    def __init__(self, agent, pace):
        self._agent, self._pace = agent, pace
        self._shown = {}

    def __iter__(self):
        self._pace.wait()
        agent = self._agent
        self._shown[threading.get_ident()] = agent.seed
        return iter(agent.bearer())

    def become(self, agent):
        """Takes another seed; returns when no client of these waits for an answer to the last."""
        last, self._agent = self._agent.seed, agent
        wait_until(lambda: last not in self._shown.values(), timeout=10,
                   what="the last answer to the seed of before")


@pytest.mark.long
@pytest.mark.timeout(120)
@pytest.mark.parametrize("workers", [1, 2])
def test_rotations_under_load_refuse_nobody(start, recorder, workers):
    gateway = start(
        {"totp": {"one_time": False}, "listen": {"limits": {"connections_per_ip": 1000}},
         "filters": [{"use": "tls_inspector"}, {"use": "ip_rate_limit", **PLENTY},
                     {"use": "identity"}, {"use": "totp"}, {"use": "agent_rate_limit"},
                     {"use": "jwt"}]},
        env={"AGENTPORT_WORKERS": str(workers), "AGENTPORT_LOG_LEVEL": "warn"},
        spare_agents=AGENTS)
    for entry in gateway.policy["agents"]:
        entry["rate"] = PLENTY
    gateway.write_policy()
    gateway.restart()
    operator = Operator(gateway, Operator(gateway).token)
    pace, loads, holders = Pace(REQUESTS_PER_SECOND), [], []
    recorder.reset()
    for number, old in enumerate(gateway.agents):
        new = operator.rotate(old)
        holders.append([Credentials(old, pace), Credentials(new, pace), new])
        loads += [Load(gateway, holder, clients=2, name=f"{number}-{which}")
                  for which, holder in zip(("old", "new"), holders[-1])]
    took = []
    for load in loads:
        load.__enter__()
    began = time.monotonic()
    for turn in range(24):
        old, new, agent = holders[turn % AGENTS]
        old.become(agent)  # else this rotation would end the seed that it shows
        before = time.monotonic()
        successor = operator.rotate(agent)
        took.append(time.monotonic() - before)
        new.become(successor)
        holders[turn % AGENTS][2] = successor
        wait_until(lambda n=turn: time.monotonic() > began + 0.3 * (n + 1), what="the next turn")
    lasted = time.monotonic() - began
    for load in loads:
        load.stop()
    for load in loads:
        assert not load.lost and not load.faults, (load.lost[:3], load.faults[:3])
        assert set(load.statuses) == {200}, load.statuses
    answered = sum(len(load.answered) for load in loads)
    print(f"{answered / lasted:.0f} requests/s; rotations took up to {max(took) * 1000:.0f} ms")
    assert answered > 500 * lasted / 2, "hardly any load at all"
    assert len(recorder.requests) >= answered


def test_reloads_beside_rotations_lose_none(start):
    """A reload that began before a rotation and ends after it must not bring back what it read."""
    gateway = start({"totp": {"one_time": False}}, env={"AGENTPORT_WORKERS": "2"})
    operator = Operator(gateway)
    done = threading.Event()

    def reload_without_end():
        for number in itertools.count():
            if done.wait(0.002):
                return
            if number % 2:
                gateway.signal(signal.SIGHUP)
            else:
                operator.post("/admin/reload")

    reloading = threading.Thread(target=reload_without_end)
    reloading.start()
    holders = list(gateway.agents)
    try:
        with gateway.connect() as wire:
            for turn in range(100):
                old = holders[turn % len(holders)]
                new = operator.rotate(old, expires_at=PAST if turn % 2 else None)
                assert wire.request("GET", "/", new.bearer()).status == 200, turn
                if turn % 2:
                    assert wire.request("GET", "/", old.bearer()).status == 401, turn
                holders[turn % len(holders)] = new
    finally:
        done.set()
        reloading.join()
    gateway.restart(kill=True)
    assert all(passes(gateway, holder) for holder in holders)
