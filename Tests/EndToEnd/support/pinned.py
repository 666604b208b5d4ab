# SPDX-License-Identifier: Apache-2.0
"""Agents whose client certificates are pinned, and clients that show those."""

import jwt
import pytest

from .agents import Agent
from .certificates import client_pair
from .gateway import CHAIN
from .refusals import is_refusal

FILTERS = [CHAIN[0], {"use": "client_pins"}, *CHAIN[1:]]


class Client:
    """One that shows this certificate; each request on a connection of its own."""

    def __init__(self, gateway, pair, folder):
        self.path = folder / f"{pair.pin[:8].replace('/', '_')}.pem"
        self.path.write_bytes(pair.key + pair.certificate)
        self._gateway = gateway
        self.context = gateway.context()
        self.context.load_cert_chain(self.path)

    def connect(self, session=None):
        return self._gateway.connect(self.context, session=session)

    def request(self, method, target, headers=()):
        with self.connect() as wire:
            return wire.request(method, target, headers)

    def refused(self, code, headers):
        is_refusal(self.request("GET", "/", headers), code)


@pytest.fixture(scope="module")
def pairs():
    """The certificate of each agent, and one that is nobody's."""
    return [client_pair() for _ in range(3)]


@pytest.fixture
def pinned(start, pairs, tmp_path):
    """Starts a gateway with two agents that have a key and a pin each, and a third without one;
    and gives it with a client for each certificate."""
    def started(patch=None, demand="optional", pins=(), **options):
        agents = [Agent("a", pins=(pairs[0].pin,)), Agent("b", pins=(pairs[1].pin,)), Agent("c")]
        tls = {"client_certificate": demand, "client_pins_sha256": [pairs[2].pin, *pins]}
        gateway = start({"listen": {"tls": tls}, "filters": FILTERS,
                         "totp": {"one_time": False}, **(patch or {})},
                        agents=agents, spare_agents=0, **options)
        return gateway, [Client(gateway, pair, tmp_path) for pair in pairs]
    return started


def code(agent, value=None):
    return [("X-AgentPort-TOTP", agent.code() if value is None else value)]


def in_session(session):
    return [("X-AgentPort-Session", session)]


def told(recorder):
    """What the upstream was told of who asked last."""
    return jwt.decode(recorder.requests[-1].get("x-agentport-jwt"),
                      options={"verify_signature": False})
