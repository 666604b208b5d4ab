# SPDX-License-Identifier: Apache-2.0
"""What every TLS 1.3 client may do in a handshake, and gets served for (RFC 8446).

The client is `support/tls13.py`, which verifies all that the gateway sends in each of these.
"""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from support import tls13_codec as codec
from support.certificates import Pair
from support.gateway import Gateway, MANY_CLIENTS
from support.tls13 import Client
from support.tls13_codec import (AES_128, AES_256, ALPN, CHACHA20, CHANGE_CIPHER_SPEC, GREASE,
                                 GROUPS, HANDSHAKE, KEY_SHARE, P256, P384, PSK_MODES,
                                 SIGNATURE_ALGORITHMS, VERSIONS, X25519)
from support.tls13_hello import client_hello

SUITES = {"aes-128": AES_128, "aes-256": AES_256, "chacha20": CHACHA20}
CURVES = {"x25519": X25519, "p-256": P256, "p-384": P384}
SCHEMES = {"ecdsa": {codec.ECDSA_P256}, "p384": {codec.ECDSA_P384},
           "rsa": {codec.RSA_PSS_SHA256, codec.RSA_PSS_SHA384, 0x0806}}
by_suite = pytest.mark.parametrize("suite", SUITES.values(), ids=SUITES)
by_curve = pytest.mark.parametrize("curve", CURVES.values(), ids=CURVES)
by_kind = pytest.mark.parametrize("kind", SCHEMES)


@pytest.fixture(scope="module")
def policy_patch():
    return MANY_CLIENTS


@pytest.fixture(scope="module")
def by_certificate(tmp_path_factory, authority, module_recorder):
    """A gateway for each kind of certificate."""
    made = {kind: Gateway(tmp_path_factory.mktemp(kind), authority, getattr(authority, kind))
            .from_policy(module_recorder.url).start() for kind in SCHEMES}
    yield made
    assert {gateway.stop() for gateway in made.values()} == {0}


def chain_of(pair):
    return [certificate.public_bytes(Encoding.DER)
            for certificate in x509.load_pem_x509_certificates(pair.certificate)]


@by_kind
@by_curve
@by_suite
def test_every_suite_with_every_group_and_certificate(by_certificate, authority, suite, curve,
                                                      kind):
    with Client(by_certificate[kind].address) as client:
        client.connect(client_hello(groups=(curve,), shares=(curve,), suites=(suite,)))
        assert client.get() == 200
    assert (client.schedule.suite.number, client.group) == (suite, curve)
    assert client.scheme in SCHEMES[kind]
    assert client.chain == chain_of(getattr(authority, kind))
    assert (client.protocol, client.retry, client.resumed) == (b"http/1.1", None, False)


@pytest.mark.parametrize("scheme", sorted(SCHEMES["rsa"]), ids=hex)
def test_an_rsa_key_signs_by_the_one_scheme_offered(by_certificate, scheme):
    with Client(by_certificate["rsa"].address) as client:
        client.connect(client_hello(signatures=(0x0401, scheme)))
        assert (client.scheme, client.get()) == (scheme, 200)


def test_the_whole_chain_is_sent_in_its_order(start, authority):
    pair = Pair(authority.ecdsa.certificate + authority.path.read_bytes(), authority.ecdsa.key)
    with Client(start(pair=pair).address) as client:
        assert client.connect().chain == chain_of(pair)
        assert len(client.chain) == 2


@pytest.mark.parametrize("suites", [(AES_128, AES_256, CHACHA20), (CHACHA20, AES_256, AES_128),
                                    (AES_256, CHACHA20, AES_128)])
def test_the_choice_of_a_suite_is_stable(served, suites):
    chosen = {served(client_hello(suites=suites)).schedule.suite.number for _ in range(3)}
    assert len(chosen) == 1


