# SPDX-License-Identifier: Apache-2.0
"""How many connections one address may have, at the edge. For those in all see
`test_overload.py`."""

import contextlib
import socket
import threading

import pytest

from support.waiting import settle, wait_until
from support.wire import Closed


def served(gateway, source, stack):
    """Whether one more connection from there is served; it stays open till the test's end."""
    try:
        wire = stack.enter_context(gateway.connect(timeout=5, source=source))
        return wire.request("GET", "/healthz").status == 200 and wire
    except (Closed, OSError):
        return False


@pytest.mark.parametrize("workers", ["1", "2"])
def test_connections_of_one_address(start, workers):
    """The limit is the gateway's, not each worker's; other addresses have their own."""
    most = 6
    gateway = start({"listen": {"limits": {"connections_per_ip": most}}},
                    env={"AGENTPORT_WORKERS": workers})
    with contextlib.ExitStack() as stack:
        wires = [served(gateway, "127.0.0.2", stack) for _ in range(most)]
        assert all(wires)
        for _ in range(4):
            assert not served(gateway, "127.0.0.2", stack)
        other = [served(gateway, "127.0.0.3", stack) for _ in range(most)]
        assert all(other)
        for wire in [*wires, *other]:
            assert wire.request("GET", "/healthz").status == 200
        wires[0].close()
        wait_until(lambda: served(gateway, "127.0.0.2", stack), what="room for one more")
        assert not served(gateway, "127.0.0.2", stack)


def test_connections_that_never_shake_hands_count_too(start):
    most = 4
    gateway = start({"listen": {"limits": {"connections_per_ip": most}}})
    with contextlib.ExitStack() as stack:
        for _ in range(most):
            stack.enter_context(socket.create_connection(gateway.address,
                                                         source_address=("127.0.0.2", 0)))
        settle()
        assert not served(gateway, "127.0.0.2", stack)
        assert served(gateway, "127.0.0.3", stack)


def test_many_at_the_edge_at_once(start):
    """Of many that come at one moment no more are served than may be."""
    most, many = 8, 24
    gateway = start({"listen": {"limits": {"connections_per_ip": most}}},
                    env={"AGENTPORT_WORKERS": "2"})
    begin, results = threading.Barrier(many), []
    with contextlib.ExitStack() as stack:
        def one():
            begin.wait(10)
            results.append(bool(served(gateway, "127.0.0.2", stack)))
        threads = [threading.Thread(target=one) for _ in range(many)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert len(results) == many
        assert sum(results) == most
