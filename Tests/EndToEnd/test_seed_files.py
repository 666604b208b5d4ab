# SPDX-License-Identifier: Apache-2.0
"""Seeds in files beside seeds by call: what a start, a reload or a kill makes of them."""

import time

import pytest

from support.agents import new_seed
from support.gateway import new_session
from support.operator import Operator, lives, passes, seconds
from support.reloading import change, reload, replaced, without
from support.seeds import HOW, again, with_seed, write_seed
from support.waiting import wait_until

PAST = "2026-01-01T00:00:00Z"


@pytest.fixture
def lasting(start):
    """A gateway whose codes are good more than once, and its operator."""
    def started(grace="5m", **options):
        gateway = start({"totp": {"one_time": False, "rotation_grace": grace}}, **options)
        return gateway, Operator(gateway)
    return started


def ignored(gateway, agent):
    """The warnings that name this agent's file."""
    return [line for line in gateway.logs() if line["level"] == "warn"
            and f"totp_{agent.name}" in str(line)]


# A rotation by call, and a file that still holds the seed of before.

@HOW
def test_within_the_grace_both_go_on(lasting, how):
    gateway, operator = lasting()
    old = gateway.take_agent()
    new = operator.rotate(old, expires_in=900)
    end = operator.seeds(old)[1]["expires_at"]
    for _ in range(2):
        again(gateway, how)
        assert passes(gateway, new) and passes(gateway, old)
        assert operator.seeds(old)[1]["expires_at"] == end, "the grace begins anew"
        wait_until(lambda: ignored(gateway, old), what="a warning that the file is ignored")


@HOW
def test_nothing_brings_back_what_is_over(lasting, how):
    gateway, operator = lasting()
    old = gateway.take_agent()
    new = operator.rotate(old, expires_at=PAST)
    for _ in range(2):
        again(gateway, how)
        assert passes(gateway, new) and not passes(gateway, old)
        wait_until(lambda: ignored(gateway, old), what="a warning that the file is ignored")
        assert len(operator.seeds(old)) == 1


@HOW
def test_nothing_brings_back_one_of_several(lasting, how):
    """Whatever of five earlier seeds the file holds."""
    gateway, operator = lasting()
    seeds = [gateway.take_agent()]
    for _ in range(4):
        seeds.append(operator.rotate(seeds[-1], expires_at=PAST))
    for old in seeds[:-1]:
        write_seed(gateway, old)
        again(gateway, how)
        assert [passes(gateway, each) for each in seeds] == [False] * 4 + [True]


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_an_end_that_comes_while_it_is_down(lasting, how):
    gateway, operator = lasting()
    old = gateway.take_agent()
    answer = operator.try_rotate(old, seed := new_seed(), expires_in=2).json()
    gateway.kill() if how == "killed" else gateway.stop()
    end = seconds(answer["old_expires_at"])
    wait_until(lambda: time.time() > end, what="the end")
    gateway.start()
    assert not passes(gateway, old) and passes(gateway, with_seed(old, seed))
    wait_until(lambda: len(operator.seeds(old)) == 1, what="the old seed to be gone")


def test_an_agent_that_was_away_finds_no_seed_that_is_over(lasting):
    gateway, operator = lasting()
    old = gateway.take_agent()
    new = operator.rotate(old, expires_at=PAST)
    before = gateway.policy["agents"]
    change(gateway, agents=without(gateway, old))
    change(gateway, agents=before)
    assert not passes(gateway, old)
    gateway.restart(kill=True)
    assert not passes(gateway, old)
    write_seed(gateway, new)
    reload(gateway)
    assert not passes(gateway, old)


def test_another_name_does_not_bring_it_back(lasting):
    """The same entry under another name, with the file of before."""
    gateway, operator = lasting()
    old = gateway.take_agent()
    operator.rotate(old, expires_at=PAST)
    gateway.policy["agents"] = replaced(gateway, old, name="renamed")
    gateway.write_policy()
    gateway.signal(1)
    wait_until(lambda: [line for line in gateway.logs() if line.get("audit")
                        and "reload" in line["msg"]], what="the reload")
    verdict = gateway.request("GET", "/", old.bearer()).verdict
    assert verdict[0] == 401, verdict


def test_another_name_in_the_grace_does_not_bring_it_back(lasting):
    gateway, operator = lasting()
    old = gateway.take_agent()
    new = operator.rotate(old, expires_in=3)
    write_seed(gateway, new)
    change(gateway, agents=replaced(gateway, old, name="renamed"))
    assert passes(gateway, new) and passes(gateway, old), "the grace goes with the name"
    wait_until(lambda: not passes(gateway, old), what="the end of the grace")
    write_seed(gateway, old)
    gateway.signal(1)
    wait_until(lambda: len([line for line in gateway.logs() if line.get("audit")
                            and "reload" in line["msg"]]) == 2, what="the reload")
    assert passes(gateway, new) and not passes(gateway, old)


@pytest.mark.parametrize("how", ["stopped", "killed", "reloaded"])
@pytest.mark.parametrize("grace", [300, -60], ids=["in the grace", "after it"])
def test_another_name_takes_along_what_is_known(lasting, how, grace):
    """The file still has the seed of before a rotation by call; the seed in force goes on."""
    gateway, operator = lasting()
    old = gateway.take_agent()
    new = operator.rotate(old, expires_in=grace)
    gateway.policy["agents"] = replaced(gateway, old, name="renamed")
    gateway.write_policy()
    again(gateway, how)
    for _ in range(2):
        assert passes(gateway, new)
        assert passes(gateway, old) == (grace > 0)
        again(gateway, "killed")


