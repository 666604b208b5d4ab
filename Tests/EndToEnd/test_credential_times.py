# SPDX-License-Identifier: Apache-2.0
"""That the time of an answer tells nothing that the answer does not: by statistics."""

import random
import re
import statistics
import time

import pytest

from support.agents import Agent
from support.gateway import MANY_CLIENTS
from support.wire import encode

# Requests that are sent at once, so that what is measured is work and not the way there and back.
AT_ONCE = 32
ROUNDS = 500
# How far two medians may lie apart. Those of one kind, taken twice, differ by a few hundredths; a
# code that is not even compared makes an answer a tenth faster.
RATIO_MAX = 1.2

pytestmark = [pytest.mark.long, pytest.mark.native, pytest.mark.timeout(300)]


@pytest.fixture
def gateway(start):
    agents = [Agent(f"agent-{n}", period=60) for n in range(64)]
    patch = {"totp": {"max_failures": 1000, "disable_after": 100000}}
    return start({**MANY_CLIENTS, **patch}, agents=agents, spare_agents=0)


def medians(gateway, kinds, code):
    """The median time of each kind's answers, in microseconds. `kinds` are functions of an agent
    that make headers; each round asks for one agent in each of them, in an order of its own."""
    times = {name: [] for name in kinds}
    with gateway.connect() as wire:
        wire.send(encode("GET", "/", next(iter(kinds.values()))(gateway.agents[0])))
        head = wire.until(b"\r\n\r\n")
        length = int(re.search(rb"content-length: (\d+)", head)[1])
        wire.exactly(length)
        for number in range(ROUNDS):
            agent = gateway.agents[number % len(gateway.agents)]
            for name in random.sample(list(kinds), len(kinds)):
                data = encode("GET", "/", kinds[name](agent)) * AT_ONCE
                began = time.perf_counter_ns()
                wire.send(data)
                answers = wire.exactly((len(head) + length) * AT_ONCE)
                times[name].append((time.perf_counter_ns() - began) / AT_ONCE / 1000)
                assert answers.count(b"HTTP/1.1 401 ") == AT_ONCE, (name, answers[:500])
                assert answers.count(f'"code":"{code}"'.encode()) == AT_ONCE
    # The first rounds warm things up.
    return {name: statistics.median(taken[20:]) for name, taken in times.items()}


def alike(seen):
    return max(seen.values()) < RATIO_MAX * min(seen.values())


def test_an_unknown_agent_and_a_wrong_key(gateway):
    """Whatever code comes along, in each form that names an agent."""
    kinds = {}
    for form in ("parameters", "basic"):
        for who in ("unknown agent", "wrong key"):
            for what in ("right", "wrong"):
                def headers(agent, form=form, who=who, what=what):
                    name = agent.name if who == "wrong key" else "b" + agent.name[1:]
                    other = Agent(name, key="k" * len(agent.key), seed=agent.seed, period=60)
                    code = other.code() if what == "right" else other.wrong_code()
                    return getattr(other, form)(code)
                kinds[f"{form}, {who}, {what} code"] = headers
    seen = medians(gateway, kinds, "credentials_invalid")
    for form in ("parameters", "basic"):
        of_form = {name: value for name, value in seen.items() if name.startswith(form)}
        assert alike(of_form), seen


def test_a_wrong_key_of_any_likeness(gateway):
    """A key that is right but for its last character takes no longer than any other."""
    kinds = {
        "nothing like it": lambda a: [("Authorization", "Bearer " + "k" * len(a.key))],
        "all but the last": lambda a: [("Authorization", "Bearer " + a.key[:-1] + "~")],
        "all but the first": lambda a: [("Authorization", "Bearer ~" + a.key[1:])]}
    seen = medians(gateway, kinds, "credentials_invalid")
    assert alike(seen), seen


def test_a_wrong_an_expired_and_a_used_code(gateway):
    gateway.agents[0].steady(30)
    for agent in gateway.agents:
        assert gateway.request("GET", "/", agent.bearer()).status == 200
    kinds = {"wrong": lambda a: a.bearer(a.wrong_code()),
             "expired": lambda a: a.bearer(a.code(-4)),
             "used": lambda a: a.bearer(a.code()),
             "older than the used one": lambda a: a.bearer(a.code(-1))}
    seen = medians(gateway, kinds, "totp_invalid")
    assert alike(seen), seen
