# SPDX-License-Identifier: Apache-2.0
"""The state directory: sealed, refused where it is damaged, and never taken for an empty one."""

import base64
import os
import random

import pytest

from support.agents import new_seed
from support.gateway import OWN_MOUNTS
from support.operator import Operator, passes
from support.waiting import wait_until

PAST = "2026-01-01T00:00:00Z"
# What the gateway keeps that must not be taken for another, or for none.
SEALED = "state"


def new_key():
    return base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip("=")


@pytest.fixture
def rotated(make, recorder):
    """A gateway that has rotated a seed and ended; the agent as it was and as it is."""
    def made(state_key=None, end=PAST):
        gateway = make().from_policy(recorder.url, {"totp": {"one_time": False}}, spare_agents=2)
        if state_key:
            gateway.secret("state_key", state_key + "\n")
        gateway.start()
        old = gateway.agents[0]
        new = Operator(gateway).rotate(old, expires_at=end)
        gateway.stop()
        assert gateway.errors == []
        gateway.lines.clear()
        return gateway, old, new
    return made


def refuses(gateway, *words):
    """Asserts that the start ends with one clear line that names the fault's place."""
    assert gateway.launch().wait(5) not in (0, -9, -6)
    assert len(gateway.errors) == 1, gateway.errors
    for word in words:
        assert word in gateway.errors[0], gateway.errors[0]
    gateway.errors.clear()


def goes_on(gateway, old, new):
    gateway.start()
    assert passes(gateway, new) and not passes(gateway, old)


@pytest.mark.parametrize("given", [True, False], ids=["given", "made"])
def test_everything_in_it_is_private_and_shows_no_seed(rotated, given):
    gateway, old, new = rotated(new_key() if given else None)
    for path in gateway.state.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600, path
        content = path.read_bytes()
        for seed in (old.seed, new.seed):
            raw = base64.b32decode(seed)
            for form in (seed.encode(), raw, raw.hex().encode(),
                         base64.b64encode(raw).rstrip(b"=")):
                assert form not in content, path
    assert gateway.state.stat().st_mode & 0o077 == 0
    assert (gateway.state / "state_key").exists() != given


def test_a_given_key_is_used(rotated):
    key = new_key()
    gateway, old, new = rotated(key)
    goes_on(gateway, old, new)
    gateway.restart(kill=True)
    assert passes(gateway, new) and not passes(gateway, old)


def test_with_another_key_it_does_not_start(rotated):
    gateway, old, new = rotated(key := new_key())
    gateway.secret("state_key", new_key())
    refuses(gateway, SEALED, "state_key")
    gateway.secret("state_key", key)
    goes_on(gateway, old, new)


@pytest.mark.parametrize("given", [True, False], ids=["given", "made"])
def test_without_its_key_it_does_not_start(rotated, given):
    gateway, old, new = rotated(key := new_key() if given else None)
    path = (gateway.secrets if given else gateway.state) / "state_key"
    kept = path.read_bytes()
    path.unlink()
    refuses(gateway, "state_key")
    assert key is None or key not in gateway.output()
    assert not path.exists(), "another key was made beside a state that needs the first"
    path.write_bytes(kept)
    path.chmod(0o600)
    goes_on(gateway, old, new)


@pytest.mark.parametrize("content", ["", "\n", "short"])
def test_a_bad_key_stops_the_start(make, recorder, content):
    gateway = make().from_policy(recorder.url, spare_agents=1)
    gateway.secret("state_key", content)
    refuses(gateway, str(gateway.secrets / "state_key"))
    assert not content.strip() or content.strip() not in gateway.output()


DAMAGE = {
    "empty": lambda data: b"", "one byte": lambda data: data[:1],
    "cut by a byte": lambda data: data[:-1], "half": lambda data: data[:len(data) // 2],
    "a byte more": lambda data: data + b"\0", "twice": lambda data: data * 2,
    "zeros": lambda data: bytes(len(data)), "text": lambda data: b"{}\n",
    "first byte": lambda data: bytes([data[0] ^ 1]) + data[1:],
    "last byte": lambda data: data[:-1] + bytes([data[-1] ^ 1]),
    "huge": lambda data: data + bytes(200_000_000)}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_state_stops_the_start(rotated, name):
    """It could hold what brings a superseded seed back, so it is never taken for none."""
    gateway, old, new = rotated()
    path = gateway.state / SEALED
    whole = path.read_bytes()
    path.write_bytes(DAMAGE[name](whole))
    refuses(gateway, str(path))
    path.write_bytes(whole)
    goes_on(gateway, old, new)


def test_any_changed_bit_stops_the_start(rotated):
    gateway, *_ = rotated()
    path = gateway.state / SEALED
    whole, seed = path.read_bytes(), int(os.environ.get("AGENTPORT_SEED", random.getrandbits(32)))
    print("AGENTPORT_SEED =", seed)
    chosen = random.Random(seed)
    for _ in range(25):
        at = chosen.randrange(len(whole))
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << chosen.randrange(8)])
                         + whole[at + 1:])
        refuses(gateway, str(path))


