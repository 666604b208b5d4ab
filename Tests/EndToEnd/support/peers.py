# SPDX-License-Identifier: Apache-2.0
"""Upstreams that never get as far as an answer: scripted byte by byte, or deaf."""

import contextlib
import socket
import threading

from .recorder import RESET_ON_CLOSE


class Peer:
    """Listens on a free loopback port and does with each connection what a function says."""

    def __init__(self, script, scheme="http"):
        self._script = script
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.label = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.url = f"{scheme}://{self.label}"
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self):
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._run, args=[accepted], daemon=True).start()

    def _run(self, accepted):
        with contextlib.suppress(OSError), accepted:
            accepted.settimeout(10)
            self._script(accepted)


def reset(connection):
    """Ends a connection with RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    connection.close()


class Deaf:
    """Listens, and accepts nobody: its backlog is full, so that connecting takes for ever."""

    def __init__(self, scheme="http"):
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=0)
        self.address = self._listener.getsockname()
        self.label = f"127.0.0.1:{self.address[1]}"
        self.url = f"{scheme}://{self.label}"
        self._fillers = []
        while self._fill(self.address):
            assert len(self._fillers) < 16, "a backlog of 0 takes any number"

    def _fill(self, address):
        """Whether there was room for one more."""
        filler = socket.socket()
        filler.settimeout(0.1)
        self._fillers.append(filler)
        try:
            filler.connect(address)
            return True
        except TimeoutError:
            return False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for each in [self._listener, *self._fillers]:
            each.close()


def reads_head(connection):
    """Reads to the end of a request's head."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            break
        data += piece
    return data
