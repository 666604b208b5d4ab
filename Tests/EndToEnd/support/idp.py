# SPDX-License-Identifier: Apache-2.0
"""An issuer of access tokens: publishes its keys over TLS, and can be slow, wrong, or away."""

import json
import secrets
import threading
import time

from .recorder import Recorder
from .tokens import Key, by_pyjwt
from .waiting import wait_until

PATH = "/jwks"
LIFETIME_S = 600


class Issuer:
    """One issuer on a free loopback port. `answer(exchange)` is what it does when it is asked.

    With `tls`, the context of a server, it speaks TLS; without, plain HTTP.
    """

    def __init__(self, tls=None, keys=None, host="localhost"):
        self.keys = keys or [Key()]
        self.extra = []
        self.server = Recorder(tls=tls)
        self.server.on("*", lambda exchange: self.answer(exchange))
        self.answer = self.publish
        self.name = f"https://idp-{self.server.port}.example"
        self.url = f"{'https' if tls else 'http'}://{host}:{self.server.port}{PATH}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if isinstance(self.answer, Slow):
            self.answer.release()
        self.server.close()

    # Its keys.

    @property
    def key(self):
        """The key it signs with now."""
        return self.keys[0]

    def rotate(self, algorithm="ES256"):
        """Signs with a new key from now on, and publishes no other."""
        self.keys = [Key(algorithm)]
        return self.key

    @property
    def key_set(self):
        """What it publishes; `extra` are JWKs that stand there as they are."""
        return {"keys": [*(key.public for key in self.keys), *self.extra]}

    def publish(self, exchange):
        exchange.reply(json.dumps(self.key_set).encode(),
                       headers=[("Content-Type", "application/jwk-set+json")])

    @property
    def fetches(self):
        """How often it was asked."""
        return len(self.server.requests)

    def wait_fetches(self, count, timeout=5):
        wait_until(lambda: self.fetches >= count, timeout, f"{count} fetches of a key set")

    # What a policy says of it.

    def policy(self, **members):
        return {"issuer": self.name, "audience": "agentport", "jwks_url": self.url, **members}

    def binding(self, client=None):
        return {"issuer": self.name, **({"client": client} if client else {})}

    # Its tokens.

    def claims(self, client, **others):
        """What a token for this client says; a claim that is None is left out."""
        now = int(time.time())
        usual = {"iss": self.name, "aud": "agentport", "sub": f"{client}@people.example",
                 "client_id": client, "scope": "mail:read mail:send", "iat": now, "nbf": now,
                 "exp": now + LIFETIME_S, "jti": secrets.token_hex(8)}
        return {name: value for name, value in {**usual, **others}.items() if value is not None}

    def header(self, key=None, **others):
        key = key or self.key
        usual = {"alg": key.algorithm, "kid": key.kid, "typ": "at+jwt"}
        return {name: value for name, value in {**usual, **others}.items() if value is not None}

    def token(self, client, key=None, by=by_pyjwt, header=None, **claims):
        """A good token, but for what `header` and `claims` change."""
        key = key or self.key
        return by(key, self.header(key, **(header or {})), self.claims(client, **claims))


class Slow:
    """Answers nobody until it is let go on."""

    def __init__(self, then):
        self._then = then
        self._event = threading.Event()

    def __call__(self, exchange):
        if self._event.wait(30):
            self._then(exchange)

    def release(self):
        self._event.set()


# Answers that are no key set. Each takes what the set would have been.

def _body(make, status="200 OK", kind="application/json"):
    def answer(issuer, exchange):
        exchange.reply(make(json.dumps(issuer.key_set).encode()), status,
                       [("Content-Type", kind)])
    return answer


def _redirect(issuer, exchange):
    if exchange.request.path == PATH:
        exchange.reply(b"", "302 Found", [("Location", "/elsewhere")])
    else:
        issuer.publish(exchange)


def _cut(issuer, exchange):
    body = json.dumps(issuer.key_set).encode()
    exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(body) + 1) + body)
    exchange.cut()


WRONG = {
    "HTML": _body(lambda _: b"<html>it works</html>", kind="text/html"),
    "no keys": _body(lambda _: b'{"keys": []}'),
    "no set": _body(lambda _: b"{}"),
    "an array": _body(lambda good: json.dumps(json.loads(good)["keys"]).encode()),
    "malformed": _body(lambda good: good[:-1]),
    "bytes after it": _body(lambda good: good + b"}"),
    "not UTF-8": _body(lambda good: good.replace(b'"kid"', b'"x": "\xff", "kid"')),
    "huge": _body(lambda good: good + b" " * (257 << 10)),
    "empty": _body(lambda _: b""),
    "404": _body(lambda good: good, "404 Not Found"),
    "500": _body(lambda good: good, "500 Internal Server Error"),
    "204": lambda issuer, exchange: exchange.send(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "a redirect": _redirect,
    "cut short": _cut,
    "no HTTP": lambda issuer, exchange: (exchange.send(b"SSH-2.0-x\r\n\r\n"), exchange.close()),
    "a reset": lambda issuer, exchange: exchange.reset(),
    "a farewell": lambda issuer, exchange: exchange.close(),
}


def shown(agent, token, code=None, **others):
    """A token, and the code of an agent."""
    return [("Authorization", f"Bearer {token}"),
            ("X-AgentPort-TOTP", agent.code() if code is None else code),
            *((name.replace("_", "-"), value) for name, value in others.items())]


def with_session(token, session):
    return [("Authorization", f"Bearer {token}"), ("X-AgentPort-Session", session)]


def verdict(gateway, issuer, key=None, number=0, **options):
    """What becomes of a token of this key, for the gateway's agent of this number."""
    agent = gateway.agents[number]
    token = issuer.token(agent.name, key, **options)
    return gateway.request("GET", "/", shown(agent, token)).verdict


def wait_good(gateway, issuer, key=None, number=0, timeout=5):
    wait_until(lambda: verdict(gateway, issuer, key, number) == (200, None), timeout,
               what="a token of this key to count", interval=0.05)


def wait_fetched(gateway, *issuers):
    """Until the first set of each is there. No token asks for it: that may count as the one time
    in 30 s that an unknown key makes the gateway look again."""
    for issuer in issuers:
        gateway.wait_told("keys of a token issuer fetched", issuer=issuer.name)
