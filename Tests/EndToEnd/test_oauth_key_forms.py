# SPDX-License-Identifier: Apache-2.0
"""Key sets as issuers write them, and keys that must not count whatever they write."""

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from support.idp import shown, verdict, wait_fetched, wait_good
from support.refusals import refused
from support.tokens import ALGORITHMS, Key, base64url, by_jwcrypto, forged
from support.wire import chunked


# As HTTP carries them.

def _chunked(issuer, exchange):
    data = json.dumps(issuer.key_set).encode()
    pieces = [data[n:n + 50] for n in range(0, len(data), 50)]
    exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                  + chunked(*pieces, trailers=[("x-checked", "yes")]))


def _to_the_end(issuer, exchange):
    exchange.send(b"HTTP/1.1 200 OK\r\n\r\n" + json.dumps(issuer.key_set).encode())
    exchange.close()


def _in_drops(issuer, exchange):
    data = json.dumps(issuer.key_set).encode()
    data = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(data) + data
    for n in range(0, len(data), 7):
        exchange.send(data[n:n + 7])


def _after_another(issuer, exchange):
    exchange.send(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
    issuer.publish(exchange)


def _with_headers(issuer, exchange):
    exchange.reply(json.dumps(issuer.key_set, indent=4).encode(), headers=[
        ("Content-Type", "text/plain"), ("Cache-Control", "no-store"), ("Set-Cookie", "a=b"),
        ("Content-Security-Policy", "x" * 2000)])


@pytest.mark.parametrize("how", [_chunked, _to_the_end, _in_drops, _after_another, _with_headers],
                         ids=lambda how: how.__name__[1:])
@pytest.mark.parametrize("plain", [False, True], ids=["over TLS", "in plaintext"])
def test_carried(behind, issuers, how, plain):
    issuer = issuers(plain=plain)
    issuer.answer = lambda exchange: how(issuer, exchange)
    wait_good(behind(issuer), issuer)


# As issuers write them.

LESS = {"no alg": ["alg"], "no use": ["use"], "neither": ["alg", "use"],
        "no kid": ["kid"], "no more than it must be": ["alg", "use", "kid"]}


@pytest.mark.parametrize("less", LESS.values(), ids=LESS)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_keys_that_say_less(behind, issuers, less, algorithm):
    """RFC 7517: all but the type and the numbers is optional. A token needs no kid either where
    there is but one key."""
    issuer = issuers(keys=[Key(algorithm)])
    key = issuer.key.public
    key = {name: value for name, value in key.items() if name not in less}
    issuer.answer = lambda exchange: exchange.reply(json.dumps({"keys": [key]}).encode())
    header = {"kid": None} if "kid" in less else {}
    gateway = behind(issuer)
    wait_fetched(gateway, issuer)
    expected = {(200, None)}
    if algorithm == "PS256" and "alg" in less:
        # RFC 8725 section 3.1 wants a key to be of one algorithm. This one may be taken to be of
        # RS256, which most are that do not say.
        expected.add((401, "credentials_invalid"))
    assert verdict(gateway, issuer, header=header) in expected


def test_keys_that_say_more(behind, issuers):
    """As Entra, Google and Keycloak have it: certificates, operations, members of their own, and
    keys for encryption beside those for signatures."""
    issuer = issuers(keys=[Key("RS256")])
    first = {**issuer.key.public, "x5t": "abc", "x5c": ["TUlJ"], "x5t#S256": "def",
             "key_ops": ["verify"], "issuer": "https://idp.example", "nbf": 1, "cloud": {"a": [1]}}
    encrypting = {**Key("RS256").public, "use": "enc", "alg": "RSA-OAEP"}
    issuer.answer = lambda exchange: exchange.reply(
        json.dumps({"issued": 1, "keys": [encrypting, first], "more": None}).encode())
    wait_good(behind(issuer), issuer)


def test_as_many_as_an_issuer_has(behind, issuers):
    issuer = issuers(keys=[Key() for _ in range(12)])
    gateway = behind(issuer)
    wait_fetched(gateway, issuer)
    for key in issuer.keys:
        assert verdict(gateway, issuer, key) == (200, None)


# What does not count.

@pytest.mark.parametrize("alg", ["ES256", "HS256", "EdDSA", "none"])
def test_a_key_without_alg_is_not_of_any(behind, issuers, recorder, alg):
    issuer = issuers(keys=[Key("RS256")])
    key = {name: value for name, value in issuer.key.public.items() if name != "alg"}
    issuer.answer = lambda exchange: exchange.reply(json.dumps({"keys": [key]}).encode())
    gateway = behind(issuer)
    wait_good(gateway, issuer)
    agent = gateway.agents[0]
    with recorder.untouched():
        token = forged(issuer.header(alg=alg), issuer.claims(agent.name), issuer.key.sign)
        refused(gateway, "credentials_invalid", shown(agent, token))


def test_rsa_of_1024_bits(behind, issuers, recorder):
    """RFC 7518 section 3.3: a key of 2048 bits or more must be used."""
    weak = Key("RS256", kid="weak")
    weak.private = rsa.generate_private_key(65537, 1024)
    numbers = weak.private.public_key().public_numbers()
    issuer = issuers()
    issuer.extra = [{"kty": "RSA", "kid": "weak", "alg": "RS256", "e": "AQAB",
                     "n": base64url(numbers.n.to_bytes(128))}]
    gateway = behind(issuer)
    wait_good(gateway, issuer)
    agent = gateway.agents[0]
    token = forged(issuer.header(weak), issuer.claims(agent.name),
                   lambda data: weak.private.sign(data, PKCS1v15(), SHA256()))
    with recorder.untouched():
        refused(gateway, "credentials_invalid", shown(agent, token))


def test_two_issuers_with_one_kid(behind, issuers, recorder):
    one, other = (issuers(keys=[Key(kid="1")]) for _ in range(2))
    gateway = behind(one, other)
    for number, issuer in enumerate((one, other)):
        wait_good(gateway, issuer, number=number)
    with recorder.untouched():
        assert verdict(gateway, one, other.key) == (401, "credentials_invalid")
        assert verdict(gateway, other, one.key, 1) == (401, "credentials_invalid")


def test_keys_that_are_none_among_good_ones(behind, issuers, recorder):
    """A key that cannot be used is left out, and the others of the set count."""
    issuer = issuers()
    good = issuer.key.public
    bits = json.loads(Key("RS256").jwk.export_public())
    evil = Key()
    issuer.extra = [
        {**good, "kid": "off the curve", "y": good["x"]},
        {**good, "kid": "zero", "x": "A" * 43, "y": "A" * 43},
        {**good, "kid": "short", "x": good["x"][:20]}, {**good, "kid": "no y", "y": None},
        {**good, "kid": "P-384", "crv": "P-384"}, {**good, "kid": "number", "x": 1},
        {"kty": "oct", "kid": "secret", "k": "c2VjcmV0", "alg": "HS256"},
        {"kty": "RSA", "kid": "exponent 1", "n": bits["n"], "e": "AQ"},
        {"kty": "RSA", "kid": "even", "n": bits["n"][:-1] + "A", "e": "AQAB"},
        {"kty": "RSA", "kid": "512 bits", "n": bits["n"][:86], "e": "AQAB"},
        {"kty": "OKP", "kid": "zero point", "crv": "Ed25519", "x": "A" * 43, "alg": "EdDSA"},
        {**evil.public, "kid": "for encryption", "use": "enc"},
        {**evil.public, "kid": "to sign", "key_ops": ["sign"]}, {"kty": "new", "kid": "new"},
        {}, "key", None, 1]
    gateway = behind(issuer)
    wait_good(gateway, issuer)
    agent = gateway.agents[0]
    with recorder.untouched():
        for extra in filter(lambda k: isinstance(k, dict) and "kid" in k, issuer.extra):
            token = issuer.token(agent.name, evil, by_jwcrypto, {"kid": extra["kid"]})
            refused(gateway, "credentials_invalid", shown(agent, token))
        # The identity as a public key makes R = [S]B a signature of anything: S = 0, R = identity.
        forged = issuer.token(agent.name).split(".")
        head = json.dumps({"alg": "EdDSA", "kid": "zero point"}).encode()
        for point in (b"\x01" + bytes(31), bytes(32)):
            signature = base64.urlsafe_b64encode(point + bytes(32)).decode().rstrip("=")
            token = f"{base64.urlsafe_b64encode(head).decode().rstrip('=')}.{forged[1]}.{signature}"
            refused(gateway, "credentials_invalid", shown(agent, token))