@pytest.mark.parametrize("shares", [(X25519, P256), (P256, X25519), (P384, P256, X25519)])
def test_one_of_several_shares_is_taken_without_a_retry(served, shares):
    client = served(client_hello(shares=shares))
    assert client.retry is None
    assert client.group in shares


@by_curve
@pytest.mark.parametrize("unknown", [(), (GREASE[3],), (0x11EC, 0x0100)],
                         ids=["no shares", "grease", "unknown groups"])
def test_no_share_of_use_means_one_retry_with_the_right_group(served, curve, unknown):
    hello = client_hello(groups=(*unknown, curve), shares=())
    hello = hello.having(KEY_SHARE, codec.key_shares([(group, b"any") for group in unknown]))
    client = served(hello)
    assert client.retry.number_of(KEY_SHARE) == client.group == curve


@by_suite
@by_curve
def test_a_retry_with_every_suite(served, suite, curve):
    """The transcript goes on from a hash of the first hello, by the suite's own hash."""
    client = served(client_hello(groups=(curve,), shares=(), suites=(suite,)))
    assert client.retry.suite.number == client.schedule.suite.number == suite


def test_a_client_that_prefers_an_unknown_group_is_not_asked_for_it(served):
    client = served(client_hello(groups=(0x11EC, X25519, P256), shares=(X25519,)))
    assert client.group == X25519


def test_grease_everywhere_changes_nothing(served):
    """RFC 8701: in suites, groups, schemes, versions, shares, protocols, modes, extensions."""
    plain = client_hello()
    share = plain.keys[X25519].public
    hello = plain.but(
        suites=(*GREASE[:4], AES_128, GREASE[5]),
        extensions=[(GREASE[0], b""), *plain.extensions, (GREASE[15], b"\x00")])
    for kind, body in (
            (GROUPS, codec.number_list((GREASE[1], X25519, *GREASE[2:5]))),
            (SIGNATURE_ALGORITHMS, codec.number_list((*GREASE, *codec.SIGNATURES))),
            (VERSIONS, codec.versions((GREASE[6], 0x0304, GREASE[7]))),
            (KEY_SHARE, codec.key_shares([(GREASE[1], b"\x00"), (X25519, share)])),
            (ALPN, codec.alpn((b"\x0a\x0a", b"http/1.1", b"\xfa\xfa"))),
            (PSK_MODES, codec.psk_modes(*codec.GREASE_MODES, codec.PSK_DHE_KE))):
        hello = hello.having(kind, body)
    client = served(hello)
    assert (client.group, client.protocol) == (X25519, b"http/1.1")


def test_extensions_that_servers_know_from_elsewhere(served):
    """What browsers and libraries send besides; the answer may hold none that is unasked for."""
    hello = client_hello()
    encrypted_hello = (b"\x00\x00\x01\x00\x01\x2a" + codec.vector(2, bytes(32))
                       + codec.vector(2, bytes(144)))  # as browsers make one up
    for kind, body in (
            (codec.POINT_FORMATS, b"\x01\x00"), (codec.SESSION_TICKET, b""),
            (22, b""), (23, b""), (codec.RENEGOTIATION_INFO, b"\x00"),
            (codec.STATUS_REQUEST, b"\x01\x00\x00\x00\x00"), (codec.TIMESTAMPS, b""),
            (codec.POST_HANDSHAKE_AUTH, b""), (codec.RECORD_SIZE_LIMIT, b"\x40\x01"),
            (codec.SIGNATURE_ALGORITHMS_CERT, codec.number_list(codec.SIGNATURES)),
            (codec.AUTHORITIES, b"\x00\x04\x00\x02\x30\x00"), (0x44CD, b"\x00\x03\x02h2"),
            (0xFE0D, encrypted_hello)):
        hello = hello.having(kind, body)
    served(hello)


def test_a_thousand_unknown_extensions(served):
    hello = client_hello()
    served(hello.but(extensions=[*hello.extensions, *((0x7000 + n, b"?") for n in range(1000))]))


