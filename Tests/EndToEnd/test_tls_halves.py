# SPDX-License-Identifier: Apache-2.0
"""Many clients that stop within a record of the handshake, and one that does not."""

import pytest

from support.tls13 import Client
from support.tls13_codec import record

# More than the slabs that a worker has, from addresses that may have this many each.
CLIENTS, EACH = 1100, 220


def half_a_hello(client):
    client.raw(record(22, b"\x01\x00\x3f\xf0" + bytes(16_000))[:2600])


def half_a_finished(client):
    client.start().server_hello()
    client.raw(record(23, bytes(16_000))[:2600])


@pytest.mark.usefixtures("many_descriptors")
@pytest.mark.parametrize("half", [half_a_hello, half_a_finished])
def test_half_records_leave_room_for_whole_ones(start, half):
    gateway = start()
    clients = []
    try:
        for number in range(CLIENTS):
            source = (f"127.0.0.{2 + number // EACH}", 0)
            clients.append(Client(gateway.address, source=source))
            half(clients[-1])
        with Client(gateway.address, timeout=2) as client:
            client.connect()
            assert client.get() == 200
    finally:
        for client in clients:
            client.socket.close()
