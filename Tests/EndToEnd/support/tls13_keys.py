# SPDX-License-Identifier: Apache-2.0
"""The arithmetic of TLS 1.3 (RFC 8446 sections 4.4, 5.2 and 7), over `cryptography`."""

import hashlib
import hmac
import struct
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .tls13_codec import (AES_128, AES_256, APPLICATION, CHACHA20, ECDSA_P256, ECDSA_P384, P256,
                          P384, RSA_PSS_SHA256, RSA_PSS_SHA384, X25519, record, vector)

# What a record's content, with its type and padding, and what its ciphertext may be long.
PLAIN_MAX, CIPHER_MAX = 2**14, 2**14 + 256


@dataclass(frozen=True)
class Suite:
    """A cipher suite: its hash, and its AEAD."""

    number: int
    name: str
    hash: str
    key_length: int
    aead: type

    @property
    def hash_length(self):
        return hashlib.new(self.hash).digest_size

    def digest(self, data):
        return hashlib.new(self.hash, data).digest()

    def hmac(self, key, data):
        return hmac.new(key, data, self.hash).digest()

    def expand(self, secret, label, context=b"", length=None):
        """HKDF-Expand-Label (section 7.1)."""
        length = self.hash_length if length is None else length
        info = (struct.pack("!H", length) + vector(1, b"tls13 " + label.encode())
                + vector(1, context))
        digest = {"sha256": hashes.SHA256, "sha384": hashes.SHA384}[self.hash]()
        return HKDFExpand(digest, length, info).derive(secret)

    def derive(self, secret, label, transcript=b""):
        """Derive-Secret (section 7.1)."""
        return self.expand(secret, label, self.digest(transcript))


SUITES = {suite.number: suite for suite in (
    Suite(AES_128, "TLS_AES_128_GCM_SHA256", "sha256", 16, AESGCM),
    Suite(AES_256, "TLS_AES_256_GCM_SHA384", "sha384", 32, AESGCM),
    Suite(CHACHA20, "TLS_CHACHA20_POLY1305_SHA256", "sha256", 32, ChaCha20Poly1305))}


class Schedule:
    """The secrets of one handshake, from the early secret to the resumption secret."""

    def __init__(self, suite, psk=None):
        self.suite = suite
        self.nothing = bytes(suite.hash_length)
        self.early = suite.hmac(self.nothing, psk or self.nothing)
        self.handshake = self.main = None

    def binder(self, truncated, external=False):
        key = self.suite.derive(self.early, "ext binder" if external else "res binder")
        return self.finished(key, truncated)

    def finished(self, secret, transcript):
        """What a Finished, or a binder, must hold (section 4.4.4)."""
        key = self.suite.expand(secret, "finished")
        return self.suite.hmac(key, self.suite.digest(transcript))

    def agree(self, shared):
        """Goes on to the handshake secret and the main one, with what the key shares gave."""
        salt = self.suite.derive(self.early, "derived")
        self.handshake = self.suite.hmac(salt, shared)
        salt = self.suite.derive(self.handshake, "derived")
        self.main = self.suite.hmac(salt, self.nothing)


class Forged(Exception):
    """A record that its keys do not open."""


class Keys:
    """The traffic keys of one direction, and the number of its next record."""

    def __init__(self, suite, secret):
        self.suite, self.secret = suite, secret
        self.aead = suite.aead(suite.expand(secret, "key", length=suite.key_length))
        self.iv = suite.expand(secret, "iv", length=12)
        self.sequence = 0

    def next(self):
        """The keys after a KeyUpdate (section 7.2)."""
        return Keys(self.suite, self.suite.expand(self.secret, "traffic upd"))

    def _nonce(self):
        number = self.sequence.to_bytes(12, "big")
        self.sequence += 1
        return bytes(a ^ b for a, b in zip(self.iv, number))

    def seal(self, kind, content, pad=0, outer=APPLICATION, version=0x0303):
        """A record, whatever its type says and however long it gets."""
        inner = content + (b"" if kind is None else bytes([kind])) + bytes(pad)
        header = record(outer, bytes(len(inner) + 16), version)[:5]
        return header + self.aead.encrypt(self._nonce(), inner, header)

    def open(self, header, fragment):
        """The type and content of a record; all its sizes are held against section 5."""
        assert len(fragment) <= CIPHER_MAX, "a record longer than any may be"
        try:
            inner = self.aead.decrypt(self._nonce(), fragment, header)
        except InvalidTag as fault:
            raise Forged from fault
        assert len(inner) <= PLAIN_MAX + 1, "an inner plaintext longer than any may be"
        stripped = inner.rstrip(b"\x00")
        assert stripped, "a record of padding alone"
        return stripped[-1], stripped[:-1]


class X25519Key:
    def __init__(self):
        self._private = x25519.X25519PrivateKey.generate()
        self.public = self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def exchange(self, peer):
        assert len(peer) == 32, "an X25519 share of another length"
        return self._private.exchange(x25519.X25519PublicKey.from_public_bytes(peer))


class CurveKey:
    def __init__(self, curve):
        self._curve = curve
        self._private = ec.generate_private_key(curve)
        self.public = self.form(PublicFormat.UncompressedPoint)

    def form(self, form):
        return self._private.public_key().public_bytes(Encoding.X962, form)

    def exchange(self, peer):
        assert len(peer) == len(self.public) and peer[0] == 4, "not an uncompressed point"
        point = ec.EllipticCurvePublicKey.from_encoded_point(self._curve, peer)
        return self._private.exchange(ec.ECDH(), point)


KEY_TYPES = {X25519: X25519Key, P256: lambda: CurveKey(ec.SECP256R1()),
             P384: lambda: CurveKey(ec.SECP384R1())}


def verify(scheme, key, signature, transcript_hash):
    """Checks a server's CertificateVerify (section 4.4.3), and that the scheme is for this key."""
    signed = b" " * 64 + b"TLS 1.3, server CertificateVerify\x00" + transcript_hash
    digest = {ECDSA_P256: hashes.SHA256, ECDSA_P384: hashes.SHA384, RSA_PSS_SHA256: hashes.SHA256,
              RSA_PSS_SHA384: hashes.SHA384, 0x0806: hashes.SHA512}[scheme]()
    if scheme in (ECDSA_P256, ECDSA_P384):
        curve = {ECDSA_P256: ec.SECP256R1, ECDSA_P384: ec.SECP384R1}[scheme]
        assert isinstance(key.curve, curve), "a scheme for another curve"
        key.verify(signature, signed, ec.ECDSA(digest))
    else:
        pss = padding.PSS(padding.MGF1(digest), digest.digest_size)
        key.verify(signature, signed, pss, digest)
