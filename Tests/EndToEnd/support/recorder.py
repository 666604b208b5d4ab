# SPDX-License-Identifier: Apache-2.0
"""An upstream that writes down every connection and every byte, and answers as it is told."""

import contextlib
import hashlib
import json
import os
import socket
import threading
from dataclasses import dataclass, field

from .waiting import settle, wait_until
from .wire import parse_fields

KEPT_BYTES = 1 << 20
RESET_ON_CLOSE = b"\x01\x00\x00\x00\x00\x00\x00\x00"  # linger: on, 0 s
ESTABLISHED = 1


@dataclass
class Recorded:
    """One request as it arrived."""

    connection: int
    raw_head: bytes
    method: str = ""
    target: str = ""
    version: str = ""
    headers: list = field(default_factory=list)
    body: bytes = b""
    length: int = 0
    sha256: str = ""
    trailers: list = field(default_factory=list)
    complete: bool = False

    @property
    def path(self):
        return self.target.split("?")[0]

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def get(self, name, default=None):
        values = self.all(name)
        assert len(values) <= 1, f"{name} stands {len(values)} times"
        return values[0] if values else default

    @property
    def names(self):
        return [name.lower() for name, _ in self.headers]


class Exchange:
    """What a handler may do with one request: read its body, answer, hang up."""

    def __init__(self, recorder, connection, request):
        self.recorder = recorder
        self.connection = connection
        self.request = request
        self.closed = False

    def send(self, data):
        self.connection.socket.sendall(data)

    def reply(self, body=b"ok", status="200 OK", headers=()):
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers]
        body = b"" if self.request.method == "HEAD" else body
        self.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)

    def close(self):
        """Ends the connection: FIN after what was sent, of TLS its farewell too."""
        self.connection.says_farewell = True
        self.closed = True

    def cut(self):
        """Ends the connection with FIN alone, whatever TLS asks for."""
        self.closed = True

    def reset(self):
        """Ends the connection with RST."""
        self.connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self.closed = True


