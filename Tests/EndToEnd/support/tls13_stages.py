# SPDX-License-Identifier: Apache-2.0
"""The moments of a handshake at which a client may do something else than go on; tickets."""

import dataclasses
import os

from .tls13 import Client
from .tls13_codec import AES_128, HANDSHAKE
from .tls13_hello import client_hello

STAGES = ("connected", "half a hello", "hello", "retry", "server hello", "flight",
          "half a finished", "finished")


def at_stage(client, stage):
    """Takes a fresh client to this moment: to where it has said, or read, what `stage` names."""
    place = STAGES.index(stage)
    if stage == "half a hello":
        client.hello = client_hello()
        client.send(HANDSHAKE, client.hello.encode()[:60])
    elif stage == "retry":
        client.start(client_hello(shares=()))
        assert client.server_hello()
    elif place >= STAGES.index("hello"):
        client.start()
    if place >= STAGES.index("server hello"):
        client.server_hello()
    if place >= STAGES.index("flight"):
        client.flight()
    if stage == "half a finished":
        client.send(HANDSHAKE, client.finished()[:10])
    if stage == "finished":
        client.finish()
    return client


def new_ticket(gateway, suite=AES_128):
    """A ticket of a new connection, that no one has used."""
    with Client(gateway.address) as client:
        client.connect(client_hello(suites=(suite,)))
        return client.await_ticket()


def unknown(ticket, name=None):
    """A ticket that no gateway made, its key like this one's."""
    name = os.urandom(len(ticket.ticket)) if name is None else name
    return dataclasses.replace(ticket, ticket=name)
