# SPDX-License-Identifier: Apache-2.0
"""A code is good once: among parallel requests, across workers, restarts and kills."""

import collections
import threading

import pytest

from support.agents import Agent
from support.wire import encode


def verdicts(gateway, agent, code, count=100):
    """How many of `count` requests with this code, all sent at one moment, got which verdict."""
    wires = [gateway.connect(timeout=20) for _ in range(count)]
    barrier = threading.Barrier(count)
    results = [None] * count
    request = encode("GET", "/once", agent.bearer(code))

    def one(number):
        # All but the last byte goes ahead, so that the requests complete together.
        wires[number].send(request[:-1])
        barrier.wait(20)
        wires[number].send(request[-1:])
        results[number] = wires[number].response().verdict

    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    for wire in wires:
        wire.close()
    return collections.Counter(results)


ONE_OF_100 = {(200, None): 1, (401, "totp_invalid"): 99}


@pytest.mark.parametrize("workers", ["1", "2"])
def test_of_100_parallel_requests_with_one_code_one_passes(start, recorder, workers):
    gateway = start(env={"AGENTPORT_WORKERS": workers})
    agent = gateway.take_agent()
    agent.steady(8)
    assert verdicts(gateway, agent, agent.code()) == ONE_OF_100
    assert len(recorder.at("/once")) == 1
    # The next step's code is inside the window already, and good once too.
    assert verdicts(gateway, agent, agent.code(1)) == ONE_OF_100
    assert len(recorder.at("/once")) == 2


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_same_without_a_policy(start_bare, recorder, workers):
    gateway = start_bare({"AGENTPORT_WORKERS": workers})
    agent = gateway.agents[0]
    agent.steady(8)
    assert verdicts(gateway, agent, agent.code()) == ONE_OF_100


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("kill", [False, True], ids=["stopped", "killed"])
def test_a_used_code_stays_used_after_a_restart(start, recorder, workers, kill):
    gateway = start(env={"AGENTPORT_WORKERS": workers})
    agent = gateway.take_agent()
    agent.steady(10)
    code = agent.code()
    assert gateway.request("GET", "/once", agent.bearer(code)).status == 200
    gateway.restart(kill=kill)
    assert verdicts(gateway, agent, code, count=20) == {(401, "totp_invalid"): 20}
    assert len(recorder.at("/once")) == 1
    # Not because nothing passes any more:
    assert gateway.request("GET", "/once", agent.bearer(agent.code(1))).status == 200


def test_killed_at_the_moment_of_the_answer(start, recorder):
    """Many agents in flight when the process dies: none of the codes that got through to the
    upstream passes again."""
    gateway = start(env={"AGENTPORT_WORKERS": "2"}, spare_agents=40)
    agents = [gateway.take_agent() for _ in range(40)]
    agents[0].steady(12)
    codes = [agent.code() for agent in agents]
    wires = [gateway.connect() for _ in agents]
    for wire, agent, code in zip(wires, agents, codes):
        wire.send(encode("GET", f"/{agent.name}", agent.bearer(code)))
    wires[20].response()
    gateway.kill()
    through = {request.path[1:] for request in recorder.requests}
    assert through
    for wire in wires:
        wire.close()
    gateway.start()
    for agent, code in zip(agents, codes):
        response = gateway.request("GET", "/again", agent.bearer(code))
        if agent.name in through:
            assert response.verdict == (401, "totp_invalid"), agent.name


@pytest.mark.long
def test_forty_kills_reopen_no_step(start, recorder):
    """Each kill follows at once on an accepted code; the state file always opens again."""
    gateway = start(env={"AGENTPORT_WORKERS": "2"}, spare_agents=40)
    agents = [gateway.take_agent() for _ in range(40)]
    for agent in agents:
        agent.steady(4)
        code = agent.code()
        assert gateway.request("GET", "/once", agent.bearer(code)).status == 200
        gateway.restart(kill=True)
        assert gateway.request("GET", "/again", agent.bearer(code)).verdict \
            == (401, "totp_invalid")
    assert len(recorder.at("/once")) == 40
    assert recorder.at("/again") == []


@pytest.mark.parametrize("form", ["bearer", "parameters", "basic"])
def test_a_code_is_used_whatever_the_form(gateway, agent, form):
    agent.steady()
    assert gateway.request("GET", "/", agent.bearer()).status == 200
    response = gateway.request("GET", "/", getattr(agent, form)())
    assert response.verdict == (401, "totp_invalid")


def test_an_older_step_is_refused_once_a_newer_one_was_accepted(gateway, agent):
    agent.steady()
    assert gateway.request("GET", "/", agent.bearer(agent.code(1))).status == 200
    for offset in (0, -1, 1):
        response = gateway.request("GET", "/", agent.bearer(agent.code(offset)))
        assert response.verdict == (401, "totp_invalid"), offset


def test_steps_in_order_all_pass(gateway, agent):
    agent.steady()
    for offset in (-1, 0, 1):
        assert gateway.request("GET", "/", agent.bearer(agent.code(offset))).status == 200


@pytest.mark.parametrize("offset", [-3, -2, 2, 3])
def test_outside_the_window_a_code_is_wrong(gateway, agent, offset):
    agent.steady()
    response = gateway.request("GET", "/", agent.bearer(agent.code(offset)))
    assert response.verdict == (401, "totp_invalid")


def test_without_skew_only_the_current_step_counts(start):
    gateway = start({"totp": {"skew": 0}})
    agent = gateway.take_agent()
    agent.steady()
    for offset in (-1, 1):
        response = gateway.request("GET", "/", agent.bearer(agent.code(offset)))
        assert response.verdict == (401, "totp_invalid")
    assert gateway.request("GET", "/", agent.bearer()).status == 200


def test_one_agent_s_code_is_not_another_s(gateway):
    mine, yours = gateway.take_agent(), gateway.take_agent()
    assert gateway.request("GET", "/", mine.bearer()).status == 200
    assert gateway.request("GET", "/", yours.bearer()).status == 200


@pytest.mark.parametrize("by", ["policy", "environment"])
def test_one_time_can_be_switched_off(start, start_bare, by):
    if by == "policy":
        gateway = start({"totp": {"one_time": False}})
        agent = gateway.take_agent()
    else:
        gateway = start_bare({"AGENTPORT_TOTP_ONE_TIME": "false"})
        agent = gateway.agents[0]
    agent.steady(8)
    code = agent.code()
    assert verdicts(gateway, agent, code, count=50) == {(200, None): 50}
    assert gateway.request("GET", "/", agent.bearer(agent.code(-1))).status == 200
    response = gateway.request("GET", "/", agent.bearer(agent.code(-3)))
    assert response.verdict == (401, "totp_invalid")


def test_a_code_refused_later_in_the_chain_is_used_up_all_the_same(start):
    """The agent limit stands behind TOTP: what it refuses has spent its code."""
    limited = Agent("limited", rate={"requests": 1, "per": "1h", "burst": 1})
    gateway = start(spare_agents=0, agents=[limited])
    agent = limited
    agent.steady(6)
    assert gateway.request("GET", "/", agent.bearer(agent.code(-1))).status == 200
    assert gateway.request("GET", "/", agent.bearer(agent.code())).status == 429
    response = gateway.request("GET", "/", agent.bearer(agent.code()))
    assert response.verdict == (401, "totp_invalid")
