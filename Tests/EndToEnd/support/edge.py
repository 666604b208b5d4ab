# SPDX-License-Identifier: Apache-2.0
"""Rows of raw requests, and what an edge that two parsers cannot fool makes of each.

A row is bytes, the rule it stands for, and the outcomes that are right. `@@` in the bytes stands
for valid credentials, so that nothing but its form can refuse a request. Behind every row comes
`FOLLOWING`, a request with credentials of its own: where the row is refused and the connection
ends, it must never be seen; where the row is served, it must be served next, which shows that
both sides agreed on where the row ended.
"""

from dataclasses import dataclass

import pytest

HOST = b"Host: a.example"
FOLLOWED = "/smuggled"
FOLLOWING = b"GET /smuggled HTTP/1.1\r\nHost: a.example\r\n@@\r\n\r\n"
# How long a field is that `@@` becomes: `Authorization: Basic` with a name and a key of one
# letter and a code of six digits.
CREDENTIALS = 33
CHUNKS = b"3\r\nabc\r\n0\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked"
CONTROLS = [*range(0x20), 0x7F]
# What RFC 9110 section 5.6.2 leaves out of `tchar`, without controls and bytes beyond ASCII.
DELIMITERS = b' "(),/:;<=>?@[\\]{}'


@dataclass(frozen=True)
class Seen:
    """One request as the upstream has to see it."""

    method: str = "GET"
    target: str = "/x"
    body: bytes = b""
    fields: tuple = ()   # each stands exactly so, and no other field has its name
    absent: tuple = ()   # names that must not be there
    trailers: tuple = ()

    def faults(self, request):
        """How a recorded request differs from this one."""
        found = []
        for name in ("method", "target", "body"):
            if getattr(request, name) != getattr(self, name):
                found.append(f"{name} is {getattr(request, name)!r}, not {getattr(self, name)!r}")
        if tuple(request.trailers) != self.trailers:
            found.append(f"trailers are {request.trailers}, not {self.trailers}")
        wanted = {}
        for name, value in self.fields:
            wanted.setdefault(name, []).append(value)
        for name, values in wanted.items():
            # The name may change its case on the way, the value nothing.
            if request.all(name) != values:
                found.append(f"{name} is {request.all(name)!r}, not {values!r}")
        found += [f"{name} is there" for name in self.absent if request.all(name)]
        return found


@dataclass(frozen=True)
class Outcome:
    """An answer, whether the connection ends after it (None: as it likes), and what the upstream
    saw: nothing (`NOTHING`), at most the beginning of a request (`PARTIAL`), or requests."""

    status: int
    code: str | None
    closes: bool | None
    seen: object


NOTHING, PARTIAL = "nothing", "partial"
MALFORMED = Outcome(400, "http_malformed", True, NOTHING)
BROKEN_OFF = Outcome(400, "http_malformed", True, PARTIAL)
AMBIGUOUS = Outcome(400, "path_ambiguous", None, NOTHING)
VERSION = Outcome(505, "http_version", True, NOTHING)
NO_METHOD = Outcome(405, "method_not_allowed", None, NOTHING)
NO_UPGRADE = Outcome(403, "upgrade_denied", None, NOTHING)
EXPECTATION = Outcome(417, "expectation_failed", None, NOTHING)


@dataclass(frozen=True)
class Case:
    """A row of the tables."""

    name: str
    rule: str
    raw: bytes
    allowed: tuple
    method: str = "GET"       # HEAD has an answer without a body
    fault: str | None = None  # what the product is known to get wrong here
    alike: bool = False       # one of many that differ by one byte: few cuts do for an ordinary run


def served(*seen, closes=False, **members):
    """The request passes; `members` make up the one request seen where none is given."""
    return Outcome(200, None, closes, seen or (Seen(**members),))


def refuse(rule, rows, outcome=MALFORMED, **members):
    """Rows that share a rule and an outcome, or several that are right."""
    allowed = outcome if isinstance(outcome, tuple) else (outcome,)
    return [Case(name, rule, raw, allowed, **members) for name, raw in rows.items()]


def case(rule, name, raw, *allowed, **members):
    return Case(name, rule, raw, allowed, **members)


def get(*fields, line=b"GET /x HTTP/1.1", host=HOST):
    """A request without a body; the fields come after Host and the credentials."""
    lines = [line, *([host] if host is not None else []), b"@@", *fields]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def post(*fields, body=b"", line=b"POST /x HTTP/1.1", host=HOST):
    return get(*fields, line=line, host=host) + body


def chunks(body, *fields):
    return post(CHUNKED, *fields, body=body)


def shown(byte):
    return f"{byte:#04x}"


def parameters(cases):
    """Rows by name as a test's parameters; a row that names a fault is to fail until it is mended."""
    for name, case in cases.items():
        marks = [pytest.mark.xfail(strict=True, reason=case.fault)] if case.fault else []
        yield pytest.param(case, id=name.encode("unicode_escape").decode(), marks=marks)
