# SPDX-License-Identifier: Apache-2.0
"""Waiting for a condition, with a deadline. Nothing in the suite sleeps and hopes."""

import time


def wait_until(condition, timeout=5.0, what="the condition", interval=0.01):
    """Polls `condition` until it is true and returns its value; fails at the deadline."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout} s in vain for {what}")
        time.sleep(interval)


def settle():
    """Gives what must not happen a moment to happen: a byte on loopback takes microseconds."""
    time.sleep(0.05)


def stays(condition, seconds):
    """Asserts that what holds goes on to hold for so long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert condition(), "it has changed"
        time.sleep(0.1)
