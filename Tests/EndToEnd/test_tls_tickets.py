# SPDX-License-Identifier: Apache-2.0
"""Tickets as they are not meant (RFC 8446 sections 4.2.9 to 4.2.11), and early data.

A ticket that is no good costs a full handshake and nothing else; a binder that is wrong is an
attack. Early data is never taken.
"""

import dataclasses
import os

import pytest

from support import tls13_codec as codec
from support.gateway import MANY_CLIENTS
from support.tls13 import Alerted, Client
from support.tls13_codec import (AES_128, AES_256, APPLICATION, EARLY_DATA, HANDSHAKE, KEY_SHARE,
                                 PRE_SHARED_KEY, PSK_MODES, message, offered_psks, psk_modes)
from support.tls13_hello import client_hello, with_tickets
from support.tls13_keys import Keys, Schedule
from support.tls13_stages import new_ticket, unknown

pytestmark = pytest.mark.usefixtures("still_serves")
REQUEST = b"GET /public/early HTTP/1.1\r\nHost: localhost\r\n\r\n"
# Section 6.2 has decrypt_error for a binder that does not validate; OpenSSL says the other.
WRONG_BINDER = {"decrypt_error", "illegal_parameter"}


@pytest.fixture(scope="module")
def policy_patch():
    return MANY_CLIENTS


@pytest.fixture
def ticket(gateway):
    """A ticket that no one has used, of TLS_AES_128_GCM_SHA256."""
    return new_ticket(gateway)


@pytest.mark.parametrize("mangle", [
    lambda binder: bytes([binder[0] ^ 1]) + binder[1:],
    lambda binder: binder[:-1] + bytes([binder[-1] ^ 128]), lambda binder: bytes(len(binder))],
    ids=["first byte", "last byte", "zeros"])
@pytest.mark.parametrize("suite", [AES_128, AES_256], ids=hex)
def test_a_wrong_binder(refused, gateway, suite, mangle):
    hello = client_hello(suites=(suite,))
    refused(with_tickets(hello, new_ticket(gateway, suite), mangle=mangle), *WRONG_BINDER)


@pytest.mark.parametrize("length", [32, 48, 64, 255])
def test_a_binder_of_another_length(refused, gateway, length):
    ticket = new_ticket(gateway, AES_128 if length != 32 else AES_256)
    hello = with_tickets(client_hello(suites=(ticket.suite.number,)), ticket,
                         mangle=lambda binder: (binder * 8)[:length])
    refused(hello, "decode_error", *WRONG_BINDER)


@pytest.mark.parametrize("secret", ["ticket", "psk"])
def test_a_ticket_without_its_key(refused, ticket, secret):
    """Who has seen a ticket on the wire has not seen what goes with it."""
    key = ticket.ticket[:32] if secret == "ticket" else bytes(32)
    refused(with_tickets(client_hello(), dataclasses.replace(ticket, psk=key)), *WRONG_BINDER)


def test_a_binder_for_an_external_key(refused, ticket):
    hello = with_tickets(client_hello(), ticket)
    truncated = hello.encode()[:-35]
    binder = Schedule(ticket.suite, ticket.psk).binder(truncated, external=True)
    body = hello.get(PRE_SHARED_KEY)
    refused(hello.having(PRE_SHARED_KEY, body[:-32] + binder), *WRONG_BINDER)


@pytest.mark.parametrize("name", [b"x", b"\x00" * 16, os.urandom(192), b"\xff" * 1000,
                                  os.urandom(15000)], ids=len)
def test_a_ticket_that_is_unknown(served, ticket, name):
    assert not served(with_tickets(client_hello(), unknown(ticket, name))).resumed


def test_a_ticket_changed_anywhere(gateway, ticket):
    for at in range(len(ticket.ticket)):
        name = bytearray(ticket.ticket)
        name[at] ^= 1 << at % 8
        with Client(gateway.address) as client:
            client.start(with_tickets(client_hello(), unknown(ticket, bytes(name))))
            client.server_hello()
            assert not client.resumed, at


def test_a_ticket_cut_or_lengthened_anywhere(gateway, ticket):
    whole = ticket.ticket
    for name in [*(whole[:at] for at in range(1, len(whole))), whole + b"\x00", whole * 2,
                 b"\x00" + whole]:
        with Client(gateway.address) as client:
            client.start(with_tickets(client_hello(), unknown(ticket, name)))
            client.server_hello()
            assert not client.resumed, len(name)


def test_a_ticket_of_another_gateway(served, gateway, start):
    assert not served(with_tickets(client_hello(), new_ticket(start()))).resumed


