# SPDX-License-Identifier: Apache-2.0
"""The suite's own TLS client, held against nginx: it gets through, and it takes no lie."""

import pytest
from cryptography.exceptions import InvalidSignature

from support.gateway import free_port
from support.nginx import Nginx
from support.tls13 import Client
from support.tls13_codec import AES_128, AES_256, CHACHA20, P256, P384, X25519
from support.tls13_hello import client_hello, with_tickets
from support.tls13_keys import Forged


@pytest.fixture(scope="module", params=["ecdsa", "p384", "rsa"])
def server(request, tmp_path_factory, authority):
    """nginx with TLS 1.3 and a certificate of each kind."""
    directory = tmp_path_factory.mktemp("nginx")
    pair = getattr(authority, request.param)
    (directory / "cert").write_bytes(pair.certificate)
    (directory / "key").write_bytes(pair.key)
    port = free_port()
    nginx = Nginx(directory, port, f"""
        server {{
            listen 127.0.0.1:{port} ssl;
            ssl_certificate {directory}/cert;
            ssl_certificate_key {directory}/key;
            ssl_protocols TLSv1.3;
            ssl_ecdh_curve X25519:prime256v1:secp384r1;
            location / {{ return 200 "ok"; }}
        }}""").start()
    nginx.address = ("127.0.0.1", port)
    yield nginx
    nginx.stop()


@pytest.mark.parametrize("suite", [AES_128, AES_256, CHACHA20], ids=hex)
@pytest.mark.parametrize("curve", [X25519, P256, P384], ids=hex)
def test_it_gets_through_and_resumes(server, suite, curve):
    for shares in ((curve,), ()):
        hello = client_hello(groups=(curve,), shares=shares, suites=(suite,))
        with Client(server.address) as client:
            assert client.connect(hello).get("/") == 200
            assert (client.retry is None) == bool(shares)
            ticket = client.await_ticket()
        with Client(server.address) as client:
            assert client.connect(with_tickets(hello, ticket)).get("/") == 200
            assert client.resumed


class Flipped:
    """A socket that changes one byte of what it receives."""

    def __init__(self, inner, at):
        self._inner, self._at, self._count = inner, at, 0

    def __getattr__(self, name):
        return getattr(self._inner, name)

    def recv(self, count):
        data = bytearray(self._inner.recv(count))
        if 0 <= self._at - self._count < len(data):
            data[self._at - self._count] ^= 1
        self._count += len(data)
        return bytes(data)


def received(server):
    """How long the server's flight is, as it is sent in one handshake."""
    with Client(server.address) as client:
        client.start()
        client.server_hello()
        client.flight()
        return sum(5 + len(content) + (17 if n > 1 else 0)
                   for n, (_, content) in enumerate(client.seen))


def test_it_notices_every_changed_byte(server):
    """The CCS but for its type, and the upper byte of a length, may make it wait: it is cut."""
    for at in range(received(server) - 20):
        with Client(server.address, timeout=0.2) as client:
            client.socket = Flipped(client.socket, at)
            with pytest.raises(Exception) as fault:
                client.start()
                client.server_hello()
                client.flight()
            assert isinstance(fault.value, (AssertionError, Forged, ValueError, TimeoutError)), at


@pytest.mark.parametrize("step, faults", [
    ("_encrypted_extensions", InvalidSignature), ("_certificate", AssertionError)])
def test_it_notices_what_was_signed_and_authenticated_otherwise(server, monkeypatch, step, faults):
    """A server that signs, or authenticates, another transcript than the one that was sent."""
    def tampered(client, inner=getattr(Client, step)):
        inner(client)
        client.transcript += b"\x00"
    monkeypatch.setattr(Client, step, tampered)
    with Client(server.address) as client:
        client.start()
        client.server_hello()
        with pytest.raises(faults):
            client.flight()
