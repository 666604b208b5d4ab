# SPDX-License-Identifier: Apache-2.0
"""The options that the counting scripts share."""

import argparse
import os
import sys

from testbed import MODES


class Options(argparse.Namespace):
    @property
    def modes(self):
        return MODES if self.mode == "all" else (self.mode,)

    def finish(self, thresholds, measured, names=None):
        """Records or holds what was measured, where that was asked for; the exit status.

        - names: of the numbers to hold, where not all are.
        """
        if self.record:
            thresholds.record(measured)
        if self.gate:
            return 0 if thresholds.hold(measured, names) else 1
        return 0


class Parser(argparse.ArgumentParser):
    def parse_args(self):
        return super().parse_args(namespace=Options())


def parser(description, requests, top):
    """- requests: how many are counted unless the command line says so."""
    made = Parser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--mode", choices=("all", *MODES), default="all")
    made.add_argument("--requests", type=int, default=requests)
    made.add_argument("--top", type=int, default=top, help="how many lines of each list")
    made.add_argument("--json", action="store_true", help="counts a request, for programs")
    made.add_argument("--gate", action="store_true", help="exit 1 where a threshold is exceeded")
    made.add_argument("--record", action="store_true", help="write what was counted as thresholds")
    return made


def run(main):
    """Ends with the status that `main` returns; the output may go to `head`."""
    try:
        status = main()
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    sys.exit(status)
