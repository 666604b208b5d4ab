# SPDX-License-Identifier: Apache-2.0
"""The record layer of a TLS 1.3 client (RFC 8446 section 5), strict in what it takes."""

import socket

from . import tls13_codec as codec
from .tls13_codec import ALERT, APPLICATION, CHANGE_CIPHER_SPEC, HANDSHAKE, record
from .tls13_keys import PLAIN_MAX


class Alerted(Exception):
    """An alert came."""

    def __init__(self, level, code):
        self.level, self.name = level, codec.ALERTS.get(code, str(code))
        super().__init__(self.name)


class Ended(Exception):
    """The connection ended without an alert."""


class Records:
    """One connection, as records: in the clear at first, then under `reads` and `writes`.
    `seen` are the types and contents of all that came."""

    def __init__(self, address, timeout=5, source=None):
        self.socket = socket.create_connection(address, timeout, source)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reads = self.writes = None
        self.seen = []
        self.ccs_due = False  # true right after the server's first message (section D.4)
        self._arrived, self._messages = b"", b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    # Sending.

    def raw(self, data):
        self.socket.sendall(data)

    def sealed(self, kind, content, **options):
        """A record under the keys of the moment, not sent yet."""
        if self.writes:
            return self.writes.seal(kind, content, **options)
        return record(kind, content, **options)

    def send(self, kind, content, **options):
        self.raw(self.sealed(kind, content, **options))

    def send_message(self, data, every=PLAIN_MAX, **options):
        """A handshake message, in records of `every` bytes."""
        self.raw(b"".join(self.sealed(HANDSHAKE, data[at:at + every], **options)
                          for at in range(0, len(data), every)))

    def alert(self, name, level=2):
        self.send(ALERT, bytes([level, codec.ALERT_CODES[name]]))

    # Receiving.

    def _record(self):
        """The type and content of the next record. An alert is raised, a CCS is left out."""
        while True:
            header = self._exactly(5)
            outer, length = header[0], int.from_bytes(header[3:], "big")
            # An alert that tells an older client off may do so in that client's version.
            assert header[1:3] == b"\x03\x03" or (outer == ALERT and header[1] == 3), header
            fragment = self._exactly(length)
            kind, content = outer, fragment
            if outer == CHANGE_CIPHER_SPEC:
                assert fragment == b"\x01", f"a CCS of {fragment!r}"
                assert self.ccs_due and not self._messages, "a CCS out of place"
                self.seen.append((outer, fragment))
                self.ccs_due = False
                continue
            self.ccs_due = False
            if self.reads:
                assert outer == APPLICATION, f"a record of type {outer} in the clear"
                kind, content = self.reads.open(header, fragment)
            else:
                assert len(fragment) <= PLAIN_MAX, "a record longer than any may be"
            self.seen.append((kind, content))
            assert kind in (ALERT, HANDSHAKE, APPLICATION), f"a record of type {kind}"
            assert kind == HANDSHAKE or not self._messages, "a record inside a handshake message"
            assert content or kind == APPLICATION, f"an empty record of type {kind}"
            if kind == ALERT:
                assert len(content) == 2, f"an alert of {len(content)} bytes"
                raise Alerted(*content)
            return kind, content

    def _exactly(self, count):
        while len(self._arrived) < count:
            try:
                data = self.socket.recv(65536)
            except ConnectionResetError as fault:
                raise Ended("reset") from fault
            if not data:
                assert not self._arrived, "ended inside a record"
                raise Ended("without an alert")
            self._arrived += data
        piece, self._arrived = self._arrived[:count], self._arrived[count:]
        return piece

    def ended(self, within=2):
        """Asserts that nothing more comes but the end of the connection."""
        self.socket.settimeout(within)
        try:
            left = self._arrived + self.socket.recv(1)
        except ConnectionResetError:
            left = self._arrived
        except TimeoutError as fault:
            raise AssertionError(f"not closed within {within} s") from fault
        assert left == b"", f"bytes after the end: {left!r}"
