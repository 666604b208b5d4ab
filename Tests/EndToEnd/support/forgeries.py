# SPDX-License-Identifier: Apache-2.0
"""Ways to make tokens that must not count: each a function of an issuer and a client.

The issuer's keys are of ES256, RS256, PS256 and EdDSA, in this order.
"""

import hashlib
import hmac
import json
import time

from cryptography.hazmat.primitives.asymmetric import utils

from .tokens import by_jwcrypto, forged, text

# How many points P-256 has.
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def claim(**claims):
    """A good token, these claims apart."""
    return lambda issuer, client: issuer.token(client, by=by_jwcrypto, **claims)


def later(**claims):
    """The same with times so many seconds from now."""
    return lambda issuer, client: issuer.token(
        client, **{name: int(time.time()) + value for name, value in claims.items()})


def header(_key=0, **members):
    """A header with these members, under the signature of a key of the issuer."""
    def make(issuer, client):
        key = issuer.keys[_key]
        return forged(issuer.header(key, **members), issuer.claims(client), key.sign)
    return make


def raw_claims(change):
    """Claims as bytes that no library would write."""
    return lambda issuer, client: forged(
        issuer.header(), change(text(issuer.claims(client))), issuer.key.sign)


def raw_header(change):
    return lambda issuer, client: forged(
        change(text(issuer.header())), issuer.claims(client), issuer.key.sign)


def again(name, value):
    """The claim a second time, at the end."""
    member = f', "{name}": {json.dumps(value)}}}'.encode()
    return raw_claims(lambda claims: claims[:-1] + member)


def signed_by(key, **members):
    """Signed by an attacker's key, which the header may hold or point to."""
    return lambda issuer, client: issuer.token(client, key, by_jwcrypto, members)


def mac(algorithm, number, secret):
    """A MAC, the secret being something of a public key."""
    def make(issuer, client):
        key = issuer.keys[number]
        digest = getattr(hashlib, f"sha{algorithm[2:]}")
        return forged(issuer.header(key, alg=algorithm), issuer.claims(client),
                      lambda data: hmac.digest(secret(key), data, digest))
    return make


def signature(change, number=0):
    def make(issuer, client):
        key = issuer.keys[number]
        return forged(issuer.header(key), issuer.claims(client),
                      lambda data: change(key.sign(data)))
    return make


def spelled(change):
    """A good token, its text changed."""
    return lambda issuer, client: change(issuer.token(client))


def part(number, change):
    """A good token, one of its parts changed."""
    def changed(token):
        parts = token.split(".")
        parts[number] = change(parts[number])
        return ".".join(parts)
    return spelled(changed)


def numbers(r, s):
    """A signature of ES256 that is these two numbers, whatever was signed."""
    return signature(lambda _: r.to_bytes(32) + s.to_bytes(32))


def der(raw):
    """A signature of ES256 as everything but JWS writes one."""
    return utils.encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))


def flipped(raw):
    return raw[:20] + bytes([raw[20] ^ 1]) + raw[21:]


def spare_bit(part):
    """The same bytes in another spelling: the bits that the last character has to spare."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return part[:-1] + alphabet[alphabet.index(part[-1]) | 1]
