# SPDX-License-Identifier: Apache-2.0
"""TLS 1.3 as bytes (RFC 8446 sections 4 to 6): its numbers, its vectors, a hello to bend."""

import copy
import os
import struct
from dataclasses import dataclass, field

# Record types (section 5.1).
CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION = 20, 21, 22, 23

# Handshake types (section 4).
CLIENT_HELLO, SERVER_HELLO, NEW_SESSION_TICKET, END_OF_EARLY_DATA = 1, 2, 4, 5
ENCRYPTED_EXTENSIONS, CERTIFICATE, CERTIFICATE_REQUEST, CERTIFICATE_VERIFY = 8, 11, 13, 15
FINISHED, KEY_UPDATE, MESSAGE_HASH = 20, 24, 254

# Extension types (section 4.2, and the registry for the others).
SERVER_NAME, MAX_FRAGMENT_LENGTH, STATUS_REQUEST, GROUPS, POINT_FORMATS = 0, 1, 5, 10, 11
SIGNATURE_ALGORITHMS, ALPN, TIMESTAMPS, PADDING = 13, 16, 18, 21
RECORD_SIZE_LIMIT, SESSION_TICKET, PRE_SHARED_KEY, EARLY_DATA = 28, 35, 41, 42
VERSIONS, COOKIE, PSK_MODES, AUTHORITIES, POST_HANDSHAKE_AUTH = 43, 44, 45, 47, 49
SIGNATURE_ALGORITHMS_CERT, KEY_SHARE, RENEGOTIATION_INFO = 50, 51, 0xFF01

AES_128, AES_256, CHACHA20 = 0x1301, 0x1302, 0x1303
X25519, P256, P384 = 0x001D, 0x0017, 0x0018
PSK_KE, PSK_DHE_KE = 0, 1
ECDSA_P256, ECDSA_P384, RSA_PSS_SHA256, RSA_PSS_SHA384 = 0x0403, 0x0503, 0x0804, 0x0805
SIGNATURES = (ECDSA_P256, RSA_PSS_SHA256, ECDSA_P384, RSA_PSS_SHA384, 0x0806, 0x0401, 0x0501)

# RFC 8701: values a server must take for unknown ones, wherever they stand.
GREASE = tuple(0x0A0A + 0x1010 * n for n in range(16))
GREASE_MODES = bytes(0x0B + 0x1F * n for n in range(8))

# The `random` of a HelloRetryRequest, and how one ends that was made for an older version.
RETRY_RANDOM = bytes.fromhex("CF21AD74E59A6111BE1D8C021E65B891C2A211167ABB8C5E079E09E2C8A8339C")
DOWNGRADES = (b"DOWNGRD\x00", b"DOWNGRD\x01")

ALERTS = {
    0: "close_notify", 10: "unexpected_message", 20: "bad_record_mac", 22: "record_overflow",
    40: "handshake_failure", 42: "bad_certificate", 43: "unsupported_certificate",
    45: "certificate_expired", 47: "illegal_parameter", 48: "unknown_ca", 50: "decode_error",
    51: "decrypt_error", 70: "protocol_version",
    71: "insufficient_security", 80: "internal_error", 86: "inappropriate_fallback",
    90: "user_canceled", 100: "no_renegotiation", 109: "missing_extension",
    110: "unsupported_extension", 112: "unrecognized_name", 115: "unknown_psk_identity",
    116: "certificate_required", 120: "no_application_protocol"}
ALERT_CODES = {name: code for code, name in ALERTS.items()}


def vector(width, content):
    """`content` behind its length in `width` bytes."""
    return len(content).to_bytes(width, "big") + content


def numbers(values):
    return b"".join(struct.pack("!H", value) for value in values)


def message(kind, body):
    """One handshake message."""
    return bytes([kind]) + vector(3, body)


def record(kind, content, version=0x0303):
    """One record in the clear."""
    return struct.pack("!BH", kind, version) + vector(2, content)


class Reader:
    """Takes a message apart; whatever is too short or left over fails."""

    def __init__(self, data):
        self.data, self.offset = data, 0

    def take(self, count):
        piece = self.data[self.offset:self.offset + count]
        assert len(piece) == count, f"{count} bytes expected at {self.offset}: {self.data!r}"
        self.offset += count
        return piece

    def number(self, width):
        return int.from_bytes(self.take(width), "big")

    def vector(self, width):
        return self.take(self.number(width))

    @property
    def more(self):
        return self.offset < len(self.data)

    def end(self):
        assert not self.more, f"{len(self.data) - self.offset} bytes too many: {self.data!r}"

    def extensions(self):
        """A list of extensions as a dictionary; none may stand twice."""
        found, inside = {}, Reader(self.vector(2))
        while inside.more:
            kind, body = inside.number(2), inside.vector(2)
            assert kind not in found, f"extension {kind} stands twice"
            found[kind] = body
        return found


# Bodies of extensions.

def server_name(name):
    name = name.encode() if isinstance(name, str) else name
    return vector(2, b"\x00" + vector(2, name))


def number_list(values):
    """supported_groups, signature_algorithms."""
    return vector(2, numbers(values))


