# SPDX-License-Identifier: Apache-2.0
"""What the call that rotates a seed refuses, and what its repetition does."""

import base64
import contextlib
import datetime
import json
import os
import shutil
import threading
import time

import pytest

from support.agents import new_seed
from support.gateway import OWN_MOUNTS
from support.operator import Operator, passes, problem, rfc3339, seconds
from support.waiting import settle

PAST = "2026-01-01T00:00:00Z"


@pytest.fixture(scope="module")
def policy_patch():
    return {"totp": {"one_time": False}}


@pytest.fixture
def operator(gateway):
    return Operator(gateway)


@pytest.fixture
def unchanged(gateway, operator, agent):
    """After the test the agent has the seed it had, and no other."""
    before = operator.seeds(agent)
    yield
    now = operator.seeds(agent)
    assert [s["fingerprint"] for s in now] == [s["fingerprint"] for s in before]
    assert passes(gateway, agent)


def base32(count):
    return base64.b32encode(os.urandom(count)).decode().rstrip("=")


# Seeds.

@pytest.mark.parametrize("count", [0, 1, 10, 15])
def test_fewer_than_128_bits_are_refused(operator, agent, unchanged, count):
    problem(operator.try_rotate(agent, base32(count)), 422, pointer="/seed")


@pytest.mark.parametrize("count", [16, 20, 32, 64])
def test_128_bits_and_more_are_taken(gateway, operator, agent, count):
    padded = base32(count)
    assert operator.try_rotate(agent, padded).status == 200
    new = type(agent)(**{**vars(agent), "seed": padded + "=" * (-len(padded) % 8)})
    assert passes(gateway, new)


SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PX"


@pytest.mark.parametrize("seed", [
    "not!base32", SEED + "1", "A" * 2000, pytest.param(SEED + "\0", id="NUL"),
    pytest.param("\uff2a" + SEED, id="a wide J"), "A" * 26 + "B"])
def test_what_is_no_base32_is_refused(operator, agent, unchanged, seed):
    shown = problem(operator.try_rotate(agent, seed), 422, pointer="/seed")
    assert seed not in str(shown)


def test_white_space_in_it_is_ignored_as_in_a_file(gateway, operator, agent):
    seed = new_seed()
    spaced = " ".join(seed[n:n + 4] for n in range(0, 32, 4)) + "\n"
    response = operator.try_rotate(agent, spaced)
    if response.status == 200:
        assert passes(gateway, type(agent)(**{**vars(agent), "seed": seed}))
    else:
        problem(response, 422, pointer="/seed")


def test_a_seed_in_use_elsewhere_is_refused(gateway, operator, agent, unchanged):
    other = gateway.take_agent()
    new = operator.rotate(other)
    for seed in (other.seed, new.seed, new.seed.lower()):
        problem(operator.try_rotate(agent, seed), 422, pointer="/seed")
    assert passes(gateway, new) and passes(gateway, other)


def test_a_seed_that_is_over_elsewhere_is_refused_for_good(gateway, operator, agent, unchanged):
    """Whoever found it in a backup must not get it back into force."""
    other = gateway.take_agent()
    operator.rotate(other, expires_at=PAST)
    assert operator.try_rotate(other, other.seed).status == 422
    response = operator.try_rotate(agent, other.seed)
    assert response.status == 422, (response.status, response.body)


def test_its_own_seeds_are_no_new_ones(gateway, operator, agent):
    new = operator.rotate(agent)
    for seed in (new.seed, agent.seed):
        response = operator.try_rotate(agent, seed, expires_at=PAST)
        problem(response, 422, pointer="/seed")
    assert passes(gateway, new) and passes(gateway, agent)


def test_an_unknown_agent(operator):
    response = operator.try_rotate("nobody", new_seed())
    assert response.status in (404, 422)
    problem(response, response.status)


# Times.

@pytest.mark.parametrize("ahead", [24 * 3600 + 60, 25 * 3600, 10 ** 8])
def test_more_than_a_day_ahead_is_refused(operator, agent, unchanged, ahead):
    problem(operator.try_rotate(agent, new_seed(), expires_in=ahead), 422,
            pointer="/expires_at")