# Another seed in the file is a rotation.

@pytest.mark.parametrize("how", ["stopped", "killed", "reloaded"])
def test_another_seed_in_the_file_is_a_rotation(lasting, how):
    gateway, operator = lasting(grace="10m")
    old = gateway.take_agent()
    session = new_session(gateway, old)
    new = with_seed(old)
    write_seed(gateway, new)
    assert not passes(gateway, new)
    again(gateway, how)
    assert passes(gateway, new) and passes(gateway, old)
    seeds = operator.seeds(old)
    assert len(seeds) == 2
    assert 580 < seconds(seeds[1]["expires_at"]) - time.time() <= 601
    gateway.wait_told("seed rotated", agent=old.name)
    if how == "reloaded":
        assert lives(gateway, old, session), "the session's seed counts still"
    again(gateway, how)
    assert len(operator.seeds(old)) == 2
    assert len(gateway.told("seed rotated", agent=old.name)) == 1, "one rotation, told once"


@pytest.mark.parametrize("how", ["stopped", "killed", "reloaded"])
def test_its_grace_ends_too(lasting, how):
    gateway, operator = lasting(grace="2s")
    old = gateway.take_agent()
    new = with_seed(old)
    write_seed(gateway, new)
    again(gateway, how)
    wait_until(lambda: not passes(gateway, old), timeout=4, interval=0.05, what="its end")
    assert passes(gateway, new)
    write_seed(gateway, old)
    again(gateway, how)
    assert passes(gateway, new) and not passes(gateway, old)
    wait_until(lambda: ignored(gateway, old), what="a warning")


def test_a_file_that_catches_up_with_a_call_changes_nothing(lasting):
    gateway, operator = lasting()
    old = gateway.take_agent()
    new = operator.rotate(old)
    end = operator.seeds(old)[1]["expires_at"]
    write_seed(gateway, new)
    reload(gateway)
    assert passes(gateway, old) and passes(gateway, new)
    assert operator.seeds(old)[1]["expires_at"] == end
    gateway.restart()
    assert len(gateway.wait_told("seed rotated", agent=old.name)) == 1
    assert passes(gateway, old) and passes(gateway, new)
    assert ignored(gateway, old) == []


def test_two_other_seeds_in_a_row_end_the_first(lasting):
    gateway, _ = lasting()
    agents = [gateway.take_agent()]
    for _ in range(2):
        agents.append(with_seed(agents[0]))
        write_seed(gateway, agents[-1])
        reload(gateway)
    assert [passes(gateway, each) for each in agents] == [False, True, True]


@pytest.mark.parametrize("how", ["stopped", "reloaded"])
def test_a_code_that_was_used_stays_so(start, how):
    gateway = start()
    old = gateway.take_agent()
    old.steady(8)
    assert passes(gateway, old)
    new = with_seed(old)
    write_seed(gateway, new)
    again(gateway, how)
    assert not passes(gateway, old)
    assert passes(gateway, new)
    again(gateway, how)
    assert not passes(gateway, old) and not passes(gateway, new)
    assert passes(gateway, old, old.code(1)) and passes(gateway, new, new.code(1))


# Files that are given to the wrong agent.

@pytest.mark.parametrize("how", ["stopped", "killed", "reloaded"])
def test_two_agents_whose_files_are_swapped(lasting, how):
    """No seed may ever count for two, and no start or reload may change its mind."""
    gateway, _ = lasting()
    one, other = gateway.take_agent(), gateway.take_agent()
    gateway.secret(f"totp_{one.name}", other.seed)
    gateway.secret(f"totp_{other.name}", one.seed)
    outcomes = []
    for _ in range(2):
        if how == "reloaded":
            gateway.signal(1)
            wait_until(lambda n=len(outcomes): len([
                line for line in gateway.logs() if line.get("audit")
                and "reload" in line["msg"]]) > n, what="the reload")
        else:
            gateway.kill() if how == "killed" else gateway.stop()
            gateway.launch()
            wait_until(lambda: not gateway.running or answers(gateway), what="a start or a line")
            if not gateway.running:
                assert gateway.errors and all("secrets/totp_" in e for e in gateway.errors)
                return
        outcomes.append([passes(gateway, with_seed(agent, seed)) for agent in (one, other)
                         for seed in (one.seed, other.seed)])
        own_one, one_others, other_ones, own_other = outcomes[-1]
        assert not (own_one and other_ones) and not (own_other and one_others), outcomes
        assert (own_one or one_others) and (own_other or other_ones), "an agent is shut out"
    assert outcomes[0] == outcomes[1]


def answers(gateway):
    try:
        return gateway.request("GET", "/healthz").status == 200
    except OSError:
        return False


def test_a_seed_that_went_to_another_agent_is_refused(lasting):
    """The superseded seed of one in the file of another: in a backup, or by a slip."""
    gateway, operator = lasting()
    one, other = gateway.take_agent(), gateway.take_agent()
    operator.rotate(one, expires_at=PAST)
    gateway.secret(f"totp_{other.name}", one.seed)
    gateway.signal(1)
    wait_until(lambda: [line for line in gateway.logs() if line.get("audit")
                        and "reload" in line["msg"]], what="the reload")
    assert not passes(gateway, with_seed(other, one.seed))
    assert passes(gateway, other)
