# SPDX-License-Identifier: Apache-2.0
"""The JWT upstream, verified by PyJWT and joserfc with nothing but the published JWKS."""

import base64
import hashlib
import json
import time

import joserfc.jwk
import joserfc.jwt
import jwt
import pytest

from support.gateway import new_session

MEMBERS = {"EC": {"crv", "kty", "x", "y"}, "OKP": {"crv", "kty", "x"}, "RSA": {"e", "kty", "n"}}
METADATA = {"kid", "alg", "use", "key_ops"}


@pytest.fixture(scope="module")
def policy_patch():
    return {"totp": {"one_time": False}}


def token_of(gateway, recorder, headers):
    recorder.requests.clear()
    assert gateway.request("GET", "/jwt", headers).status == 200
    return recorder.only().get("x-agentport-jwt")


def jwks(gateway, plaintext=False):
    if not plaintext:
        return gateway.request("GET", "/.well-known/jwks.json").json()
    with gateway.plaintext() as wire:
        return wire.request("GET", "/.well-known/jwks.json").json()


def by_pyjwt(token, keys, audience="openclaw-prod", issuer="agentport"):
    kid = jwt.get_unverified_header(token)["kid"]
    key = jwt.PyJWKSet.from_dict(keys)[kid]
    return jwt.decode(token, key, algorithms=[key.algorithm_name], audience=audience,
                      issuer=issuer, options={"require": ["exp", "iat", "nbf", "aud", "iss",
                                                          "sub", "jti"]})


def by_joserfc(token, keys, audience="openclaw-prod", issuer="agentport"):
    key_set = joserfc.jwk.KeySet.import_key_set(keys)
    algorithm = jwt.get_unverified_header(token)["alg"]
    decoded = joserfc.jwt.decode(token, key_set, algorithms=[algorithm])
    joserfc.jwt.JWTClaimsRegistry(
        aud={"essential": True, "value": audience}, iss={"essential": True, "value": issuer},
        exp={"essential": True}, nbf={"essential": True}, iat={"essential": True},
    ).validate(decoded.claims)
    return decoded.claims


@pytest.mark.parametrize("plaintext", [False, True], ids=["over TLS", "in plaintext"])
@pytest.mark.parametrize("verify", [by_pyjwt, by_joserfc])
def test_a_token_verifies_through_the_jwks(gateway, agent, recorder, verify, plaintext):
    token = token_of(gateway, recorder, agent.bearer())
    claims = verify(token, jwks(gateway, plaintext))
    assert claims["agent_id"] == agent.name


@pytest.mark.parametrize("algorithm", ["ES256"])
@pytest.mark.parametrize("verify", [by_pyjwt, by_joserfc])
def test_every_algorithm(start, recorder, algorithm, verify):
    gateway = start({"issuer": {"algorithm": algorithm}})
    agent = gateway.take_agent()
    token = token_of(gateway, recorder, agent.bearer())
    header = jwt.get_unverified_header(token)
    assert header["alg"] == algorithm
    assert verify(token, jwks(gateway))["sub"] == agent.user


def test_the_header_names_the_key_by_its_thumbprint(gateway, agent, recorder):
    token = token_of(gateway, recorder, agent.bearer())
    header = jwt.get_unverified_header(token)
    assert set(header) == {"alg", "kid", "typ"}
    assert (header["alg"], header["typ"]) == ("ES256", "JWT")
    assert header["kid"] in {key["kid"] for key in jwks(gateway)["keys"]}


def test_every_kid_is_the_rfc_7638_thumbprint(gateway):
    keys = jwks(gateway)["keys"]
    assert keys
    for key in keys:
        required = {name: key[name] for name in MEMBERS[key["kty"]]}
        text = json.dumps(required, sort_keys=True, separators=(",", ":"))
        digest = hashlib.sha256(text.encode()).digest()
        assert key["kid"] == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def test_nothing_private_is_published(gateway):
    published = jwks(gateway)
    assert set(published) == {"keys"}
    for key in published["keys"]:
        assert set(key) <= MEMBERS[key["kty"]] | METADATA, set(key)
        assert key.get("use", "sig") == "sig"


def test_the_claims(gateway, agent, recorder):
    before = int(time.time())
    claims = by_pyjwt(token_of(gateway, recorder, agent.bearer()), jwks(gateway))
    after = int(time.time())
    assert claims["iss"] == "agentport"
    assert claims["aud"] in ("openclaw-prod", ["openclaw-prod"])
    assert claims["sub"] == agent.user
    assert claims["agent_id"] == agent.name
    assert claims["scope"] == " ".join(agent.scopes)
    assert claims["amr"] == ["pwd", "otp"]
    assert before <= claims["auth_time"] <= after
    assert before <= claims["iat"] <= after
    assert claims["nbf"] <= after
    assert claims["iat"] < claims["exp"] <= after + 60
    assert claims["jti"]
    assert all(isinstance(claims[name], int) for name in ("iat", "nbf", "exp", "auth_time"))