def test_nearly_a_day_ahead_is_taken(operator, agent):
    assert operator.try_rotate(agent, new_seed(), expires_in=24 * 3600 - 60).status == 200


@pytest.mark.parametrize("text", [
    "", "tomorrow", "2026-06-01", "2026-06-01T12:00:00", "2026-13-01T12:00:00Z",
    "2026-02-30T12:00:00Z", "2026-06-01T25:00:00Z", "2026-06-01T12:00:00Zx", "1780315200",
    "2026-06-01T12:00:00+25:00", "99999-01-01T00:00:00Z", "2026-06-01T12:00:00Z\n"])
def test_what_is_no_time_is_refused(operator, agent, unchanged, text):
    problem(operator.try_rotate(agent, new_seed(), expires_at=text), 422, pointer="/expires_at")


@pytest.mark.parametrize("hours", [-11, 2, 5.5])
def test_a_time_may_be_written_with_an_offset(operator, agent, hours):
    zone = datetime.timezone(datetime.timedelta(hours=hours))
    at = datetime.datetime.fromtimestamp(int(time.time()) + 600, zone)
    answer = operator.try_rotate(agent, new_seed(), expires_at=at.isoformat())
    assert answer.status == 200, answer.body
    assert seconds(answer.json()["old_expires_at"]) == at.timestamp()


@pytest.mark.parametrize("text", ["1970-01-01T00:00:00Z", PAST, "2026-01-01T00:00:00.123456Z"])
def test_any_past_ends_it_at_once(gateway, operator, agent, text):
    new = operator.rotate(agent, expires_at=text)
    assert not passes(gateway, agent) and passes(gateway, new)


# Repetition.

def test_a_call_repeated_with_its_key_is_answered_as_before(gateway, operator, agent):
    seed, at = new_seed(), rfc3339(time.time() + 600)
    first = operator.try_rotate(agent, seed, expires_at=at, key="k-1")
    for _ in range(3):
        again = operator.try_rotate(agent, seed, expires_at=at, key="k-1")
        assert (again.status, again.json()) == (200, first.json())
    assert passes(gateway, agent), "the repetition has ended the old seed"
    gateway.wait_told("seed rotated", agent=agent.name)
    settle()
    assert len(gateway.told("seed rotated", agent=agent.name)) == 1


def test_a_key_s_call_may_be_written_otherwise(operator, agent):
    """The same JSON with other white space and order is the same call."""
    seed, key = new_seed(), f"spaces for {agent.name}"
    first = operator.try_rotate(agent, seed, key=key)
    body = json.dumps({"seed": seed, "agent": agent.name}, indent=4).encode()
    again = operator.post("/admin/secrets", body, headers=[
        ("Content-Type", "application/json"), ("Idempotency-Key", key)])
    assert (again.status, again.json()) == (200, first.json())


@pytest.mark.parametrize("kill", [False, True], ids=["stopped", "killed"])
def test_and_after_a_restart_too(start, kill):
    gateway = start({"totp": {"one_time": False}})
    operator, agent = Operator(gateway), gateway.take_agent()
    seed = new_seed()
    first = operator.try_rotate(agent, seed, key="over the restart")
    gateway.restart(kill=kill)
    again = operator.try_rotate(agent, seed, key="over the restart")
    assert (again.status, again.json()) == (200, first.json())
    assert passes(gateway, agent)