def numbers_in(body):
    """The values of such a list."""
    values = Reader(Reader(body).vector(2)).data
    return [value for value, in struct.iter_unpack("!H", values)]


def versions(values):
    return vector(1, numbers(values))


def key_shares(shares):
    return vector(2, b"".join(struct.pack("!H", group) + vector(2, key) for group, key in shares))


def alpn(names):
    return vector(2, b"".join(vector(1, name) for name in names))


def psk_modes(*modes):
    return vector(1, bytes(modes))


def offered_psks(identities, binders):
    """pre_shared_key: pairs of identity and obfuscated age, then the binders."""
    first = b"".join(vector(2, name) + struct.pack("!I", age) for name, age in identities)
    return vector(2, first) + vector(2, b"".join(vector(1, binder) for binder in binders))


@dataclass
class Hello:
    """A ClientHello, each field free to be wrong. `keys` are the private keys of its shares."""

    suites: tuple = (AES_128, AES_256, CHACHA20)
    extensions: list = field(default_factory=list)
    version: int = 0x0303
    random: bytes = field(default_factory=lambda: os.urandom(32))
    session_id: bytes = field(default_factory=lambda: os.urandom(32))
    compressions: bytes = b"\x00"
    keys: dict = field(default_factory=dict)
    tickets: tuple = ()

    def but(self, **changes):
        """A copy with other fields."""
        made = copy.copy(self)
        made.extensions = list(self.extensions)
        for name, value in changes.items():
            assert hasattr(made, name), name
            setattr(made, name, value)
        return made

    def get(self, kind):
        return dict(self.extensions).get(kind)

    def having(self, kind, body):
        """A copy whose extension `kind` has this body, where it stood; a new one stands last,
        but for pre_shared_key."""
        made = self.but()
        kinds = [other for other, _ in made.extensions]
        if kind in kinds:
            made.extensions[kinds.index(kind)] = (kind, body)
        elif PRE_SHARED_KEY in kinds:
            made.extensions.insert(kinds.index(PRE_SHARED_KEY), (kind, body))
        else:
            made.extensions.append((kind, body))
        return made

    def adding(self, kind, body):
        """A copy with one extension more at its end, whether or not there is one already."""
        return self.but(extensions=[*self.extensions, (kind, body)])

    def lacking(self, *kinds):
        return self.but(extensions=[e for e in self.extensions if e[0] not in kinds])

    def padded(self, length):
        """A copy whose message is `length` bytes long (RFC 7685)."""
        missing = length - len(self.having(PADDING, b"").encode())
        assert missing >= 0, "already longer than that"
        return self.having(PADDING, bytes(missing))

    @property
    def offered(self):
        """The types of its extensions."""
        return {kind for kind, _ in self.extensions}

    def body(self):
        fields = b"".join(struct.pack("!H", kind) + vector(2, body)
                          for kind, body in self.extensions)
        return (struct.pack("!H", self.version) + self.random + vector(1, self.session_id)
                + vector(2, numbers(self.suites)) + vector(1, self.compressions)
                + vector(2, fields))

    def encode(self):
        return message(CLIENT_HELLO, self.body())


def vectors_of(hello):
    """Where the lengths of an encoded ClientHello stand: (name, offset, width), outer first."""
    found = []

    def open_vector(name, reader, base, width):
        found.append((name, base + reader.offset, width))
        start = base + reader.offset + width
        return Reader(reader.vector(width)), start

    whole = Reader(hello)
    whole.take(1 + 3 + 2 + 32)
    for name, width in (("session_id", 1), ("suites", 2), ("compressions", 1)):
        open_vector(name, whole, 0, width)
    extensions, base = open_vector("extensions", whole, 0, 2)
    while extensions.more:
        kind = extensions.number(2)
        inside, start = open_vector(f"extension {kind}", extensions, base, 2)
        for name, width in _LISTS.get(kind, ()):
            entries, inner = open_vector(f"extension {kind}: {name}", inside, start, width)
            before, entry_width, after = _ENTRIES.get((kind, name), (0, 0, 0))
            while entry_width and entries.more:
                entries.take(before)
                open_vector(f"extension {kind}: one of {name}", entries, inner, entry_width)
                entries.take(after)
    return found


_LISTS = {
    SERVER_NAME: (("names", 2),), GROUPS: (("groups", 2),), VERSIONS: (("versions", 1),),
    SIGNATURE_ALGORITHMS: (("schemes", 2),), SIGNATURE_ALGORITHMS_CERT: (("schemes", 2),),
    ALPN: (("protocols", 2),), KEY_SHARE: (("shares", 2),), PSK_MODES: (("modes", 1),),
    PRE_SHARED_KEY: (("identities", 2), ("binders", 2))}
_ENTRIES = {  # bytes before an entry's own length, its width, bytes after its content
    (SERVER_NAME, "names"): (1, 2, 0), (ALPN, "protocols"): (0, 1, 0),
    (KEY_SHARE, "shares"): (2, 2, 0), (PRE_SHARED_KEY, "identities"): (0, 2, 4),
    (PRE_SHARED_KEY, "binders"): (0, 1, 0)}
