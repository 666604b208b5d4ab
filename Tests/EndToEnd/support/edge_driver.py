# SPDX-License-Identifier: Apache-2.0
"""Sends the rows of `edge` over many TLS connections at once, whole and in pieces, and holds what
came back and what an upstream saw against the outcomes that are right."""

import contextlib
import re
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from .edge import CREDENTIALS, FOLLOWED, FOLLOWING, NOTHING, PARTIAL
from .wire import Closed, Wire, encode

AT_ONCE = 16
# Cuts in an ordinary run, of most rows and of those that are alike.
CUTS, FEW_CUTS = 8, 3
# Beyond this many bytes a row is sent in that many pieces instead of single bytes.
PIECES = 600
BARRIER = "/barrier"
# A row is also sent behind this one at once: a parser is no stricter at a buffer's beginning.
FIRST = "/first"
BEHIND = "behind another request"
# What the upstream's bytes have to be, whatever the client's were.
HEAD = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+ (\*|/[!-~]*) HTTP/1\.1\r\n"
                  rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t ]*[^\x00-\x08\x0a-\x1f\x7f]*\r\n)+\r\n")


@dataclass
class Sent:
    """What one connection got: verdicts in their order, and how it ended (None: it did not)."""

    pieces: str
    answers: list = field(default_factory=list)
    ended: str | None = None

    @property
    def result(self):
        return tuple(self.answers), self.ended


def strict_faults(request):
    """What is wrong with a head that the gateway wrote."""
    found = [] if HEAD.fullmatch(request.raw_head) else ["malformed"]
    lengths, codings = request.all("Content-Length"), request.all("Transfer-Encoding")
    if len(lengths) + len(codings) > 1:
        found.append("framed twice")
    if any(not value.isdigit() for value in lengths) or codings not in ([], ["chunked"]):
        found.append("framed oddly")
    if len(request.all("Host")) != 1 or len(request.all("x-agentport-jwt")) != 1:
        found.append("not one Host and one token")
    if request.all("Authorization") or request.all("Upgrade"):
        found.append("fields that are for the gateway")
    return [f"{fault}: {request.raw_head!r}" for fault in found]


