# SPDX-License-Identifier: Apache-2.0
"""Legal requests and answers with a few bytes changed at random, against a naive reading of RFC
9112.

Whatever the gateway passes on, the naive reader must read in the sender's bytes too: the same
messages, in that order, with the same bodies. What it refuses is not looked at here: the tables
of `test_edge_requests.py` and `test_edge_responses.py` say what may not be refused.
"""

import random
import re

import pytest

from support.agents import terse
from support.edge import CHUNKED, FOLLOWED, FOLLOWING, get, post
from support.edge_driver import Edge, strict_faults
from support.gateway import MANY_CLIENTS, merged
from support.wire import Closed, encode

REQUESTS = [
    get(b"X-One: a", b"Connection: keep-alive"), post(b"Content-Length: 5", b"X: y", body=b"hello"),
    post(CHUNKED, b"X: y", body=b"3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nX-T: a\r\n\r\n"),
    get(b"Expect: 100-continue", b"Content-Length: 5") + b"hello",
    post(b"TE: trailers", b"Content-Length: 5", body=b"hello", line=b"PUT /a/b?c=d HTTP/1.1"),
    get(line=b"GET https://a.example/x?y HTTP/1.1")]
ANSWERS = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\n" + CHUNKED + b"\r\nX: y\r\n\r\n"
    b"3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nT: a\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\nX: y\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.0 404 Not Found\r\nX: y\r\n\r\nall of it",
    b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"]
PIECES = [
    b"\r", b"\n", b"\r\n", b"\0", b" ", b"\t", b":", b",", b";", b"0", b"5", b"x", b"\x0b",
    b"\x7f", b"\x80", b"\xff", b"-", b"+", b"_", b'"', b"/", b"%", b"\r\n ", b"\n\n", b"#",
    b"\r\r\n", b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n", b"Host: b\r\n"]
SEED, ITEMS, EACH = 9112, 4, 250

TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
LINE = re.compile(rb"(" + TOKEN + rb") [!-~]+ HTTP/1\.([01])\r\n")
STATUS = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9][0-9]) [\t -~\x80-\xff]*\r\n")
FIELD = re.compile(rb"(" + TOKEN + rb"):[ \t]*([\t -~\x80-\xff]*?)[ \t]*\r\n")
QUOTED = rb'"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*"'
SIZE = re.compile(rb"([0-9A-Fa-f]+)(?:;%b(?:=(?:%b|%b))?)*\r\n" % (TOKEN, TOKEN, QUOTED))


@pytest.fixture(scope="module")
def policy_patch():
    return merged(MANY_CLIENTS, {
        "totp": {"one_time": False},
        "listen": {"limits": {"header_timeout": "500ms", "body_timeout": "500ms"}}})


@pytest.fixture(scope="module")
def policy_agents():
    return [terse()]


@pytest.fixture
def edge(gateway, recorder):
    edge = Edge(gateway, gateway.agents[0], recorder)
    yield edge
    edge.close()


def mutant(request, chance):
    """The request with one to three pieces put in, written over, or a few bytes taken out."""
    raw = bytearray(request)
    for _ in range(chance.choice((1, 1, 2, 3))):
        at, piece, how = chance.randrange(len(raw) + 1), chance.choice(PIECES), chance.random()
        if how < 0.5:
            raw[at:at] = piece
        elif how < 0.8:
            raw[at:at + len(piece)] = piece
        else:
            del raw[at:at + chance.choice((1, 1, 2, 4))]
    return bytes(raw)


def matched(pattern, raw, at):
    match = pattern.match(raw, at)
    if not match:
        raise ValueError(raw[at:at + 30])
    return match


def fields(raw, at):
    found = []
    while raw[at:at + 2] != b"\r\n":
        match = matched(FIELD, raw, at)
        found.append((match[1].lower(), match[2]))
        at = match.end()
    return found, at + 2


def chunked_body(raw, at):
    body = b""
    while True:
        match = matched(SIZE, raw, at)
        at, size = match.end(), int(match[1], 16)
        if size == 0:
            return body, fields(raw, at)[1]
        body += raw[at:at + size]
        at += size
        if raw[at:at + 2] != b"\r\n":
            raise ValueError(raw[at:at + 30])
        at += 2


def naive(raw):
    """The requests that stand in these bytes, up to the first fault: method and body of each."""
    found, at = [], 0
    try:
        while at < len(raw):
            at += 2 if raw[at:at + 2] == b"\r\n" else 0
            line = matched(LINE, raw, at)
            head, at = fields(raw, line.end())

            def values(name):
                return [value for key, value in head if key == name]
            hosts, lengths = values(b"host"), values(b"content-length")
            codings, body = values(b"transfer-encoding"), b""
            if len(hosts) != 1 or len(lengths) + len(codings) > 1:
                raise ValueError(head)
            if codings:
                if codings[0].lower() != b"chunked" or line[2] == b"0":
                    raise ValueError(codings)
                body, at = chunked_body(raw, at)
            elif lengths:
                if not re.fullmatch(rb"[0-9]+", lengths[0]) or at + int(lengths[0]) > len(raw):
                    raise ValueError(lengths)
                body = raw[at:at + int(lengths[0])]
                at += len(body)
            found.append((line[1].decode(), body))
            if b"close" in b",".join(values(b"connection")).lower() or line[2] == b"0":
                break
    except ValueError:
        pass
    return found


