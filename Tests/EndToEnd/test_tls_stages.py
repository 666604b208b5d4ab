# SPDX-License-Identifier: Apache-2.0
"""A handshake gone wrong after its first hello: false, unexpected, cut or stalled (RFC 8446)."""

import contextlib

import pytest

from support import tls13_codec as codec
from support.gateway import MANY_CLIENTS
from support.tls13 import Client
from support.tls13_codec import (ALERT, APPLICATION, CHANGE_CIPHER_SPEC, EARLY_DATA, GROUPS,
                                 HANDSHAKE, KEY_SHARE, P256, P384, SERVER_NAME, VERSIONS, X25519,
                                 key_shares, message, number_list, record, versions)
from support.tls13_hello import client_hello
from support.tls13_stages import at_stage

pytestmark = pytest.mark.usefixtures("still_serves")
CCS = record(CHANGE_CIPHER_SPEC, b"\x01")


@pytest.fixture(scope="module")
def policy_patch():
    return MANY_CLIENTS


@pytest.fixture
def due(client):
    """A client whose Finished is due."""
    return at_stage(client, "flight")


@pytest.fixture
def asked(client):
    """A client that was asked for another hello, with a share in P-256."""
    client.start(client_hello(groups=(P256, P384), shares=()))
    assert client.server_hello()
    return client


# Messages out of turn.

def test_a_finished_with_each_byte_changed(gateway):
    for at in range(4, 36):
        with Client(gateway.address) as client:
            finished = bytearray(at_stage(client, "flight").finished())
            finished[at] ^= 1
            client.send(HANDSHAKE, bytes(finished))
            assert client.refusal() == "decrypt_error"


@pytest.mark.parametrize("length", [0, 1, 31, 33, 48, 64])
def test_a_finished_of_another_length(due, length):
    body = (due.finished()[4:] + bytes(64))[:length]
    due.send(HANDSHAKE, message(codec.FINISHED, body))
    assert due.refusal() in {"decode_error", "decrypt_error"}


# Messages whose form is right, or anybody's guess; 0 is a HelloRequest, as it was.
MESSAGES = {
    0: b"", codec.CLIENT_HELLO: client_hello().body(),
    codec.SERVER_HELLO: b"\x03\x03" + bytes(33) + b"\x13\x01\x00\x00\x06\x00\x2b\x00\x02\x03\x04",
    codec.NEW_SESSION_TICKET: bytes(8) + b"\x00\x00\x01t\x00\x00", codec.END_OF_EARLY_DATA: b"",
    codec.ENCRYPTED_EXTENSIONS: b"\x00\x00", codec.CERTIFICATE: bytes(4),
    codec.CERTIFICATE_REQUEST: b"\x00\x00\x08\x00\x0d\x00\x04\x00\x02\x04\x03",
    codec.CERTIFICATE_VERIFY: b"\x04\x03\x00\x04sign", codec.FINISHED: bytes(32),
    codec.KEY_UPDATE: b"\x00", 99: b"?", 254: bytes(32)}


@pytest.mark.parametrize("kind", [kind for kind in MESSAGES if kind != codec.CLIENT_HELLO])
def test_another_message_than_a_hello_at_first(client, kind):
    client.hello = client_hello()
    client.send(HANDSHAKE, message(kind, MESSAGES[kind]))
    assert client.refusal() == "unexpected_message"


@pytest.mark.parametrize("kind", [kind for kind in MESSAGES if kind != codec.FINISHED])
def test_another_message_than_finished(due, kind):
    """Certificates too: none was asked for. KeyUpdate too: it comes after Finished."""
    due.send(HANDSHAKE, message(kind, MESSAGES[kind]))
    assert due.refusal() == "unexpected_message"


@pytest.mark.parametrize("kind", [kind for kind in MESSAGES if kind != codec.KEY_UPDATE])
def test_a_handshake_message_after_the_handshake(client, kind):
    """A second hello, renegotiation as it was, is unexpected as any other (section 4.1.2)."""
    client.connect().await_ticket()
    client.send(HANDSHAKE, message(kind, MESSAGES[kind]))
    assert client.refusal() == "unexpected_message"


def test_a_message_after_the_handshake_that_promises_megabytes(client):
    client.connect().await_ticket()
    client.send(HANDSHAKE, b"\x18\xff\xff\xff")
    assert client.refusal() in {"illegal_parameter", "decode_error", "unexpected_message"}


