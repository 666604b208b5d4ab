# SPDX-License-Identifier: Apache-2.0
"""Who gets in, by which form of credentials, and what everyone else is told."""

import base64
import re

import pytest

from support.agents import DIGESTS, Agent
from support.gateway import new_session
from support.refusals import refused
from support.waiting import wait_until

# The forms.

def test_bearer_and_a_code(gateway, agent):
    assert gateway.request("GET", "/", agent.bearer()).status == 200


def test_parameters_in_one_header(gateway, agent):
    assert gateway.request("GET", "/", agent.parameters()).status == 200


@pytest.mark.parametrize("shape", [
    'AgentPort agent={n},key={k},totp={t}', 'agentport totp="{t}", key="{k}", agent="{n}"',
    'AgentPort  agent = "{n}" , key = "{k}" , totp = "{t}"',
    'AgentPort AGENT="{n}", Key="{k}", ToTp="{t}"'],
    ids=["tokens", "other order and case", "white space", "names in other case"])
def test_parameters_as_rfc_9110_lets_them_be_written(gateway, agent, shape):
    value = shape.format(n=agent.name, k=agent.key, t=agent.code())
    assert gateway.request("GET", "/", [("Authorization", value)]).status == 200


def test_basic_with_the_code_at_the_end(gateway, agent):
    assert gateway.request("GET", "/", agent.basic()).status == 200


def test_curl_sends_basic(gateway, agent):
    result = gateway.curl("/", "-u", f"{agent.name}:{agent.key}{agent.code()}")
    assert result.stdout.endswith("\n200"), result


def test_a_scheme_in_lower_case_counts(gateway, agent):
    headers = [("authorization", f"bearer {agent.key}"), ("x-agentport-totp", agent.code())]
    assert gateway.request("GET", "/", headers).status == 200


def test_a_session_in_place_of_the_code(gateway, agent):
    token = new_session(gateway, agent)
    for _ in range(3):
        assert gateway.request("GET", "/", agent.session(token)).status == 200


def test_the_codes_of_pyotp_are_right(start):
    """Each algorithm, number of digits and period, in each form."""
    agents = [Agent(f"agent-{algorithm}-{digits}-{period}", algorithm=algorithm, digits=digits,
                    period=period)
              for algorithm in DIGESTS for digits in (6, 7, 8) for period in (30, 60)]
    gateway = start(agents=agents, spare_agents=0)
    agents[0].steady(8)
    for agent in agents:
        # A code is good once, and an older one is not good after it.
        for offset, form in ((-1, agent.bearer), (0, agent.parameters), (1, agent.basic)):
            assert gateway.request("GET", "/", form(agent.code(offset))).status == 200, agent


@pytest.mark.parametrize("algorithm", DIGESTS)
def test_the_codes_of_other_parameters_are_wrong(start, algorithm):
    """The same seed under another digest, or with digits left away, is another code."""
    agent = Agent("agent", algorithm=algorithm, digits=8)
    gateway = start({"totp": {"max_failures": 100}}, agents=[agent], spare_agents=0)
    agent.steady(6)
    right = {agent.code(offset) for offset in (-1, 0, 1)}
    for other in {*DIGESTS} - {algorithm}:
        code = Agent("other", seed=agent.seed, algorithm=other, digits=8).code()
        if code not in right:
            refused(gateway, "totp_invalid", agent.bearer(code))
    for code in (agent.code()[2:], agent.code()[:6], "0" + agent.code()):
        refused(gateway, "totp_invalid", agent.bearer(code))
    assert gateway.request("GET", "/", agent.bearer()).status == 200


# What is missing or wrong.

def test_nothing_at_all(gateway, recorder):
    with recorder.untouched():
        response = refused(gateway, "credentials_missing", [])
    problem = response.json()
    assert response.get("Content-Type").startswith("application/problem+json")
    assert problem["type"] == "https://agentport.dev/problems/credentials_missing"
    assert problem["status"] == 401
    assert problem["title"] and problem["detail"]
    assert problem["request_id"] == response.get("X-Request-Id")


def test_a_right_key_without_a_code(gateway, agent, recorder):
    with recorder.untouched():
        refused(gateway, "totp_required", [("Authorization", f"Bearer {agent.key}")])


def test_a_code_without_a_key(gateway, agent, recorder):
    with recorder.untouched():
        refused(gateway, "credentials_missing", [("X-AgentPort-TOTP", agent.code())])


def test_an_unknown_key(gateway, agent, recorder):
    with recorder.untouched():
        headers = [("Authorization", "Bearer wrong"), ("X-AgentPort-TOTP", agent.code())]
        refused(gateway, "credentials_invalid", headers)
        refused(gateway, "credentials_invalid", headers[:1])


