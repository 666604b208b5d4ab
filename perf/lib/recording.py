# SPDX-License-Identifier: Apache-2.0
"""Samples of a running process by `perf record`, and what they say."""

import collections
import re
import subprocess

from symbols import demangled, library

SAMPLE = re.compile(r"\s*[0-9a-f]+ (.+) \((.+)\)$")
UNKNOWN = "[unknown]"

Frame = collections.namedtuple("Frame", "library name")


def event():
    """Hardware cycles where the machine counts them, else the kernel's own clock."""
    result = subprocess.run(["perf", "stat", "-x,", "-e", "cycles", "true"],
                            capture_output=True, text=True)
    counted = result.stderr.split(",")[0].strip()
    return "cycles" if counted.isdigit() and int(counted) else "cpu-clock"


def record(process, path, seconds, call_graph, frequency=997):
    """Samples a process for so long, by its number."""
    chosen = event()
    # Of the stack's end so much is kept for each sample; with less, deep ones are cut.
    call_graph = "dwarf,16384" if call_graph == "dwarf" else call_graph
    subprocess.run(
        ["perf", "record", "-q", "-e", chosen, "-F", str(frequency),
         "--call-graph", call_graph, "-o", str(path), "-p", str(process),
         "--", "sleep", str(seconds)], check=True)
    return chosen


class Recording:
    """How often each stack was seen, from the thread's name at its root to the leaf."""

    def __init__(self, path):
        text = subprocess.run(
            ["perf", "script", "-i", str(path), "--no-inline", "-F", "comm,ip,sym,dso"],
            capture_output=True, text=True, errors="replace", check=True).stdout
        self.stacks = collections.Counter()
        for block in text.split("\n\n"):
            lines = [line for line in block.split("\n") if line.strip()]
            if len(lines) > 1:
                frames = [frame for line in lines[1:] if (frame := self._frame(line))]
                thread = Frame("thread", lines[0].strip())
                self.stacks[(thread, *reversed(frames))] += 1
        self._demangle()
        self.samples = sum(self.stacks.values())

    @staticmethod
    def _frame(line):
        match = SAMPLE.match(line)
        if not match:
            return None
        name, path = match.groups()
        if path == "[vdso]":
            return Frame("vdso", name)
        if path.startswith("["):
            return Frame("kernel" if path != UNKNOWN else UNKNOWN, name)
        return Frame(library(path), name)

    def _demangle(self):
        names = demangled(frame.name for stack in self.stacks for frame in stack)
        renamed = collections.Counter()
        for stack, count in self.stacks.items():
            renamed[tuple(Frame(f.library, names[f.name]) for f in stack)] += count
        self.stacks = renamed

    def own(self):
        """Samples by leaf."""
        counts = collections.Counter()
        for stack, count in self.stacks.items():
            counts[stack[-1]] += count
        return counts

    def total(self):
        """Samples by each function that was on the stack, with all that it called."""
        counts = collections.Counter()
        for stack, count in self.stacks.items():
            for frame in set(stack):
                counts[frame] += count
        return counts

    def by_library(self):
        counts = collections.Counter()
        for frame, count in self.own().items():
            counts[frame.library] += count
        return counts

    def rootless(self):
        """The share of samples whose stack does not reach the start of its thread: where a
        library keeps no frame pointers."""
        starts = ("start_thread", "clone", "_start", "main", "ret_from_fork", "thread_start")
        lost = sum(count for stack, count in self.stacks.items()
                   if not any(frame.name.strip("_").startswith(starts) or "Worker.run" in frame.name
                              for frame in stack[1:4]))
        return lost / self.samples if self.samples else 0.0
