# SPDX-License-Identifier: Apache-2.0
"""The admin token: where it comes from, who is refused without it, and how often."""

import secrets

import pytest

from support.agents import Agent
from support.operator import TOKEN, Operator, passes, problem
from support.reloading import change, reload
from support.waiting import wait_until

OTHER = "another-token-0123456789abcdefABCDEF"


def status(gateway, token):
    return Operator(gateway, token).get("/admin/status").status


def test_one_is_made_and_kept(make, recorder):
    gateway = make().from_environment(recorder.url).start()
    file = gateway.state / "admin_token"
    assert file.stat().st_mode & 0o777 == 0o600
    token = file.read_text().strip()
    assert TOKEN.fullmatch(token)
    assert status(gateway, token) == 200
    gateway.restart()
    assert file.read_text().strip() == token and status(gateway, token) == 200
    gateway.restart(kill=True)
    assert status(gateway, token) == 200
    assert token not in gateway.output() and str(file) in gateway.output()


def test_two_gateways_make_two(start_bare):
    assert len({Operator(start_bare()).token for _ in range(2)}) == 2


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "  \n"])
def test_it_may_be_a_secret(make, recorder, end):
    gateway = make().from_environment(recorder.url)
    gateway.secret("admin_token", OTHER + end)
    gateway.start()
    assert status(gateway, OTHER) == 200
    assert not (gateway.state / "admin_token").exists()


def test_a_policy_may_name_its_file(make, recorder):
    gateway = make()
    path = gateway.directory / "token"
    path.write_text(OTHER + "\n")
    path.chmod(0o600)
    gateway.secret("admin_token", "not-this-one-0123456789abcdefABCDEF")
    gateway.from_policy(recorder.url, {"admin": {"token_file": str(path)}}, spare_agents=1).start()
    assert status(gateway, OTHER) == 200
    assert status(gateway, "not-this-one-0123456789abcdefABCDEF") == 401


@pytest.mark.parametrize("content", [
    None, "", "\n", pytest.param("two words of a token 0123456789abc", id="words"),
    pytest.param("\0" * 40, id="NULs"), pytest.param("a token that is too \x7f"
    "\u00e9 0123456789", id="not ASCII")])
def test_a_bad_file_stops_the_start(make, recorder, content):
    gateway = make()
    path = gateway.directory / "token"
    if content is not None:
        path.write_text(content)
        path.chmod(0o600)
    gateway.from_policy(recorder.url, {"admin": {"token_file": str(path)}}, spare_agents=1)
    assert gateway.launch().wait(3) != 0
    assert len(gateway.errors) == 1 and str(path) in gateway.errors[0], gateway.errors
    assert not content or content.strip() == "" or content.strip() not in gateway.output()


@pytest.mark.parametrize("by", ["signal", "call"])
def test_a_reload_takes_another(make, recorder, by):
    gateway = make().from_environment(recorder.url)
    gateway.secret("admin_token", OTHER)
    gateway.start()
    successor = secrets.token_urlsafe(32)
    gateway.secret("admin_token", successor)
    assert status(gateway, OTHER) == 200
    if by == "signal":
        reload(gateway)
    else:
        Operator(gateway, OTHER).reload()
    assert status(gateway, OTHER) == 401
    assert status(gateway, successor) == 200


def test_a_reload_takes_another_place(start):
    gateway = start()
    made = Operator(gateway).token
    path = gateway.secret("elsewhere", OTHER)
    change(gateway, {"admin": {"token_file": str(path)}})
    assert status(gateway, OTHER) == 200 and status(gateway, made) == 401


# Wrong ones.

def wrong_forms(token):
    return [
        [], [("Authorization", "Bearer wrong")], [("Authorization", f"Bearer {token}x")],
        [("Authorization", f"Bearer {token[:-1]}")], [("Authorization", "Bearer ")],
        [("Authorization", token)], [("Authorization", f"Basic {token}")],
        [("Authorization", f"Bearer {token}"), ("Authorization", f"Bearer {token}")],
        [("Authorization", f"Bearer {token}, Bearer {token}")]]


@pytest.mark.parametrize("number", range(9))
def test_what_is_no_token(start_bare, number):
    gateway = start_bare()
    operator = Operator(gateway)
    response = operator.get("/admin/status", token=False,
                            headers=wrong_forms(operator.token)[number])
    problem(response, response.status)
    assert response.status in (400, 401)
    if response.status == 401:
        assert response.get("WWW-Authenticate", "").startswith("Bearer")
    assert status(gateway, operator.token) == 200


def test_an_agent_s_key_is_no_token(start_bare):
    gateway = start_bare()
    assert status(gateway, gateway.agents[0].key) == 401
    operator = Operator(gateway)
    answer = gateway.request("GET", "/", Agent("default", key=operator.token).bearer())
    assert answer.verdict == (401, "credentials_invalid")


def test_the_token_in_the_query_is_none(start_bare):
    gateway = start_bare()
    operator = Operator(gateway)
    for name in ("token", "access_token", "admin_token"):
        response = operator.get(f"/admin/status?{name}={operator.token}", token=False)
        assert response.status == 401
    assert operator.token not in gateway.output()


def test_ten_wrong_ones_a_minute_are_too_many(start_bare):
    gateway = start_bare()
    seen = [status(gateway, f"wrong-{n}") for n in range(11)]
    assert seen[:9] == [401] * 9 and seen[10] == 429, seen
    response = Operator(gateway, "wrong").get("/admin/status")
    problem(response, 429)
    assert 1 <= int(response.get("Retry-After")) <= 60
    # Nobody else suffers: probes, metrics and agents.
    for target in ("/livez", "/readyz", "/metrics"):
        assert gateway.admin(target).status == 200
    assert passes(gateway, gateway.agents[0])


def test_wrong_ones_among_right_ones_count_too(start_bare):
    """A right token in between does not let someone who guesses begin anew."""
    gateway = start_bare()
    operator, wrong = Operator(gateway), 0
    for _ in range(12):
        if status(gateway, "guess") == 429:
            break
        wrong += 1
        status(gateway, operator.token)
    assert wrong <= 10


def test_a_call_without_a_token_is_no_guess(start_bare):
    gateway = start_bare()
    operator = Operator(gateway)
    for _ in range(15):
        assert operator.get("/admin/status", token=False).status == 401
    assert status(gateway, operator.token) == 200


@pytest.mark.long
@pytest.mark.timeout(100)
def test_after_the_minute_it_is_heard_again(start_bare):
    gateway = start_bare()
    operator = Operator(gateway)
    for n in range(11):
        status(gateway, f"wrong-{n}")
    wait_until(lambda: status(gateway, operator.token) == 200, timeout=65, interval=1,
               what="the token to be heard again")