def answers(edge, raw):
    """The statuses that a connection with these bytes gets, till it ends or all is answered."""
    found = []
    with edge.connect() as wire:
        wire.send_all_it_takes(raw)
        try:
            while not edge.recorder.at(FOLLOWED) and len(found) < 4:
                found.append(wire.response("GET").verdict)
        except Closed as end:
            assert end.clean and not end.partial, end
    return found


def tried(edge, seed, count):
    chance = random.Random(seed)
    for number in range(count):
        raw = mutant(edge.filled(chance.choice(REQUESTS)), chance) + edge.filled(FOLLOWING)
        edge.recorder.reset()
        found = answers(edge, raw)
        seen = edge.recorder.requests
        where = f"seed {seed}, number {number}: {raw!r}\n{found}\n{[r.raw_head for r in seen]}"
        assert not any(status >= 500 and status != 505 for status, _ in found), where
        assert edge.recorder.faults == [] and not any(map(strict_faults, seen)), where
        # Those the gateway refused for another reason than their form are in one list only.
        expected = iter(naive(raw))
        for request in edge.recorder.whole:
            assert (request.method, request.body) in expected, f"{where}\n{naive(raw)}"


def naive_answer(raw):
    """The status and body that a GET gets from these bytes and the end behind them, or None."""
    at = 0
    try:
        while True:
            line = matched(STATUS, raw, at)
            status = int(line[2])
            head, at = fields(raw, line.end())
            if status >= 200:
                break
            if status == 101:
                return None
        codings, lengths = ([value for key, value in head if key == name]
                            for name in (b"transfer-encoding", b"content-length"))
        if len(codings) + len(lengths) > 1:
            return None
        if codings and (codings[0].lower() != b"chunked" or line[1] == b"0"):
            return None
        if lengths and not re.fullmatch(rb"[0-9]+", lengths[0]):
            return None
        if status in (204, 304):
            return status, b""
        if codings:
            return status, chunked_body(raw, at)[0]
        size = int(lengths[0]) if lengths else len(raw) - at
        return (status, raw[at:at + size]) if at + size <= len(raw) else None
    except ValueError:
        return None


def answered(edge, seed, count):
    chance = random.Random(seed)
    edge.recorder.reset()
    for number in range(count):
        raw = mutant(chance.choice(ANSWERS), chance)
        edge.recorder.raw("/r", raw, close=True)
        with edge.connect() as wire:
            wire.send(encode("GET", "/r", edge.agent.basic()))
            try:
                response = wire.response()
                found = response.status, response.body
            except Closed:
                continue  # begun, and visibly cut short
            where = f"seed {seed}, number {number}: {raw!r}\n{found}"
            if response.code != "upstream_bad_response":
                assert found == naive_answer(raw), f"{where}\n{naive_answer(raw)}"
            target = f"/after/{number}"
            if response.get("Connection") != "close":
                response = wire.request("GET", target, edge.agent.basic())
                # It may have gone out on a connection that the upstream was about to end.
                assert response.status == 502 or response.json()["target"] == target, where


@pytest.mark.parametrize("seed", range(SEED, SEED + ITEMS))
def test_what_is_relayed_is_what_was_answered(edge, seed):
    answered(edge, seed, EACH)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(SEED + ITEMS, SEED + 4 * ITEMS))
def test_what_is_relayed_is_what_was_answered_at_length(edge, seed):
    answered(edge, seed, 2 * EACH)


@pytest.mark.parametrize("seed", range(SEED, SEED + ITEMS))
def test_what_passes_is_what_was_sent(edge, seed):
    tried(edge, seed, EACH)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(SEED + ITEMS, SEED + 4 * ITEMS))
def test_what_passes_is_what_was_sent_at_length(edge, seed):
    tried(edge, seed, 2 * EACH)


def test_the_naive_reader_of_answers():
    assert [naive_answer(raw) for raw in ANSWERS] == [
        (200, b"hello"), (200, b"abcde"), (204, b""), (200, b"ok"), (404, b"all of it"),
        (200, b"ok")]
    for bad in (b"X : a", b"X: \0", b"Content-Length: 5", b"Transfer-Encoding: chunked", b" X: a"):
        assert naive_answer(ANSWERS[0].replace(b"X: y", bad)) is None


def test_the_naive_reader():
    """It reads what is legal, and no more of what is not."""
    assert [naive(raw.replace(b"@@", b"A: b")) for raw in REQUESTS] == [
        [("GET", b"")], [("POST", b"hello")], [("POST", b"abcde")], [("GET", b"hello")],
        [("PUT", b"hello")], [("GET", b"")]]
    legal = get().replace(b"@@", b"A: b")
    assert naive(legal + legal) == [("GET", b"")] * 2
    for bad in (b"X : a", b"X: \0", b"Content-Length: +1", b"Host: b", b" X: a", b"X\n: a"):
        assert naive(get(bad).replace(b"@@", b"A: b")) == []
