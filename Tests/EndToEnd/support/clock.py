# SPDX-License-Identifier: Apache-2.0
"""A clock that a test moves, for one process: libfaketime, where it is installed."""

import glob
import os
import time

import pytest

from .waiting import settle

# The one that locks: the other lets a thread see no offset while another reads the file.
LIBRARIES = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1") + glob.glob(
    "/usr/lib*/faketime/libfaketimeMT.so.1")


class MovedClock:
    """The clock of a gateway, so many seconds ahead of everybody else's.

    Where only the wall clock moves, that is what a clock that is set, or a machine that was
    suspended, looks like to a process; else the time simply passes.
    """

    def __init__(self, gateway, only_the_wall=False):
        if not LIBRARIES:
            pytest.skip("libfaketime is not installed")
        self._file = gateway.directory / "clock"
        self.ahead = 0
        self.move(0)
        # The library moves the environment, where Swift's runtime looks for the arguments.
        assert gateway.arguments[:2] == ["serve", "--policy"]
        gateway.arguments = []
        gateway.env |= {
            "AGENTPORT_POLICY": str(gateway.policy_file), "LD_PRELOAD": LIBRARIES[0],
            "FAKETIME_TIMESTAMP_FILE": str(self._file), "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1" if only_the_wall else "0", "NO_FAKE_STAT": "1"}

    def move(self, seconds):
        """Sets the process's clock forward by so much more."""
        self.ahead += seconds
        new = self._file.with_suffix(".new")
        new.write_text(f"{self.ahead:+d}s\n")
        os.rename(new, self._file)
        settle()

    def time(self):
        return time.time() + self.ahead
