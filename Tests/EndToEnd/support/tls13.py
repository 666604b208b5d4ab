# SPDX-License-Identifier: Apache-2.0
"""A TLS 1.3 client that sends what a test wants and believes nothing the server says.

Written from RFC 8446 alone. Everything that comes is held against it: record versions, sizes and
padding, echoes, extensions that were not offered, the chain, the signature, every MAC.
"""

import contextlib
import time

from cryptography import x509

from . import tls13_codec as codec
from .tls13_codec import APPLICATION, HANDSHAKE, Reader, message
from .tls13_hello import ServerHello, Ticket, client_hello, with_tickets
from .tls13_keys import KEY_TYPES, PLAIN_MAX, Keys, Schedule, verify
from .tls13_records import Alerted, Ended, Records


class Client(Records):
    """One connection. `connect` does it all; a test that wants to misbehave takes the steps
    `start`, `server_hello`, `flight`, `finish` itself and sends in between what it likes."""

    def __init__(self, address, timeout=5, source=None):
        super().__init__(address, timeout, source)
        self.stage = "hello"
        self.transcript = b""
        self.hello = self.retry = self.schedule = None
        self.resumed = False
        self.chain, self.protocol, self.scheme, self.group = [], None, None, None
        # What a CertificateRequest asked for, by extension; None where there was none.
        self.asked = None
        self.tickets, self.key_updates = [], []
        self._text = b""

    # The handshake, step by step.

    def start(self, hello=None, every=PLAIN_MAX):
        """Sends the first hello."""
        self.say_hello(hello or client_hello())
        version = 0x0301 if self.retry is None else 0x0303
        self.send_message(self.hello.encode(), every, version=version)
        return self

    def say_hello(self, hello, encoded=None):
        """Takes note of a hello that the test sends in its own manner, or in its own form."""
        self.hello = hello
        self.transcript += encoded or hello.encode()
        return self

    def second_hello(self, **changes):
        """The hello that answers a HelloRetryRequest (section 4.1.2)."""
        group = self.retry.number_of(codec.KEY_SHARE)
        keys = {group: KEY_TYPES[group]()}
        hello = self.hello.having(codec.KEY_SHARE, codec.key_shares([(group, keys[group].public)]))
        hello = hello.lacking(codec.EARLY_DATA).but(keys=keys, **changes)
        if codec.COOKIE in self.retry.extensions:
            hello = hello.having(codec.COOKIE, self.retry.extensions[codec.COOKIE])
        if hello.tickets:
            hello = with_tickets(hello, *hello.tickets, prefix=self.transcript)
        return hello

    def server_hello(self):
        """Reads a ServerHello or a HelloRetryRequest; tells whether it was the latter."""
        answer = ServerHello(self._next_message(codec.SERVER_HELLO), self.hello, self.retry)
        assert not self._messages, "more in the clear behind a ServerHello"
        self.ccs_due = self.retry is None
        if answer.is_retry:
            self.retry = answer
            first = answer.suite.digest(self.transcript)
            self.transcript = message(codec.MESSAGE_HASH, first) + answer.encoded
            return True
        self.transcript += answer.encoded
        self.group, key = answer.share
        self.resumed = answer.identity is not None
        psk = None
        if self.resumed:
            ticket = self.hello.tickets[answer.identity]
            assert ticket.suite.hash == answer.suite.hash, "a ticket under another hash"
            psk = ticket.psk
        self.schedule = Schedule(answer.suite, psk)
        self.schedule.agree(self.hello.keys[self.group].exchange(key))
        self._client_secret = self._secret(self.schedule.handshake, "c hs traffic")
        self._server_secret = self._secret(self.schedule.handshake, "s hs traffic")
        self.writes = Keys(answer.suite, self._client_secret)
        self.reads = Keys(answer.suite, self._server_secret)
        self.stage = "flight"
        return False

    def _secret(self, secret, label):
        return self.schedule.suite.derive(secret, label, self.transcript)

    def flight(self):
        """Reads EncryptedExtensions to Finished and verifies them."""
        self._encrypted_extensions()
        self._certificate_request()
        if not self.resumed:
            self._certificate()
        transcript = self.transcript
        finished = self._next_message(codec.FINISHED)
        expected = self.schedule.finished(self._server_secret, transcript)
        assert finished == message(codec.FINISHED, expected), "the server's Finished is wrong"
        assert not self._messages, "a message behind Finished under the handshake keys"
        self.transcript += finished
        self._client_application = self._secret(self.schedule.main, "c ap traffic")
        self.reads = Keys(self.schedule.suite, self._secret(self.schedule.main, "s ap traffic"))
        self.stage = "finish"
        return self

    def _encrypted_extensions(self):
        raw = self._next_message(codec.ENCRYPTED_EXTENSIONS)
        self.transcript += raw
        reader = Reader(raw[4:])
        found = reader.extensions()
        reader.end()
        allowed = {codec.SERVER_NAME, codec.MAX_FRAGMENT_LENGTH, codec.GROUPS, codec.ALPN,
                   codec.RECORD_SIZE_LIMIT}  # not early_data: 0-RTT is off
        assert set(found) <= allowed & self.hello.offered, found
        assert found.get(codec.SERVER_NAME, b"") == b"", "an echoed server name must be empty"
        if codec.ALPN in found:
            reader = Reader(Reader(found[codec.ALPN]).vector(2))
            self.protocol = reader.vector(1)
            reader.end()

    def _certificate_request(self):
        """Section 4.3.2: never with a ticket, and with an empty context."""
        raw = self._next_message(codec.CERTIFICATE_REQUEST, optional=True)
        if raw is None:
            return
        assert not self.resumed, "a certificate is asked for where a ticket stands for it"
        self.transcript += raw
        reader = Reader(raw[4:])
        assert reader.vector(1) == b"", "a request context in a handshake"
        self.asked = reader.extensions()
        reader.end()
        assert codec.SIGNATURE_ALGORITHMS in self.asked
        assert set(self.asked) <= {codec.SIGNATURE_ALGORITHMS, codec.SIGNATURE_ALGORITHMS_CERT,
                                   codec.AUTHORITIES}

    def _certificate(self):
        raw = self._next_message(codec.CERTIFICATE)
        self.transcript += raw
        reader = Reader(raw[4:])
        assert reader.vector(1) == b"", "a request context where nothing was requested"
        entries = Reader(reader.vector(3))
        reader.end()
        while entries.more:
            self.chain.append(entries.vector(3))
            assert set(entries.extensions()) <= {codec.STATUS_REQUEST, codec.TIMESTAMPS} \
                & self.hello.offered
        transcript = self.transcript
        raw = self._next_message(codec.CERTIFICATE_VERIFY)
        self.transcript += raw
        reader = Reader(raw[4:])
        self.scheme, signature = reader.number(2), reader.vector(2)
        reader.end()
        offered = codec.numbers_in(self.hello.get(codec.SIGNATURE_ALGORITHMS))
        assert self.scheme in offered, f"signature scheme {self.scheme:#06x} not offered"
        key = x509.load_der_x509_certificate(self.chain[0]).public_key()
        verify(self.scheme, key, signature, self.schedule.suite.digest(transcript))

    def finished(self):
        """The client's Finished as it ought to be."""
        return message(codec.FINISHED, self.schedule.finished(self._client_secret,
                                                              self.transcript))

    def finish(self, every=PLAIN_MAX, **options):
        """Sends Finished and goes over to the application keys."""
        finished = self.finished()
        self.send_message(finished, every, **options)
        return self.opened(finished)

    def opened(self, finished):
        """The handshake is over, `finished` having been sent by the test itself."""
        self.transcript += finished
        self._resumption = self._secret(self.schedule.main, "res master")
        self.writes = Keys(self.schedule.suite, self._client_application)
        self.stage = "open"
        return self

    def connect(self, hello=None, every=PLAIN_MAX):
        """A whole handshake, with a second hello where the server asks for one."""
        self.start(hello, every)
        if self.server_hello():
            self.start(self.second_hello(), every)
            self.server_hello()
        return self.flight().finish()

    # Afterwards.

    def get(self, path="/healthz", every=PLAIN_MAX):
        """The status of one request."""
        self.ask(path, every)
        return self.answer()

    def ask(self, path="/healthz", every=PLAIN_MAX):
        request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        for at in range(0, len(request), every):
            self.send(APPLICATION, request[at:at + every])

    def answer(self):
        """The status of the next response, whose body is read too."""
        while b"\r\n\r\n" not in self._text:
            self._advance()
        head, _, self._text = self._text.partition(b"\r\n\r\n")
        lines = head.decode().lower().split("\r\n")
        length = [int(line[15:]) for line in lines if line.startswith("content-length:")]
        assert len(length) == 1, head
        while len(self._text) < length[0]:
            self._advance()
        self._text = self._text[length[0]:]
        return int(lines[0].split()[1])

    def await_ticket(self):
        while not self.tickets:
            self._advance()
        return self.tickets[-1]

    def update_key(self, request=0):
        """Sends KeyUpdate and goes over to the next keys (section 4.6.3)."""
        self.send(HANDSHAKE, message(codec.KEY_UPDATE, bytes([request])))
        self.writes = self.writes.next()

    def outcome(self):
        """`served` where what is left of the handshake and a request succeed, `asked again`
        where a HelloRetryRequest came, else the alert's name, or `cut`."""
        try:
            if self.stage == "hello" and self.server_hello():
                return "asked again"
            if self.stage == "flight":
                self.flight()
            with contextlib.suppress(ConnectionError):
                if self.stage == "finish":
                    self.finish()
                self.ask()
            assert self.answer() == 200
            return "served"
        except Alerted as alert:
            self.ended()
            return alert.name
        except Ended:
            return "cut"

    def refusal(self, within=2):
        """The alert by which the server refused, or `cut` where there was none. The connection
        must have ended `within` seconds."""
        deadline, name = time.monotonic() + within, "cut"
        try:
            while True:
                self.socket.settimeout(max(deadline - time.monotonic(), 0.01))
                self._advance()
        except Alerted as alert:
            name = alert.name
            closure = name in ("close_notify", "user_canceled")
            assert alert.level == (1 if closure else 2), f"{name} at level {alert.level}"
        except Ended:
            pass
        except TimeoutError as fault:
            raise AssertionError(f"not refused within {within} s") from fault
        self.ended(max(deadline - time.monotonic(), 0.01))
        return name

    # Receiving.

    def _advance(self):
        """Takes the next thing in, whatever is due at this stage."""
        if self.stage == "hello":
            self.server_hello()
        elif self.stage == "flight":
            self.flight()
        else:
            kind, content = self._record()
            if kind == APPLICATION:
                self._text += content
            else:
                self._after_handshake(content)

    def _after_handshake(self, content):
        self._messages += content
        while len(self._messages) >= 4:
            length = int.from_bytes(self._messages[1:4], "big")
            if len(self._messages) < 4 + length:
                return
            raw, self._messages = self._messages[:4 + length], self._messages[4 + length:]
            if raw[0] == codec.NEW_SESSION_TICKET:
                self._new_ticket(raw)
            else:
                assert raw[:4] == bytes((codec.KEY_UPDATE, 0, 0, 1)) and raw[4] in (0, 1), raw
                assert not self._messages, "a message behind KeyUpdate under the old keys"
                self.key_updates.append(raw[4])
                self.reads = self.reads.next()

    def _new_ticket(self, raw):
        reader = Reader(raw[4:])
        lifetime, age_add, nonce = reader.number(4), reader.number(4), reader.vector(1)
        ticket, extensions = reader.vector(2), reader.extensions()
        reader.end()
        assert 0 < lifetime <= 604800, "no ticket may live longer than seven days"
        assert ticket, "an empty ticket"
        assert codec.EARLY_DATA not in extensions, "a ticket that invites early data"
        suite = self.schedule.suite
        psk = suite.expand(self._resumption, "resumption", nonce)
        self.tickets.append(Ticket(suite, psk, ticket, lifetime, age_add, nonce, time.monotonic()))

    def _next_message(self, kind, optional=False):
        """The next handshake message, which must be of this kind; or None, where it need not."""
        while len(self._messages) < 4 or \
                len(self._messages) < 4 + int.from_bytes(self._messages[1:4], "big"):
            got, content = self._record()
            assert got == HANDSHAKE, f"a record of type {got} within the handshake"
            self._messages += content
        end = 4 + int.from_bytes(self._messages[1:4], "big")
        if optional and self._messages[0] != kind:
            return None
        raw, self._messages = self._messages[:end], self._messages[end:]
        assert raw[0] == kind, f"handshake message {raw[0]} where {kind} was due"
        return raw
