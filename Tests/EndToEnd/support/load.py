# SPDX-License-Identifier: Apache-2.0
"""An honest client under load: it knows what became of each of its requests."""

import collections
import itertools
import select
import socket
import ssl
import struct
import threading
import time

from .wire import Closed, encode

TCP_ESTABLISHED = 1
CONNECT_SECONDS = 10


class Load:
    """Clients, each on a connection that it keeps, each asking again as soon as it is answered.

    Every request has a number. It ends up in exactly one of these:

    - `answered`: a whole answer came, with the status that is noted;
    - `crossed`: it was sent while the gateway's farewell was on its way, so that the gateway
      owes it nothing; the connection ended cleanly, and without a byte of an answer;
    - `lost`: anything else, with what was seen.

    `refused` counts connections that could not be made or ended before a request was sent.
    """

    def __init__(self, gateway, headers, clients=16, path="/", name="load", may_end=False):
        self._gateway, self._headers, self._path, self._name = gateway, headers, path, name
        self._context = gateway.context()
        self._numbers = itertools.count()
        self._stopping = threading.Event()
        self._may_end = may_end
        self.answered, self.crossed, self.lost, self.faults = {}, [], [], []
        self.refused = self.connections = self.closing = 0
        self.last_without_close = 0.0
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(clients)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self, timeout=30):
        """No more requests; returns once the last is answered."""
        self._stopping.set()
        self.join(timeout)

    def join(self, timeout=30):
        deadline = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0, deadline - time.monotonic()))
        assert not any(t.is_alive() for t in self._threads), "a client waits without end"

    @property
    def statuses(self):
        return collections.Counter(self.answered.values())

    def key(self, number):
        return f"{self._name}-{number}"

    # One client.

    def _run(self):
        try:
            self._go_on_asking()
        except BaseException as fault:
            self.faults.append(f"a client has failed: {fault!r}")
            raise

    def _go_on_asking(self):
        wire = None
        while not self._stopping.is_set():
            if wire is None and (wire := self._connect()) is None:
                if self._may_end:
                    return
                continue
            if not self._ask(wire):
                wire.close()
                wire = None
        if wire is not None:
            wire.close()

    def _connect(self):
        try:
            wire = self._gateway.connect(self._context, timeout=CONNECT_SECONDS)
        except OSError as fault:
            with self._lock:
                self.refused += 1
                if not self._may_end:
                    self.faults.append(f"no connection: {fault!r}")
            return None
        with self._lock:
            self.connections += 1
        return wire

    def _ask(self, wire):
        """- Returns: whether the connection is good for another request."""
        if select.select([wire.socket], [], [], 0)[0] and not self._is_good(wire):
            return False
        number = next(self._numbers)
        request = encode("GET", self._path, [*self._headers, ("X-Load", self.key(number))])
        sent = was_open = False
        try:
            wire.send(request)
            sent, was_open = True, _state(wire.socket) == TCP_ESTABLISHED
            response = wire.response()
        except (OSError, Closed) as fault:
            self._note_end(number, fault, sent, was_open)
            return False
        closes = (response.get("Connection") or "").lower() == "close"
        with self._lock:
            self.answered[number] = response.status
            if closes:
                self.closing += 1
            else:
                self.last_without_close = time.monotonic()
        if closes:
            self._expect_end(wire)
        return not closes

    def _is_good(self, wire):
        """Something has come that nobody asked for: a ticket at first, later a farewell."""
        wire.socket.settimeout(0)
        try:
            data = wire.socket.recv(1)
        except ssl.SSLWantReadError:
            return True
        except OSError as fault:
            with self._lock:
                self.faults.append(f"an idle connection was cut: {fault!r}")
            return False
        finally:
            wire.socket.settimeout(CONNECT_SECONDS)
        with self._lock:
            if data:
                self.faults.append("bytes that nobody asked for")
            elif not self._may_end:
                self.faults.append("an idle connection was ended")
            else:
                self.refused += 1
        return False

    def _expect_end(self, wire):
        try:
            wire.ends()
        except (AssertionError, OSError, Closed) as fault:
            with self._lock:
                self.faults.append(f"no clean end after the last answer: {fault!r}")

    def _note_end(self, number, fault, sent, was_open):
        clean = isinstance(fault, Closed) and fault.clean and not fault.partial
        with self._lock:
            if self._may_end and clean and sent and not was_open:
                self.crossed.append(number)
            else:
                self.lost.append((number, repr(fault), f"clean={getattr(fault, 'clean', None)}",
                                  f"sent={sent}", f"open when sent={was_open}"))


def _state(raw):
    """The state of a TCP connection. On loopback a peer's FIN that came before is seen in it."""
    return struct.unpack("B", raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1))[0]


def keys(*recorders):
    """How often each numbered request arrived upstream."""
    return collections.Counter(
        request.get("x-load") for recorder in recorders for request in list(recorder.requests))


def account(load, *recorders):
    """Asserts that client and upstream agree on each request: none lost, none twice."""
    assert not load.lost, (len(load.lost), load.lost[:3])
    assert not load.faults, (len(load.faults), load.faults[:3])
    assert set(load.statuses) == {200}, load.statuses
    arrived = keys(*recorders)
    twice = {key: count for key, count in arrived.items() if count > 1}
    assert not twice, (len(twice), list(twice.items())[:3])
    assert set(arrived) == {load.key(number) for number in load.answered}
