# SPDX-License-Identifier: Apache-2.0
"""Hellos bent without a plan: whatever comes, the gateway has an answer, and it is no crash."""

import contextlib
import os
import random
import socket

import pytest

from support import tls13_codec as codec
from support.gateway import MANY_CLIENTS
from support.tls13 import Client
from support.tls13_codec import ALERT, ALERTS, HANDSHAKE, record
from support.tls13_hello import client_hello, with_tickets
from support.tls13_stages import new_ticket

pytestmark = pytest.mark.usefixtures("still_serves")
# What a hello may be refused for. That the server is at fault is not among it.
REASONS = {"decode_error", "illegal_parameter", "handshake_failure", "missing_extension",
           "protocol_version", "no_application_protocol", "unrecognized_name", "decrypt_error",
           "unexpected_message", "record_overflow", "insufficient_security"}


@pytest.fixture(scope="module")
def policy_patch():
    return MANY_CLIENTS


def answer(gateway, data):
    """How these records are answered by a gateway that knows nothing more will come: `hello`,
    `cut`, or an alert's name."""
    with Client(gateway.address) as client:
        with contextlib.suppress(ConnectionError):
            client.raw(data)
            client.socket.shutdown(socket.SHUT_WR)
        received = b""
        with contextlib.suppress(ConnectionError):
            while (piece := client.socket.recv(65536)):
                received += piece
        if not received:
            return "cut"
        if received[0] == HANDSHAKE:
            return "hello"
        if received.startswith(b"HTTP/1.1 4"):
            return "plaintext"
        assert received[0] == ALERT, received
        return ALERTS[received[6]]


@pytest.fixture(scope="module")
def hellos(module_gateway):
    """Ordinary ones of different kinds, encoded."""
    ticket = new_ticket(module_gateway)
    rich = client_hello(shares=(codec.X25519, codec.P256)).having(codec.EARLY_DATA, b"")
    return [client_hello().encode(), client_hello(shares=()).encode(),
            with_tickets(rich, ticket).encode()]


@pytest.mark.parametrize("kind", range(3), ids=["plain", "without shares", "with a ticket"])
@pytest.mark.parametrize("bits", [0x01, 0x80, 0xFF], ids=hex)
def test_a_hello_with_any_byte_changed(gateway, hellos, kind, bits):
    for at in range(len(hellos[kind])):
        data = bytearray(hellos[kind])
        data[at] ^= bits
        said = answer(gateway, record(HANDSHAKE, bytes(data)))
        assert said in REASONS | {"hello", "cut"}, f"byte {at}: {said}"
        # Only a length that grew leaves the server waiting for more; all else has an answer.
        assert said != "cut" or at in (1, 2, 3), f"byte {at} has no answer"


@pytest.mark.parametrize("bits", [0x01, 0x02, 0x80, 0xFF], ids=hex)
def test_a_record_s_head_with_any_byte_changed(gateway, hellos, bits):
    for at in range(5):
        data = bytearray(record(HANDSHAKE, hellos[0]))
        data[at] ^= bits
        said = answer(gateway, bytes(data))
        assert said in REASONS | {"hello", "cut", "plaintext"}, f"byte {at}: {said}"


def bent(data, source):
    """`data` after a few random accidents."""
    data = bytearray(data)
    for _ in range(source.randint(1, 4)):
        at, length = source.randrange(4, len(data)), source.randint(1, 40)
        kind = source.randrange(5)
        if kind == 0:
            data[at] = source.choice((0, 1, 2, 3, 0x7F, 0x80, 0xFE, 0xFF, data[at] ^ 1))
        elif kind == 1:
            del data[at:at + length]
        elif kind == 2:
            data[at:at] = data[at:at + length]
        elif kind == 3:
            data[at:at] = source.randbytes(length)
        else:
            other = source.randrange(4, len(data))
            data[at:at + length], data[other:other] = b"", data[at:at + length]
        data += bytes(max(0, 5 - len(data)))
    if source.random() < 0.7:  # mostly a whole message, so that what is in it gets read
        data[1:4] = (len(data) - 4).to_bytes(3, "big")
    return bytes(data)


def random_hellos(gateway, hellos, count, seed):
    source = random.Random(seed)
    for number in range(count):
        data = bent(source.choice(hellos), source)
        every = source.choice((16384, 16384, 1, 7, 100))
        said = answer(gateway, b"".join(record(HANDSHAKE, data[at:at + every])
                                        for at in range(0, len(data), every)))
        waits = int.from_bytes(data[1:4], "big") > len(data) - 4
        assert said in REASONS | {"cut" if waits else "hello"}, \
            f"seed {seed}, number {number}: {said}"
        assert gateway.running, f"seed {seed}, number {number}"


def test_random_hellos(gateway, hellos):
    random_hellos(gateway, hellos, 2000, seed=int.from_bytes(os.urandom(4), "big"))


@pytest.mark.long
@pytest.mark.timeout(300)
def test_many_random_hellos(gateway, hellos):
    for _ in range(100):
        random_hellos(gateway, hellos, 1000, seed=int.from_bytes(os.urandom(4), "big"))
