# SPDX-License-Identifier: Apache-2.0
"""What lies in a process's memory, as who may read it sees it."""

import base64
import re
from pathlib import Path

from .waiting import wait_until


def writable(process):
    """The pages that the process can have written to, as pairs of a place and bytes."""
    with open(f"/proc/{process.pid}/mem", "rb", buffering=0) as memory:
        for line in Path(f"/proc/{process.pid}/maps").read_text().splitlines():
            first, last, flags = re.match(r"(\w+)-(\w+) (\S+)", line).groups()
            if not flags.startswith("rw") or "[vvar" in line or "totp_steps" in line:
                continue
            place = int(first, 16)
            try:
                memory.seek(place)
                data = memory.read(int(last, 16) - place)
            except (OSError, ValueError, OverflowError):
                continue
            yield place, line, data


def forms(seed):
    """A seed in base32 as a search in memory must know it: as text, as bytes, and as HMAC lays
    it over its pads."""
    raw = base64.b32decode(seed)
    return {"base32": seed.encode(), "lower case": seed.lower().encode(), "raw": raw,
            "inner pad": bytes(b ^ 0x36 for b in raw), "outer pad": bytes(b ^ 0x5c for b in raw)}


def found(process, needles):
    """Where which of the needles (a name and its bytes) lie; half of one counts as well."""
    halves = {name: (needle[:len(needle) // 2], needle[len(needle) // 2:])
              for name, needle in needles.items()}
    seen = []
    for place, line, data in writable(process):
        for name, both in halves.items():
            for which, half in zip(("first half", "second half"), both):
                at = data.find(half)
                if at >= 0:
                    seen.append((name, which, hex(place + at), line.split(maxsplit=5)[-1]))
    return seen


def gone(process, needles, timeout=3):
    """Asserts that none of them is there, within a moment."""
    left = []

    def clean():
        left[:] = found(process, needles)
        return not left

    try:
        wait_until(clean, timeout, interval=0.2)
    except AssertionError as fault:
        raise AssertionError(f"still in memory: {left}") from fault
