# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests that need issuers of tokens."""

import pytest

from .agents import Agent
from .idp import Issuer
from .tokens import ALGORITHMS, Key


@pytest.fixture(scope="module")
def issuer(authority):
    """An issuer of tokens, with a key of each algorithm."""
    keys = [Key(algorithm) for algorithm in ALGORITHMS]
    with Issuer(authority.server(authority.ecdsa), keys) as issuer:
        yield issuer


@pytest.fixture
def issuers(authority):
    """Makes issuers of the test's own, and ends them all after the test."""
    made = []

    def new(pair=None, plain=False, **options):
        tls = None if plain else authority.server(pair or authority.ecdsa)
        made.append(Issuer(tls, **options))
        return made[-1]

    yield new
    for issuer in made:
        issuer.close()


@pytest.fixture
def behind(start, authority):
    """Starts a gateway that believes these issuers; the agent of each is at `gateway.agents`."""
    def started(*issuers, workers=1, **members):
        agents = [Agent(f"app-{n}", oauth=(issuer.binding(f"app-{n}"),))
                  for n, issuer in enumerate(issuers)]
        env = {"SSL_CERT_FILE": str(authority.path), "AGENTPORT_WORKERS": str(workers)}
        return start({"totp": {"one_time": False},
                      "oauth": [issuer.policy() for issuer in issuers], **members},
                     agents=agents, spare_agents=0, env=env)
    return started
