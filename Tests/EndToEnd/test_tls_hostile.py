# SPDX-License-Identifier: Apache-2.0
"""Hellos that no honest client sends: each is refused at once, by the alert RFC 8446 asks for.

Where the RFC leaves a choice of alerts, or whether to check at all, so does the test.
"""

import pytest

from support import tls13_codec as codec
from support.gateway import MANY_CLIENTS
from support.tls13 import Client
from support.tls13_codec import (ALPN, GREASE, GROUPS, HANDSHAKE, KEY_SHARE, P256, P384,
                                 PRE_SHARED_KEY, PSK_MODES, SERVER_NAME, SIGNATURE_ALGORITHMS,
                                 SIGNATURE_ALGORITHMS_CERT, VERSIONS, X25519, alpn, key_shares,
                                 message, number_list, server_name, vector, versions)
from support.tls13_hello import client_hello
from support.tls13_keys import PublicFormat

pytestmark = pytest.mark.usefixtures("still_serves")
HELLO = client_hello()
SHARE = HELLO.keys[X25519].public
OLD = HELLO.but(suites=(0xC02B, 0xC02F, 0xCCA9))


@pytest.fixture(scope="module")
def policy_patch():
    return MANY_CLIENTS


def with_share(group, key):
    """A hello whose only share is this."""
    return client_hello(groups=(group,)).having(KEY_SHARE, key_shares([(group, key)]))


def outcome_of(gateway, hello, encoded=None):
    """The alert a hello gets, or `served`, where refusing it is the server's choice."""
    with Client(gateway.address) as client:
        client.say_hello(hello, encoded).send_message(encoded or hello.encode())
        return client.outcome()


NOTHING_IN_COMMON = ("handshake_failure", "insufficient_security")  # section 4.1.1


@pytest.mark.parametrize("hello", [
    HELLO.but(suites=(0x1304, 0x1305)), HELLO.but(suites=(0xC02B, 0xC02F)),
    HELLO.but(suites=GREASE), client_hello(groups=(0x0100, 0x11EC), shares=()),
    client_hello(groups=GREASE[:2], shares=()).having(KEY_SHARE, key_shares([(GREASE[0], b"x")])),
    client_hello(signatures=(0x0804, 0x0809)), client_hello(signatures=(0x0403 - 0x0200,)),
    client_hello(signatures=GREASE)],
    ids=["ccm suites", "suites of 1.2", "grease suites", "groups", "grease groups",
         "rsa schemes for an ecdsa key", "sha-1", "grease schemes"])
def test_nothing_in_common(refused, hello):
    refused(hello, *NOTHING_IN_COMMON)


@pytest.mark.parametrize("hello", [
    HELLO.lacking(VERSIONS), OLD.lacking(VERSIONS), OLD.lacking(VERSIONS, KEY_SHARE, PSK_MODES),
    OLD.but(extensions=[]), HELLO.having(VERSIONS, versions([0x0303])),
    HELLO.having(VERSIONS, versions([0x0303, 0x0302, 0x0301])),
    HELLO.having(VERSIONS, versions(GREASE)), HELLO.having(VERSIONS, versions([0x7F1C, 0x0305])),
    OLD.lacking(VERSIONS).but(version=0x0301)],
    ids=["1.3 without versions", "1.2 suites without versions", "tls 1.2", "no extensions", "1.2",
         "1.2 and older", "grease", "draft 28 and 1.4", "tls 1.0"])
def test_other_versions(refused, hello):
    refused(hello, "protocol_version")


@pytest.mark.parametrize("missing", [
    (KEY_SHARE,), (GROUPS,), (SIGNATURE_ALGORITHMS,), (KEY_SHARE, GROUPS),
    (KEY_SHARE, GROUPS, SIGNATURE_ALGORITHMS)], ids=str)
def test_a_missing_extension(refused, missing):
    """Section 9.2."""
    refused(HELLO.lacking(*missing), "missing_extension")


@pytest.mark.parametrize("kind", [kind for kind, _ in HELLO.extensions])
@pytest.mark.parametrize("behind", [True, False], ids=["at the end", "side by side"])
def test_an_extension_twice(refused, kind, behind):
    body = HELLO.get(kind)
    twice = [*HELLO.extensions, (kind, body)] if behind else \
        [e for e in HELLO.extensions for _ in range(2 if e[0] == kind else 1)]
    refused(HELLO.but(extensions=twice), "illegal_parameter")


@pytest.mark.parametrize("compressions, alerts", [
    (b"\x01\x00", {"illegal_parameter"}), (b"\x00\x01", {"illegal_parameter"}),
    (b"\x01", {"illegal_parameter", "decode_error"}), (b"\x00" * 2, {"illegal_parameter"}),
    (bytes(range(255)), {"illegal_parameter"}), (b"", {"decode_error", "illegal_parameter"})],
    ids=["deflate first", "deflate too", "deflate alone", "null twice", "all", "none"])
