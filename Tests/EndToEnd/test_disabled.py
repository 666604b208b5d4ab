# SPDX-License-Identifier: Apache-2.0
"""A disabled agent stays so, over restarts, kills, reloads and rotations, until it is enabled."""

import pytest

from support.operator import Operator, passes
from support.reloading import change, reload, without
from support.seeds import HOW, again, with_seed, write_seed
from support.waiting import stays, wait_until

PAST = "2026-01-01T00:00:00Z"


@pytest.fixture
def disabled(start):
    """A gateway, its operator, and an agent that is disabled."""
    gateway = start({"totp": {"one_time": False}})
    operator, agent = Operator(gateway), gateway.take_agent()
    assert passes(gateway, agent)
    operator.disable(agent)
    return gateway, operator, agent


def is_disabled(gateway, *agents):
    for agent in agents:
        assert gateway.request("GET", "/", agent.bearer()).verdict == (403, "agent_disabled")
    return True


@HOW
def test_whatever_happens(disabled, how):
    gateway, operator, agent = disabled
    for _ in range(2):
        again(gateway, how)
        assert is_disabled(gateway, agent)
    new = operator.rotate(agent)
    again(gateway, how)
    assert is_disabled(gateway, agent, new)
    operator.enable(agent)
    again(gateway, how)
    assert passes(gateway, agent) and passes(gateway, new)


@HOW
def test_with_another_seed_in_the_file(disabled, how):
    gateway, operator, agent = disabled
    new = with_seed(agent)
    write_seed(gateway, new)
    for _ in range(2):
        again(gateway, how)
        assert is_disabled(gateway, agent, new)
    operator.enable(agent)
    assert passes(gateway, new)


def test_with_a_seed_that_takes_its_place_at_once(disabled):
    gateway, operator, agent = disabled
    assert is_disabled(gateway, operator.rotate(agent, expires_at=PAST))


def test_when_the_grace_of_the_seed_before_ends(disabled):
    gateway, operator, agent = disabled
    new = operator.rotate(agent, expires_in=1)
    assert is_disabled(gateway, new)
    wait_until(lambda: len(operator.seeds(agent)) == 1, what="the end of the grace")
    stays(lambda: is_disabled(gateway, new), seconds=1)


def test_with_one_rotation_after_the_other(disabled):
    gateway, operator, agent = disabled
    for _ in range(3):
        agent = operator.rotate(agent)
        assert is_disabled(gateway, agent)


def test_with_a_rotation_by_call_and_one_by_file(disabled):
    gateway, operator, agent = disabled
    operator.rotate(agent)
    third = with_seed(agent)
    write_seed(gateway, third)
    reload(gateway)
    assert is_disabled(gateway, third)


def test_an_agent_that_was_away(disabled):
    gateway, _, agent = disabled
    before = gateway.policy["agents"]
    change(gateway, agents=without(gateway, agent))
    change(gateway, agents=before)
    assert is_disabled(gateway, agent)
    gateway.restart(kill=True)
    assert is_disabled(gateway, agent)
