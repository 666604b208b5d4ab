# SPDX-License-Identifier: Apache-2.0
"""Counts that a change must not exceed, in `Benchmarks/thresholds/NAME.json`."""

import json
import platform
import subprocess

from testbed import REPOSITORY

FOLDER = REPOSITORY / "Benchmarks/thresholds"


class Thresholds:
    """One file: what is counted, the tolerance, and for each mode a number for each name."""

    def __init__(self, name, unit, tolerance_percent):
        self.path = FOLDER / f"{name}.json"
        self.unit = unit
        self.tolerance_percent = tolerance_percent

    def record(self, measured):
        """Writes what was measured; modes that were not, stay as they were."""
        kept = json.loads(self.path.read_text())["modes"] if self.path.exists() else {}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps(
            {"unit": self.unit, "tolerance_percent": self.tolerance_percent,
             "measured_with": environment(), "modes": {**kept, **measured}}, indent=2) + "\n")
        print(f"wrote {self.path.relative_to(REPOSITORY)}")

    def hold(self, measured, names=None):
        """Prints each number beside its threshold; whether none is exceeded.

        - names: those to hold; all unless they are given.
        """
        if not self.path.exists():
            raise SystemExit(f"{self.path.relative_to(REPOSITORY)} is not there: --record makes it")
        document = json.loads(self.path.read_text())
        room = 1 + document["tolerance_percent"] / 100
        if document["measured_with"] != (here := environment()):
            print(f"note: the thresholds were measured with {document['measured_with']};\n"
                  f"      this is {here}")
        passed = failed = 0
        for mode, numbers in measured.items():
            limits = document["modes"].get(mode, {})
            # What is counted now and was not there when the thresholds were made, is too much.
            for name in sorted({*numbers, *limits} if names is None else names):
                value, limit = numbers.get(name, 0), limits.get(name, 0)
                is_over = value > limit * room
                passed, failed = passed + (not is_over), failed + is_over
                print(f"{'FAIL' if is_over else 'ok':4} {mode:8} {name:32} "
                      f"{value:12,.2f}  threshold {limit:12,.2f}")
        print(f"{passed} passed, {failed} failed")
        return failed == 0


def environment():
    """What the counts depend on besides the code."""
    def first_line(*command):
        try:
            text = subprocess.run(command, capture_output=True, text=True).stdout
        except OSError:
            return f"no {command[0]}"
        return text.splitlines()[0].strip() if text.strip() else f"no {command[0]}"
    openssl = " ".join(first_line("openssl", "version").split()[:2])
    return f"{openssl}, {first_line('valgrind', '--version')}, {platform.machine()}"
