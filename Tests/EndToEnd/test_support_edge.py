# SPDX-License-Identifier: Apache-2.0
"""The judge of the edge's tables, shown gateways that are wrong: it must find each of them out."""

from types import SimpleNamespace

import pytest

from support.edge import BROKEN_OFF, FOLLOWED, MALFORMED, Outcome, case, get, served
from support.edge_driver import BARRIER, BEHIND, FIRST, Edge, Sent, strict_faults
from support.recorder import Recorded

REFUSED = ((400, "http_malformed"),)
PASSED = ((200, None), (200, None))
ROW = case("9112 5", "a row", get(b"X : a"), MALFORMED)
BODY = case("9112 7.1", "a body", get(b"X: a"), BROKEN_OFF)
LEGAL = case("9112 5", "a legal row", get(b"X: a"), served(fields=(("X", "a"),)))


def request(target, *lines, method="GET", body=b"", complete=True):
    fields = [("Host", "a.example"), ("x-agentport-jwt", "a.b.c"), *lines]
    head = f"{method} {target} HTTP/1.1\r\n" + "".join(f"{n}: {v}\r\n" for n, v in fields) + "\r\n"
    return Recorded(1, head.encode(), method, target, "HTTP/1.1", fields, body, complete=complete)


def judge(row, results, requests, extra=b"", connections=1):
    """What the judge says of these answers, and of an upstream that saw these requests."""
    seen = [request(FIRST), *requests, request(BARRIER)]
    raw = b"".join(r.raw_head for r in seen) + extra
    edge = Edge.__new__(Edge)
    edge.recorder = SimpleNamespace(
        requests=seen, faults=[], connections=connections, received={1: raw},
        at=lambda path: [r for r in seen if r.path == path])
    sent = [Sent(pieces, list(answers), ended)
            for pieces, (answers, ended) in zip(("whole", BEHIND), results)]
    edge._judge(row, sent, 1)


TWICE_REFUSED = [(REFUSED, "clean")] * 2
FOLLOW = request(FOLLOWED)
X = request("/x", ("X", "a"))


def test_the_right_ones_pass():
    judge(ROW, TWICE_REFUSED, [])
    judge(BODY, TWICE_REFUSED, [request("/x", complete=False)])
    judge(LEGAL, [(PASSED, None)] * 2, [X, FOLLOW, X, FOLLOW])


@pytest.mark.parametrize("row, results, requests, extra, connections", [
    (ROW, [(REFUSED, "clean"), (PASSED, None)], [], b"", 1),
    (ROW, [(PASSED, None)] * 2, [X, FOLLOW] * 2, b"", 1),
    (ROW, [(REFUSED, None)] * 2, [], b"", 1),
    (ROW, [(REFUSED, "badly: cut off")] * 2, [], b"", 1),
    (ROW, [(((400, "path_ambiguous"),), "clean")] * 2, [], b"", 1),
    (ROW, [((), "TimeoutError")] * 2, [], b"", 1),
    (ROW, TWICE_REFUSED, [FOLLOW], b"", 1),
    (ROW, TWICE_REFUSED, [request("/x", complete=False)], b"", 1),
    (ROW, TWICE_REFUSED, [], b"G", 1),
    (ROW, TWICE_REFUSED, [], b"", 2),
    (BODY, TWICE_REFUSED, [X], b"", 1),
    (BODY, TWICE_REFUSED, [request("/x", complete=False)], b"GET /smuggled HTTP/1.1", 1),
    (LEGAL, TWICE_REFUSED, [], b"", 1),
    (LEGAL, [(PASSED, None)] * 2, [X, FOLLOW, X], b"", 1),
    (LEGAL, [(PASSED, None)] * 2, [X, FOLLOW, FOLLOW], b"", 1),
    (LEGAL, [(PASSED, None)] * 2, [X, FOLLOW, request("/x", ("X", "b")), FOLLOW], b"", 1),
    (LEGAL, [(PASSED, None)] * 2, [X, FOLLOW, request("/x", ("X", "a"), ("X", "a")), FOLLOW],
     b"", 1),
    (LEGAL, [(PASSED, None)] * 2, [X, FOLLOW, request("/y", ("X", "a")), FOLLOW], b"", 1),
    (LEGAL, [(PASSED, None)] * 2, [X, FOLLOW, request("/x", ("X", "a"), body=b"z"), FOLLOW],
     b"", 1),
], ids=["a cut that matters", "nothing refused", "kept open", "cut off", "another code", "silence",
        "what followed was served", "a head went up", "a byte went up", "a connection was opened",
        "a broken body was whole", "what followed a broken body went up", "everything refused",
        "what followed was lost", "the row was lost", "a value changed", "a field doubled",
        "a target changed", "a body grew"])
def test_the_wrong_ones_are_found(row, results, requests, extra, connections):
    with pytest.raises(AssertionError):
        judge(row, results, requests, extra, connections)


@pytest.mark.parametrize("raw", [
    request("/x", ("X", "a\rb")), request("/x", ("X", "a\x00b")), request("/x", ("X Y", "a")),
    request("/x", ("Content-Length", "1"), ("Transfer-Encoding", "chunked")),
    request("/x", ("Content-Length", "1"), ("Content-Length", "1")),
    request("/x", ("Content-Length", "+1")), request("/x", ("Transfer-Encoding", "gzip")),
    request("/x", ("Host", "b")), request("/x", ("Authorization", "a")), request("/x y")])
def test_a_head_that_is_not_strict_is_found(raw):
    assert strict_faults(raw)
    assert not strict_faults(request("/x", ("Content-Length", "1"), ("X", "a\tb \xff")))


def test_outcomes_with_a_choice_take_either():
    row = case("3986 5.2.4", "a choice", get(), served(), served(target="/y"),
               Outcome(400, "path_ambiguous", None, "nothing"))
    judge(row, [(PASSED, None)] * 2, [request("/y"), FOLLOW, request("/y"), FOLLOW])
    judge(row, [(((400, "path_ambiguous"), (200, None)), None)] * 2, [FOLLOW, FOLLOW])
    judge(row, [(((400, "path_ambiguous"),), "clean")] * 2, [])
    with pytest.raises(AssertionError):
        judge(row, [(PASSED, None)] * 2, [request("/x"), FOLLOW, request("/y"), FOLLOW])
