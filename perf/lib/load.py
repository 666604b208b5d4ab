#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Requests to a gateway, over TLS connections that are kept.

A script uses `Load` in its own process where requests are counted. As a program of its own this
is the load of `perf/record`: it takes where and as whom to ask from the environment (see
`perf/README.md`) and asks for so many seconds.
"""

import argparse
import base64
import hashlib
import hmac
import os
import select
import socket
import ssl
import struct
import sys
import time

BODY = b'{"tool":"weather.lookup","args":{"city":"Reykjavik"}}'


def totp_code(seed, now=None):
    """RFC 6238 with SHA-1, 6 digits, 30 s."""
    step = int(time.time() if now is None else now) // 30
    digest = hmac.new(base64.b32decode(seed), struct.pack(">Q", step), hashlib.sha1).digest()
    number = struct.unpack(">I", digest[digest[19] & 15:][:4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"


class Target:
    """Where and as whom to ask: what the testbed hands to whoever makes load."""

    NAMES = ("PERF_PORT", "PERF_CA", "PERF_MODE", "PERF_PATH", "PERF_KEY", "PERF_SEED")

    def __init__(self, environment):
        self.port = int(environment["PERF_PORT"])
        self.ca, self.mode, self.path, self.key, self.seed = (
            environment[name] for name in self.NAMES[1:])

    def environment(self):
        values = (str(self.port), self.ca, self.mode, self.path, self.key, self.seed)
        return dict(zip(self.NAMES, values))

    def connect(self):
        context = ssl.create_default_context(cafile=self.ca)
        context.set_alpn_protocols(["http/1.1"])
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return context.wrap_socket(plain, server_hostname="localhost")

    def request(self, session):
        """A POST with 12 fields; which of them is the second factor depends on the mode."""
        second = f"X-AgentPort-TOTP: {totp_code(self.seed)}"
        if self.mode == "session" and session:
            second = f"X-AgentPort-Session: {session}"
        if self.mode == "plain":
            second = "X-Weather-Station: 12345678"
        fields = (
            "Host: claw.example.com", "User-Agent: weather-agent/2.4 (linux; x86_64) perf/1.0",
            "Accept: application/json, text/event-stream", "Accept-Encoding: gzip, deflate, br",
            "Accept-Language: en-GB,en;q=0.8", "Content-Type: application/json",
            f"Content-Length: {len(BODY)}", "Cache-Control: no-cache",
            f"Authorization: Bearer {self.key}", second,
            "X-Request-Id: 0192f0c1-7a1e-7bb2-8c4d-3f2a9e5b7c10",
            "Traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
        return (f"POST {self.path} HTTP/1.1\r\n" + "\r\n".join(fields) + "\r\n\r\n").encode() + BODY


class Load:
    """One or more connections, each with at most one request on its way."""

    def __init__(self, target, connections=1):
        self.target = target
        self.session = None
        self.wires = [target.connect() for _ in range(connections)]
        self.unread = dict.fromkeys(self.wires, b"")
        self.count = 0
        self.renewed = 0.0
        self.renew()

    def renew(self):
        """The request changes with the code, and a session ends after its lifetime."""
        self.renewed = time.monotonic()
        if self.target.mode == "session":
            self.session = None
            self.bytes = self.target.request(None)
            head = self.ask(self.wires[0])
            self.session = next(line.split(b":")[1].strip().decode()
                                for line in head.split(b"\r\n")
                                if line.lower().startswith(b"x-agentport-session:"))
        self.bytes = self.target.request(self.session)

    def ask(self, wire):
        self.send(wire)
        while not (head := self.take(wire)):
            pass
        return head

    def send(self, wire):
        wire.sendall(self.bytes)

    def take(self, wire):
        """Reads once; the head of the answer where that was the rest of it."""
        received = wire.recv(65536)
        if not received:
            raise SystemExit("load: the gateway closed a connection")
        data = self.unread[wire] + received
        head, found, body = data.partition(b"\r\n\r\n")
        length = next((int(line[15:]) for line in head.lower().split(b"\r\n")
                       if line.startswith(b"content-length:")), 0)
        if not found or len(body) < length:
            self.unread[wire] = data
            return None
        self.unread[wire] = body[length:]
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit("load: answered " + data.decode("latin-1")[:400])
        self.count += 1
        return head

    def serially(self, count):
        """So many requests, each sent when the one before it has been answered."""
        for number in range(count):
            if time.monotonic() - self.renewed > (120 if self.session else 5):
                self.renew()
            self.ask(self.wires[number % len(self.wires)])

    def together(self, count=None, seconds=None):
        """Keeps a request on its way on every connection: so many in all, or for so long."""
        end = time.monotonic() + seconds if seconds else None
        poll = select.epoll()
        by_number = {wire.fileno(): wire for wire in self.wires}
        for wire in self.wires:
            poll.register(wire, select.EPOLLIN)
        left = count - len(self.wires) if count else None
        for wire in self.wires:
            self.send(wire)
        waiting = len(self.wires)
        while waiting:
            if time.monotonic() - self.renewed > 5 and not self.session:
                self.renew()
            for number, _ in poll.poll(30):
                wire = by_number[number]
                if not self.take(wire):
                    continue
                if (left is not None and left <= 0) or (end and time.monotonic() > end):
                    waiting -= 1
                    continue
                if left is not None:
                    left -= 1
                self.send(wire)
        poll.close()


def main():
    parser = argparse.ArgumentParser(description="keeps a gateway under load")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=10)
    options = parser.parse_args()
    load = Load(Target(os.environ), options.connections)
    start = time.monotonic()
    load.together(seconds=options.seconds)
    rate = load.count / (time.monotonic() - start)
    print(f"{load.count} requests, {rate:.0f} a second", file=sys.stderr)


if __name__ == "__main__":
    main()
