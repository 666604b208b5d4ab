# SPDX-License-Identifier: Apache-2.0
"""The gateway under callgrind, and callgrind's output file read.

The format is that of the Valgrind manual, "Callgrind Format Specification". Names are compressed:
`fn=(7) name` the first time, `fn=(7)` after it. A cost line belongs to the function named last;
the one line after `calls=` is the cost of those calls in all that they called, and so is not the
caller's own.
"""

import collections
import re
import subprocess
import time

from load import Load
from symbols import library
from testbed import Testbed, need

VALGRIND = ("valgrind", "--tool=callgrind", "--instr-atstart=no", "--cache-sim=no",
            "--separate-threads=yes", "--callgrind-out-file=callgrind.out",
            # Beside the secrets, so that the pipes go with them.
            "--vgdb-prefix=./vgdb")
NAME = re.compile(r"\((\d+)\)(?: (.*))?")
# `name'2` is a further level of a recursion.
RECURSION = re.compile(r"'\d+$")
WORKER = "7Gateway6WorkerV"

Function = collections.namedtuple("Function", "library name")


class Profile:
    """Instructions and calls of one thread."""

    def __init__(self, path):
        self.own = collections.Counter()
        self.total = collections.Counter()
        # By (caller, called).
        self.calls = collections.Counter()
        self._names = {"ob": {}, "fl": {}, "fn": {}}
        self._read(path)
        self._see_through_stubs()
        self.instructions = sum(self.own.values())

    def _name(self, table, text):
        number, name = NAME.fullmatch(text).groups()
        names = self._names[table]
        if name is not None:
            names[number] = name
        return names[number]

    def _function(self, binary, text):
        return Function(library(binary), RECURSION.sub("", self._name("fn", text)))

    def _read(self, path):
        binary = called_binary = ""
        function = called = None
        is_call = False
        with open(path, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                key, is_assignment, value = line.rstrip("\n").partition("=")
                if is_assignment and key.isalpha():
                    if key == "ob":
                        binary = self._name("ob", value)
                    elif key == "fn":
                        function = self._function(binary, value)
                        called_binary = ""
                    elif key == "cob":
                        called_binary = self._name("ob", value)
                    elif key == "cfn":
                        called = self._function(called_binary or binary, value)
                        called_binary = ""
                    elif key == "calls":
                        self.calls[function, called] += int(value.split()[0])
                        is_call = True
                    elif key in ("fl", "fi", "fe", "cfi", "cfl"):
                        self._name("fl", value)
                elif function and line[0] in "+-*0123456789":
                    cost = int((line.split() + ["0"])[1])
                    self.total[function] += cost
                    if not is_call:
                        self.own[function] += cost
                    is_call = False

    def _see_through_stubs(self):
        """What calls a stub of a linkage table, calls the one function behind it."""
        called_by = collections.defaultdict(set)
        for caller, called in self.calls:
            called_by[caller].add(called)
        behind = {stub: called.pop() for stub, called in called_by.items()
                  if stub.library == "???" and len(called) == 1}
        direct = collections.Counter()
        for (caller, called), count in self.calls.items():
            if caller not in behind:
                direct[caller, behind.get(called, called)] += count
        self.calls = direct

    def by_library(self):
        sums = collections.Counter()
        for function, cost in self.own.items():
            sums[function.library] += cost
        return sums


def measure(mode, requests, warm_up=300):
    """Profiles of the worker's thread and of all others over so many requests on one connection.

    One request after the other: how many share a turn of the loop must not be chance.
    """
    need("valgrind", "callgrind_control", "openssl")
    with Testbed(mode, prefix=VALGRIND) as bed:
        load = Load(bed.target)
        load.serially(warm_up)
        control(bed, "-i", "on")
        load.serially(20)
        control(bed, "-z")
        load.serially(requests)
        control(bed, "-d")
        profiles = [Profile(path) for path in finished_dumps(bed.folder)]
    workers = [profile for profile in profiles
               if any(WORKER in function.name for function in profile.total)]
    if len(workers) != 1:
        raise SystemExit(f"{len(workers)} threads look like the worker: are symbols stripped?")
    return workers[0], [profile for profile in profiles if profile is not workers[0]]


def control(bed, *arguments):
    result = subprocess.run(
        ["callgrind_control", *arguments, "--vgdb-prefix=./vgdb", str(bed.process.pid)],
        cwd=bed.folder, capture_output=True, text=True)
    if result.returncode != 0 or "Error" in result.stdout:
        raise SystemExit(f"callgrind_control: {result.stdout}{result.stderr}")


def finished_dumps(folder):
    """The files of the dump, once they have stopped growing."""
    sizes = None
    for _ in range(200):
        paths = sorted(folder.glob("callgrind.out.1-*"))
        now = [path.stat().st_size for path in paths]
        if sizes == now and paths and all(now):
            return paths
        sizes = now
        time.sleep(0.1)
    raise SystemExit("callgrind wrote no dump")