def test_a_wrong_code(gateway, agent, recorder):
    with recorder.untouched():
        refused(gateway, "totp_invalid", agent.bearer(agent.wrong_code()))
        refused(gateway, "totp_invalid", agent.parameters(agent.wrong_code()))
        refused(gateway, "totp_invalid", agent.basic(agent.wrong_code()))
    assert gateway.request("GET", "/", agent.bearer()).status == 200


@pytest.mark.parametrize("code", ["12345", "1234567", "12345a", "12 345", "+12345", "",
                                  "\uff11\uff12\uff13\uff14\uff15\uff16", "0x1234",
                                  "-12345", "123456,123456"])
def test_what_is_no_code_at_all(gateway, agent, recorder, code):
    headers = agent.bearer(code.encode().decode("latin-1"))
    with recorder.untouched():
        response = gateway.request("GET", "/", headers)
    # An empty value may as well be taken for no code.
    expected = {"totp_invalid"} if code else {"totp_invalid", "totp_required"}
    assert response.status == 401 and response.code in expected


def test_what_is_no_code_does_not_count_as_a_guess(start):
    gateway = start({"totp": {"max_failures": 2}})
    agent = gateway.take_agent()
    for _ in range(6):
        refused(gateway, "totp_invalid", agent.bearer("12345"))
    assert gateway.request("GET", "/", agent.bearer()).status == 200


def test_the_code_of_another_agent(gateway, recorder):
    mine, yours = gateway.take_agent(), gateway.take_agent()
    with recorder.untouched():
        refused(gateway, "totp_invalid", mine.bearer(yours.code()))


def test_the_name_of_another_agent(gateway, recorder):
    mine, yours = gateway.take_agent(), gateway.take_agent()
    mixed = Agent(yours.name, key=mine.key, seed=mine.seed)
    with recorder.untouched():
        refused(gateway, "credentials_invalid", mixed.parameters())
        refused(gateway, "credentials_invalid", mixed.basic())


def test_an_unknown_agent_and_a_wrong_key_get_the_same_answer(gateway, agent):
    answers = []
    for name, key in (("nobody", agent.key), (agent.name, "wrong" * 8)):
        other = Agent(name, key=key, seed=agent.seed)
        for headers in (other.parameters(), other.basic(), other.parameters("000000")):
            problem = refused(gateway, "credentials_invalid", headers).json()
            problem.pop("request_id")
            answers.append(problem)
    assert all(answer == answers[0] for answer in answers)


def test_a_wrong_key_does_not_use_up_a_right_code(gateway, agent):
    code = agent.code()
    refused(gateway, "credentials_invalid",
            [("Authorization", "Bearer wrong"), ("X-AgentPort-TOTP", code)])
    assert gateway.request("GET", "/", agent.bearer(code)).status == 200


def test_a_refused_code_is_not_used_up_by_another_s_key(gateway):
    mine, yours = gateway.take_agent(), gateway.take_agent()
    code = yours.code()
    refused(gateway, "totp_invalid", mine.bearer(code))
    assert gateway.request("GET", "/", yours.bearer(code)).status == 200


@pytest.mark.parametrize("twist", [
    lambda a, s: [*a.bearer(), ("Authorization", f"Bearer {a.key}")],
    lambda a, s: [*a.bearer(), ("X-AgentPort-TOTP", a.code())],
    lambda a, s: [*a.session(s), ("X-AgentPort-Session", s)],
    lambda a, s: [*a.bearer(), ("X-AgentPort-Session", s)],
    lambda a, s: [*a.parameters(), ("X-AgentPort-TOTP", a.code())],
    lambda a, s: [*a.basic(), ("X-AgentPort-TOTP", a.code())],
    lambda a, s: [*a.parameters(), ("X-AgentPort-Session", s)],
    lambda a, s: [*a.bearer(), *a.basic()],
    lambda a, s: [("Authorization", a.parameters()[0][1] + f', totp="{a.code()}"')],
    lambda a, s: [("Authorization", a.parameters()[0][1] + f', key="{a.key}"')]],
    ids=["two Authorizations", "two codes", "two sessions", "code and session",
         "parameters and a code", "Basic and a code", "parameters and a session",
         "Bearer and Basic", "totp twice in parameters", "key twice in parameters"])
def test_two_forms_at_once_are_refused_and_use_up_nothing(gateway, agent, recorder, twist):
    agent.steady()
    token = new_session(gateway, agent)  # takes the current step's code; the next one is left
    code = agent.code(1)
    agent.code = lambda offset=0: code
    with recorder.untouched():
        refused(gateway, "credentials_invalid", twist(agent, token))
    assert gateway.request("GET", "/", agent.bearer(code)).status == 200
    assert gateway.request("GET", "/", agent.session(token)).status == 200


