# SPDX-License-Identifier: Apache-2.0
"""Access tokens, as libraries of others sign them, and as an attacker puts them together."""

import base64
import json
import warnings

import joserfc.jwk
import joserfc.jwt
import jwcrypto.jwk
import jwcrypto.jwt
import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

ALGORITHMS = {
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "RS256": lambda: rsa.generate_private_key(65537, 2048),
    "PS256": lambda: rsa.generate_private_key(65537, 2048),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
}


class Key:
    """A key that signs tokens, and how its issuer publishes it."""

    def __init__(self, algorithm="ES256", kid=None):
        self.algorithm = algorithm
        self.private = ALGORITHMS[algorithm]()
        pem = self.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption())
        self.jwk = jwcrypto.jwk.JWK.from_pem(pem)
        self.kid = kid or self.jwk.thumbprint()

    @property
    def public(self):
        return {**json.loads(self.jwk.export_public()), "kid": self.kid, "use": "sig",
                "alg": self.algorithm}

    def encoded(self, encoding):
        """The public key as `PEM` or `DER`."""
        return self.private.public_key().public_bytes(
            getattr(serialization.Encoding, encoding), serialization.PublicFormat.SubjectPublicKeyInfo)

    def sign(self, data):
        """The signature of these bytes, in the form that JWS has."""
        algorithm = jwt.get_algorithm_by_name(self.algorithm)
        return algorithm.sign(data, algorithm.prepare_key(self.private))


# Three libraries.

def by_pyjwt(key, header, claims):
    return jwt.encode(claims, key.private, header["alg"], headers=header)


def by_joserfc(key, header, claims):
    with warnings.catch_warnings():
        # RFC 9864 has another name for EdDSA; issuers go on to say this one.
        warnings.simplefilter("ignore", joserfc.errors.SecurityWarning)
        private = joserfc.jwk.import_key(json.loads(key.jwk.export_private()))
        return joserfc.jwt.encode(header, claims, private, algorithms=[header["alg"]])


def by_jwcrypto(key, header, claims):
    token = jwcrypto.jwt.JWT(header=header, claims=claims)
    token.make_signed_token(key.jwk)
    return token.serialize()


LIBRARIES = {"PyJWT": by_pyjwt, "joserfc": by_joserfc, "jwcrypto": by_jwcrypto}


# By hand, for what no library would sign.

def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def text(value):
    """The bytes of a part: JSON of an object, or the bytes themselves."""
    return value if isinstance(value, bytes) else json.dumps(value).encode()


def forged(header, claims, sign):
    """A token of these two parts; `sign` makes the signature of their base64url."""
    signed = f"{base64url(text(header))}.{base64url(text(claims))}"
    return f"{signed}.{base64url(sign(signed.encode()))}"
