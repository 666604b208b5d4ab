# SPDX-License-Identifier: Apache-2.0
"""Agents: a name, a key, a seed, and the forms in which they show them."""

import base64
import hashlib
import os
import secrets
import time
from dataclasses import dataclass, field

import pyotp

from .waiting import wait_until

DIGESTS = {"SHA1": hashlib.sha1, "SHA256": hashlib.sha256, "SHA512": hashlib.sha512}


def new_seed():
    return base64.b32encode(os.urandom(20)).decode()


@dataclass
class Agent:
    """One agent with both factors, and the codes it has shown so far."""

    name: str
    user: str = ""
    scopes: tuple = ("tools:read",)
    key: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    seed: str = field(default_factory=new_seed)
    algorithm: str = "SHA1"
    digits: int = 6
    period: int = 30
    rate: dict | None = None
    # Further first factors: clients of issuers, and pins of certificates.
    oauth: tuple = ()
    pins: tuple = ()

    def __post_init__(self):
        self.user = self.user or f"{self.name}@example.com"

    def step(self):
        return int(time.time()) // self.period

    def code(self, offset=0):
        """The code of the current step, or of one `offset` steps away, from pyotp."""
        totp = pyotp.TOTP(self.seed, digits=self.digits, digest=DIGESTS[self.algorithm],
                          interval=self.period)
        return totp.at((self.step() + offset) * self.period)

    def wrong_code(self):
        """Digits that are no code of any step near now."""
        near = {self.code(offset) for offset in range(-4, 5)}
        return next(code for code in (f"{n:0{self.digits}d}" for n in range(1000, 2000))
                    if code not in near)

    def steady(self, seconds=4):
        """Waits until the step has `seconds` left, so that no test straddles its end."""
        wait_until(lambda: self.period - time.time() % self.period > seconds,
                   timeout=seconds + 1, what="a TOTP step with time left")

    def bearer(self, code=None, **others):
        """Form 1: a bearer key, and the code in a header of its own."""
        return [("Authorization", f"Bearer {self.key}"),
                ("X-AgentPort-TOTP", code if code is not None else self.code()),
                *_named(others)]

    def parameters(self, code=None):
        """Form 2: everything in the parameters of one Authorization header."""
        code = code if code is not None else self.code()
        return [("Authorization",
                 f'AgentPort agent="{self.name}", key="{self.key}", totp="{code}"')]

    def basic(self, code=None):
        """Form 3: Basic, the code being the last digits of the password."""
        code = code if code is not None else self.code()
        pair = f"{self.name}:{self.key}{code}".encode()
        return [("Authorization", "Basic " + base64.b64encode(pair).decode())]

    def session(self, token, **others):
        """Form 6: the first factor, and a session's token in place of the code."""
        return [("Authorization", f"Bearer {self.key}"), ("X-AgentPort-Session", token),
                *_named(others)]

    def policy(self, seed_file):
        """This agent as the policy file has it."""
        entry = {
            "name": self.name, "user": self.user, "scopes": list(self.scopes),
            "api_key_sha256": [hashlib.sha256(self.key.encode()).hexdigest()],
            "totp": {"seed_file": str(seed_file), "algorithm": self.algorithm,
                     "digits": self.digits, "period": f"{self.period}s"}}
        if self.rate:
            entry["rate"] = self.rate
        if self.oauth:
            entry["oauth"] = list(self.oauth)
        if self.pins:
            entry["client_pins_sha256"] = list(self.pins)
        return entry


def terse():
    """The agent with the shortest credentials, where each of their bytes is a place to cut a
    request at; it may ask as often as it likes."""
    return Agent("a", key="k", rate={"requests": 1000000, "per": "1s", "burst": 1000000})


def _named(others):
    return [(name.replace("_", "-"), value) for name, value in others.items()]
