# SPDX-License-Identifier: Apache-2.0
"""The hellos of TLS 1.3: an ordinary client's, one with tickets, and a server's, judged."""

import time
from dataclasses import dataclass

from . import tls13_codec as codec
from .tls13_codec import Hello, Reader
from .tls13_keys import KEY_TYPES, SUITES, Schedule

GROUPS = (codec.X25519, codec.P256, codec.P384)


@dataclass(frozen=True)
class Ticket:
    """What a NewSessionTicket gave, with the key that goes with it."""

    suite: object
    psk: bytes
    ticket: bytes
    lifetime: int
    age_add: int
    nonce: bytes
    came: float

    @property
    def identity(self):
        age = int((time.monotonic() - self.came) * 1000)
        return self.ticket, (age + self.age_add) % 2**32


def client_hello(groups=GROUPS, shares=(codec.X25519,), name="localhost", protocols=(b"http/1.1",),
                 signatures=codec.SIGNATURES, **fields):
    """A hello as an ordinary client sends it, with these preferences."""
    keys = {group: KEY_TYPES[group]() for group in shares}
    extensions = [
        (codec.GROUPS, codec.number_list(groups)),
        (codec.SIGNATURE_ALGORITHMS, codec.number_list(signatures)),
        (codec.VERSIONS, codec.versions([0x0304])),
        (codec.PSK_MODES, codec.psk_modes(codec.PSK_DHE_KE)),
        (codec.KEY_SHARE, codec.key_shares([(g, key.public) for g, key in keys.items()]))]
    if name is not None:
        extensions.insert(0, (codec.SERVER_NAME, codec.server_name(name)))
    if protocols:
        extensions.append((codec.ALPN, codec.alpn(protocols)))
    return Hello(extensions=extensions, keys=keys, **fields)


def with_tickets(hello, *tickets, prefix=b"", identities=None, mangle=lambda binder: binder):
    """`hello` with these tickets and their binders; `prefix` is the transcript before it."""
    hello = hello.lacking(codec.PRE_SHARED_KEY)
    identities = identities or [ticket.identity for ticket in tickets]
    blank = [bytes(ticket.suite.hash_length) for ticket in tickets]
    draft = hello.adding(codec.PRE_SHARED_KEY, codec.offered_psks(identities, blank)).encode()
    truncated = draft[:-2 - sum(1 + len(binder) for binder in blank)]
    binders = [mangle(Schedule(ticket.suite, ticket.psk).binder(prefix + truncated))
               for ticket in tickets]
    body = codec.offered_psks(identities, binders)
    return hello.adding(codec.PRE_SHARED_KEY, body).but(tickets=tickets)


class ServerHello:
    """A ServerHello or HelloRetryRequest, held against the hello it answers (section 4.1.3)."""

    def __init__(self, encoded, hello, retry):
        self.encoded = encoded
        reader = Reader(encoded[4:])
        assert reader.number(2) == 0x0303, "legacy_version"
        random = reader.take(32)
        self.is_retry = random == codec.RETRY_RANDOM
        assert random[24:] not in codec.DOWNGRADES, "a random of an older version"
        assert reader.vector(1) == hello.session_id, "the session id is not echoed"
        number = reader.number(2)
        assert number in hello.suites and number in SUITES, f"suite {number:#06x} not offered"
        self.suite = SUITES[number]
        assert reader.number(1) == 0, "a compression method"
        self.extensions = reader.extensions()
        reader.end()
        assert self.extensions.get(codec.VERSIONS) == b"\x03\x04", "supported_versions"
        self.identity = None
        (self._check_retry if self.is_retry else self._check_hello)(hello, retry)

    def number_of(self, kind):
        reader = Reader(self.extensions[kind])
        number = reader.number(2)
        reader.end()
        return number

    def _check_retry(self, hello, retry):
        assert retry is None, "a second HelloRetryRequest"
        allowed = {codec.VERSIONS, codec.KEY_SHARE, codec.COOKIE}
        assert set(self.extensions) <= allowed, self.extensions
        group = self.number_of(codec.KEY_SHARE)
        assert group in codec.numbers_in(hello.get(codec.GROUPS)), "a group not offered"
        assert group not in hello.keys, "asked for a share that was there"

    def _check_hello(self, hello, retry):
        allowed = {codec.VERSIONS, codec.KEY_SHARE, codec.PRE_SHARED_KEY}
        assert set(self.extensions) <= allowed & hello.offered, self.extensions
        reader = Reader(self.extensions[codec.KEY_SHARE])
        self.share = reader.number(2), reader.vector(2)
        reader.end()
        assert self.share[0] in hello.keys, "a share of a group for which none was offered"
        if retry is not None:
            assert self.suite == retry.suite, "another suite than in the HelloRetryRequest"
            assert self.share[0] == retry.number_of(codec.KEY_SHARE), "not the group asked for"
        if codec.PRE_SHARED_KEY in self.extensions:
            self.identity = self.number_of(codec.PRE_SHARED_KEY)
            assert self.identity < len(hello.tickets), "an identity that was not offered"
