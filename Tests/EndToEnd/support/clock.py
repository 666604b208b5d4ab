# SPDX-License-Identifier: Apache-2.0
"""A clock that a test moves, for one process: libfaketime, where it is installed."""

import glob
import os

import pytest

from .waiting import settle

LIBRARIES = glob.glob("/usr/lib/*/faketime/libfaketime.so.1") + glob.glob(
    "/usr/lib*/faketime/libfaketime.so.1")


class MovedClock:
    """The wall clock of a gateway, so many seconds ahead of everybody else's.

    Its monotonic clock goes on as it was: that is what a suspended machine, or a clock that is
    set, looks like to a process.
    """

    def __init__(self, gateway):
        if not LIBRARIES:
            pytest.skip("libfaketime is not installed")
        self._file = gateway.directory / "clock"
        self.ahead = 0
        self.move(0)
        gateway.env |= {"LD_PRELOAD": LIBRARIES[0], "FAKETIME_TIMESTAMP_FILE": str(self._file),
                        "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                        "DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1"}

    def move(self, seconds):
        """Sets the process's clock forward by so much more."""
        self.ahead += seconds
        new = self._file.with_suffix(".new")
        new.write_text(f"{self.ahead:+d}s\n")
        os.rename(new, self._file)
        settle()
