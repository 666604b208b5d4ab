# SPDX-License-Identifier: Apache-2.0
"""A seed is rotated under way: what counts beside it, until when, and what ends with it."""

import threading
import time

import pytest

from support.agents import new_seed
from support.gateway import new_session
from support.operator import Operator, lives, passes, rfc3339, seconds
from support.waiting import stays, wait_until

PAST = "2026-01-01T00:00:00Z"


@pytest.fixture
def operator(gateway):
    return Operator(gateway)


@pytest.fixture
def lasting(start):
    """A gateway whose codes are good more than once, and its operator."""
    def started(patch=None, **options):
        gateway = start({"totp": {"one_time": False}, **(patch or {})}, **options)
        return gateway, Operator(gateway)
    return started


# In the time of grace.

def test_both_count_and_each_code_once(gateway, operator, agent):
    agent.steady(6)
    used = agent.code(-1)
    assert passes(gateway, agent, used)
    new = operator.rotate(agent)
    assert not passes(gateway, agent, used), "a code that was used is good again"
    for step in (-1, 0, 1):
        assert passes(gateway, new, new.code(step)), step
        assert step == -1 or passes(gateway, agent, agent.code(step)), step
    for step in (-1, 0, 1):
        assert not passes(gateway, new, new.code(step))
        assert not passes(gateway, agent, agent.code(step))


def test_the_answer(operator, agent):
    before = time.time()
    response = operator.try_rotate(agent, new_seed())
    assert response.status == 200
    shown = response.json()
    assert set(shown) == {"rotation_id", "trace_id", "agent", "old_expires_at"}
    assert shown["agent"] == agent.name
    assert before + 299 <= seconds(shown["old_expires_at"]) <= time.time() + 301
    at = rfc3339(time.time() + 3600)
    shown = operator.try_rotate(agent, new_seed(), expires_at=at).json()
    assert seconds(shown["old_expires_at"]) == seconds(at)


def test_what_is_told_of_seeds(operator, agent):
    first = operator.seeds(agent)
    assert len(first) == 1
    operator.rotate(agent, expires_in=600)
    new, old = operator.seeds(agent)
    assert old["fingerprint"] == first[0]["fingerprint"] != new["fingerprint"]
    assert 590 < seconds(old["expires_at"]) - time.time() <= 601
    assert new["expires_at"] is None and new["age_seconds"] < 30


def test_a_wrong_code_counts_once(lasting):
    """Though it is held against two seeds."""
    gateway, operator = lasting({"totp": {"one_time": False, "max_failures": 4}})
    agent = gateway.take_agent()
    new = operator.rotate(agent)
    wrong = wrong_for(agent, new)
    for _ in range(3):
        assert not passes(gateway, new, wrong)
    assert passes(gateway, agent)
    for _ in range(4):
        assert not passes(gateway, new, wrong)
    for each in (agent, new):
        assert gateway.request("GET", "/", each.bearer()).verdict == (429, "totp_locked")


def wrong_for(*agents):
    right = {agent.code(step) for agent in agents for step in range(-4, 5)}
    return next(code for code in (f"{n:06d}" for n in range(1000, 2000)) if code not in right)


def test_sessions_of_both_live(lasting):
    gateway, operator = lasting()
    agent = gateway.take_agent()
    before = new_session(gateway, agent)
    new = operator.rotate(agent)
    sessions = [before, new_session(gateway, agent), new_session(gateway, new)]
    assert all(lives(gateway, agent, session) for session in sessions)


# The end of it.

def rotated_for_two_seconds(gateway, operator):
    agent = gateway.take_agent()
    session = new_session(gateway, agent)
    answer = operator.try_rotate(agent, seed := new_seed(), expires_in=2).json()
    new = type(agent)(**{**vars(agent), "seed": seed})
    return agent, session, new, seconds(answer["old_expires_at"])