def test_twenty_at_once_are_one(gateway, operator, agent):
    seed, answers = new_seed(), []

    def call():
        answers.append(operator.try_rotate(agent, seed, key=f"twenty for {agent.name}"))

    threads = [threading.Thread(target=call) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(answers) == 20
    assert {answer.status for answer in answers} <= {200, 409}
    identifiers = {a.json()["rotation_id"] for a in answers if a.status == 200}
    assert len(identifiers) == 1
    assert passes(gateway, agent)


def test_a_key_for_another_call_is_refused(gateway, operator, agent):
    other, seed = gateway.take_agent(), new_seed()
    key = f"reused by {agent.name}"
    assert operator.try_rotate(agent, seed, key=key).status == 200
    before = len(operator.seeds(other))
    for name, another in ((agent, new_seed()), (other, new_seed()), (other, seed)):
        response = operator.try_rotate(name, another, key=key)
        assert response.status in (409, 422), (response.status, response.body)
        problem(response, response.status)
    assert len(operator.seeds(other)) == before
    assert passes(gateway, agent)


def test_a_call_that_was_refused_may_be_made_again_with_its_key(gateway, operator, agent):
    key = f"refused for {agent.name}"
    assert operator.try_rotate(agent, "AAAA", key=key).status == 422
    response = operator.try_rotate(agent, new_seed(), key=key)
    assert response.status in (200, 409, 422)
    assert passes(gateway, agent)


@pytest.mark.parametrize("key", ["x" * 300, "x" * 5000, "\xe9", '"quoted, as the draft has it"'])
def test_odd_keys(operator, agent, key):
    response = operator.try_rotate(agent, new_seed(), key=key)
    assert response.status in (200, 400, 422, 431), response.status


# Where nothing would last.

@pytest.fixture
def stateless(make, recorder):
    gateway = make().from_policy(recorder.url, {"totp": {"one_time": False}}, spare_agents=2)
    gateway.secret("admin_token", "a-token-0123456789abcdefABCDEF")
    del gateway.env["AGENTPORT_STATE_DIR"]
    if os.path.exists("/var/lib/agentport"):
        pytest.skip("there is a state directory")
    return gateway.start()


def test_without_a_state_directory_it_is_503(stateless):
    gateway = stateless
    operator, agent = Operator(gateway, "a-token-0123456789abcdefABCDEF"), gateway.agents[0]
    seed = new_seed()
    response = operator.try_rotate(agent, seed)
    problem(response, 503, "state_unavailable")
    assert passes(gateway, agent)
    assert not passes(gateway, type(agent)(**{**vars(agent), "seed": seed}))
    assert len([line for line in gateway.logs() if line["level"] == "warn"
                and "state" in line["msg"]]) == 1


def test_a_503_says_when_to_come_again(stateless):
    operator = Operator(stateless, "a-token-0123456789abcdefABCDEF")
    response = operator.try_rotate(stateless.agents[0], new_seed())
    assert response.status == 503 and int(response.get("Retry-After") or 0) > 0


def refused_for_good(gateway, operator, agent, seed):
    problem(operator.try_rotate(agent, seed), 503, "state_unavailable")
    assert passes(gateway, agent)
    assert not passes(gateway, type(agent)(**{**vars(agent), "seed": seed}))
    assert len(operator.seeds(agent)) == 1


def test_where_the_disk_is_full_it_is_503(make, recorder, hosts):
    """It fails while the gateway runs: the call is refused, and what was goes on."""
    gateway = make().from_policy(recorder.url, {"totp": {"one_time": False}}, spare_agents=2)
    script = f'mount -t tmpfs -o size=8m,mode=700 none "{gateway.state}" && exec "$@"'
    gateway.prefix = [*OWN_MOUNTS, "sh", "-c", script, "sh"]
    gateway.secret("admin_token", "a-token-0123456789abcdefABCDEF")
    gateway.start()
    operator, agent = Operator(gateway, "a-token-0123456789abcdefABCDEF"), gateway.agents[0]
    ballast = f"/proc/{gateway.process.pid}/root{gateway.state}/ballast"
    with open(ballast, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(4096)):
            pass
    seed = new_seed()
    refused_for_good(gateway, operator, agent, seed)
    os.unlink(ballast)
    assert operator.try_rotate(agent, seed).status == 200
    assert passes(gateway, type(agent)(**{**vars(agent), "seed": seed}))


def test_where_the_state_directory_has_gone_it_is_503(start):
    gateway = start({"totp": {"one_time": False}})
    operator, agent = Operator(gateway, Operator(gateway).token), gateway.agents[0]
    gateway.wait_told("started")
    shutil.rmtree(gateway.state)
    refused_for_good(gateway, operator, agent, new_seed())
