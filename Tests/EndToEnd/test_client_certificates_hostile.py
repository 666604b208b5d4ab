# SPDX-License-Identifier: Apache-2.0
"""What a client may not say of its certificate (RFC 8446 sections 4.3.2, 4.4), in a client's flight
that is right in everything else: signed, sealed and in order."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from support import tls13_codec as codec
from support.certificates import ClientAuthority, client_pair
from support.gateway import CHAIN
from support.tls13 import Client
from support.tls13_certificates import CONTEXT, Shown, certificate, ders
from support.tls13_codec import HANDSHAKE, message

CLIENTS = ClientAuthority("clients of this file")
PAIR = CLIENTS.issue()
FILTERS = [CHAIN[0], {"use": "client_pins"}, *CHAIN[1:]]


@pytest.fixture(scope="module")
def policy_patch(tmp_path_factory):
    path = tmp_path_factory.mktemp("clients") / "clients.pem"
    path.write_bytes(CLIENTS.pem)
    return {"listen": {"tls": {"client_certificate": "required", "client_ca": str(path)}},
            "filters": FILTERS}


@pytest.fixture
def asked(gateway):
    """A client that has verified the server's flight and was asked for its certificate."""
    with Client(gateway.address) as client:
        client.start()
        client.server_hello()
        client.flight()
        assert client.asked is not None
        yield client


@pytest.fixture(autouse=True)
def still_serves(gateway):
    yield
    with Client(gateway.address) as client:
        client.start()
        client.server_hello()
        shown = Shown(client.flight(), PAIR)
        client.send_message(shown.certificate())
        client.send_message(shown.proof())
        assert client.finish().get() == 200


def test_what_is_asked_for(asked):
    schemes = codec.numbers_in(asked.asked[codec.SIGNATURE_ALGORITHMS])
    assert set(schemes) == {0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0807}
    assert not {0x0201, 0x0203} & set(
        codec.numbers_in(asked.asked[codec.SIGNATURE_ALGORITHMS_CERT]))
    assert b"clients of this file" in asked.asked[codec.AUTHORITIES]


@pytest.mark.parametrize("every", [1, 2, 5, 64, 700])
@pytest.mark.parametrize("joined", [False, True], ids=["apart", "joined"])
def test_messages_lie_in_records_as_they_like(asked, every, joined):
    shown = Shown(asked, PAIR)
    messages = [shown.certificate(), shown.proof(), asked.finished()]
    for each in [b"".join(messages)] if joined else messages:
        asked.send_message(each, every)
    asked.opened(messages[-1])
    assert asked.get() == 200
    ticket = asked.await_ticket()
    assert ticket.lifetime <= 3600


def test_no_certificate(asked):
    asked.transcript += (empty := certificate())
    asked.send_message(empty)
    assert asked.refusal() == "certificate_required"


def sent(client, proof, chain=None, pair=PAIR):
    """The client's flight with another proof, or another chain."""
    shown = Shown(client, pair, chain)
    first = shown.certificate()
    client.send_message(first + proof(shown) + client.finished())
    return client.refusal()


@pytest.mark.parametrize("proof", {
    "a server's context": lambda shown: shown.proof(context=CONTEXT.replace(b"client", b"server")),
    "no context": lambda shown: shown.proof(context=b""),
    "up to the server's Finished": lambda shown: shown.proof(
        transcript=shown.client.transcript[:-len(certificate(*shown.chain))]),
    "nothing": lambda shown: shown.proof(transcript=b""),
}.values(), ids=["a server's context", "no context", "without the certificate", "nothing"])
def test_a_signature_over_something_else(asked, proof):
    assert sent(asked, proof) == "decrypt_error"


@pytest.mark.parametrize("key, scheme", [
    (lambda: rsa.generate_private_key(65537, 2048), 0x0401),
    (lambda: rsa.generate_private_key(65537, 2048), 0x0201),
    (lambda: ec.generate_private_key(ec.SECP256R1()), 0x0203),
    (lambda: ec.generate_private_key(ec.SECP384R1()), 0x0403),
    (lambda: ec.generate_private_key(ec.SECP256R1()), 0x0503),
], ids=["PKCS1 v1.5", "PKCS1 v1.5 with SHA-1", "ECDSA with SHA-1", "P-384 with SHA-256",
        "P-256 with SHA-384"])
def test_a_scheme_that_is_not_for_this_key(asked, key, scheme):
    """Each signature is right by its scheme."""
    pair = CLIENTS.issue(key())
    assert sent(asked, lambda shown: shown.proof(scheme), pair=pair) == "illegal_parameter"


@pytest.mark.parametrize("key", [
    lambda: rsa.generate_private_key(65537, 1024), lambda: ec.generate_private_key(ec.SECP256K1()),
], ids=["RSA 1024", "secp256k1"])
def test_a_key_that_is_not_taken(asked, key):
    pair = CLIENTS.issue(key())
    assert sent(asked, lambda shown: shown.proof(), pair=pair) == "unsupported_certificate"


@pytest.mark.parametrize("chain, alert", [
    ([b"\x30\x03\x01\x01\xff"], "bad_certificate"), ([b"\0"], "bad_certificate"),
    ([ders(PAIR.certificate)[0] + b"\0"], "bad_certificate"),
    ([ders(PAIR.certificate)[0], b"garbage"], "bad_certificate"),
    ([ders(client_pair().certificate)[0]], "decrypt_error"),
    ([ders(PAIR.certificate)[0]] * 11, "bad_certificate"),
    ([ders(PAIR.certificate)[0], bytes(16384)], "illegal_parameter"),
], ids=["garbage", "a byte", "a byte more", "garbage behind it", "another's", "eleven", "16 KiB"])
def test_a_chain_that_is_none(asked, chain, alert):
    assert sent(asked, lambda shown: shown.proof(), chain) == alert


def test_what_is_behind_the_leaf_and_of_no_use(gateway, asked):
    """A chain may hold what nobody needs (section 4.4.2)."""
    shown = Shown(asked, PAIR, ders(PAIR.certificate + CLIENTS.pem + client_pair().certificate))
    asked.send_message(shown.certificate())
    asked.send_message(shown.proof())
    assert asked.finish().get() == 200


@pytest.mark.parametrize("order", ["F", "PCF", "CF", "CCPF", "CPPF", "PF"])
@pytest.mark.parametrize("joined", [False, True], ids=["apart", "joined"])
def test_out_of_order(asked, order, joined):
    shown = Shown(asked, PAIR)
    makers = {"C": shown.certificate, "P": shown.proof, "F": asked.finished}
    messages = [makers[each]() for each in order]
    for each in [b"".join(messages)] if joined else messages:
        try:
            asked.send_message(each)
        except ConnectionError:
            break
    assert asked.refusal() == "unexpected_message"


def test_a_certificate_that_nobody_asked_for_anymore(asked):
    """Nor is there authentication after the handshake."""
    shown = Shown(asked, PAIR)
    asked.send_message(shown.certificate() + shown.proof())
    asked.finish()
    assert asked.get() == 200
    asked.send(HANDSHAKE, message(codec.CERTIFICATE, b"\0\0\0\0"))
    assert asked.refusal() == "unexpected_message"


@pytest.mark.parametrize("stage", range(3))
def test_leaving_in_the_middle(asked, stage):
    shown = Shown(asked, PAIR)
    messages = shown.certificate() + shown.proof() + asked.finished()
    asked.send_message(messages[:(1, 300, len(messages) - 1)[stage]])
    asked.socket.close()
