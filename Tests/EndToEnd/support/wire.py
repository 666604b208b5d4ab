# SPDX-License-Identifier: Apache-2.0
"""A client that sends exactly the bytes it is given and reads exactly one response at a time.

Ordinary requests are made by curl, aiohttp and http.client; this one is for what they refuse
to send (smuggling forms, half a request) or hide (trailers, interim answers, close_notify).
"""

import contextlib
import json
import select
import socket
import ssl
import time
from dataclasses import dataclass, field


class Closed(Exception):
    """The peer ended the connection before the message did. `clean` tells of a close_notify."""

    def __init__(self, clean, partial=b""):
        super().__init__(f"closed ({'clean' if clean else 'cut off'}) after {partial[:200]!r}")
        self.clean = clean
        self.partial = partial


@dataclass
class Response:
    """One response as it stood on the wire."""

    version: str
    status: int
    reason: str
    headers: list
    body: bytes = b""
    trailers: list = field(default_factory=list)
    interim: list = field(default_factory=list)
    framing: str = "none"

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def get(self, name, default=None):
        values = self.all(name)
        assert len(values) <= 1, f"{name} stands {len(values)} times"
        return values[0] if values else default

    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        """The `code` member of a problem, or None where the answer is no problem."""
        if (self.get("Content-Type") or "").split(";")[0] != "application/problem+json":
            return None
        return self.json()["code"]

    @property
    def verdict(self):
        return self.status, self.code


def parse_fields(lines):
    fields = []
    for line in lines:
        name, colon, value = line.partition(b":")
        assert colon, f"a field line without a colon: {line!r}"
        fields.append((name.decode("latin-1"), value.strip(b" \t").decode("latin-1")))
    return fields


