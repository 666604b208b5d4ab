# SPDX-License-Identifier: Apache-2.0
"""The TLS side of the listener: versions, certificates, tickets, and plaintext on its port."""

import socket
import ssl
import subprocess
import time

import pytest

from support.waiting import wait_until
from support.wire import Closed, Wire

QUICK = {"listen": {"limits": {"header_timeout": "1s"}}}


def s_client(gateway, *arguments, text="", timeout=10):
    return subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{gateway.port}", "-servername",
         "localhost", "-CAfile", str(gateway.authority.path), *arguments],
        input=text, capture_output=True, text=True, timeout=timeout)


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
def test_curl_is_refused_below_tls_1_3(gateway, version):
    result = gateway.curl("/healthz", "--tls-max", version)
    assert result.returncode == 35, result  # CURLE_SSL_CONNECT_ERROR


def test_curl_gets_through_with_tls_1_3(gateway):
    result = gateway.curl("/healthz", "--tlsv1.3")
    assert (result.returncode, result.stdout.splitlines()[-1]) == (0, "200"), result


def test_alpn_names_http_1_1(gateway):
    with gateway.connect(gateway.context(alpn=("h2", "http/1.1"))) as wire:
        assert wire.socket.selected_alpn_protocol() == "http/1.1"
        assert wire.socket.version() == "TLSv1.3"
        assert wire.request("GET", "/healthz").status == 200


def test_a_client_without_alpn_is_served(gateway):
    with gateway.connect(gateway.context(alpn=())) as wire:
        assert wire.request("GET", "/healthz").status == 200


@pytest.mark.parametrize("kind, public_key", [("ecdsa", "id-ecPublicKey"),
                                              ("rsa", "rsaEncryption")])
def test_both_kinds_of_certificate(start, authority, kind, public_key):
    gateway = start(pair=getattr(authority, kind))
    assert gateway.request("GET", "/healthz").status == 200
    shown = s_client(gateway, "-showcerts").stdout
    assert "Verify return code: 0 (ok)" in shown
    text = subprocess.run(["openssl", "x509", "-noout", "-text"], input=shown,
                          capture_output=True, text=True, check=True).stdout
    assert public_key in text


@pytest.mark.parametrize("workers", ["1", "2"])
def test_python_resumes_with_a_ticket(start_bare, workers):
    gateway = start_bare({"AGENTPORT_WORKERS": workers})
    context = gateway.context()
    with gateway.connect(context) as wire:
        assert wire.request("GET", "/healthz").status == 200
        assert not wire.socket.session_reused
        session = wire.socket.session
    # The kernel spreads connections over the workers: eight would miss one of two rarely.
    for _ in range(8):
        with gateway.connect(context, session=session) as wire:
            assert wire.request("GET", "/healthz").status == 200
            assert wire.socket.session_reused
            session = wire.socket.session


def test_openssl_resumes_with_a_ticket_and_without_early_data(gateway, tmp_path):
    ticket = tmp_path / "session.pem"
    request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    first = s_client(gateway, "-ign_eof", "-sess_out", str(ticket), text=request).stdout
    assert "New, TLSv1.3" in first and "HTTP/1.1 200" in first
    assert "Max Early Data: 0" in first
    second = s_client(gateway, "-ign_eof", "-sess_in", str(ticket), text=request).stdout
    assert "Reused, TLSv1.3" in second and "HTTP/1.1 200" in second