def outcome_of(gateway, hello):
    with Client(gateway.address) as client:
        return client.start(hello).outcome()


def test_an_empty_ticket(gateway):
    """Section 4.2.11: an identity is one byte at least."""
    hello = client_hello().adding(PRE_SHARED_KEY, offered_psks([(b"", 0)], [bytes(32)]))
    assert outcome_of(gateway, hello) in {"decode_error", "illegal_parameter"}


@pytest.mark.parametrize("binders", [0, 1, 3])
def test_another_number_of_binders_than_tickets(gateway, ticket, binders):
    hello = with_tickets(client_hello(), ticket, unknown(ticket))
    binder = hello.get(PRE_SHARED_KEY)[-32:]
    body = offered_psks([ticket.identity, unknown(ticket).identity], [binder] * binders)
    outcome = outcome_of(gateway, hello.lacking(PRE_SHARED_KEY).adding(PRE_SHARED_KEY, body))
    assert outcome in {"decode_error", *WRONG_BINDER}


def test_a_pre_shared_key_that_is_not_last(refused, ticket):
    refused(with_tickets(client_hello(), ticket).adding(0x7777, b""), "illegal_parameter")


def test_a_pre_shared_key_twice(refused, ticket):
    hello = with_tickets(client_hello(), ticket)
    refused(hello.adding(PRE_SHARED_KEY, hello.get(PRE_SHARED_KEY)), "illegal_parameter")


def test_a_ticket_without_modes(refused, ticket):
    """Section 4.2.9."""
    refused(with_tickets(client_hello().lacking(PSK_MODES), ticket), "missing_extension")


@pytest.mark.parametrize("modes", [(codec.PSK_KE,), (2,), (0x0B,)], ids=str)
def test_a_mode_without_fresh_keys_means_a_full_handshake(served, ticket, modes):
    hello = client_hello().having(PSK_MODES, psk_modes(*modes))
    assert not served(with_tickets(hello, ticket)).resumed


def test_a_ticket_without_any_share(refused, ticket):
    refused(with_tickets(client_hello().lacking(KEY_SHARE), ticket), "missing_extension",
            "handshake_failure")


# Early data (section 4.2.10).

def early_keys(client, ticket):
    schedule = Schedule(ticket.suite, ticket.psk)
    return Keys(ticket.suite, ticket.suite.derive(schedule.early, "c e traffic",
                                                  client.hello.encode()))


@pytest.fixture
def early(gateway, ticket):
    """A client that has offered early data, and the keys for it."""
    with Client(gateway.address) as client:
        client.start(with_tickets(client_hello().having(EARLY_DATA, b""), ticket))
        yield client, early_keys(client, ticket)


@pytest.mark.parametrize("records", [0, 1, 5])
def test_early_data_is_never_taken(early, recorder, records):
    """No ticket invites it. A server may skip what comes, or end the connection."""
    client, keys = early
    with recorder.untouched():
        for _ in range(records):
            client.raw(keys.seal(APPLICATION, REQUEST))
        outcome = client.outcome()
    assert outcome in ({"served"} if records == 0 else
                       {"served", "unexpected_message", "bad_record_mac"})


def test_early_data_without_end_is_refused(early, recorder):
    client, keys = early
    with recorder.untouched():
        try:
            for _ in range(64):
                client.raw(keys.seal(APPLICATION, bytes(16000)))
        except ConnectionError:
            pass
        assert client.refusal() in {"unexpected_message", "bad_record_mac", "cut"}


def test_early_data_before_a_retry(gateway, ticket, recorder):
    """It is skipped until the second hello, or the connection ends."""
    with recorder.untouched(), Client(gateway.address) as client:
        client.start(with_tickets(client_hello(shares=()).having(EARLY_DATA, b""), ticket))
        client.raw(early_keys(client, ticket).seal(APPLICATION, REQUEST))
        try:
            client.server_hello()
            outcome = client.start(client.second_hello()).outcome()
        except Alerted as alert:
            outcome = alert.name
        assert outcome in {"served", "unexpected_message", "bad_record_mac"}


def test_an_end_of_early_data_that_was_not_taken(early):
    client, _ = early
    client.server_hello()
    client.flight().send(HANDSHAKE, message(codec.END_OF_EARLY_DATA, b""))
    assert client.refusal() == "unexpected_message"


def test_early_data_offered_without_a_ticket(gateway):
    """Section 4.2.10 wants both; a server that takes none has nothing to check."""
    hello = client_hello().having(EARLY_DATA, b"")
    assert outcome_of(gateway, hello) in {"served", "illegal_parameter", "missing_extension"}
