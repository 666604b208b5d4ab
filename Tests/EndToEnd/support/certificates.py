# SPDX-License-Identifier: Apache-2.0
"""Throw-away authorities, and the certificates of servers and clients that they sign."""

import base64
import datetime
import hashlib
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime.datetime.now(datetime.timezone.utc)
DAY = datetime.timedelta(days=1)
NAMES = ("localhost", "claw.example.com", "127.0.0.1")


@dataclass(frozen=True)
class Pair:
    """A certificate chain and its key, as PEM."""

    certificate: bytes
    key: bytes

    @property
    def pin(self):
        """SHA-256 of the key's SubjectPublicKeyInfo, as a policy writes it."""
        info = x509.load_pem_x509_certificate(self.certificate).public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(hashlib.sha256(info).digest()).decode()


class Authority:
    """Signs server certificates for `localhost` and 127.0.0.1."""

    def __init__(self, directory: Path):
        self._key = ec.generate_private_key(ec.SECP256R1())
        name = _name("AgentPort test authority")
        self._certificate = (
            _builder(name, name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(sign_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()),
                           critical=False)
            .sign(self._key, hashes.SHA256()))
        self.path = directory / "authority.pem"
        self.path.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))
        self.ecdsa = self.issue(ec.generate_private_key(ec.SECP256R1()))
        self.p384 = self.issue(ec.generate_private_key(ec.SECP384R1()))
        self.rsa = self.issue(rsa.generate_private_key(65537, 2048))

    def issue(self, key=None, names=NAMES, begins=-DAY, ends=30 * DAY) -> Pair:
        """A certificate for these DNS names and addresses, from and until so long from now."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([_alternative(name) for name in names])
        certificate = (
            _builder(_name("localhost"), self._certificate.subject, key.public_key(), begins, ends)
            .add_extension(names, critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(sign_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]),
                           critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False)
            .sign(self._key, hashes.SHA256()))
        return Pair(
            certificate.public_bytes(serialization.Encoding.PEM),
            key.private_bytes(serialization.Encoding.PEM,
                              serialization.PrivateFormat.PKCS8,
                              serialization.NoEncryption()))

    def server(self, pair, alpn=("http/1.1",)) -> ssl.SSLContext:
        """What a TLS server needs to show this certificate."""
        path = self.path.with_name(f"{hashlib.sha256(pair.certificate).hexdigest()[:16]}.pem")
        path.write_bytes(pair.key + pair.certificate)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        context.set_alpn_protocols(list(alpn))
        return context


class ClientAuthority:
    """Signs clients' certificates, and authorities below itself."""

    def __init__(self, name="AgentPort test clients", above=None, ends=30 * DAY):
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name, self._above = _name(name), above
        signer, issuer = (above._key, above._name) if above else (self._key, self._name)
        certificate = (
            _builder(self._name, issuer, self._key.public_key(), ends=ends)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_usage(sign_certificates=True), critical=True)
            .sign(signer, hashes.SHA256()))
        self.pem = certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def below(self):
        """What a chain has behind its leaf: the authorities from here up, without the highest."""
        return self.pem + self._above.below if self._above else b""

    def issue(self, key=None, begins=-DAY, ends=30 * DAY, usage=ExtendedKeyUsageOID.CLIENT_AUTH):
        return client_pair(key, begins, ends, usage, self._key, self._name, self.below)


def client_pair(key=None, begins=-DAY, ends=30 * DAY, usage=ExtendedKeyUsageOID.CLIENT_AUTH,
                signer=None, issuer=None, chain=b"") -> Pair:
    """A client's certificate, which vouches for itself where no signer is given."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    name = _name("agent")
    signer = signer or key
    digest = None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    certificate = (
        _builder(name, issuer or name, key.public_key(), begins, ends)
        .add_extension(_usage(sign_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        .sign(signer, digest))
    return Pair(
        certificate.public_bytes(serialization.Encoding.PEM) + chain,
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                          serialization.NoEncryption()))


def _alternative(name):
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _name(common_name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(subject, issuer, public_key, begins=-DAY, ends=30 * DAY):
    return (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer)
            .public_key(public_key).serial_number(x509.random_serial_number())
            .not_valid_before(NOW + begins).not_valid_after(NOW + ends))


def _usage(sign_certificates):
    return x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, key_cert_sign=sign_certificates,
        crl_sign=sign_certificates, encipher_only=False, decipher_only=False)