def test_connections_end_with_close_notify(gateway):
    with gateway.connect() as wire:
        wire.send(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert wire.response().status == 200
        wire.ends()


def test_a_client_s_close_notify_ends_the_connection(gateway):
    with gateway.connect() as wire:
        assert wire.request("GET", "/healthz").status == 200
        # unwrap() sends our close_notify and returns only when the peer's has come.
        wire.socket.unwrap().close()


# Plaintext on the TLS port.

def test_plaintext_gets_the_jwks(gateway):
    with gateway.plaintext() as wire:
        response = wire.request("GET", "/.well-known/jwks.json", host="agentport:8443")
    assert response.status == 200
    assert response.json()["keys"]
    assert response.body == gateway.request("GET", "/.well-known/jwks.json").body


@pytest.mark.parametrize("method, target", [
    ("GET", "/"), ("GET", "/healthz"), ("POST", "/.well-known/jwks.json"),
    ("GET", "/.well-known/jwks.json/"), ("GET", "/.well-known/other"), ("DELETE", "/x")])
def test_other_plaintext_is_told_to_use_tls(gateway, recorder, method, target):
    with recorder.untouched(), gateway.plaintext() as wire:
        response = wire.request(method, target)
        assert response.verdict == (426, "tls_required")
        assert "TLS" in response.get("Upgrade", "")  # RFC 9110 section 15.5.22
        assert set(response.json()) >= {"type", "title", "status", "code", "detail"}
        wire.ends()


def test_plaintext_is_one_request_a_connection(gateway):
    with gateway.plaintext() as wire:
        wire.send(b"GET /.well-known/jwks.json HTTP/1.1\r\nHost: a\r\n\r\n" * 2)
        assert wire.response().status == 200
        wire.ends()


def test_plaintext_http_1_0_gets_the_jwks(gateway):
    with gateway.plaintext() as wire:
        wire.send(b"GET /.well-known/jwks.json HTTP/1.0\r\n\r\n")
        assert wire.response().json()["keys"]


def test_plaintext_that_stalls_is_closed(gateway):
    started = time.monotonic()
    with gateway.plaintext() as wire:
        wire.send(b"GET /.well-known/jwks.json HT")
        _closed_within(wire, 6)
    assert time.monotonic() - started < 6


def test_plaintext_over_2_kib_is_closed(gateway):
    with gateway.plaintext() as wire:
        wire.send_all_it_takes(b"GET /.well-known/jwks.json HTTP/1.1\r\nHost: a\r\n"
                               + b"X: " + b"a" * 4096)
        answer = _closed_within(wire, 6)
    assert b" 200 " not in answer


def test_a_secret_sent_in_plaintext_is_an_audit_line(gateway):
    with gateway.plaintext() as wire:
        wire.request("GET", "/", [("Authorization", "Bearer exposed-on-the-network")])
    wait_until(lambda: [line for line in gateway.logs() if line.get("audit") is True],
               what="an audit line")
    assert "exposed-on-the-network" not in gateway.output()


def test_plaintext_jwks_can_be_switched_off(start):
    gateway = start({"listen": {"plaintext_jwks": "off"}})
    with gateway.plaintext() as wire:
        assert wire.request("GET", "/.well-known/jwks.json").verdict == (426, "tls_required")
    assert gateway.request("GET", "/.well-known/jwks.json").status == 200


@pytest.mark.parametrize("first_bytes", [b"", b"\x16", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc"])
def test_a_handshake_that_stalls_is_closed(start, first_bytes):
    gateway = start(QUICK)
    with gateway.plaintext() as wire:
        wire.send(first_bytes)
        _closed_within(wire, 12)
    assert gateway.request("GET", "/healthz").status == 200


@pytest.mark.parametrize("garbage", [
    b"\x00" * 64, b"\x16\x03\x01\x00\x05hello", b"\x80\x2e\x01\x03\x01", b"\xff" * 512,
    b"\x15\x03\x03\x00\x02\x02\x28", b"\x16\x03\x03\xff\xff" + b"\x01" * 70000])
def test_garbage_instead_of_a_handshake_is_closed(gateway, garbage):
    with gateway.plaintext() as wire:
        wire.send_all_it_takes(garbage)
        wire.raw.shutdown(socket.SHUT_WR)
        _closed_within(wire, 12)
    assert gateway.request("GET", "/healthz").status == 200


def _closed_within(wire, seconds):
    """What came before the peer closed, in whatever manner it did."""
    wire.raw.settimeout(seconds)
    received = b""
    try:
        while (data := wire.raw.recv(65536)):
            received += data
    except ConnectionResetError:
        pass
    return received


def test_an_untrusting_client_brings_nothing_down(gateway):
    with pytest.raises(ssl.SSLCertVerificationError):
        Wire(gateway.address, ssl.create_default_context())
    with pytest.raises((Closed, OSError)), gateway.plaintext() as wire:
        wire.send(b"\x16\x03\x01")
        wire.socket.shutdown(socket.SHUT_WR)
        wire.until(b"never")
    assert gateway.request("GET", "/healthz").status == 200