class Edge:
    """A gateway, its recorder, and one agent whose credentials stand in every row."""

    def __init__(self, gateway, agent, recorder):
        self.gateway, self.agent, self.recorder = gateway, agent, recorder
        self.context = gateway.context()
        self.session = None
        self.pool = ThreadPoolExecutor(AT_ONCE)
        self.steady = None

    def close(self):
        self.pool.shutdown()
        if self.steady:
            self.steady.close()

    def credentials(self):
        name, value = self.agent.basic()[0]
        field = f"{name}: {value}".encode()
        assert len(field) == CREDENTIALS
        return field

    def filled(self, raw):
        return raw.replace(b"@@", self.credentials())

    def connect(self, timeout=5):
        return Wire(self.gateway.address, self.context, timeout=timeout, session=self.session)

    def check(self, case, everywhere=False):
        """Sends a row in all its ways and fails where one of them came out wrong."""
        self.recorder.reset()
        raw = self.filled(case.raw)
        follow = self.filled(FOLLOWING)
        first = encode("GET", FIRST, self.agent.basic())
        ways = [("whole", [raw + follow]), ("byte by byte", [*singly(raw), follow]),
                (BEHIND, [first + raw + follow])]
        ways += [(f"cut at {at}", [raw[:at], raw[at:] + follow])
                 for at in cuts(len(raw), case.alike, everywhere)]
        self._pass_barrier()
        before = self.recorder.connections
        sent = list(self.pool.map(lambda way: self._send(case, *way), ways))
        self._pass_barrier(settled=True)
        self._judge(case, sent, before)

    def _send(self, case, way, pieces):
        sent = Sent(way)
        try:
            with self.connect() as wire:
                with contextlib.suppress(OSError):
                    for number, piece in enumerate(pieces):
                        if number and len(pieces) == 2:
                            time.sleep(0.002)
                        wire.send(piece)
                if way == BEHIND:
                    assert wire.response().status == 200
                for number in range(1 + max(map(_requests, case.allowed))):
                    method = case.method if number == 0 else "GET"
                    sent.answers.append(wire.response(method).verdict)
        except Closed as end:
            sent.ended = "clean" if end.clean and not end.partial else f"badly: {end}"
        except (OSError, AssertionError, ValueError) as fault:
            sent.ended = f"{type(fault).__name__}: {fault}"
        return sent

    def _pass_barrier(self, settled=False):
        """An ordinary request on a connection of its own: when it is answered, whatever came
        before it has been done, and the gateway still serves."""
        request = encode("GET", BARRIER, self.agent.basic())
        if self.steady is None:
            self.steady = self.connect(timeout=10)
        try:
            self.steady.send(request)
            assert self.steady.response().status == 200
        except (Closed, OSError):
            # It may have idled too long; a new one has to do.
            self.steady.close()
            self.steady = self.connect(timeout=10)
            self.steady.send(request)
            assert self.steady.response().status == 200
        if isinstance(self.steady.socket, ssl.SSLSocket):
            self.session = self.steady.socket.session or self.session
        if settled:
            time.sleep(0.003)

    def _judge(self, case, sent, connections):
        by_result = {}
        for one in sent:
            by_result.setdefault(one.result, []).append(one.pieces)
        told = "\n".join(f"  {answers}, {'ended ' + ended if ended else 'kept'}: {_few(ways)}"
                         for (answers, ended), ways in by_result.items())
        where = f"{case.name} (RFC {case.rule})\n{case.raw[:300]!r}\n{told}"
        assert len(by_result) == 1, f"the cut makes a difference: {where}"
        (answers, ended), = by_result
        fitting = [o for o in case.allowed if _fits(o, answers, ended)]
        assert fitting, f"{where}\nright would be {[_told(o) for o in case.allowed]}"
        faults = min((self._upstream_faults(o, len(sent), ended is None, connections)
                      for o in fitting), key=len)
        assert not faults, f"{where}\nupstream: " + "\n".join(faults[:5])

    def _upstream_faults(self, outcome, times, kept, connections):
        """What the upstream saw and should not have; it had this many connections before."""
        ours = [r for r in self.recorder.requests if r.target in (BARRIER, FIRST)]
        follows = self.recorder.at(FOLLOWED)
        rest = [r for r in self.recorder.requests if r not in ours and r not in follows]
        found = [f"unreadable: {fault!r}" for fault in self.recorder.faults]
        found += [fault for r in self.recorder.requests for fault in strict_faults(r)]
        if len(self.recorder.at(FIRST)) != 1:
            found.append("the request before did not come once")
        if len(follows) != (times if kept else 0):
            found.append(f"the request behind came {len(follows)} times of {times}, "
                         f"{'kept' if kept else 'closed'}")
        if outcome.seen == NOTHING:
            found += [f"saw {r.raw_head!r}" for r in rest]
            expected = sum(len(r.raw_head) for r in [*ours, *follows])
            if sum(map(len, self.recorder.received.values())) != expected:
                found.append(f"received {self.recorder.received}")
            new = set(range(connections + 1, self.recorder.connections + 1))
            if idle := new - {r.connection for r in [*ours, *follows]}:
                found.append(f"{len(idle)} connections were opened for nothing")
        elif outcome.seen == PARTIAL:
            found += [f"took for whole: {r.raw_head!r} {r.body!r}" for r in rest if r.complete]
            found += [f"received {bytes(data)!r}" for data in self.recorder.received.values()
                      if FOLLOWED.encode() in data]
        else:
            found += _differences(outcome.seen, rest, times)
        return found


def _differences(expected, requests, times):
    if len(requests) != times * len(expected):
        return [f"saw {len(requests)} requests, not {times * len(expected)}"]
    found = []
    for request in requests:
        faults = [one.faults(request) for one in expected]
        if not request.complete:
            found.append(f"cut short: {request.raw_head!r}")
        elif all(faults):
            found += min(faults, key=len)
    return found


def _requests(outcome):
    """How many requests a row is: one, unless it says otherwise."""
    return len(outcome.seen) if isinstance(outcome.seen, tuple) else 1


def _fits(outcome, answers, ended):
    if not answers or answers[0] != (outcome.status, outcome.code):
        return False
    count = _requests(outcome)
    if any(answer != answers[0] for answer in answers[:count]):
        return False
    closed = ended == "clean" and len(answers) == count
    kept = ended is None and answers[count:] == ((200, None),)
    return {True: closed, False: kept, None: closed or kept}[outcome.closes]


def _told(outcome):
    ends = {True: "closed", False: "kept", None: "closed or kept"}[outcome.closes]
    return f"{outcome.status} {outcome.code or ''} {ends}"


def _few(ways):
    return f"{len(ways)} ways, " + ", ".join(ways[:6]) + (" ..." if len(ways) > 6 else "")


def singly(raw):
    step = -(-len(raw) // PIECES)
    return [raw[at:at + step] for at in range(0, len(raw), step)]


def cuts(length, alike, everywhere):
    """Positions to cut at: all of them, or some that are spread over the row's end to end."""
    count = FEW_CUTS if alike else CUTS
    if everywhere:
        count = length if length <= PIECES else PIECES // 10
    return sorted({max(1, round(length * (n + 1) / count)) for n in range(count)})