def test_compression(refused, compressions, alerts):
    """Section 4.1.2 asks for illegal_parameter; OpenSSL finds no null method undecodable."""
    refused(HELLO.but(compressions=compressions), *alerts)


@pytest.mark.parametrize("length", [33, 64, 255])
def test_a_session_id_that_is_too_long(refused, length):
    refused(HELLO.but(session_id=bytes(length)), "decode_error")


def test_the_version_of_ssl_3(refused):
    """Section D.5. SSL 3 itself has no such alert: OpenSSL says it in that version's words."""
    refused(HELLO.but(version=0x0300), "protocol_version", "handshake_failure")


@pytest.mark.parametrize("version", [0x0301, 0x0302, 0x0304, 0x03FF])
def test_the_old_version_field_decides_nothing(served, version):
    """Section 4.2.1: where supported_versions stands, it alone counts."""
    served(HELLO.but(version=version))


# Key shares.

POINT = client_hello(shares=(P256,)).keys[P256]
SMALL_ORDER = [bytes(32), b"\x01" + bytes(31), b"\xec" + b"\xff" * 30 + b"\x7f",
               b"\xed" + b"\xff" * 30 + b"\x7f", b"\xee" + b"\xff" * 30 + b"\x7f", bytes.fromhex(
                   "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
               bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157")]


@pytest.mark.parametrize("key", SMALL_ORDER, ids=lambda key: key[:4].hex())
def test_an_x25519_share_that_leaves_no_secret(refused, key):
    """Section 7.4.2: a shared secret of zeros is an abort."""
    refused(with_share(X25519, key), "illegal_parameter")


@pytest.mark.parametrize("length", [1, 31, 33, 65])
def test_an_x25519_share_of_another_length(refused, length):
    refused(with_share(X25519, b"\x09" * length), "illegal_parameter")


@pytest.mark.parametrize("group", [P256, P384], ids=["p-256", "p-384"])
@pytest.mark.parametrize("bend", [
    lambda key: key[:-1] + bytes([key[-1] ^ 1]), lambda key: key[:-1], lambda key: key + b"\x00",
    lambda key: b"\x00", lambda key: b"\x04", lambda key: b"\x05" + key[1:],
    lambda key: bytes([6 + key[-1] % 2]) + key[1:], lambda key: key[:1] + bytes(len(key) - 1),
    lambda key: key[:1] + b"\xff" * (len(key) - 1), lambda key: key[1:],
    lambda key: b"\x00" + key[1:]],
    ids=["off the curve", "short", "long", "infinity", "form alone", "no such form", "hybrid",
         "zeros", "not reduced", "without a form", "form zero"])
def test_a_point_that_is_none(refused, group, bend):
    """Section 4.2.8.2: uncompressed, whole, and on the curve."""
    key = client_hello(shares=(group,)).keys[group].public
    refused(with_share(group, bend(key)), "illegal_parameter")


def test_a_compressed_point(refused):
    key = POINT.form(PublicFormat.CompressedPoint)
    refused(with_share(P256, key), "illegal_parameter")


def test_a_point_of_another_curve(refused):
    other = client_hello(shares=(P384,)).keys[P384].public
    refused(with_share(P256, other), "illegal_parameter")
    refused(with_share(P256, b"\x04" + other[1:65]), "illegal_parameter")


@pytest.mark.parametrize("shares", [
    [(X25519, SHARE), (X25519, SHARE)], [(P256, POINT.public), (P256, POINT.public)],
    [(GREASE[0], b"1"), (GREASE[0], b"2"), (X25519, SHARE)]], ids=["x25519", "p-256", "grease"])
def test_two_shares_of_one_group(gateway, shares):
    """Section 4.2.8: a server may refuse it. Which of the two counts is not the point."""
    hello = HELLO.having(KEY_SHARE, key_shares(shares)).but(
        keys={**HELLO.keys, P256: POINT})
    assert outcome_of(gateway, hello) in ("illegal_parameter", "served")


def test_a_share_of_a_group_that_is_not_listed(gateway):
    """Section 4.2.8 lets a server refuse it; one that does not must not take the share."""
    hello = client_hello(groups=(P256, P384))
    assert outcome_of(gateway, hello) in ("illegal_parameter", "asked again")


# Names and protocols.

@pytest.mark.parametrize("protocols", [(b"h2",), (b"http/1.0",), (b"HTTP/1.1",), (b"http/1.1 ",),
                                       (b"h2", b"h3", b"http/1.1x"), (b"http/1.",)], ids=repr)
def test_protocols_without_http_1_1(refused, protocols):
    refused(client_hello(protocols=protocols), "no_application_protocol")


@pytest.mark.parametrize("body", [alpn([]), alpn([b""]), alpn([b"http/1.1", b""])],
                         ids=["no protocol", "an empty one", "an empty one behind"])
def test_protocols_that_are_empty(refused, body):
    refused(HELLO.having(ALPN, body), "decode_error")


@pytest.mark.parametrize("body", [
    vector(2, b""), server_name(""), server_name("a\0b"), server_name("x" * 256),
    server_name("y" * 255),
    vector(2, b"\x00\x00\x01a" * 2), vector(2, b"\x01\x00\x01a"), b"\x00\x04\x00\x00\x00\x00"],
    ids=["no name", "empty", "with a NUL", "256 bytes", "255 bytes", "two", "of another type",
         "empty again"])
def test_server_names_that_are_none(gateway, body):
    """RFC 6066 section 3 names no alert for these, and a server may not look at all."""
    assert outcome_of(gateway, HELLO.having(SERVER_NAME, body)) in (
        "decode_error", "illegal_parameter", "unrecognized_name", "served")


# Lengths.

FULL = client_hello(shares=(X25519, P256)).having(SIGNATURE_ALGORITHMS_CERT, number_list(
    codec.SIGNATURES)).adding(PRE_SHARED_KEY, codec.offered_psks([(b"unknown", 0)], [bytes(32)]))
LENGTHS = codec.vectors_of(FULL.encode())


@pytest.mark.parametrize("change", [1, -1, "none", "all"])
@pytest.mark.parametrize("place", range(len(LENGTHS)),
                         ids=[f"{name} at {offset}" for name, offset, _ in LENGTHS])
def test_a_length_that_is_wrong(gateway, place, change):
    """Each vector of a hello, with a length that does not fit what is in it and around it."""
    name, offset, width = LENGTHS[place]
    data = bytearray(FULL.encode())
    right = int.from_bytes(data[offset:offset + width], "big")
    wrong = {"none": 0, "all": 256 ** width - 1}.get(change) if isinstance(change, str) \
        else right + change
    data[offset:offset + width] = wrong.to_bytes(width, "big")
    # A length that is right again by chance does not occur in this hello. OpenSSL reads no
    # versions where their list is broken, and no binders where it knows no ticket. Which
    # signatures a client takes in certificates matters to no server that has but one chain.
    allowed = {"decode_error", "illegal_parameter"}
    allowed |= {"protocol_version"} if name == f"extension {VERSIONS}: versions" else set()
    ignored = (f"extension {PRE_SHARED_KEY}: ", f"extension {SIGNATURE_ALGORITHMS_CERT}: ")
    allowed |= {"served"} if name.startswith(ignored) else set()
    assert outcome_of(gateway, FULL, bytes(data)) in allowed


@pytest.mark.parametrize("hello", [
    HELLO.having(GROUPS, number_list([])), HELLO.having(SIGNATURE_ALGORITHMS, number_list([])),
    HELLO.having(VERSIONS, versions([])), HELLO.but(suites=()), HELLO.having(PSK_MODES, b"\x00"),
    HELLO.having(GROUPS, b""), HELLO.having(SIGNATURE_ALGORITHMS, b""),
    HELLO.having(VERSIONS, b""), HELLO.having(KEY_SHARE, b""), HELLO.having(ALPN, b""),
    HELLO.having(KEY_SHARE, key_shares([(X25519, b"")]))],
    ids=["groups", "schemes", "versions", "suites", "modes", "no groups", "no schemes",
         "no versions", "no shares", "no protocols", "key"])
def test_a_vector_below_its_least_length(refused, hello):
    alerts = {"decode_error", "illegal_parameter"}
    refused(hello, *alerts, *(["protocol_version"] if len(hello.get(VERSIONS)) < 3 else []))


def test_a_hello_cut_anywhere(gateway):
    """Its message is whole, what is in it is not. Cut before its extensions it is a well-formed
    hello of TLS 1.2."""
    body = HELLO.body()
    for length in range(len(body)):
        with Client(gateway.address) as client:
            client.say_hello(HELLO)
            client.send_message(message(codec.CLIENT_HELLO, body[:length]))
            alert = client.refusal()
        assert alert in ("decode_error", "illegal_parameter", "protocol_version"), length


@pytest.mark.parametrize("tail", [b"\x00", bytes(100)], ids=len)
def test_bytes_behind_the_extensions(gateway, tail):
    with Client(gateway.address) as client:
        client.say_hello(HELLO)
        client.send_message(message(codec.CLIENT_HELLO, HELLO.body() + tail))
        assert client.refusal() == "decode_error"


@pytest.mark.parametrize("length", [2**24 - 1, 2**20, 2**18])
def test_a_hello_that_promises_megabytes(gateway, length):
    """It is refused by its length alone: nothing is kept for what may come."""
    with Client(gateway.address) as client:
        client.say_hello(HELLO)
        client.send(HANDSHAKE, b"\x01" + length.to_bytes(3, "big") + bytes(1000))
        assert client.refusal() in ("illegal_parameter", "decode_error", "record_overflow",
                                    "handshake_failure", "internal_error")