def ends_at(gateway, headers, code, end):
    """Asserts that what is good now is so until this time, and refused from then on."""
    last = 0.0
    with gateway.connect() as wire:
        while True:
            sent = time.time()
            verdict = wire.request("GET", "/", headers()).verdict
            if verdict != (200, None):
                break
            last = sent
            assert sent < end + 3, "it never ends"
            time.sleep(0.005)
    assert verdict == (401, code)
    assert time.time() >= end, f"refused {end - time.time()} s too early"
    assert last < end + 0.1, f"taken {last - end} s after its end"


def test_the_old_one_ends_when_it_was_said_and_not_before(lasting):
    gateway, operator = lasting()
    agent, _, new, end = rotated_for_two_seconds(gateway, operator)
    lasts = new_session(gateway, new)
    ends_at(gateway, agent.bearer, "totp_invalid", end)
    assert passes(gateway, new) and lives(gateway, new, lasts)
    wait_until(lambda: len(operator.seeds(agent)) == 1, what="the old seed to be gone")
    assert passes(gateway, new)


def test_its_sessions_end_with_it(lasting):
    gateway, operator = lasting()
    for _ in range(3):
        agent, session, _, end = rotated_for_two_seconds(gateway, operator)
        ends_at(gateway, lambda a=agent, s=session: a.session(s), "session_invalid", end)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_end_in_the_past_is_an_end_at_once(lasting, workers):
    gateway, operator = lasting(env={"AGENTPORT_WORKERS": workers})
    agent = gateway.take_agent()
    session = new_session(gateway, agent)
    wires = [gateway.connect() for _ in range(12)]
    for wire in wires:
        assert wire.request("GET", "/", agent.session(session)).status == 200
    new = operator.rotate(agent, expires_at=PAST)
    for wire in wires:
        for headers, verdict in ((agent.session(session), (401, "session_invalid")),
                                 (new.bearer(), (200, None))):
            assert wire.request("GET", "/", headers).verdict == verdict
    for wire in wires[:4]:
        assert wire.request("GET", "/", agent.bearer()).verdict == (401, "totp_invalid")
        wire.request("GET", "/", new.bearer())
    for wire in wires:
        wire.close()
    assert len(operator.seeds(agent)) == 1


@pytest.mark.parametrize("round_", range(3))
def test_the_new_one_counts_with_the_next_request(lasting, round_):
    """On every worker, whichever the connection is at."""
    gateway, operator = lasting(env={"AGENTPORT_WORKERS": "2"})
    agent = gateway.take_agent()
    wires = [gateway.connect() for _ in range(12)]
    for _ in range(5):
        agent = operator.rotate(agent)
        statuses = [wire.request("GET", "/", agent.bearer()).status for wire in wires]
        assert statuses == [200] * 12
    for wire in wires:
        wire.close()


def test_a_further_rotation_ends_the_oldest_at_once(lasting):
    gateway, operator = lasting()
    first = gateway.take_agent()
    session = new_session(gateway, first)
    second = operator.rotate(first)
    assert passes(gateway, first)
    lasts = new_session(gateway, second)
    third = operator.rotate(second)
    assert not passes(gateway, first)
    assert not lives(gateway, first, session)
    assert passes(gateway, second) and passes(gateway, third)
    assert lives(gateway, third, lasts)
    assert len(operator.seeds(first)) == 2


def test_the_old_one_can_be_ended_sooner_by_another_rotation(lasting):
    gateway, operator = lasting()
    first = gateway.take_agent()
    second = operator.rotate(first, expires_in=600)
    third = operator.rotate(second, expires_at=PAST)
    assert [passes(gateway, each) for each in (first, second, third)] == [False, False, True]


