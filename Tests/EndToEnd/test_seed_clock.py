# SPDX-License-Identifier: Apache-2.0
"""Hours in the life of a seed, under a clock that the test moves."""

import dataclasses

import pyotp
import pytest

from support.agents import new_seed
from support.clock import MovedClock
from support.gateway import new_session
from support.operator import Operator, lives, passes, rfc3339, seconds
from support.waiting import wait_until

HOUR = 3600


@pytest.fixture
def moved(make, recorder):
    """A gateway, its operator and the clock that it has."""
    def started(**options):
        gateway = make().from_policy(
            recorder.url, {"totp": {"one_time": False}, "sessions": {"lifetime": "24h"}},
            spare_agents=4)
        clock = MovedClock(gateway, **options)
        return gateway.start(), Operator(gateway), clock
    return started


def counts(gateway, clock, agent, seed=None):
    """Whether a seed's code of the gateway's own present passes."""
    code = pyotp.TOTP(seed or agent.seed).at(clock.time())
    return passes(gateway, agent, code)


def rotate(operator, clock, agent, ahead):
    new = dataclasses.replace(agent, seed=new_seed())
    answer = operator.try_rotate(agent, new.seed, expires_at=rfc3339(clock.time() + ahead))
    assert answer.status == 200, answer.body
    return new


def test_a_day_of_grace(moved):
    gateway, operator, clock = moved()
    old = gateway.agents[0]
    session = new_session(gateway, old)
    new = rotate(operator, clock, old, 24 * HOUR - 10)
    for _ in range(23):
        clock.move(HOUR)
        assert counts(gateway, clock, old) and counts(gateway, clock, new)
    assert lives(gateway, old, session)
    clock.move(HOUR)
    assert not counts(gateway, clock, old) and counts(gateway, clock, new)
    assert not lives(gateway, old, session)


def test_an_hour_down(moved):
    """The end comes while it is down, whatever the state says of the time before."""
    gateway, operator, clock = moved()
    old = gateway.agents[0]
    new = rotate(operator, clock, old, HOUR)
    gateway.kill()
    clock.move(HOUR + 1)
    gateway.start()
    assert not counts(gateway, clock, old) and counts(gateway, clock, new)
    wait_until(lambda: len(operator.seeds(old)) == 1, what="the old seed to be gone")
    # Nor does a clock that is set back bring it back.
    gateway.stop()
    clock.move(-HOUR)
    gateway.start()
    assert not counts(gateway, clock, old)
    assert counts(gateway, clock, gateway.agents[1])


def test_a_clock_that_is_set_back_brings_nothing_back(moved):
    gateway, operator, clock = moved(only_the_wall=True)
    old = gateway.agents[0]
    rotate(operator, clock, old, -1)
    assert not counts(gateway, clock, old)
    for other in gateway.agents[1:3]:
        clock.move(-2 * HOUR)
        assert not counts(gateway, clock, old)
        assert counts(gateway, clock, other)


def test_a_machine_that_was_suspended_past_the_end(moved):
    """Codes, tokens and `expires_at` are times of the wall clock; so is the end."""
    gateway, operator, clock = moved(only_the_wall=True)
    old = gateway.agents[0]
    new = rotate(operator, clock, old, HOUR)
    clock.move(10 * HOUR)
    wait_until(lambda: counts(gateway, clock, new), what="the gateway to see the time")
    wait_until(lambda: not counts(gateway, clock, old), timeout=3, interval=0.2,
               what="the old seed to end")


def test_a_clock_that_was_set_right_after_the_start(moved):
    """It was an hour behind, as before the first answer of a time server. An end that has passed
    ends the old seed at once all the same."""
    gateway, operator, clock = moved(only_the_wall=True)
    clock.move(HOUR)
    old = gateway.agents[0]
    new = rotate(operator, clock, old, -60)
    assert counts(gateway, clock, new)
    assert not counts(gateway, clock, old)


def test_a_clock_that_was_set_right_and_the_policy_s_grace(moved):
    gateway, operator, clock = moved(only_the_wall=True)
    clock.move(HOUR)
    answer = operator.try_rotate(gateway.agents[0], new_seed()).json()
    assert abs(seconds(answer["old_expires_at"]) - clock.time() - 300) < 5


def test_a_clock_that_was_a_month_ahead_once(moved):
    gateway, operator, clock = moved()
    gateway.stop()
    clock.move(30 * 24 * HOUR)
    gateway.start()
    operator.rotate(gateway.agents[1])
    gateway.stop()
    clock.move(-30 * 24 * HOUR)
    gateway.start()
    old = gateway.agents[0]
    assert operator.try_rotate(old, new_seed()).status == 200
    clock.move(600)
    wait_until(lambda: not counts(gateway, clock, old), timeout=3, interval=0.2,
               what="the end of five minutes' grace")


def test_a_clock_that_was_days_ahead_at_a_rotation(moved):
    """The end was told by that clock; the grace is five minutes all the same, over restarts."""
    gateway, operator, clock = moved()
    gateway.stop()
    clock.move(10 * 24 * HOUR)
    gateway.start()
    old = gateway.agents[0]
    assert operator.try_rotate(old, new_seed()).status == 200
    gateway.stop()
    clock.move(-10 * 24 * HOUR)
    gateway.start()
    operator.rotate(gateway.agents[1])
    gateway.restart()
    clock.move(600)
    wait_until(lambda: not counts(gateway, clock, old), timeout=3, interval=0.2,
               what="the end of five minutes' grace")


def test_another_period_of_the_same_seed(moved):
    """Steps of another length are other numbers; what counts is when they are."""
    gateway, operator, clock = moved()
    agent = gateway.agents[0]
    assert counts(gateway, clock, agent)
    entry = next(one for one in gateway.policy["agents"] if one["name"] == agent.name)
    entry["totp"]["period"] = "60s"
    gateway.policy["totp"]["one_time"] = True
    gateway.write_policy()
    operator.reload()
    clock.move(90)
    code = pyotp.TOTP(agent.seed, interval=60).at(clock.time())
    assert passes(gateway, agent, code)
    assert not passes(gateway, agent, code)
