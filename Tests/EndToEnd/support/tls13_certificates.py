# SPDX-License-Identifier: Apache-2.0
"""What a client that was asked for its certificate says (RFC 8446 section 4.4), rightly or not."""

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from . import tls13_codec as codec
from .tls13_codec import message, vector

CONTEXT = b"TLS 1.3, client CertificateVerify"
SCHEMES = {"secp256r1": 0x0403, "secp384r1": 0x0503, "secp521r1": 0x0603}
HASHES = {0x0403: hashes.SHA256, 0x0503: hashes.SHA384, 0x0603: hashes.SHA512,
          0x0804: hashes.SHA256, 0x0805: hashes.SHA384, 0x0806: hashes.SHA512,
          0x0401: hashes.SHA256, 0x0201: hashes.SHA1, 0x0203: hashes.SHA1}
PKCS1 = (0x0401, 0x0201)


def scheme_of(key):
    """The one that an ordinary client takes for this key."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return 0x0807
    return 0x0804 if isinstance(key, rsa.RSAPrivateKey) else SCHEMES.get(key.curve.name, 0x0403)


def sign(key, scheme, text):
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(text)
    digest = HASHES[scheme]()
    if not isinstance(key, rsa.RSAPrivateKey):
        return key.sign(text, ec.ECDSA(digest))
    if scheme in PKCS1:
        return key.sign(text, padding.PKCS1v15(), digest)
    return key.sign(text, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)


def ders(pem):
    """The certificates of a chain as PEM."""
    return [certificate.public_bytes(serialization.Encoding.DER)
            for certificate in x509.load_pem_x509_certificates(pem)]


def certificate(*chain, context=b"", extensions=b""):
    """A Certificate message with these, as DER."""
    entries = b"".join(vector(3, der) + vector(2, extensions) for der in chain)
    return message(codec.CERTIFICATE, vector(1, context) + vector(3, entries))


class Shown:
    """A client that is past the server's flight, and the messages it shows its certificate with."""

    def __init__(self, client, pair, chain=None):
        self.client = client
        self.key = serialization.load_pem_private_key(pair.key, None)
        self.chain = ders(pair.certificate) if chain is None else chain

    def certificate(self, **options):
        """Its Certificate message, noted in the transcript."""
        self.client.transcript += (raw := certificate(*self.chain, **options))
        return raw

    def proof(self, scheme=None, context=CONTEXT, transcript=None):
        """Its CertificateVerify, noted in the transcript."""
        scheme = scheme or scheme_of(self.key)
        digest = self.client.schedule.suite.digest(
            self.client.transcript if transcript is None else transcript)
        signature = sign(self.key, scheme, b" " * 64 + context + b"\0" + digest)
        self.client.transcript += (raw := message(
            codec.CERTIFICATE_VERIFY, codec.numbers([scheme]) + vector(2, signature)))
        return raw
