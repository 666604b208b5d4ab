# SPDX-License-Identifier: Apache-2.0
"""How handshake messages lie in records: cut, joined, padded, interleaved (RFC 8446 section 5)."""

import contextlib

import pytest

from support import tls13_codec as codec
from support.gateway import MANY_CLIENTS
from support.tls13 import Client
from support.tls13_codec import (ALERT, APPLICATION, CHANGE_CIPHER_SPEC, HANDSHAKE, message,
                                 record)
from support.tls13_hello import client_hello
from support.tls13_keys import PLAIN_MAX

pytestmark = pytest.mark.usefixtures("still_serves")
CCS = record(CHANGE_CIPHER_SPEC, b"\x01")


@pytest.fixture(scope="module")
def policy_patch():
    return MANY_CLIENTS


@pytest.fixture
def due(client):
    """A client whose Finished is due."""
    client.start()
    client.server_hello()
    return client.flight()


@pytest.fixture
def open_client(client):
    """A client after its handshake, with its ticket read."""
    client.connect().await_ticket()
    return client


# Cutting and joining.

@pytest.mark.parametrize("shares", [(codec.X25519,), ()], ids=["one hello", "two hellos"])
def test_a_hello_cut_in_two_anywhere(gateway, shares):
    hello = client_hello(shares=shares)
    for at in range(1, len(hello.encode())):
        with Client(gateway.address) as client:
            encoded = client.say_hello(hello).hello.encode()
            for part in (encoded[:at], encoded[at:]):
                client.send(HANDSHAKE, part, version=0x0301)
            if client.server_hello():
                encoded = client.say_hello(client.second_hello()).hello.encode()
                for part in (encoded[:at], encoded[at:]):
                    client.send(HANDSHAKE, part)
                client.server_hello()
            client.flight()


@pytest.mark.parametrize("every", [1, 2, 3, 4, 5, 37])
def test_everything_in_small_records(gateway, every):
    with Client(gateway.address) as client:
        client.connect(every=every)
        assert client.get(every=every) == 200


def test_a_finished_cut_in_two_anywhere(gateway):
    for at in range(1, 36):
        with Client(gateway.address) as client:
            client.start()
            client.server_hello()
            finished = client.flight().finished()
            client.send(HANDSHAKE, finished[:at])
            client.send(HANDSHAKE, finished[at:])
            assert client.opened(finished).get() == 200


