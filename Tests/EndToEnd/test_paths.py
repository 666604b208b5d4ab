# SPDX-License-Identifier: Apache-2.0
"""Paths: normalised once, matched and forwarded as the same, and refused where two parsers
would read them in two ways."""

import re

import pytest


@pytest.fixture(scope="module")
def policy_patch():
    return {"totp": {"one_time": False}}


def passed(gateway, recorder, target, headers, body=None, host="claw.example.com"):
    recorder.requests.clear()
    assert gateway.request("POST" if body else "GET", target, headers, body,
                           host=host).status == 200
    return recorder.only()


@pytest.mark.parametrize("sent, seen", [
    ("/a/b?x=1&y=%2f%00;\\", "/a/b?x=1&y=%2f%00;\\"), ("/a/./b/../c", "/a/c"), ("/a//b", "/a/b"),
    ("/%41%7e%2D", "/A~-"), ("/%c3%a9", "/%c3%a9"), ("/a/..", "/"), ("/..//../a", "/a"),
    ("/a/%2e%2E/b", "/b"), ("/a;v=1/b", "/a;v=1/b"), ("/?", "/?"), ("/a/.", "/a/"),
    ("/a%20b", "/a%20b"), ("/a?b?c", "/a?b?c")])
def test_the_path_upstream_is_the_normalised_one(gateway, agent, recorder, sent, seen):
    target = passed(gateway, recorder, sent, agent.bearer()).target
    # The hexadecimal digits of an escape that stays may be written in either case.
    assert _escapes_up(target) == _escapes_up(seen)


def _escapes_up(target):
    return re.sub("%[0-9a-fA-F]{2}", lambda match: match[0].upper(), target)


def test_an_absolute_target_is_taken_apart(gateway, agent, recorder):
    """RFC 9112 section 3.2.2: its authority stands in for Host."""
    seen = passed(gateway, recorder, "https://claw.example.com/a/../b?q", agent.bearer())
    assert seen.target == "/b?q"
    assert seen.get("Host") == "claw.example.com"


@pytest.mark.parametrize("target", ["/a%2fb", "/a%2Fb", "/a%00b", "/a\\b", "/public/..%2fprivate",
                                    "/public/%2e%2e%2fprivate", "/public/..;/private",
                                    "/public/x;/../private"])
def test_an_ambiguous_path_is_refused(gateway, agent, recorder, target):
    with recorder.untouched():
        response = gateway.request("GET", target, agent.bearer())
        assert response.verdict == (400, "path_ambiguous")


@pytest.mark.parametrize("target", ["/public/../private", "/public/%2e%2e/private",
                                    "/public/./../private", "/public//../private",
                                    "//public/../private", "/%70ublic/../private"])
def test_no_way_leads_round_the_chain(gateway, recorder, target):
    with recorder.untouched():
        assert gateway.request("GET", target).verdict == (401, "credentials_missing")