@pytest.mark.parametrize("kind", [CHANGE_CIPHER_SPEC, APPLICATION], ids=["ccs", "data"])
def test_another_record_than_a_handshake_at_first(client, kind):
    """The first byte is not that of a hello: the gateway need not take it for TLS at all, and
    says so in plain HTTP."""
    client.raw(record(kind, b"\x01") + record(HANDSHAKE, client_hello().encode()))
    client.socket.settimeout(3)
    answer = b""
    with contextlib.suppress(ConnectionResetError):
        while (data := client.socket.recv(4096)):
            answer += data
    assert answer[:1] == bytes([ALERT]) or answer.startswith(b"HTTP/1.1 4") or not answer


def test_application_data_in_the_clear_before_finished(due):
    due.raw(record(APPLICATION, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
    assert due.refusal() in {"bad_record_mac", "unexpected_message"}


def test_application_data_before_finished(due):
    due.send(APPLICATION, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert due.refusal() == "unexpected_message"


# change_cipher_spec (section 5, and D.4).

@pytest.mark.parametrize("stage", ["hello", "retry", "server hello", "flight"])
@pytest.mark.parametrize("session_id", [b"", bytes(32)], ids=["plain", "compatible"])
def test_a_ccs_within_the_handshake_is_dropped(client, stage, session_id):
    client.start(client_hello(shares=() if stage == "retry" else (X25519,), session_id=session_id))
    if stage == "hello":
        client.raw(CCS)
    if client.server_hello():
        client.raw(CCS)
        client.start(client.second_hello())
        client.server_hello()
    if stage == "server hello":
        client.raw(CCS)
    client.flight()
    if stage == "flight":
        client.raw(CCS)
    assert client.finish().get() == 200


@pytest.mark.parametrize("content", [b"", b"\x00", b"\x02", b"\x01\x01"], ids=repr)
def test_a_ccs_of_another_content(due, content):
    """Section 5 says unexpected_message, OpenSSL illegal_parameter."""
    due.raw(record(CHANGE_CIPHER_SPEC, content))
    empty = {"decode_error"} if not content else set()
    assert due.refusal() in {"unexpected_message", "illegal_parameter", *empty}


def test_a_ccs_after_the_handshake(client):
    client.connect().await_ticket()
    client.raw(CCS)
    assert client.refusal() == "unexpected_message"


def test_a_flood_of_ccs(due):
    """Nothing asks for a limit; nothing asks for patience either."""
    with contextlib.suppress(ConnectionError):
        due.raw(CCS * 1000)
    assert due.outcome() in {"served", "unexpected_message"}


# The hello after a HelloRetryRequest (section 4.1.2).

def changed(change):
    return lambda client: change(client.second_hello())


@pytest.mark.parametrize("hello", [
    changed(lambda hello: hello.having(KEY_SHARE, key_shares([]))),
    changed(lambda hello: hello.having(KEY_SHARE, key_shares(
        [(P384, client_hello(shares=(P384,)).keys[P384].public)]))),
    changed(lambda hello: hello.having(KEY_SHARE, key_shares([(X25519, bytes(32))]))),
    changed(lambda hello: hello.but(suites=(0x1304,))),
    changed(lambda hello: hello.but(suites=())),
    changed(lambda hello: hello.lacking(KEY_SHARE)),
    changed(lambda hello: hello.lacking(VERSIONS)),
    changed(lambda hello: hello.having(VERSIONS, versions([0x0303]))),
    changed(lambda hello: hello.having(GROUPS, number_list([P384]))),
    changed(lambda hello: hello.but(compressions=b"\x01"))],
    ids=["no share", "a share in p-384", "a share in x25519", "no common suite", "no suite",
         "no shares", "no versions", "1.2", "without the group", "compression"])
def test_a_second_hello_that_cannot_be_answered(asked, hello):
    asked.start(hello(asked))
    assert asked.refusal() in {"illegal_parameter", "missing_extension", "handshake_failure",
                               "protocol_version", "decode_error", "unexpected_message"}


def test_a_second_hello_without_the_suite_that_was_chosen(client):
    client.start(client_hello(shares=()))
    client.server_hello()
    others = tuple(s for s in client.hello.suites if s != client.retry.suite.number)
    client.start(client.second_hello(suites=others))
    assert client.refusal() in {"illegal_parameter", "handshake_failure"}


@pytest.mark.parametrize("change", [
    lambda hello: hello.but(random=bytes(32)), lambda hello: hello.but(session_id=b"other"),
    lambda hello: hello.having(SERVER_NAME, codec.server_name("other")),
    lambda hello: hello.having(EARLY_DATA, b""), lambda hello: hello.having(0x7777, b"new")],
    ids=["random", "session id", "name", "early data", "extension"])
def test_a_second_hello_with_other_changes(asked, change):
    """A server may notice or not; what it may not do is ask a third time."""
    asked.start(change(asked.second_hello()))
    assert asked.outcome() in {"served", "illegal_parameter", "unexpected_message"}