@pytest.mark.parametrize("value", [
    "Bearer", "Bearer ", "Basic", "Basic !!!", "Basic YQ==", "Basic Og==", "AgentPort",
    'AgentPort agent="a"', 'AgentPort agent="a', 'AgentPort agent=, key="k", totp="123456"',
    "Digest username=x", "Negotiate abc", "Bearer a b", "Bearer \xff\xfe", "x",
    "Bearer " + "k" * 8192],
    ids=lambda value: ascii(value[:24]))
def test_what_is_no_credential(gateway, recorder, value):
    """None of these names an agent: 401 in every case, and which of the two is a detail."""
    with recorder.untouched():
        response = gateway.request("GET", "/", [("Authorization", value)])
    assert response.status == 401
    assert response.code in ("credentials_missing", "credentials_invalid")


def test_the_query_string_holds_no_credentials(gateway, agent, recorder):
    with recorder.untouched():
        refused(gateway, "credentials_missing", [],
                target=f"/?access_token={agent.key}&api_key={agent.key}&totp={agent.code()}")


def test_basic_with_nothing_but_a_code(gateway, agent):
    pair = base64.b64encode(f"{agent.name}:{agent.code()}".encode()).decode()
    refused(gateway, "credentials_invalid", [("Authorization", f"Basic {pair}")])


@pytest.mark.parametrize("token", ["A" * 43, "short", "A" * 5000, "*" * 43],
                         ids=["unknown", "short", "long", "no base64url"])
def test_a_session_that_is_none(gateway, agent, recorder, token):
    with recorder.untouched():
        refused(gateway, "session_invalid", agent.session(token))


def test_a_session_without_its_first_factor(gateway, agent, recorder):
    token = new_session(gateway, agent)
    with recorder.untouched():
        refused(gateway, "credentials_missing", [("X-AgentPort-Session", token)])
        refused(gateway, "credentials_invalid",
                [("Authorization", "Bearer wrong"), ("X-AgentPort-Session", token)])


# Failures in a row.

def test_after_too_many_wrong_codes_even_the_right_one_waits(start):
    gateway = start({"totp": {"max_failures": 3, "lockout": "30s"}})
    agent, other = gateway.take_agent(), gateway.take_agent()
    for _ in range(3):
        refused(gateway, "totp_invalid", agent.bearer(agent.wrong_code()))
    response = gateway.request("GET", "/", agent.bearer())
    assert response.verdict == (429, "totp_locked")
    assert 1 <= int(response.get("Retry-After")) <= 30
    assert gateway.request("GET", "/", other.bearer()).status == 200


def test_the_lock_is_told_only_to_who_has_the_key(start):
    gateway = start({"totp": {"max_failures": 1, "lockout": "30s"}})
    agent = gateway.take_agent()
    refused(gateway, "totp_invalid", agent.bearer(agent.wrong_code()))
    assert gateway.request("GET", "/", agent.bearer()).verdict == (429, "totp_locked")
    refused(gateway, "credentials_invalid", [("Authorization", "Bearer wrong"),
                                             ("X-AgentPort-TOTP", agent.code())])


def test_a_lock_ends_and_the_right_code_was_not_used_up(start):
    gateway = start({"totp": {"max_failures": 1, "lockout": "1s"}})
    agent = gateway.take_agent()
    agent.steady(6)
    code = agent.code()
    refused(gateway, "totp_invalid", agent.bearer(agent.wrong_code()))
    assert gateway.request("GET", "/", agent.bearer(code)).verdict == (429, "totp_locked")
    wait_until(lambda: gateway.request("GET", "/", agent.bearer(code)).status == 200,
               what="the lock to end", interval=0.1)


def test_used_codes_are_no_guesses(start):
    gateway = start({"totp": {"max_failures": 2}})
    agent = gateway.take_agent()
    agent.steady()
    assert gateway.request("GET", "/", agent.bearer()).status == 200
    for _ in range(5):
        refused(gateway, "totp_invalid", agent.bearer())
    assert gateway.request("GET", "/", agent.bearer(agent.code(1))).status == 200


# Public places.

def test_healthz_needs_no_credentials_and_tells_nothing(gateway, recorder):
    with recorder.untouched():
        response = gateway.request("GET", "/healthz")
    assert response.status == 200
    assert len(response.body) <= 16 and not re.search(rb"\d", response.body)


def test_a_route_may_own_healthz(start, recorder):
    gateway = start({"routes": [{"path": "/healthz", "public": True}, {"path": "/"}]})
    assert gateway.request("GET", "/healthz").json()["target"] == "/healthz"
    assert recorder.only().path == "/healthz"


def test_a_public_route_needs_no_credentials(gateway, recorder):
    assert gateway.request("GET", "/public/page").status == 200
    assert recorder.only().target == "/public/page"


@pytest.mark.parametrize("target", ["/.agentport/", "/.agentport/login", "/.agentport/x/y"])
def test_the_gateway_s_own_paths_never_reach_the_upstream(gateway, agent, recorder, target):
    with recorder.untouched():
        assert gateway.request("GET", target, agent.bearer()).status == 404