class Connection:
    """One accepted connection: reads requests one after another until it ends."""

    def __init__(self, recorder, accepted, number):
        self.recorder = recorder
        self.socket = accepted
        self.number = number
        self.says_farewell = False
        self._buffer = b""

    def serve(self):
        try:
            if self.recorder.tls:
                self.socket = self.recorder.tls.wrap_socket(self.socket, server_side=True)
                self.recorder._shook(self.socket)
            while self._one_request():
                pass
            if self.says_farewell and self.recorder.tls:
                self.socket.settimeout(1)
                self.socket.unwrap()
        except OSError:
            pass
        except (ValueError, AssertionError) as fault:
            self.recorder.faults.append(fault)
        finally:
            self.socket.close()
            self.recorder._ended(self)

    @property
    def is_established(self):
        """Whether the peer still holds it: it is open, and no FIN has come."""
        try:
            if self.socket.family == socket.AF_UNIX:
                return self.socket.fileno() >= 0
            info = self.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)
            return info[0] == ESTABLISHED
        except OSError:
            return False

    def _read(self):
        data = self.socket.recv(262144)
        self.recorder._received(self, data)
        self._buffer += data
        return bool(data)

    def _until(self, mark):
        while mark not in self._buffer:
            if not self._read():
                raise ConnectionError("ended within a message")
        data, _, self._buffer = self._buffer.partition(mark)
        return data

    def _one_request(self):
        while not self._buffer:
            if not self._read():
                return False
        head = self._until(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        request = Recorded(self.number, head + b"\r\n\r\n")
        request.method, request.target, request.version = lines[0].decode("latin-1").split(" ")
        request.headers = parse_fields(lines[1:])
        self.recorder._began(request)
        exchange = Exchange(self.recorder, self, request)
        early = self.recorder._handler(request, "head")
        if early:
            early(exchange)
        elif "100-continue" in map(str.lower, request.all("Expect")):
            exchange.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        if exchange.closed:
            return False
        self._read_body(request)
        self.recorder._finished(request)
        handler = self.recorder._handler(request, "end")
        if handler:
            handler(exchange)
        elif not early:
            answer = {"target": request.target, "length": request.length}
            exchange.reply(json.dumps(answer).encode(),
                           headers=[("Content-Type", "application/json")])
        return not exchange.closed

    def _read_body(self, request):
        digest = hashlib.sha256()

        def take(piece):
            digest.update(piece)
            request.length += len(piece)
            if len(request.body) < KEPT_BYTES:
                request.body += piece

        if request.all("Transfer-Encoding"):
            while (size := int(self._until(b"\r\n").split(b";")[0], 16)):
                self._exactly(size, take)
                if self._until(b"\r\n"):
                    raise ConnectionError("a chunk without its line end")
            lines = []
            while (line := self._until(b"\r\n")):
                lines.append(line)
            request.trailers = parse_fields(lines)
        else:
            self._exactly(int(request.get("Content-Length", "0")), take)
        request.sha256 = digest.hexdigest()

    def _exactly(self, count, take):
        while count:
            if not self._buffer and not self._read():
                raise ConnectionError("ended within a body")
            piece, self._buffer = self._buffer[:count], self._buffer[count:]
            take(piece)
            count -= len(piece)


class Recorder:
    """Listens on a free loopback port. Answers 200 with a line of JSON unless told otherwise.

    `address` may be another one, of IPv6 too, or the path of a Unix socket; with `tls`, a
    server's context, it speaks TLS.
    """

    def __init__(self, backlog=256, address=("127.0.0.1", 0), tls=None):
        self.address = address
        self.tls = tls
        self._backlog = backlog
        self._lock = threading.Lock()
        self._open = {}
        self.connections = 0
        self.bytes_received = 0
        self.server_names = []
        self.handshakes = []
        if tls:
            tls.sni_callback = lambda _, name, __: self.server_names.append(name)
        self.reset()
        self.resume()
        scheme = "https" if tls else "http"
        if isinstance(address, str):
            self.label = self.url = f"unix:{address}"
        else:
            host = f"[{address[0]}]" if ":" in address[0] else address[0]
            self.port = self.address[1]
            self.label = f"{host}:{self.port}"
            self.url = f"{scheme}://{self.label}"

    def resume(self):
        """Listens, again where it did before."""
        if isinstance(self.address, str):
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(self.address)
            self._listener.listen(self._backlog)
        else:
            family = socket.AF_INET6 if ":" in self.address[0] else socket.AF_INET
            self._listener = socket.create_server(
                self.address, family=family, backlog=self._backlog)
            self.address = self._listener.getsockname()[:2]
        threading.Thread(target=self._accept, args=[self._listener], daemon=True).start()

    def stop(self):
        """Listens no more: who connects is refused. What is open stays open."""
        # A thread that waits in accept holds the socket; this ends its wait.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        if isinstance(self.address, str):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.address)

    def reset(self):
        """Forgets the requests, the handlers and what was received; connections stay.

        `received` has the bytes of each connection, the first MiB, whatever they mean; `faults`
        what could not be read as a request at all.
        """
        self.requests = []
        self.handlers = {}
        self.received = {}
        self.faults = []
        self.most_established = 0

    def on(self, path, handler, at="end"):
        """Has `handler(exchange)` answer `path`, `*` being any, once the request has come whole,
        or at its head, before the body is read."""
        self.handlers[(path, at)] = handler

    def reply(self, path, *args, **kwargs):
        self.on(path, lambda exchange: exchange.reply(*args, **kwargs))

    def raw(self, path, data, close=False):
        """Has `path` answered with exactly these bytes."""
        def answer(exchange):
            exchange.send(data)
            if close:
                exchange.close()
        self.on(path, answer)

    def close(self):
        self.stop()
        self.hang_up()

    def hang_up(self):
        """Closes every open connection, as an upstream that restarts does."""
        with self._lock:
            open_now = list(self._open.values())
        for connection in open_now:
            with contextlib.suppress(OSError):
                connection.socket.shutdown(socket.SHUT_RDWR)
        wait_until(lambda: not any(c.number in self._open for c in open_now),
                   what="the recorder's connections to end")

    @property
    def open_connections(self):
        with self._lock:
            return len(self._open)

    def is_open(self, number):
        with self._lock:
            return number in self._open

    @property
    def whole(self):
        """The requests that arrived to their last byte."""
        return [request for request in self.requests if request.complete]

    def only(self):
        """The one request there was."""
        assert len(self.requests) == 1, [r.raw_head for r in self.requests]
        return self.requests[0]

    def at(self, path):
        return [request for request in self.requests if request.path == path]

    @contextlib.contextmanager
    def untouched(self):
        """Asserts that the block causes no connection and no byte here."""
        before = self.connections, self.bytes_received
        yield
        settle()
        after = self.connections, self.bytes_received
        assert after == before, f"the upstream was touched: {[r.raw_head for r in self.requests]}"

    def _accept(self, listener):
        while True:
            try:
                accepted, _ = listener.accept()
            except OSError:
                return
            if accepted.family != socket.AF_UNIX:
                accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self.connections += 1
                connection = Connection(self, accepted, self.connections)
                self._open[connection.number] = connection
                established = sum(c.is_established for c in self._open.values())
                self.most_established = max(self.most_established, established)
            threading.Thread(target=connection.serve, daemon=True).start()

    def _shook(self, session):
        """Notes of a handshake that is done the version, the protocol, whether it resumed."""
        self.handshakes.append(
            (session.version(), session.selected_alpn_protocol(), session.session_reused))

    def _received(self, connection, data):
        with self._lock:
            self.bytes_received += len(data)
            kept = self.received.setdefault(connection.number, bytearray())
            kept += data[:max(0, KEPT_BYTES - len(kept))]

    def _began(self, request):
        with self._lock:
            self.requests.append(request)

    def _finished(self, request):
        request.complete = True

    def _ended(self, connection):
        with self._lock:
            self._open.pop(connection.number, None)

    def _handler(self, request, at):
        return self.handlers.get((request.path, at)) or self.handlers.get(("*", at))
