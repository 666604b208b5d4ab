# SPDX-License-Identifier: Apache-2.0
"""What is left of a seed and a token, in memory and in what is shown, once they are over."""

import os

import pytest

from support.agents import new_seed
from support.gateway import new_session
from support.memory import found, forms, gone
from support.operator import Operator, passes
from support.reloading import reload

PAST = "2026-01-01T00:00:00Z"

pytestmark = [pytest.mark.native, pytest.mark.skipif(
    os.geteuid() != 0, reason="only root reads another process's memory")]


@pytest.fixture(params=["1", "2"], ids=["one worker", "two workers"])
def lasting(start, request):
    gateway = start({"totp": {"one_time": False}}, env={"AGENTPORT_WORKERS": request.param})
    return gateway, Operator(gateway)


def use(gateway, *agents):
    """Has each of them pass by every form, and be refused, on connections of their own."""
    for agent in agents:
        session = new_session(gateway, agent)
        for headers in (agent.bearer(), agent.basic(), agent.parameters(),
                        agent.session(session)):
            assert gateway.request("GET", "/", headers).status == 200
        assert not passes(gateway, agent, agent.wrong_code())


def test_the_search_finds_what_is_there(lasting):
    """A seed that is in force has to lie somewhere; else these tests would prove nothing."""
    gateway, _ = lasting
    agent = gateway.take_agent()
    use(gateway, agent)
    assert found(gateway.process, forms(agent.seed))


def test_nothing_is_left_of_a_seed_that_ended_at_once(lasting):
    gateway, operator = lasting
    old = gateway.take_agent()
    use(gateway, old)
    new = operator.rotate(old, expires_at=PAST)
    use(gateway, new)
    gone(gateway.process, forms(old.seed))


def test_nothing_is_left_of_a_seed_whose_grace_is_over(lasting):
    gateway, operator = lasting
    old = gateway.take_agent()
    new = operator.rotate(old, expires_in=1)
    use(gateway, new)
    gone(gateway.process, forms(old.seed), timeout=6)
    third = operator.rotate(new)
    fourth = operator.rotate(third)
    use(gateway, third, fourth)
    gone(gateway.process, forms(new.seed))
    assert passes(gateway, third) and passes(gateway, fourth)


def test_nothing_is_left_of_a_seed_in_a_file_that_is_ignored(lasting):
    """Each reload reads it again."""
    gateway, operator = lasting
    old = gateway.take_agent()
    operator.rotate(old, expires_at=PAST)
    for _ in range(3):
        reload(gateway)
    gone(gateway.process, forms(old.seed))


def test_nothing_is_left_of_what_a_call_brought_in_text(lasting):
    """The request's own bytes and its JSON: the seed in force lies there as bytes alone."""
    gateway, operator = lasting
    new = operator.rotate(gateway.take_agent())
    use(gateway, new)
    gone(gateway.process, {"base32": forms(new.seed)["base32"]})


@pytest.mark.parametrize("how", ["weak", "in use", "no such agent", "too far", "no JSON",
                                 "cut off", "no token"])
def test_nothing_is_left_of_a_seed_that_was_refused(lasting, how):
    gateway, operator = lasting
    agent, seed = gateway.take_agent(), new_seed()
    body = b'{"agent":"%s","seed":"%s"' % (agent.name.encode(), seed.encode())
    json_type = [("Content-Type", "application/json")]
    if how == "weak":
        assert operator.try_rotate(agent, seed[:24]).status == 422
        gone(gateway.process, {"base32": seed[:24].encode()})
        return
    if how == "in use":
        other = gateway.take_agent()
        seed = operator.rotate(other, expires_at=PAST).seed
        assert operator.try_rotate(agent, seed).status == 422
        operator.rotate(other, expires_at=PAST)
    elif how == "no such agent":
        assert operator.try_rotate("nobody", seed).status == 404
    elif how == "too far":
        assert operator.try_rotate(agent, seed, expires_in=10 ** 7).status == 422
    elif how == "no JSON":
        assert operator.post("/admin/secrets", body, headers=json_type).status == 400
    elif how == "no token":
        assert operator.post("/admin/secrets", body + b"}", token=False).status == 401
    else:
        with operator.wire() as wire:
            wire.send(b"POST /admin/secrets HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n"
                      b"Content-Length: 500\r\n\r\n" % (operator.host.encode(),
                                                        operator.token.encode()) + body)
    gone(gateway.process, forms(seed))


def test_nothing_shows_a_seed_or_the_token(lasting):
    gateway, operator = lasting
    old, other = gateway.take_agent(), gateway.take_agent()
    token, shown = operator.token, []
    new = operator.rotate(old)
    for response in (
            operator.try_rotate(old, new.seed), operator.try_rotate(other, new.seed),
            operator.try_rotate(other, new.seed[:20]), operator.try_rotate(other, new.seed + "1"),
            operator.try_rotate("nobody", new.seed), operator.get("/admin/secrets"),
            operator.get("/admin/status"), operator.get("/admin/keys"), operator.get("/metrics"),
            operator.get("/admin/status?token=" + token),
            operator.post("/admin/secrets", {"seed": new.seed, "agent": 7}),
            operator.post("/admin/secrets", {"seed": [new.seed], "agent": other.name}),
            operator.post("/admin/sessions/revoke", {"sid": token})):
        shown.append(str(response.headers) + response.body.decode())
    for words in (["admin", "status"], ["admin", "rotate", old.name], ["keys", "export"]):
        result = operator.command(*words, input=new.seed)
        shown += [result.stdout, result.stderr]
    gateway.stop()
    everything = "".join(shown) + gateway.output()
    for secret in (token, old.seed, new.seed, *(forms(each.seed)["raw"].hex()
                                                for each in (old, new))):
        assert secret not in everything


def test_a_token_that_was_replaced_is_gone(start):
    gateway = start()
    first = gateway.secret("admin_token", "the-first-token-0123456789abcdefABCDEF")
    reload(gateway)
    operator = Operator(gateway, "the-first-token-0123456789abcdefABCDEF")
    assert operator.get("/admin/status").status == 200
    gateway.secret(first.name, "the-other-token-0123456789abcdefABCDEF")
    reload(gateway)
    other = Operator(gateway, "the-other-token-0123456789abcdefABCDEF")
    assert other.get("/admin/status").status == 200
    gone(gateway.process, {"token": b"the-first-token-0123456789abcdefABCDEF"})
