# SPDX-License-Identifier: Apache-2.0
"""Tickets as they are meant (RFC 8446 sections 2.2, 4.2.11, 4.6.1): they save a certificate."""

import pytest

from support import tls13_codec as codec
from support.gateway import MANY_CLIENTS
from support.tls13 import Client
from support.tls13_codec import AES_128, AES_256, CHACHA20, PRE_SHARED_KEY, SIGNATURE_ALGORITHMS
from support.tls13_hello import client_hello, with_tickets
from support.tls13_stages import new_ticket, unknown

pytestmark = pytest.mark.usefixtures("still_serves")


@pytest.fixture(scope="module")
def policy_patch():
    return MANY_CLIENTS


@pytest.fixture
def ticket(gateway):
    """A ticket that no one has used, of TLS_AES_128_GCM_SHA256."""
    return new_ticket(gateway)


def test_a_ticket_saves_the_certificate(served, ticket):
    client = served(with_tickets(client_hello(), ticket))
    assert client.resumed
    assert client.chain == []


def test_a_ticket_begets_the_next(served, gateway, ticket):
    for _ in range(5):
        with Client(gateway.address) as client:
            client.connect(with_tickets(client_hello(), ticket))
            assert client.resumed
            assert client.get() == 200
            following = client.await_ticket()
            assert following.ticket != ticket.ticket
            ticket = following


def test_a_ticket_used_twice_harms_no_one(served, ticket):
    """Whether it is good twice is the server's choice; the second client is served anyhow."""
    assert served(with_tickets(client_hello(), ticket)).resumed
    served(with_tickets(client_hello(), ticket))


def test_tickets_of_two_connections_are_two(gateway):
    assert len({new_ticket(gateway).ticket for _ in range(4)}) == 4


@pytest.mark.parametrize("suite", [AES_128, AES_256, CHACHA20], ids=hex)
@pytest.mark.parametrize("curve", [codec.X25519, codec.P256, codec.P384], ids=hex)
def test_every_suite_and_group_resumes(served, gateway, suite, curve):
    """The key shares are fresh: what a ticket gave away tells nothing of later connections."""
    ticket = new_ticket(gateway, suite)
    hello = client_hello(groups=(curve,), shares=(curve,), suites=(suite,))
    client = served(with_tickets(hello, ticket))
    assert client.resumed
    assert client.group == curve


@pytest.mark.parametrize("before, after", [(AES_128, CHACHA20), (CHACHA20, AES_128)], ids=hex)
def test_another_suite_of_the_same_hash(served, gateway, before, after):
    """Section 4.2.11 lets the ticket be used for both; the server need not."""
    client = served(with_tickets(client_hello(suites=(after,)), new_ticket(gateway, before)))
    assert client.schedule.suite.number == after


@pytest.mark.parametrize("before, after", [(AES_128, AES_256), (AES_256, CHACHA20)], ids=hex)
def test_a_suite_of_another_hash_means_a_full_handshake(served, gateway, before, after):
    client = served(with_tickets(client_hello(suites=(after,)), new_ticket(gateway, before)))
    assert not client.resumed
    assert client.chain


def test_the_suite_of_the_ticket_is_found_among_others(served, gateway):
    hello = client_hello(suites=(AES_128, CHACHA20, AES_256))
    client = served(with_tickets(hello, new_ticket(gateway, AES_256)))
    assert client.resumed == (client.schedule.suite.number == AES_256)


def test_another_server_name(served, ticket):
    """In TLS 1.3 the name is said anew, and a ticket is bound to none (section 4.2.11)."""
    served(with_tickets(client_hello(name="claw.example.com"), ticket))


def test_another_protocol_is_refused_with_a_ticket_too(refused, ticket):
    refused(with_tickets(client_hello(protocols=(b"h2",)), ticket), "no_application_protocol")


def test_no_signature_schemes_are_needed_to_resume(served, ticket):
    """Section 9.2 asks for them only where there is no pre_shared_key."""
    hello = client_hello().lacking(SIGNATURE_ALGORITHMS)
    assert served(with_tickets(hello, ticket)).resumed


@pytest.mark.parametrize("age", [0, 2**31, 2**32 - 1])
def test_an_age_that_cannot_be(served, ticket, age):
    """Ages guard early data, of which there is none (section 4.2.11.1)."""
    served(with_tickets(client_hello(), ticket, identities=[(ticket.ticket, age)]))


# Several of them.

@pytest.mark.parametrize("place", [0, 1, 3])
def test_the_one_good_ticket_among_several(served, ticket, place):
    tickets = [unknown(ticket) for _ in range(4)]
    tickets[place] = ticket
    client = served(with_tickets(client_hello(), *tickets))
    assert client.resumed or place > 0  # a server may look at the first one only


def test_a_ticket_of_another_hash_before_the_good_one(served, gateway, ticket):
    hello = client_hello(suites=(AES_128,))
    served(with_tickets(hello, new_ticket(gateway, AES_256), ticket))


def test_many_unknown_tickets(served, ticket):
    client = served(with_tickets(client_hello(), *(unknown(ticket) for _ in range(60))))
    assert not client.resumed


# With a HelloRetryRequest.

def test_a_ticket_and_a_retry(served, ticket):
    client = served(with_tickets(client_hello(shares=()), ticket))
    assert client.retry is not None
    assert client.resumed


def test_a_binder_that_leaves_out_the_first_hello(gateway, ticket):
    """Section 4.2.11.2: it is over both, and the retry between them."""
    with Client(gateway.address) as client:
        client.start(with_tickets(client_hello(shares=()), ticket))
        client.server_hello()
        client.start(with_tickets(client.second_hello(), ticket))
        assert client.refusal() in {"decrypt_error", "illegal_parameter"}


def test_a_ticket_dropped_after_a_retry(gateway, ticket):
    """A client that learns the suite is of another hash has to drop it (section 4.1.4)."""
    with Client(gateway.address) as client:
        client.start(with_tickets(client_hello(shares=()), ticket))
        client.server_hello()
        client.start(client.second_hello().lacking(PRE_SHARED_KEY).but(tickets=()))
        assert client.outcome() == "served"
        assert not client.resumed
