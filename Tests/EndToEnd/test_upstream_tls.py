# SPDX-License-Identifier: Apache-2.0
"""Upstreams behind TLS: who is believed, what is sent and received, and what a cut looks like."""

import os
import socket
import ssl
import threading
import time

import pytest

from support.certificates import DAY, Authority
from support.gateway import free_port, upstream
from support.nginx import Nginx
from support.peers import Peer
from support.wire import Closed, chunked, encode

MIB = 1 << 20


@pytest.fixture
def secure(front, recorders, authority):
    """An upstream with this certificate, and a gateway that trusts it as `tls` says."""
    def made(pair=None, tls=None, **members):
        recorder = recorders(tls=authority.server(pair or authority.ecdsa))
        trust = {"ca": str(authority.path), **(tls or {})}
        return recorder, front(upstream(recorder, tls=trust, **members))
    return made


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    """An authority that nobody trusts."""
    return Authority(tmp_path_factory.mktemp("stranger"))


@pytest.fixture
def refused(secure):
    """Asserts that a gateway refuses this upstream, says why, and sends it no request."""
    def check(pair, reason, tls=None):
        recorder, gateway = secure(pair, tls)
        for _ in range(2):
            response = gateway.request("POST", "/", body=b"secret")
            assert response.verdict == (503, "upstream_unavailable")
            assert reason not in response.body.decode()
        line = gateway.wait_told("upstream not reached")[0]
        assert line["endpoint"] == recorder.label and reason in line["reason"], line
        assert recorder.requests == [] and recorder.bytes_received == 0
    return check


# Who is believed.

@pytest.mark.parametrize("kind", ["ecdsa", "p384", "rsa"])
def test_a_certificate_of_the_authority(secure, authority, kind):
    recorder, gateway = secure(getattr(authority, kind))
    assert gateway.request("POST", "/", body=b"x").json()["length"] == 1
    assert recorder.handshakes == [("TLSv1.3", "http/1.1", False)]
    # An address is no name (RFC 6066 §3).
    assert recorder.server_names == [None]


def test_a_name_is_indicated_and_verified(front, recorders, authority):
    recorder = recorders(tls=authority.server(authority.issue(names=["localhost"])))
    gateway = front(upstream(f"https://localhost:{recorder.port}",
                             tls={"ca": str(authority.path)}))
    assert gateway.request("GET", "/").status == 200
    assert recorder.server_names == ["localhost"]


def test_a_name_of_ones_own_choice(secure, authority):
    recorder, gateway = secure(authority.issue(names=["claw.internal"]),
                               {"server_name": "claw.internal"})
    assert gateway.request("GET", "/").status == 200
    assert recorder.server_names == ["claw.internal"]
    assert recorder.only().get("Host") == "claw.example.com"


def test_a_wildcard(secure, authority):
    pair = authority.issue(names=["*.pods.internal"])
    _, gateway = secure(pair, {"server_name": "claw.pods.internal"})
    assert gateway.request("GET", "/").status == 200
    _, gateway = secure(pair, {"server_name": "a.claw.pods.internal"})
    assert gateway.request("GET", "/").status == 503


@pytest.mark.parametrize("names", [["other.example"], ["127.0.0.2"], ["localhost"], []],
                         ids=["name", "address", "not the address", "none"])
def test_another_name(refused, authority, names):
    refused(authority.issue(names=names), "mismatch")


def test_another_name_than_chosen(refused, authority):
    refused(authority.ecdsa, "mismatch", {"server_name": "claw.internal"})


def test_an_expired_certificate(refused, authority):
    refused(authority.issue(begins=-3 * DAY, ends=-DAY), "expired")


def test_a_certificate_that_is_not_valid_yet(refused, authority):
    refused(authority.issue(begins=DAY), "not yet valid")


def test_an_unknown_authority(refused, stranger):
    refused(stranger.ecdsa, "issuer certificate")


def test_the_systems_authorities_do_not_know_ours(front, recorders, authority):
    recorder = recorders(tls=authority.server(authority.ecdsa))
    gateway = front(upstream(recorder))
    assert gateway.request("GET", "/").verdict == (503, "upstream_unavailable")
    assert recorder.requests == []


def test_the_right_pin(secure, authority):
    _, gateway = secure(tls={"pins_sha256": [authority.ecdsa.pin]})
    assert gateway.request("GET", "/").status == 200


def test_a_backup_pin(secure, authority):
    """The key that is in use may be any of them."""
    _, gateway = secure(tls={"pins_sha256": [authority.p384.pin, authority.ecdsa.pin]})
    assert gateway.request("GET", "/").status == 200