@pytest.mark.parametrize("name", [
    "claw.example.com", "a", "unknown.example", ".".join(["x" * 63] * 3 + ["y" * 61]), None],
    ids=["own", "one letter", "unknown", "253 bytes", "none"])
def test_any_server_name_is_served(served, name):
    """One gateway, one certificate: a name it does not know is logged, not refused."""
    served(client_hello(name=name))


@pytest.mark.parametrize("versions", [(0x0304, 0x0303, 0x0302), (0x0303, 0x0304), (0x7F1C, 0x0304)])
def test_older_versions_beside_1_3_do_no_harm(served, versions):
    served(client_hello().having(VERSIONS, codec.versions(versions)))


@pytest.mark.parametrize("count", [2, 3000])
def test_older_suites_beside_those_of_1_3_do_no_harm(served, count):
    """Twice TLS_AES_128_GCM_SHA256 at the end of many that no one has."""
    served(client_hello(suites=(*range(0xC000, 0xC000 + count), AES_128)))


def test_the_order_of_extensions_is_free(served):
    hello = client_hello()
    served(hello.but(extensions=hello.extensions[::-1]))


@pytest.mark.parametrize("protocols", [(b"http/1.1",), (b"h2", b"http/1.1"), (b"x" * 255, b"h2",
                                                                            b"http/1.1")])
def test_http_1_1_is_found_among_other_protocols(served, protocols):
    assert served(client_hello(protocols=protocols)).protocol == b"http/1.1"


def test_no_protocols_are_served_and_answered_by_none(served):
    assert served(client_hello(protocols=())).protocol is None


@pytest.mark.parametrize("session_id", [b"", b"s", bytes(32)], ids=len)
def test_the_session_id_is_echoed_and_brings_one_ccs(served, session_id):
    """Section D.4: a client that sends one wants the look of TLS 1.2, CCS included. One that
    sends none has to bear it as well."""
    client = served(client_hello(session_id=session_id))
    count = client.seen.count((CHANGE_CIPHER_SPEC, b"\x01"))
    assert count == 1 or (count == 0 and not session_id)


def test_a_retry_brings_one_ccs_too(served):
    client = served(client_hello(shares=()))
    assert [kind for kind, _ in client.seen[:3]] == [HANDSHAKE, CHANGE_CIPHER_SPEC, HANDSHAKE]
    assert [kind for kind, _ in client.seen].count(CHANGE_CIPHER_SPEC) == 1


@pytest.mark.parametrize("length", [512, 4096, 16384])
@pytest.mark.parametrize("every", [16384, 100])
def test_a_large_hello(served, length, every):
    served(client_hello().padded(length), every=every)


@pytest.mark.parametrize("length", [16389, 20000, 65535])
def test_a_hello_beyond_the_limit(refused, length):
    """What a stranger may have remembered ends at 16 KiB, as in BoringSSL."""
    refused(client_hello().padded(length), "illegal_parameter")


def test_a_large_hello_of_one_byte_a_record(served):
    served(client_hello().padded(16384), every=1)


def test_two_large_hellos_around_a_retry(served):
    served(client_hello(shares=()).padded(16000), every=1000)


@pytest.mark.parametrize("version", [0x0301, 0x0303, 0x0302, 0x0300])
def test_the_version_of_the_first_record_is_ignored(gateway, version):
    with Client(gateway.address) as client:
        client.say_hello(client_hello())
        client.send_message(client.hello.encode(), version=version)
        client.server_hello()
        assert client.flight().finish().get() == 200


def test_each_connection_has_its_own_random_and_share(gateway):
    answers = set()
    for _ in range(4):
        with Client(gateway.address) as client:
            client.start()
            client.server_hello()
            answers.add(client.seen[0][1][6:38])
            answers.add(client.seen[0][1][-32:])
    assert len(answers) == 8
