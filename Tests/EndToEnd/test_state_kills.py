# SPDX-License-Identifier: Apache-2.0
"""Killed at any instant in the middle of rotations and accepted codes: it always starts again,
nothing that was acknowledged is lost, and nothing that is over is back."""

import contextlib
import dataclasses
import os
import random
import threading
import time

import pytest

from support.agents import new_seed
from support.operator import Operator, passes
from support.wire import Closed

PAST = "2026-01-01T00:00:00Z"
ENDED = (OSError, Closed)


class Witness:
    """What one agent's operator knows: seeds that were acknowledged, the call that was not
    answered, and the codes that were accepted."""

    def __init__(self, agent):
        self.agent = agent
        self.seeds = [agent.seed]  # all of them, the one in force last
        self.before_counts = False  # whether the one before it is in its grace
        self.open = None  # (seed, end, key) of a call that was made and not answered
        self.used = set()  # (seed, code) that let a request through

    def holder(self, seed):
        return dataclasses.replace(self.agent, seed=seed)

    def rotate(self, operator, chosen):
        seed, end = new_seed(), chosen.choice([PAST, None])
        self.open = (seed, end, f"key-{seed[:12]}")
        response = operator.try_rotate(self.agent, seed, expires_at=end, key=self.open[2])
        assert response.status == 200, response.body
        self.acknowledged()

    def acknowledged(self):
        seed, end, _ = self.open
        self.seeds.append(seed)
        self.before_counts, self.open = end is None, None

    def show_code(self, gateway):
        """The first code that the seed in force has: nothing but a use could spend it."""
        holder = self.holder(self.seeds[-1])
        code = holder.code(-1)
        if passes(gateway, holder, code):
            self.used.add((holder.seed, code))

    def check(self, gateway, operator, chosen):
        if self.open is not None:
            self.check_open(gateway, operator)
        now = self.holder(self.seeds[-1])
        fresh = now.code(1)
        if (now.seed, fresh) not in self.used:
            assert passes(gateway, now, fresh), "a rotation is lost"
            self.used.add((now.seed, fresh))
        assert len(operator.seeds(self.agent)) == 1 + self.before_counts, "the grace is another"
        for seed in chosen.sample(self.seeds[:-2], min(2, len(self.seeds[:-2]))):
            assert not passes(gateway, self.holder(seed)), "a superseded seed is back"
        for seed, code in self.used:
            if seed in self.seeds[-2:]:
                assert not passes(gateway, self.holder(seed), code), "a code is good again"
        self.used = {(seed, code) for seed, code in self.used if seed in self.seeds[-2:]}

    def check_open(self, gateway, operator):
        """It came about or it did not; to repeat it is harmless either way."""
        seed, end, key = self.open
        response = operator.try_rotate(self.agent, seed, expires_at=end, key=key)
        assert response.status == 200, response.body
        self.acknowledged()


def busy_until_killed(gateway, operator, witnesses, seed):
    """Rotations one after the other, and codes beside them; returns when the process has gone."""
    def rotations():
        chosen = random.Random(seed)
        with contextlib.suppress(*ENDED):
            while True:
                witness = chosen.choice(witnesses[0::2])
                witness.rotate(operator, chosen)

    def both():
        chosen = random.Random(seed + 1)
        with contextlib.suppress(*ENDED):
            while True:
                witness = chosen.choice(witnesses[1::2])
                witness.show_code(gateway)
                witness.rotate(operator, chosen)
                witness.show_code(gateway)

    faults = []

    def noting(run):
        try:
            run()
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=noting, args=(run,)) for run in (rotations, both)]
    for thread in threads:
        thread.start()
    return threads, faults


def rounds(start, count):
    seed = int(os.environ.get("AGENTPORT_SEED") or random.getrandbits(32))
    print("AGENTPORT_SEED =", seed)
    chosen = random.Random(seed)
    gateway = start({"totp": {"max_failures": 1000, "disable_after": 100000,
                              "rotation_grace": "1h"},
                     "sessions": {"enabled": False}}, env={"AGENTPORT_WORKERS": "2"})
    operator = Operator(gateway, Operator(gateway).token)
    witnesses = [Witness(agent) for agent in gateway.agents]
    disabled = Witness(gateway.agents[-1])
    witnesses.pop()
    kids, rotations = set(), 0
    for round_ in range(count):
        threads, faults = busy_until_killed(gateway, operator, witnesses, chosen.getrandbits(32))
        if round_ % 5 == 1:
            operator.disable(disabled.agent, enable=round_ % 2 == 0)
            kids.add(operator.post("/admin/keys/rotate").json()["kid"])
        time.sleep(chosen.random() * 0.15)  # the instant is chosen at random: that is the point
        gateway.kill()
        for thread in threads:
            thread.join(20)
        assert not faults, (round_, faults)
        if round_ % 4 == 3:
            gateway.launch()
            time.sleep(chosen.random() * 0.04)
            gateway.kill()
        gateway.lines.clear()
        gateway.start()
        assert gateway.errors == [], (round_, gateway.errors)
        for witness in witnesses:
            witness.check(gateway, operator, chosen)
            rotations += len(witness.seeds) > 1
        served = {key["kid"] for key in gateway.request(
            "GET", "/.well-known/jwks.json").json()["keys"]}
        assert kids <= served, round_
        if round_ >= 1:
            last = max(n for n in range(round_ + 1) if n % 5 == 1)
            verdict = gateway.request("GET", "/", disabled.agent.bearer()).verdict
            assert (verdict == (403, "agent_disabled")) == (last % 2 == 1), (round_, verdict)
    assert rotations > 0


@pytest.mark.timeout(120)
def test_some_kills(start):
    rounds(start, 15)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_two_hundred_kills(start):
    rounds(start, 200)