def test_a_wrong_pin(refused, authority):
    refused(authority.ecdsa, "not pinned", {"pins_sha256": [authority.p384.pin]})


def test_a_pin_does_not_replace_the_authority(refused, stranger):
    refused(stranger.ecdsa, "issuer certificate", {"pins_sha256": [stranger.ecdsa.pin]})


def test_tls_1_2_is_not_spoken(front, recorders, authority):
    context = authority.server(authority.ecdsa)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    recorder = recorders(tls=context)
    gateway = front(upstream(recorder, tls={"ca": str(authority.path)}))
    assert gateway.request("GET", "/").verdict == (503, "upstream_unavailable")
    assert "version" in gateway.wait_told("upstream not reached")[0]["reason"]


def test_a_bad_certificate_sends_requests_elsewhere(front, recorders, authority, stranger):
    bad = recorders(tls=authority.server(stranger.ecdsa))
    good = recorders(tls=authority.server(authority.ecdsa))
    gateway = front(upstream(bad, good, balance="round_robin", eject_after=2,
                             tls={"ca": str(authority.path)}))
    for number in range(6):
        assert gateway.request("POST", f"/{number}", body=b"x").status == 200
    assert [request.target for request in good.requests] == [f"/{n}" for n in range(6)]
    assert gateway.endpoint_health(bad) == 0


def test_recovery_with_a_new_certificate(front, recorders, authority):
    address = ("127.0.0.1", free_port())
    tls = {"ca": str(authority.path)}
    expired = recorders(address=address, tls=authority.server(
        authority.issue(begins=-3 * DAY, ends=-DAY)))
    gateway = front(upstream(expired, tls=tls))
    assert gateway.request("GET", "/").verdict == (503, "upstream_unavailable")
    expired.stop()
    recorders(address=address, tls=authority.server(authority.ecdsa))
    assert gateway.request("GET", "/").status == 200


# Who speaks no TLS, or slowly.

def test_a_plaintext_server(front, recorders):
    recorder = recorders()
    gateway = front(upstream(f"https://{recorder.label}", connect_timeout="300ms"))
    assert gateway.request("GET", "/").verdict == (503, "upstream_unavailable")
    assert gateway.wait_told("upstream not reached", endpoint=recorder.label)
    assert recorder.requests == []


def test_a_plaintext_server_that_speaks_first(front):
    with Peer(lambda connection: connection.sendall(b"220 smtp.example ESMTP\r\n"),
              "https") as peer:
        gateway = front(upstream(peer))
        assert gateway.request("GET", "/").verdict == (503, "upstream_unavailable")


@pytest.mark.parametrize("answer", [b"", b"\x16\x03\x03\x00\x7a"], ids=["nothing", "a half record"])
def test_a_handshake_that_stalls(front, answer):
    end = threading.Event()

    def stall(connection):
        connection.recv(65536)
        connection.sendall(answer)
        end.wait(10)

    with Peer(stall, "https") as peer:
        gateway = front(upstream(peer, connect_timeout="300ms"))
        began = time.monotonic()
        assert gateway.request("GET", "/").verdict == (503, "upstream_unavailable")
        assert 0.25 < time.monotonic() - began < 2
        assert gateway.wait_told("upstream not reached")[0]["reason"] == "timed out"
        end.set()


# What is sent and received.

@pytest.mark.parametrize("coding", ["length", "chunked"])
def test_large_bodies_both_ways(secure, coding):
    recorder, gateway = secure()
    up, down = os.urandom(MIB), os.urandom(MIB)
    recorder.reply("/echo", down)
    if coding == "chunked":
        pieces = b"".join(b"%x\r\n%s\r\n" % (70_000, down[:70_000]) for _ in range(15))
        recorder.raw("/echo", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + pieces
                     + b"0\r\n\r\n")
    with gateway.connect() as wire:
        for _ in range(3):
            if coding == "length":
                assert wire.request("POST", "/echo", body=up).body == down
            else:
                wire.send(encode("POST", "/echo", [("Transfer-Encoding", "chunked")],
                                 chunked(up[:400_000], up[400_000:])))
                assert wire.response().body == down[:70_000] * 15
    assert [request.length for request in recorder.whole] == [MIB] * 3
    assert all(request.body == up for request in recorder.whole)
    assert recorder.connections == 1