def test_rotations_at_once_all_count(lasting):
    """Eight agents at the same moment, from eight callers: each has its own new seed."""
    gateway, operator = lasting(spare_agents=8)
    agents, rotated = list(gateway.agents), {}

    def rotate(agent):
        rotated[agent.name] = operator.rotate(agent, expires_at=PAST)

    threads = [threading.Thread(target=rotate, args=(agent,)) for agent in agents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    for agent in agents:
        assert passes(gateway, rotated[agent.name]) and not passes(gateway, agent)
    gateway.restart(kill=True)
    for agent in agents:
        assert passes(gateway, rotated[agent.name]) and not passes(gateway, agent)


# What a rotation must not reset.

def test_failures_go_on(lasting):
    gateway, operator = lasting({"totp": {"one_time": False, "max_failures": 3}})
    agent = gateway.take_agent()
    for _ in range(2):
        assert not passes(gateway, agent, agent.wrong_code())
    new = operator.rotate(agent, expires_at=PAST)
    assert not passes(gateway, new, wrong_for(agent, new))
    assert gateway.request("GET", "/", new.bearer()).verdict == (429, "totp_locked")


def test_a_lock_out_goes_on(lasting):
    gateway, operator = lasting({"totp": {"one_time": False, "max_failures": 3}})
    agent = gateway.take_agent()
    for _ in range(3):
        assert not passes(gateway, agent, agent.wrong_code())
    new = operator.rotate(agent)
    for each in (agent, new):
        assert gateway.request("GET", "/", each.bearer()).verdict == (429, "totp_locked")


def test_an_end_is_no_failure_of_the_new_one(lasting):
    """Whoever still shows the old seed's codes is refused, as wrong; the agent's own success
    sets that back."""
    gateway, operator = lasting({"totp": {"one_time": False, "max_failures": 3}})
    agent = gateway.take_agent()
    new = operator.rotate(agent, expires_at=PAST)
    for _ in range(4):
        assert not passes(gateway, agent)
        assert not passes(gateway, agent)
        assert passes(gateway, new)


def test_the_last_step_of_a_seed_stays_with_it(gateway, operator, agent):
    agent.steady(8)
    new = operator.rotate(agent)
    assert passes(gateway, new, new.code(1))
    assert not passes(gateway, new, new.code()), "an older step after a newer one"
    third = operator.rotate(new)
    assert not passes(gateway, new, new.code(1)), "used before it was superseded"
    assert passes(gateway, third)


def test_disabled_stays_disabled(gateway, operator, agent):
    session = new_session(gateway, agent)
    operator.disable(agent)
    new = operator.rotate(agent)
    for headers in (new.bearer(), agent.bearer(), agent.session(session)):
        assert gateway.request("GET", "/", headers).verdict == (403, "agent_disabled")
    operator.enable(agent)
    assert passes(gateway, new)
    assert not lives(gateway, agent, session)


def test_one_agent_s_rotation_is_not_another_s(lasting):
    gateway, operator = lasting()
    agent, other = gateway.take_agent(), gateway.take_agent()
    session = new_session(gateway, other)
    operator.rotate(agent, expires_at=PAST)
    assert passes(gateway, other) and lives(gateway, other, session)


def test_grace_is_the_policy_s(lasting):
    gateway, operator = lasting({"totp": {"one_time": False, "rotation_grace": "2s"}})
    agent = gateway.take_agent()
    before = time.time()
    answer = operator.try_rotate(agent, new_seed()).json()
    assert before + 1 <= seconds(answer["old_expires_at"]) <= time.time() + 3
    assert passes(gateway, agent)
    wait_until(lambda: not passes(gateway, agent), timeout=4, interval=0.1, what="its end")


def test_rotations_do_not_grow_without_end(lasting):
    """A hundred of one agent: two seeds count, and what is kept stays small."""
    gateway, operator = lasting()
    agent = gateway.take_agent()
    for _ in range(100):
        before, agent = agent, operator.rotate(agent)
    assert len(operator.seeds(agent)) == 2
    assert passes(gateway, before) and passes(gateway, agent)
    size = sum(path.stat().st_size for path in gateway.state.iterdir()
               if path.name != "totp_steps")
    assert size < 100_000
    stays(lambda: passes(gateway, agent), seconds=0.3)