class Wire:
    """One connection, TLS where a context is given, plaintext otherwise."""

    def __init__(self, address, context=None, server_name="localhost", timeout=10, session=None,
                 source=None):
        self.raw = socket.create_connection(address, timeout, source and (source, 0))
        self.raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = self.raw
        self._buffer = b""
        if context is not None:
            try:
                # A missing close_notify is a fault the tests must see, not one to smooth over.
                self.socket = context.wrap_socket(
                    self.raw, server_hostname=server_name, session=session,
                    suppress_ragged_eofs=False)
            except BaseException:
                self.raw.close()
                raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def send_all_it_takes(self, data):
        """Sends until done or until the peer has closed; a refusal may come in the middle."""
        try:
            self.socket.sendall(data)
        except (ssl.SSLError, OSError):
            pass

    def send_while_listening(self, data):
        """Sends `data` as far as the peer takes it, and keeps what it says meanwhile, until both
        have come to an end or an answer is followed by silence."""
        self.socket.setblocking(False)
        left, told, idle_s = memoryview(data), True, 0.5
        while left or told:
            waits = [], []
            try:
                if left:
                    left = left[self.socket.send(left[:16384]):]
            except ssl.SSLWantWriteError:
                waits[1].append(self.socket)
            except OSError:
                left = left[:0]
            try:
                received = self.socket.recv(65536)
                self._buffer += received
                told = bool(received)
            except ssl.SSLWantReadError:
                waits[0].append(self.socket)
            except OSError:
                told = False
            blocked = waits[0] and (waits[1] or not left)
            if blocked and not any(select.select(*waits, [], idle_s)) and self._buffer:
                break
        self.socket.settimeout(10)

    def send_until_answered(self, data):
        """Sends until done or until something comes back, as a client does that looks for an
        early answer. In one thread: libssl takes no two calls of one connection at a time."""
        timeout = self.socket.gettimeout()
        self.socket.setblocking(False)
        rest = memoryview(data)
        deadline = time.monotonic() + timeout
        try:
            while rest and not self._buffer:
                assert time.monotonic() < deadline, f"nothing happened within {timeout} s"
                with contextlib.suppress(ssl.SSLWantReadError):
                    self._fill()
                    continue
                try:
                    rest = rest[self.socket.send(rest[:65536]):]
                except ssl.SSLWantWriteError:
                    select.select([self.socket], [self.socket], [], 0.5)
        except (ssl.SSLError, OSError, Closed):
            pass
        finally:
            self.socket.settimeout(timeout)

    def receive(self):
        """Some bytes, or b"" at a clean end."""
        try:
            return self.socket.recv(65536)
        except (ssl.SSLEOFError, ConnectionResetError, BrokenPipeError) as fault:
            raise Closed(clean=False, partial=self._buffer) from fault

    def _fill(self):
        data = self.receive()
        if not data:
            raise Closed(clean=True, partial=self._buffer)
        self._buffer += data

    def until(self, mark):
        """The bytes up to and including `mark`."""
        while mark not in self._buffer:
            self._fill()
        data, _, self._buffer = self._buffer.partition(mark)
        return data + mark

    def exactly(self, count):
        pieces, missing = [], count
        while missing:
            if not self._buffer:
                self._fill()
            piece, self._buffer = self._buffer[:missing], self._buffer[missing:]
            pieces.append(piece)
            missing -= len(piece)
        return b"".join(pieces)

    def head(self):
        """The next status line and fields, interim ones included."""
        lines = self.until(b"\r\n\r\n")[:-4].split(b"\r\n")
        version, status, *reason = lines[0].decode("latin-1").split(" ", 2)
        return Response(version, int(status), "".join(reason), parse_fields(lines[1:]))

    def response(self, method="GET"):
        """The next final response, whole."""
        interim = []
        response = self.head()
        while 100 <= response.status < 200 and response.status != 101:
            interim.append(response.status)
            response = self.head()
        response.interim = interim
        self.read_body(response, method)
        return response

    def read_body(self, response, method="GET"):
        coding = response.all("Transfer-Encoding")
        lengths = response.all("Content-Length")
        assert not (coding and lengths), "a response with both framings"
        if method == "HEAD" or response.status in (204, 304) or response.status < 200:
            response.framing = "none"
        elif coding:
            assert [c.lower() for c in coding] == ["chunked"], coding
            response.framing = "chunked"
            response.body, response.trailers = self._chunked()
        elif lengths:
            assert len(lengths) == 1 and lengths[0].isdigit(), lengths
            response.framing = "length"
            response.body = self.exactly(int(lengths[0]))
        else:
            response.framing = "close"
            response.body = self.rest()

    def _chunked(self):
        pieces = []
        while True:
            size = int(self.until(b"\r\n")[:-2].split(b";")[0], 16)
            if size == 0:
                break
            pieces.append(self.exactly(size))
            assert self.exactly(2) == b"\r\n", "a chunk without its line end"
        trailers = []
        while (line := self.until(b"\r\n")[:-2]):
            trailers.append(line)
        return b"".join(pieces), parse_fields(trailers)

    def rest(self):
        """Everything up to a clean end; raises where the end is not clean."""
        pieces = [self._buffer]
        self._buffer = b""
        while (data := self.receive()):
            pieces.append(data)
        return b"".join(pieces)

    def ends(self, timeout=5):
        """Asserts that nothing more comes but a clean end, within `timeout` seconds."""
        self.socket.settimeout(timeout)
        left = self.rest()
        assert left == b"", f"bytes after the last answer: {left[:200]!r}"

    def request(self, method, target, headers=(), body=None, host="claw.example.com"):
        self.send(encode(method, target, headers, body, host))
        return self.response(method)


def encode(method, target, headers=(), body=None, host="claw.example.com", version="1.1"):
    """A well-formed request; a body gets a Content-Length unless the headers frame it."""
    lines = [f"{method} {target} HTTP/{version}"]
    if host is not None:
        lines.append(f"Host: {host}")
    lines += [f"{name}: {value}" for name, value in headers]
    framed = {name.lower() for name, _ in headers} & {"content-length", "transfer-encoding"}
    if body is not None and not framed:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")


def chunked(*pieces, trailers=()):
    """A body in chunks of the given pieces, with trailer fields."""
    body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    fields = "".join(f"{name}: {value}\r\n" for name, value in trailers).encode("latin-1")
    return body + b"0\r\n" + fields + b"\r\n"