def test_finished_and_a_request_in_one_segment(due):
    """The client need not wait: what comes behind its Finished is application data."""
    finished = due.finished()
    first = due.sealed(HANDSHAKE, finished)
    request = due.opened(finished).sealed(APPLICATION,
                                          b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    due.raw(first + request)
    assert due.answer() == 200


@pytest.mark.parametrize("pad", [1, 255, 8192, PLAIN_MAX - 36])
def test_padding_in_every_record(due, pad):
    due.finish(pad=pad)
    due.send(APPLICATION, b"GET /healthz HTTP/1.1\r\n", pad=min(pad, PLAIN_MAX - 100))
    due.send(APPLICATION, b"", pad=pad)
    due.send(APPLICATION, b"Host: localhost\r\n\r\n", pad=min(pad, PLAIN_MAX - 100))
    assert due.answer() == 200


def test_a_record_filled_to_its_last_byte(open_client):
    head = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Filling: "
    body = head + b"x" * (PLAIN_MAX - len(head) - 4) + b"\r\n\r\n"
    open_client.send(APPLICATION, body)
    assert open_client.answer() == 200


@pytest.mark.parametrize("what", [
    b"\x00", message(codec.FINISHED, bytes(32)), message(codec.KEY_UPDATE, b"\x00"),
    client_hello().encode(), b"\x14\x00"], ids=["byte", "finished", "key update", "hello", "cut"])
def test_more_behind_the_hello_in_its_record(client, what):
    """Section 5.1: keys change at a record's end, or the connection does."""
    client.say_hello(client_hello())
    client.send_message(client.hello.encode() + what)
    assert client.refusal() == "unexpected_message"


@pytest.mark.parametrize("what", [
    b"\x00", message(codec.KEY_UPDATE, b"\x00"), message(codec.FINISHED, bytes(32))],
    ids=["byte", "key update", "finished"])
def test_more_behind_finished_in_its_record(due, what):
    due.send(HANDSHAKE, due.finished() + what)
    due.opened(due.finished())
    assert due.refusal() == "unexpected_message"


@pytest.mark.parametrize("what", [message(codec.KEY_UPDATE, b"\x00"), b"\x18"],
                         ids=["another", "its beginning"])
def test_more_behind_a_key_update_in_its_record(open_client, what):
    open_client.send(HANDSHAKE, message(codec.KEY_UPDATE, b"\x00") + what)
    assert open_client.refusal() == "unexpected_message"


# What may not stand in a record.

@pytest.mark.parametrize("at", [0, 1, 50])
def test_an_empty_record_around_a_hello(client, at):
    """Section 5.1 forbids to send it and says no more. OpenSSL overlooks a few."""
    encoded = client.say_hello(client_hello()).hello.encode()
    client.raw(record(HANDSHAKE, encoded[:at]) + record(HANDSHAKE, b"")
               + record(HANDSHAKE, encoded[at:]))
    assert client.outcome() in {"unexpected_message", "decode_error", "served"}


def test_nothing_but_empty_records(client):
    client.hello = client_hello()
    with contextlib.suppress(ConnectionError):
        client.raw(record(HANDSHAKE, b"") * 5000)
    assert client.refusal() in {"unexpected_message", "decode_error"}


@pytest.mark.parametrize("kind", [HANDSHAKE, ALERT], ids=["handshake", "alert"])
@pytest.mark.parametrize("pad", [0, 100])
def test_an_empty_record_in_place_of_finished(due, kind, pad):
    """Section 5.4."""
    due.send(kind, b"", pad=pad)
    assert due.refusal() == "unexpected_message"


@pytest.mark.parametrize("pad", [0, 1, 5000])
def test_a_record_of_padding_alone(due, pad):
    """Section 5.4: without a type it is no record."""
    due.send(None, b"", pad=pad)
    alerts = {"unexpected_message"} | ({"bad_record_mac"} if pad == 0 else set())
    assert due.refusal() in alerts


@pytest.mark.parametrize("kind", [CHANGE_CIPHER_SPEC, 24, 25, 99, 255])
def test_an_inner_type_that_is_none(due, kind):
    due.send(kind, b"\x01")
    assert due.refusal() == "unexpected_message"


@pytest.mark.parametrize("outer", [HANDSHAKE, ALERT, 24, 99])
def test_an_outer_type_other_than_application_data(due, outer):
    """Section 5.2: protected records are application data from without."""
    due.send(HANDSHAKE, due.finished(), outer=outer)
    assert due.refusal() in {"unexpected_message", "bad_record_mac"}


def test_finished_in_the_clear(due):
    due.raw(record(HANDSHAKE, due.finished()))
    assert due.refusal() in {"unexpected_message", "bad_record_mac"}


def test_another_version_in_front_of_a_protected_record(due):
    """Ignored, checked, or found to be authenticated: section 5.2 leaves each of these."""
    sealed = bytearray(due.sealed(HANDSHAKE, due.finished()))
    sealed[2] = 1
    due.raw(sealed)
    due.opened(due.finished())
    assert due.outcome() in {"bad_record_mac", "protocol_version", "illegal_parameter",
                             "decode_error", "unexpected_message", "served"}


@pytest.mark.parametrize("at", [0, 5, 20, -1])
def test_a_changed_byte_in_a_protected_record(due, at):
    sealed = bytearray(due.sealed(HANDSHAKE, due.finished()))
    sealed[5 + at if at >= 0 else at] ^= 0x80
    due.raw(sealed)
    assert due.refusal() == "bad_record_mac"


@pytest.mark.parametrize("length", [0, 1, 15, 16])
def test_a_protected_record_too_short_for_its_tag(due, length):
    due.raw(record(APPLICATION, bytes(length)))
    assert due.refusal() in {"bad_record_mac", "decode_error", "unexpected_message"}


def test_a_record_under_keys_of_the_past(due):
    handshake_keys = due.writes
    due.finish()
    due.raw(handshake_keys.seal(APPLICATION, b"GET / HTTP/1.1\r\n"))
    assert due.refusal() == "bad_record_mac"


def test_a_record_sent_twice(open_client):
    sealed = open_client.sealed(APPLICATION, b"GET /healthz HTTP/1.1\r\n")
    open_client.raw(sealed * 2)
    assert open_client.refusal() == "bad_record_mac"


@pytest.mark.parametrize("length", [PLAIN_MAX + 1, PLAIN_MAX + 256, 2**16 - 1])
def test_a_hello_in_a_record_that_is_too_long(client, length):
    client.hello = client_hello()
    client.raw(record(HANDSHAKE, client.hello.padded(length).encode()))
    assert client.refusal() == "record_overflow"


@pytest.mark.parametrize("length", [PLAIN_MAX + 257, 2**16 - 1])
def test_a_protected_record_that_is_too_long(due, length):
    due.raw(record(APPLICATION, bytes(length)))
    assert due.refusal() == "record_overflow"


def test_a_content_that_is_too_long(due):
    """Its ciphertext is not: there may be 256 bytes of expansion."""
    due.send(HANDSHAKE, due.finished() + bytes(PLAIN_MAX + 1 - 36))
    assert due.refusal() == "record_overflow"


@pytest.mark.parametrize("kind", [HANDSHAKE, None], ids=["finished", "nothing"])
def test_a_padding_that_makes_a_plaintext_too_long(due, kind):
    """Section 5.4 limits type and padding too; OpenSSL looks at the content alone."""
    finished = due.finished() if kind else b""
    due.send(kind, finished, pad=PLAIN_MAX + 1 - len(finished))
    if kind:
        due.opened(finished)
        assert due.outcome() in {"record_overflow", "served"}
    else:
        assert due.refusal() in {"record_overflow", "unexpected_message"}


# Types interleaved (section 5.1).

@pytest.mark.parametrize("between", [
    record(APPLICATION, b"x"), record(ALERT, b"\x01\x5a"), CCS, record(99, b"x")],
    ids=["data", "alert", "ccs", "unknown"])
def test_another_record_within_the_hello(client, between):
    encoded = client.say_hello(client_hello()).hello.encode()
    client.raw(record(HANDSHAKE, encoded[:50]) + between + record(HANDSHAKE, encoded[50:]))
    assert client.refusal() == "unexpected_message"


@pytest.mark.parametrize("kind, content, others", [
    (APPLICATION, b"x", set()), (ALERT, b"\x01\x5a", {"served"}), (None, CCS, {"served"})],
    ids=["data", "alert", "ccs"])
def test_another_record_within_finished(due, kind, content, others):
    """OpenSSL bears with a warning and a CCS here; neither changes what is said."""
    finished = due.finished()
    due.send(HANDSHAKE, finished[:20])
    due.raw(content) if kind is None else due.send(kind, content)
    due.send(HANDSHAKE, finished[20:])
    due.opened(finished)
    assert due.outcome() in {"unexpected_message", *others}