def test_a_state_that_is_missing_beside_its_key_is_told(rotated):
    """Who deletes it would bring superseded seeds back: at the least the log says that what was
    known is gone."""
    gateway, old, new = rotated()
    (gateway.state / SEALED).unlink()
    gateway.launch()
    wait_until(lambda: gateway.errors or gateway.told("started"), what="a start or its refusal")
    if gateway.running:
        assert [line for line in gateway.logs() if line["level"] in ("warn", "error")
                and SEALED in str(line) and str(gateway.state) in str(line)]


def test_a_state_of_another_gateway_is_refused(rotated):
    gateway, *_ = rotated()
    other, *_ = rotated()
    (gateway.state / SEALED).write_bytes((other.state / SEALED).read_bytes())
    refuses(gateway, str(gateway.state / SEALED))


@pytest.mark.parametrize("kind", ["a folder", "a FIFO"])
def test_what_is_no_file_stops_the_start(rotated, kind):
    gateway, *_ = rotated()
    path = gateway.state / SEALED
    path.unlink()
    path.mkdir() if kind == "a folder" else os.mkfifo(path)
    refuses(gateway, str(path))


def test_left_over_parts_of_a_write_do_no_harm(rotated):
    """What a kill in the middle of a write leaves behind: half a file under another name."""
    gateway, old, new = rotated()
    whole = (gateway.state / SEALED).read_bytes()
    for name in ("state.new", "state.tmp", ".state.tmp", "state~"):
        (gateway.state / name).write_bytes(whole[:len(whole) // 2])
    goes_on(gateway, old, new)
    Operator(gateway).rotate(new, expires_at=PAST)
    gateway.restart(kill=True)
    assert not passes(gateway, new) and not passes(gateway, old)


def test_a_read_only_state_directory(make, recorder, hosts):
    """What is there counts; that nothing can be kept is told or stops the start."""
    gateway = make().from_policy(recorder.url, {"totp": {"one_time": False}}, spare_agents=2)
    gateway.start()
    operator, old = Operator(gateway), gateway.agents[0]
    new = operator.rotate(old, expires_at=PAST)
    gateway.stop()
    gateway.lines.clear()
    where = f'"{gateway.state}"'
    script = (f"mount --bind {where} {where} && mount -o remount,bind,ro {where} && "
              'exec "$@"')
    gateway.prefix = [*OWN_MOUNTS, "sh", "-c", script, "sh"]
    gateway.launch()
    wait_until(lambda: gateway.errors or gateway.told("started"), what="a start or its refusal")
    if gateway.errors:
        assert gateway.wait() != 0 and len(gateway.errors) == 1
        assert str(gateway.state) in gateway.errors[0]
        return
    assert not passes(gateway, old), "a superseded seed is back"
    assert operator.try_rotate(new, new_seed()).status == 503


# The accepted steps beside it.

@pytest.fixture
def spent(make, recorder):
    """A gateway that has ended; an agent with the code that it used, and a disabled one."""
    gateway = make().from_policy(recorder.url, spare_agents=2).start()
    one, disabled = gateway.agents
    one.steady(12)
    code = one.code()
    assert passes(gateway, one, code)
    Operator(gateway).disable(disabled)
    gateway.stop()
    gateway.lines.clear()
    return gateway, one, code, disabled


STEPS_DAMAGE = {"deleted": None, "empty": lambda data: b"", "zeros": lambda data: bytes(len(data)),
                "half": lambda data: data[:len(data) // 2]}


@pytest.mark.parametrize("name", STEPS_DAMAGE)
def test_steps_that_are_lost_are_told(spent, name):
    """A sealed state stands beside them, so this is no first start: it is refused, or the log
    says that codes may be good again; and disabled stays disabled."""
    gateway, one, code, disabled = spent
    path = gateway.state / "totp_steps"
    if name == "deleted":
        path.unlink()
    else:
        path.write_bytes(STEPS_DAMAGE[name](path.read_bytes()))
    gateway.launch()
    wait_until(lambda: gateway.errors or gateway.told("started"), what="a start or its refusal")
    if gateway.errors:
        assert gateway.wait() != 0 and str(path) in gateway.errors[0]
        return
    assert gateway.request("GET", "/", disabled.bearer()).verdict == (403, "agent_disabled")
    told = [line for line in gateway.logs() if line["level"] == "warn" and str(path) in str(line)]
    assert told or not passes(gateway, one, code)


@pytest.mark.parametrize("kill", [False, True], ids=["stopped", "killed"])
def test_what_guessing_disabled_stays_so_until_an_operator_acts(make, recorder, kill):
    gateway = make().from_policy(recorder.url, {"totp": {
        "one_time": False, "max_failures": 50, "disable_after": 10}}, spare_agents=1).start()
    agent, operator = gateway.agents[0], Operator(gateway)
    for _ in range(10):
        gateway.request("GET", "/", agent.bearer(agent.wrong_code()))
    for _ in range(2):
        verdict = gateway.request("GET", "/", agent.bearer()).verdict
        assert verdict == (403, "agent_disabled")
        gateway.restart(kill=kill)
    operator.enable(agent)
    assert passes(gateway, agent)
    gateway.restart(kill=kill)
    assert passes(gateway, agent)
