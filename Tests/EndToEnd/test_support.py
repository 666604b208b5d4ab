# SPDX-License-Identifier: Apache-2.0
"""The suite's own client and recorder, held against nginx: a measure must itself be measured."""

import hashlib
import ssl
import subprocess

import pytest

from support.gateway import free_port
from support.nginx import Nginx
from support.recorder import Recorder
from support.waiting import wait_until
from support.wire import Closed, Wire, chunked


@pytest.fixture(scope="module")
def upstream():
    recorder = Recorder()
    yield recorder
    recorder.close()


@pytest.fixture(scope="module")
def proxy(tmp_path_factory, authority, upstream):
    """nginx with TLS in front of the recorder: the place the gateway takes in other tests."""
    directory = tmp_path_factory.mktemp("proxy")
    (directory / "cert").write_bytes(authority.ecdsa.certificate)
    (directory / "key").write_bytes(authority.ecdsa.key)
    port = free_port()
    nginx = Nginx(directory, port, f"""
        server {{
            listen 127.0.0.1:{port} ssl;
            ssl_certificate {directory}/cert;
            ssl_certificate_key {directory}/key;
            ssl_protocols TLSv1.3;
            location / {{
                proxy_pass {upstream.url};
                proxy_http_version 1.1;
                proxy_set_header Connection "";
                proxy_request_buffering off;
                client_max_body_size 0;
            }}
        }}""")
    nginx.start()
    yield nginx
    nginx.stop()


@pytest.fixture
def wire(proxy, upstream, authority):
    upstream.reset()
    context = ssl.create_default_context(cafile=str(authority.path))
    with Wire(("127.0.0.1", proxy.port), context) as wire:
        yield wire


def test_client_reads_a_length_and_keeps_the_connection(wire, upstream):
    upstream.reply("/a", b"alpha")
    assert wire.request("GET", "/a").body == b"alpha"
    assert wire.request("HEAD", "/a").get("Content-Length") == "5"
    assert wire.request("GET", "/a").framing == "length"


def test_client_reads_chunks(wire, upstream):
    upstream.raw("/c", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                 + chunked(b"one", b"two"))
    response = wire.request("GET", "/c")
    assert (response.framing, response.body) == ("chunked", b"onetwo")


def test_recorder_reads_bodies_of_both_framings(wire, upstream):
    body = bytes(range(256)) * 4000
    wire.request("POST", "/length", body=body)
    wire.request("POST", "/chunked", [("Transfer-Encoding", "chunked")],
                 chunked(body[:70000], body[70000:]))
    assert [r.sha256 for r in upstream.whole] == [hashlib.sha256(body).hexdigest()] * 2
    assert [r.length for r in upstream.whole] == [len(body)] * 2


def test_client_accepts_a_close_notify(wire):
    wire.send(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    wire.response()
    wire.ends()


def test_client_raises_on_a_body_cut_short(upstream):
    upstream.raw("/cut", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", close=True)
    with Wire(("127.0.0.1", upstream.port)) as wire, pytest.raises(Closed):
        wire.request("GET", "/cut")


def test_recorder_counts_connections_and_hangs_up(upstream):
    before = upstream.connections
    with Wire(("127.0.0.1", upstream.port)) as wire:
        wire.request("GET", "/")
        assert upstream.connections == before + 1
        upstream.hang_up()
        wire.ends()
    wait_until(lambda: upstream.open_connections == 0)


def test_untouched_fails_when_a_byte_arrives(upstream):
    with pytest.raises(AssertionError, match="touched"), upstream.untouched():
        with Wire(("127.0.0.1", upstream.port)) as wire:
            wire.send(b"G")


def test_certificates_satisfy_openssl(authority, tmp_path):
    for name in ("ecdsa", "rsa"):
        leaf = tmp_path / name
        leaf.write_bytes(getattr(authority, name).certificate)
        subprocess.run(["openssl", "verify", "-CAfile", authority.path, "-purpose", "sslserver",
                        leaf], check=True, capture_output=True)
