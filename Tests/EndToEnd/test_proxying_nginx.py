# SPDX-License-Identifier: Apache-2.0
"""nginx as the upstream: a server of another make, with its own idea of everything."""

import gzip
import hashlib
import os

import pytest

from support.gateway import free_port
from support.nginx import Nginx
from support.waiting import wait_until
from support.wire import encode

MIB = 1 << 20


@pytest.fixture(scope="module")
def nginx(tmp_path_factory):
    directory = tmp_path_factory.mktemp("nginx")
    port = free_port()
    (directory / "files" / "up").mkdir(parents=True)
    server = Nginx(directory, port, f"""
        client_max_body_size 0;
        gzip_types text/plain;
        gzip_min_length 1;
        gzip_proxied any;
        server {{
            listen 127.0.0.1:{port};
            root {directory}/files;
            keepalive_requests 7;
            location / {{ }}
            location /gzip/ {{ alias {directory}/files/; gzip on; }}
            location /trailer/ {{ alias {directory}/files/; add_trailer X-Sum 42; }}
            location /up/ {{ dav_methods PUT DELETE; }}
            location /moved {{ return 302 /small.txt; }}
        }}""")
    (server.root / "small.txt").write_text("hello from nginx\n")
    (server.root / "big").write_bytes(os.urandom(20 * MIB))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def policy_patch(nginx):
    return {"totp": {"one_time": False}, "listen": {"limits": {"body": "64MiB"}},
            "upstreams": [{"name": "openclaw", "endpoints": [nginx.url]}]}


def test_a_file(wire, agent):
    response = wire.request("GET", "/small.txt", agent.bearer())
    assert (response.status, response.body) == (200, b"hello from nginx\n")
    assert response.get("Content-Type") == "text/plain"


def test_a_file_that_is_not_there(wire, agent):
    response = wire.request("GET", "/nowhere", agent.bearer())
    assert response.status == 404 and response.code is None
    assert b"nginx" in response.body


def test_head_conditions_and_ranges(wire, agent):
    head = wire.request("HEAD", "/big", agent.bearer())
    assert (head.status, head.get("Content-Length")) == (200, str(20 * MIB))
    unchanged = wire.request("GET", "/big", [*agent.bearer(), ("If-None-Match", head.get("ETag"))])
    assert (unchanged.status, unchanged.body) == (304, b"")
    part = wire.request("GET", "/big", [*agent.bearer(), ("Range", "bytes=100-199")])
    assert (part.status, len(part.body)) == (206, 100)
    assert wire.request("GET", "/moved", agent.bearer()).status == 302


def test_a_big_file_by_curl(gateway, agent, nginx, tmp_path):
    target = tmp_path / "big"
    result = gateway.curl("/big", "-o", str(target), agent_headers=agent.bearer())
    assert result.stdout.endswith("200"), result
    assert hashlib.sha256(target.read_bytes()).digest() \
        == hashlib.sha256((nginx.root / "big").read_bytes()).digest()


def test_chunks(wire, agent):
    """nginx compresses as it goes, so it does not know the length."""
    response = wire.request("GET", "/gzip/small.txt", [*agent.bearer(),
                                                       ("Accept-Encoding", "gzip")])
    assert response.framing == "chunked"
    assert gzip.decompress(response.body) == b"hello from nginx\n"


def test_trailers(wire, agent):
    response = wire.request("GET", "/trailer/small.txt", [*agent.bearer(), ("TE", "trailers")])
    assert response.body == b"hello from nginx\n"
    assert response.trailers == [("X-Sum", "42")]


@pytest.mark.parametrize("coding", ["length", "chunked"])
def test_an_upload_by_curl(gateway, agent, nginx, tmp_path, coding):
    file = tmp_path / "file"
    file.write_bytes(os.urandom(10 * MIB))
    extra = ["-H", "Transfer-Encoding: chunked"] if coding == "chunked" else []
    result = gateway.curl(f"/up/{coding}", "-T", str(file), *extra, agent_headers=agent.bearer())
    assert result.stdout.endswith("201"), result
    assert (nginx.root / "up" / coding).read_bytes() == file.read_bytes()


def test_an_upload_that_nginx_refuses(gateway, agent):
    with gateway.connect() as wire:
        wire.send_all_it_takes(encode("PUT", "/small.txt", agent.bearer(), b"x" * MIB))
        assert wire.response().status == 405


def test_connections_are_kept_and_their_end_is_no_fault(wire, agent, nginx):
    """nginx ends each connection after seven requests; no request may suffer from it."""
    for _ in range(40):
        assert wire.request("GET", "/small.txt?pool", agent.bearer()).status == 200

    def logged():
        return [line.split() for line in nginx.log.read_text().splitlines() if "?pool" in line]

    # nginx logs a request after it has answered it.
    wait_until(lambda: len(logged()) >= 40)
    lines = logged()
    assert len(lines) == 40
    assert len({line[0] for line in lines}) <= 8
    assert max(int(line[1]) for line in lines) >= 5
