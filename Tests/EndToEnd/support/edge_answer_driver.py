# SPDX-License-Identifier: Apache-2.0
"""Has an upstream give the rows of `edge_answers`, whole and in pieces, to many clients at once,
and holds against the outcomes that are right what each client got, and the next one."""

import threading
import time
from dataclasses import dataclass

from .edge_answers import BAD, CUT, Got
from .edge_driver import Edge, cuts, singly
from .waiting import wait_until
from .wire import Closed, encode


@dataclass
class Received:
    """What the client of one connection got: a response, or how it was cut."""

    pieces: str
    response: object = None
    cut: str | None = None
    after: str | None = None


class AnswerEdge(Edge):
    """The gateway between clients and an upstream that answers as the rows say."""

    def check(self, row, everywhere=False):
        self.recorder.reset()
        ways = [("whole", [row.raw]), ("byte by byte", singly(row.raw) or [b""])]
        ways += [(f"cut at {at}", [row.raw[:at], row.raw[at:]])
                 for at in cuts(len(row.raw), row.alike, everywhere)]
        sent = [threading.Event() for _ in ways]
        for number, (_, pieces) in enumerate(ways):
            self.recorder.on(f"/r/{number}", _answers(pieces, row.ends, sent[number]))
        self._pass_barrier()
        run = map if row.alone else self.pool.map
        got = list(run(lambda numbered: self._ask(row, *numbered, sent), enumerate(ways)))
        fitting = [{n for n, o in enumerate(row.allowed) if _fault(o, one) is None}
                   for one in got]
        told = "\n".join(f"  {one.pieces}: {one.response or one.cut}, "
                         f"{[_fault(o, one) for o in row.allowed]}" for one in got[:4])
        where = f"{row.name} (RFC {row.rule})\n{row.raw[:300]!r}\n{told}"
        wrong = [one for one, fits in zip(got, fitting) if not fits]
        assert not wrong, f"{where}\nwrong: {wrong[0]}"
        assert set.intersection(*fitting), f"the cut makes a difference: {where}"
        stray = [one for one in got if one.after]
        assert not stray, f"{where}\nthe next client: {stray[0].pieces}: {stray[0].after}"
        self._judge_connections(row, where)

    def _ask(self, row, number, way, sent):
        got = Received(way[0])
        with self.connect() as wire:
            wire.send(encode(row.method, f"/r/{number}", self.agent.basic(), version=row.version))
            try:
                got.response = wire.response(row.method)
            except Closed as end:
                got.cut = f"cut {'clean' if end.clean else 'off'}"
            except (OSError, AssertionError, ValueError) as fault:
                got.cut = f"{type(fault).__name__}: {fault}"
            if row.alone:
                assert sent[number].wait(5)
                time.sleep(0.003)
            got.after = self._after(wire, number)
            if got.after == "closed":
                with self.connect() as fresh:
                    got.after = self._after(fresh, number)
        return got

    def _after(self, wire, number):
        """What is wrong with the answer to a request that comes next, or None."""
        try:
            response = wire.request("GET", f"/after/{number}", self.agent.basic())
            if response.status != 200 or response.json()["target"] != f"/after/{number}":
                return f"{response}"
        except (Closed, OSError):
            return "closed"
        except (AssertionError, ValueError) as fault:
            return f"{type(fault).__name__}: {fault}"
        return None

    def _judge_connections(self, row, where):
        """Whether the upstream's connections were used, or not, after such an answer."""
        asked = [r for r in self.recorder.requests if r.path.startswith("/r/")]
        used = {request.connection for request in asked}
        if row.reused is True:
            closed = [number for number in used if not self.recorder.is_open(number)]
            assert not closed, f"{where}\nconnections {closed} were closed"
        elif row.reused is False:
            for number in used:
                paths = [r.path for r in self.recorder.requests if r.connection == number]
                assert paths[-1].startswith("/r/"), f"{where}\nserved again: {paths}"
                assert sum(p.startswith("/r/") for p in paths) == 1, f"{where}: {paths}"
            wait_until(lambda: not any(map(self.recorder.is_open, used)), timeout=3,
                       what=f"the end of upstream connections after {row.name}")


def _answers(pieces, ends, sent):
    def answer(exchange):
        try:
            for number, piece in enumerate(pieces):
                if number and len(pieces) == 2:
                    time.sleep(0.002)
                exchange.send(piece)
        finally:
            sent.set()
        if ends:
            if ends == "reset":
                time.sleep(0.005)  # a reset overtakes what has not been read
            getattr(exchange, ends)()
    return answer


def _fault(outcome, got):
    """How a client's answer differs from this outcome, or None where it does not."""
    response = got.response
    if outcome in (BAD, CUT):
        if outcome == CUT and response is None and got.cut.startswith("cut"):
            return None
        if response is None:
            return got.cut
        head = response.status == 502 and response.framing == "none"
        right = head or response.verdict == (502, "upstream_bad_response")
        return None if right else f"{response.verdict} is not 502"
    assert isinstance(outcome, Got)
    if response is None:
        return got.cut
    if (response.status, response.body) != (outcome.status, outcome.body):
        return f"{response.status} {response.body[:100]!r}"
    if tuple(response.trailers) != outcome.trailers:
        return f"trailers {response.trailers}"
    if outcome.interim is not None and tuple(response.interim) != outcome.interim:
        return f"interim {response.interim}"
    wanted = {}
    for name, value in outcome.fields:
        wanted.setdefault(name, []).append(value)
    for name, values in wanted.items():
        if response.all(name) != values:
            return f"{name} is {response.all(name)}"
    return next((f"{name} is there" for name in outcome.absent if response.all(name)), None)