def test_a_slow_reader_of_a_large_body(secure):
    recorder, gateway = secure()
    body = os.urandom(MIB) * 16
    recorder.reply("/big", body)
    with gateway.connect() as wire:
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32768)
        wire.send(encode("GET", "/big"))
        threading.Event().wait(0.3)
        assert wire.response().body == body
    assert gateway.resident_bytes() < 64 * MIB


def test_events_leave_as_they_come(secure):
    recorder, gateway = secure()
    go_on = threading.Event()

    def stream(exchange):
        exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for number in range(5):
            exchange.send(b"1\r\n%d\r\n" % number)
            assert go_on.wait(5)
            go_on.clear()
        exchange.send(b"0\r\n\r\n")

    recorder.on("/events", stream)
    with gateway.connect() as wire:
        wire.send(encode("GET", "/events"))
        assert wire.head().status == 200
        for number in range(5):
            assert wire.until(b"1\r\n%d\r\n" % number)
            go_on.set()
        assert wire.until(b"0\r\n\r\n")


def test_a_connection_is_kept(secure):
    recorder, gateway = secure()
    for number in range(20):
        assert gateway.request("POST", f"/{number}", body=b"x").status == 200
    assert recorder.connections == 1


def test_a_new_connection_resumes(secure):
    recorder, gateway = secure()
    for _ in range(4):
        assert gateway.request("GET", "/").status == 200
        recorder.hang_up()
    assert [resumed for _, _, resumed in recorder.handshakes] == [False, True, True, True]
    assert len(recorder.requests) == 4


def test_a_server_that_forgot_the_tickets(front, recorders, authority):
    """As after a restart: the handshake is a whole one again."""
    address = ("127.0.0.1", free_port())
    gateway = front(upstream(f"https://127.0.0.1:{address[1]}", tls={"ca": str(authority.path)}))
    for _ in range(3):
        recorder = recorders(address=address, tls=authority.server(authority.ecdsa))
        assert gateway.request("GET", "/").status == 200
        assert recorder.handshakes == [("TLSv1.3", "http/1.1", False)]
        recorder.close()


# Ends.

@pytest.mark.parametrize("end", ["close", "cut", "reset"])
def test_an_answer_that_ends_with_its_connection(secure, end):
    """Without close_notify somebody may have cut it (RFC 8446 §6.1): the client must see that."""
    recorder, gateway = secure()

    def answer(exchange):
        exchange.send(b"HTTP/1.1 200 OK\r\n\r\nall there is")
        getattr(exchange, end)()

    recorder.on("/x", answer)
    with gateway.connect() as wire:
        wire.send(encode("GET", "/x"))
        if end == "close":
            assert wire.response().body == b"all there is"
        else:
            with pytest.raises(Closed):
                response = wire.response()
                # A reset may take the answer along before it is read.
                raise Closed(False) if response.status == 502 else AssertionError(response)
    assert gateway.request("GET", "/").status == 200


@pytest.mark.parametrize("end", ["close", "cut"])
def test_an_answer_with_a_length_is_whole_whatever_comes_after(secure, end):
    recorder, gateway = secure()
    recorder.on("/x", lambda exchange: (exchange.reply(b"whole"), getattr(exchange, end)()))
    for _ in range(5):
        assert gateway.request("GET", "/x").body == b"whole"
    assert len(recorder.requests) == 5


def test_a_request_is_not_sent_again_over_tls(secure):
    recorder, gateway = secure()
    recorder.on("/die", lambda exchange: exchange.cut())
    assert gateway.request("GET", "/warm").status == 200
    for number in range(1, 4):
        assert gateway.request("POST", "/die", body=b"x").verdict == (502, "upstream_bad_response")
        assert len(recorder.at("/die")) == number


# Another make.

def test_nginx_behind_tls(front, authority, tmp_path):
    pair = tmp_path / "pair.pem"
    pair.write_bytes(authority.rsa.certificate + authority.rsa.key)
    port = free_port()
    server = Nginx(tmp_path, port, f"""
        client_max_body_size 0;
        server {{
            listen 127.0.0.1:{port} ssl;
            ssl_certificate {pair}; ssl_certificate_key {pair};
            ssl_protocols TLSv1.3; keepalive_requests 3;
            root {tmp_path}/files;
            location / {{ dav_methods PUT; }}
        }}""")
    content = os.urandom(MIB)
    server.start()
    try:
        gateway = front(upstream(f"https://localhost:{port}", tls={"ca": str(authority.path)}))
        with gateway.connect() as wire:
            for number in range(10):
                assert wire.request("PUT", f"/{number}", body=content).status == 201
                assert wire.request("GET", f"/{number}").body == content
    finally:
        server.stop()