def test_issuer_and_audience_can_be_named(start, start_bare, recorder):
    by_policy = start({"issuer": {"name": "https://a.example", "audience": "prod",
                                  "lifetime": "10s"}})
    token = token_of(by_policy, recorder, by_policy.take_agent().bearer())
    claims = by_pyjwt(token, jwks(by_policy), "prod", "https://a.example")
    assert 0 < claims["exp"] - claims["iat"] <= 10
    by_environment = start_bare({"AGENTPORT_ISSUER": "edge", "AGENTPORT_AUDIENCE": "claw"})
    token = token_of(by_environment, recorder, by_environment.agents[0].bearer())
    claims = by_joserfc(token, jwks(by_environment), "claw", "edge")
    assert claims["agent_id"] == "default"


def test_an_upstream_may_have_an_audience_of_its_own(start, recorder):
    gateway = start({"upstreams": [{"name": "openclaw", "endpoints": [recorder.url],
                                    "audience": "own"}]})
    token = token_of(gateway, recorder, gateway.take_agent().bearer())
    assert by_pyjwt(token, jwks(gateway), "own")["aud"] in ("own", ["own"])


def test_each_code_gets_a_token_of_its_own(gateway, agent, recorder):
    tokens = [token_of(gateway, recorder, agent.bearer()) for _ in range(5)]
    identifiers = {by_pyjwt(token, jwks(gateway))["jti"] for token in tokens}
    assert len(identifiers) == 5
    assert all("sid" not in by_pyjwt(token, jwks(gateway)) for token in tokens)


def test_requests_of_a_session_share_a_token(gateway, agent, recorder):
    """Signed once, reused while it is fresh: less than half a minute old."""
    session = new_session(gateway, agent)
    tokens = {token_of(gateway, recorder, agent.session(session)) for _ in range(8)}
    assert len(tokens) == 1
    claims = by_pyjwt(tokens.pop(), jwks(gateway))
    assert claims["sid"]
    assert session not in json.dumps(claims), "the token names its session, never its secret"


def test_the_time_of_authentication_is_that_of_the_code(start, recorder):
    gateway = start({"issuer": {"lifetime": "2s"}, "totp": {"one_time": False}})
    agent = gateway.take_agent()
    session = new_session(gateway, agent)
    first = by_pyjwt(token_of(gateway, recorder, agent.session(session)), jwks(gateway))
    deadline = time.time() + 5
    while True:  # less than half its life left: signed anew
        later = by_pyjwt(token_of(gateway, recorder, agent.session(session)), jwks(gateway))
        if later["jti"] != first["jti"]:
            break
        assert time.time() < deadline, "a token was reused past its life"
        time.sleep(0.1)
    assert later["iat"] > first["iat"]
    assert (later["auth_time"], later["sid"]) == (first["auth_time"], first["sid"])


def test_two_sessions_share_nothing(gateway, agent, recorder):
    tokens = [token_of(gateway, recorder, agent.session(new_session(gateway, agent)))
              for _ in range(2)]
    claims = [by_pyjwt(token, jwks(gateway)) for token in tokens]
    assert claims[0]["sid"] != claims[1]["sid"] and claims[0]["jti"] != claims[1]["jti"]


def test_two_agents_share_nothing(gateway, recorder):
    for agent in (gateway.take_agent(), gateway.take_agent()):
        session = new_session(gateway, agent)
        for _ in range(2):
            claims = by_pyjwt(token_of(gateway, recorder, agent.session(session)), jwks(gateway))
            assert (claims["agent_id"], claims["sub"]) == (agent.name, agent.user)


def test_reuse_can_be_switched_off(start, recorder):
    gateway = start({"issuer": {"reuse": False}})
    agent = gateway.take_agent()
    session = new_session(gateway, agent)
    assert len({token_of(gateway, recorder, agent.session(session)) for _ in range(4)}) == 4


def test_the_jwks_may_be_cached(gateway):
    response = gateway.request("GET", "/.well-known/jwks.json")
    assert response.get("Cache-Control") == "max-age=300"
    etag = response.get("ETag")
    assert etag.startswith('"') and etag.endswith('"')
    again = gateway.request("GET", "/.well-known/jwks.json", [("If-None-Match", etag)])
    assert (again.status, again.body) == (304, b"")
    other = gateway.request("GET", "/.well-known/jwks.json", [("If-None-Match", '"other"')])
    assert other.status == 200
    with gateway.plaintext() as wire:
        plain = wire.request("GET", "/.well-known/jwks.json")
    assert (plain.get("ETag"), plain.get("Cache-Control")) == (etag, "max-age=300")


def test_the_jwks_comes_before_all_routes(start, recorder):
    gateway = start({"routes": [{"path": "/", "public": True}],
                     "filters": [{"use": "tls_inspector"}, {"use": "ip_rate_limit"}]})
    with recorder.untouched():
        assert "keys" in gateway.request("GET", "/.well-known/jwks.json").json()
    assert gateway.request("GET", "/.well-known/other").status == 200


def test_the_key_survives_restarts(start, recorder):
    gateway = start({"totp": {"one_time": False}})
    agent = gateway.take_agent()
    token = token_of(gateway, recorder, agent.bearer())
    before = jwks(gateway)
    gateway.restart(kill=True)
    assert jwks(gateway) == before
    assert by_pyjwt(token, jwks(gateway))["agent_id"] == agent.name
    for path in gateway.state.rglob("*"):
        if path.is_file():
            assert path.stat().st_mode & 0o077 == 0, path


def test_two_gateways_have_two_keys(start):
    kids = [jwks(start())["keys"][0]["kid"] for _ in range(2)]
    assert kids[0] != kids[1]
