# SPDX-License-Identifier: Apache-2.0
"""Signing keys: algorithms, the next one published before it signs, and verifiers that others
wrote, which know nothing but the key set."""

import base64
import json
import time

import joserfc.jwk
import joserfc.jwt
import jwcrypto.jwk
import jwcrypto.jwt
import jwt
import pyotp
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from support.clock import MovedClock
from support.gateway import new_session
from support.operator import Operator, seconds
from support.reloading import change, reload
from support.waiting import wait_until

ALGORITHMS = ["ES256", "EdDSA", "RS256"]
PUBLIC = {"EC": {"crv", "kty", "x", "y"}, "OKP": {"crv", "kty", "x"}, "RSA": {"e", "kty", "n"}}
CACHED_SECONDS = 300


@pytest.fixture
def issuing(start):
    def started(algorithm="ES256", **issuer):
        gateway = start({"totp": {"one_time": False},
                         "issuer": {"algorithm": algorithm, **issuer}})
        return gateway, Operator(gateway)
    return started


def token_of(gateway, recorder, agent=None, headers=None, ahead=0):
    agent = agent or gateway.agents[0]
    at = int(time.time()) + ahead
    code = pyotp.TOTP(agent.seed).at(at)
    recorder.requests.clear()
    assert gateway.request("GET", "/jwt", headers or agent.bearer(code)).status == 200
    return recorder.only().get("x-agentport-jwt")


def kid_of(token):
    return jwt.get_unverified_header(token)["kid"]


def served(gateway):
    return gateway.request("GET", "/.well-known/jwks.json").json()


def kids(gateway):
    return [key["kid"] for key in served(gateway)["keys"]]


def by_pyjwt(token, keys):
    key = jwt.PyJWKSet.from_dict(keys)[kid_of(token)]
    return jwt.decode(token, key, [key.algorithm_name], audience="openclaw-prod",
                      options={"verify_exp": False, "verify_iat": False, "verify_nbf": False})


def by_joserfc(token, keys):
    key_set = joserfc.jwk.KeySet.import_key_set(keys)
    algorithm = jwt.get_unverified_header(token)["alg"]
    return joserfc.jwt.decode(token, key_set, algorithms=[algorithm]).claims


def by_jwcrypto(token, keys):
    key_set = jwcrypto.jwk.JWKSet.from_json(json.dumps(keys))
    parsed = jwcrypto.jwt.JWT()
    parsed.leeway = 10 ** 6
    parsed.deserialize(token, key_set)
    return json.loads(parsed.claims)


VERIFY = pytest.mark.parametrize("verify", [by_pyjwt, by_joserfc, by_jwcrypto])


def pem(algorithm="ES256", form=PrivateFormat.PKCS8):
    key = {"ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
           "EdDSA": ed25519.Ed25519PrivateKey.generate,
           "RS256": lambda: rsa.generate_private_key(65537, 2048)}[algorithm]()
    return key.private_bytes(Encoding.PEM, form, NoEncryption())


# Algorithms.

@VERIFY
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_token_verifies_through_the_key_set(issuing, recorder, algorithm, verify):
    gateway, _ = issuing(algorithm)
    token = token_of(gateway, recorder)
    assert jwt.get_unverified_header(token)["alg"] == algorithm
    assert verify(token, served(gateway))["agent_id"] == gateway.agents[0].name
    changed = token[:-6] + ("AAAAAA" if token[-6:] != "AAAAAA" else "BBBBBB")
    with pytest.raises(Exception):
        verify(changed, served(gateway))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_nothing_private_is_published(issuing, algorithm):
    gateway, operator = issuing(algorithm)
    operator.post("/admin/keys/rotate")
    for shown in (served(gateway), json.loads(operator.command("keys", "export").stdout)):
        assert set(shown) == {"keys"} and len(shown["keys"]) == 2
        for key in shown["keys"]:
            assert set(key) <= PUBLIC[key["kty"]] | {"kid", "alg", "use", "key_ops"}
    for key in operator.keys():
        assert not set(key) & {"d", "p", "q", "dp", "dq", "qi", "k"}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("form", ["PKCS8", "TraditionalOpenSSL"])
def test_a_key_may_be_given(make, recorder, algorithm, form):
    if algorithm == "EdDSA" and form != "PKCS8":
        pytest.skip("Ed25519 has one form")
    gateway = make().from_policy(recorder.url, {"issuer": {"algorithm": algorithm}},
                                 spare_agents=1)
    gateway.secret("signing_key", pem(algorithm, getattr(PrivateFormat, form)))
    gateway.start()
    assert by_pyjwt(token_of(gateway, recorder), served(gateway))
    assert len(kids(gateway)) == 1


@pytest.mark.parametrize("content", [
    b"", b"no key", pem("EdDSA"), ec.generate_private_key(ec.SECP384R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    rsa.generate_private_key(65537, 1024).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())],
    ids=["empty", "text", "another algorithm", "another curve", "short RSA"])
def test_a_bad_key_stops_the_start(make, recorder, content):
    gateway = make().from_policy(recorder.url, spare_agents=1)
    gateway.secret("signing_key", content)
    assert gateway.launch().wait(5) != 0
    assert len(gateway.errors) == 1 and str(gateway.secrets / "signing_key") in gateway.errors[0]


def test_an_algorithm_that_is_none(make, recorder):
    for algorithm in ("none", "HS256", "es256", "ES384", ""):
        gateway = make().from_policy(recorder.url, {"issuer": {"algorithm": algorithm}})
        assert gateway.launch().wait(5) != 0
        assert "/issuer/algorithm" in gateway.errors[0]


# Rotation by call.

@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_next_is_published_at_once_and_does_not_sign_yet(issuing, recorder, algorithm):
    gateway, operator = issuing(algorithm)
    [first], before = kids(gateway), time.time()
    with gateway.connect() as wire:
        etag = wire.request("GET", "/.well-known/jwks.json").get("ETag")
        answer = operator.post("/admin/keys/rotate")
        assert answer.status == 200
        again = wire.request("GET", "/.well-known/jwks.json", [("If-None-Match", etag)])
        assert again.status == 200 and again.get("ETag") != etag
    kid = answer.json()["kid"]
    assert sorted(kids(gateway)) == sorted([first, kid])
    assert seconds(answer.json()["signs_from"]) >= before + CACHED_SECONDS
    assert kid_of(token_of(gateway, recorder)) == first
    states = {key["kid"]: key["state"] for key in operator.keys()}
    assert states == {first: "signing", kid: "next"}


def test_a_second_call_answers_with_the_same_key(issuing):
    gateway, operator = issuing()
    answers = [operator.post("/admin/keys/rotate").json() for _ in range(3)]
    assert len({(answer["kid"], answer["signs_from"]) for answer in answers}) == 1
    assert len(kids(gateway)) == 2


@pytest.mark.parametrize("kill", [False, True], ids=["stopped", "killed"])
def test_a_rotation_is_kept_over_restarts(issuing, recorder, kill):
    gateway, operator = issuing()
    answer = operator.post("/admin/keys/rotate").json()
    before, told = served(gateway), operator.keys()
    gateway.restart(kill=kill)
    assert served(gateway) == before and operator.keys() == told
    assert operator.post("/admin/keys/rotate").json()["kid"] == answer["kid"]
    assert kid_of(token_of(gateway, recorder)) != answer["kid"]


def test_export_is_what_is_served(issuing):
    gateway, operator = issuing()
    for _ in range(2):
        result = operator.command("keys", "export")
        assert (result.returncode, result.stderr) == (0, "")
        raw = gateway.request("GET", "/.well-known/jwks.json").body
        assert json.loads(result.stdout) == json.loads(raw)
        operator.post("/admin/keys/rotate")
    gateway.stop()
    assert json.loads(operator.command("keys", "export").stdout) == json.loads(result.stdout) \
        or len(json.loads(operator.command("keys", "export").stdout)["keys"]) == 2


# Rotation by a file, and by another algorithm.

def test_another_file_is_published_ahead(make, recorder):
    gateway = make().from_policy(recorder.url, {"totp": {"one_time": False}}, spare_agents=1)
    first_pem, second_pem = pem(), pem()
    gateway.secret("signing_key", first_pem)
    gateway.start()
    [first] = kids(gateway)
    gateway.secret("signing_key", second_pem)
    reload(gateway)
    both = kids(gateway)
    assert first in both and len(both) == 2
    assert kid_of(token_of(gateway, recorder)) == first
    for kill in (False, True):
        gateway.restart(kill=kill)
        assert sorted(kids(gateway)) == sorted(both)
        assert kid_of(token_of(gateway, recorder)) == first


def test_another_file_at_start_is_published_ahead(make, recorder):
    gateway = make().from_policy(recorder.url, {"totp": {"one_time": False}}, spare_agents=1)
    gateway.start()
    [first] = kids(gateway)
    gateway.stop()
    gateway.secret("signing_key", pem())
    gateway.start()
    assert len(kids(gateway)) == 2
    token = token_of(gateway, recorder)
    assert kid_of(token) == first, "signs with a key that no cache has"
    assert by_pyjwt(token, served(gateway))


@pytest.mark.parametrize("old, new", [("ES256", "EdDSA"), ("EdDSA", "RS256"), ("RS256", "ES256")])
@pytest.mark.parametrize("how", ["reloaded", "stopped"])
def test_another_algorithm_is_published_ahead(issuing, recorder, old, new, how):
    gateway, operator = issuing(old)
    [first] = kids(gateway)
    change(gateway, {"issuer": {"algorithm": new}})
    if how == "stopped":
        gateway.restart()
    assert {key["alg"] for key in served(gateway)["keys"]} == {old, new}
    token = token_of(gateway, recorder)
    assert kid_of(token) == first
    for verify in (by_pyjwt, by_joserfc, by_jwcrypto):
        assert verify(token, served(gateway))
    kept = kids(gateway)
    reload(gateway)
    assert kids(gateway) == kept


def test_an_algorithm_that_returns_in_time_changes_nothing(issuing, recorder):
    gateway, _ = issuing("ES256")
    [first] = kids(gateway)
    change(gateway, {"issuer": {"algorithm": "EdDSA"}})
    change(gateway, {"issuer": {"algorithm": "ES256"}})
    assert kid_of(token_of(gateway, recorder)) == first


# The whole of it, under a clock that the test moves.

def moved(make, recorder, algorithm="ES256"):
    gateway = make().from_policy(
        recorder.url, {"totp": {"one_time": False}, "issuer": {"algorithm": algorithm},
                       "sessions": {"lifetime": "30m"}}, spare_agents=1)
    clock = MovedClock(gateway)
    return gateway.start(), Operator(gateway), clock


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_next_signs_and_the_old_one_goes(make, recorder, algorithm):
    gateway, operator, clock = moved(make, recorder, algorithm)
    [first] = kids(gateway)
    session = new_session(gateway, gateway.agents[0])
    answer = operator.post("/admin/keys/rotate").json()
    old_token = token_of(gateway, recorder)
    clock.move(CACHED_SECONDS - 5)
    assert kid_of(token_of(gateway, recorder, ahead=clock.ahead)) == first
    clock.move(20)
    wait_until(lambda: kid_of(token_of(gateway, recorder, ahead=clock.ahead)) == answer["kid"],
               timeout=5, interval=0.2, what="the next key to sign")
    assert len(kids(gateway)) == 2, "the old key is needed for the tokens that are out"
    assert by_pyjwt(old_token, served(gateway))
    by_session = gateway.agents[0].session(session)
    token = token_of(gateway, recorder, headers=by_session)
    assert kid_of(token) == answer["kid"] and by_pyjwt(token, served(gateway))
    clock.move(30)
    assert len(kids(gateway)) == 2
    clock.move(CACHED_SECONDS + 200)
    wait_until(lambda: kids(gateway) == [answer["kid"]], timeout=5, interval=0.2,
               what="the old key to go")
    assert json.loads(operator.command("keys", "export").stdout) == served(gateway)
    assert [key["kid"] for key in operator.keys()] == [answer["kid"]]
    for kill in (False, True):
        gateway.restart(kill=kill)
        assert kids(gateway) == [answer["kid"]]
        token = token_of(gateway, recorder, ahead=clock.ahead)
        assert kid_of(token) == answer["kid"]


def test_a_turn_that_comes_while_it_is_down(make, recorder):
    gateway, operator, clock = moved(make, recorder)
    answer = operator.post("/admin/keys/rotate").json()
    gateway.kill()
    clock.move(CACHED_SECONDS + 20)
    gateway.start()
    wait_until(lambda: kid_of(token_of(gateway, recorder, ahead=clock.ahead)) == answer["kid"],
               timeout=3, interval=0.2, what="the next key to sign")
    assert by_pyjwt(token_of(gateway, recorder, ahead=clock.ahead), served(gateway))


def test_a_file_that_is_superseded_is_ignored(make, recorder):
    """Its key's turn is over: no reload and no restart has it sign again."""
    gateway = make().from_policy(recorder.url, {"totp": {"one_time": False}}, spare_agents=1)
    clock = MovedClock(gateway)
    first_pem = pem()
    gateway.secret("signing_key", first_pem)
    gateway.start()
    [first] = kids(gateway)
    next_kid = Operator(gateway).post("/admin/keys/rotate").json()["kid"]
    clock.move(CACHED_SECONDS + 20)
    wait_until(lambda: kid_of(token_of(gateway, recorder, ahead=clock.ahead)) == next_kid,
               timeout=5, interval=0.2, what="the next key to sign")
    clock.move(1000)
    wait_until(lambda: kids(gateway) == [next_kid], timeout=5, what="the old key to go")
    for how in (lambda: reload(gateway), gateway.restart, lambda: gateway.restart(kill=True)):
        how()
        assert kids(gateway) == [next_kid]
        assert kid_of(token_of(gateway, recorder, ahead=clock.ahead)) == next_kid


def test_a_superseded_file_draws_a_warning(make, recorder):
    gateway = make().from_policy(recorder.url, {"totp": {"one_time": False}}, spare_agents=1)
    clock = MovedClock(gateway)
    gateway.secret("signing_key", pem())
    gateway.start()
    Operator(gateway).post("/admin/keys/rotate")
    clock.move(CACHED_SECONDS + 20)
    wait_until(lambda: len(gateway.told("signing key changed")) == 1, what="the turn")
    reload(gateway)
    wait_until(lambda: [line for line in gateway.logs() if line["level"] == "warn"
                        and "signing_key" in str(line)], what="a warning")


def test_a_made_key_is_not_in_the_clear(issuing):
    gateway, operator = issuing()
    operator.post("/admin/keys/rotate")
    for path in gateway.state.iterdir():
        content = path.read_bytes()
        assert b"PRIVATE KEY" not in content and path.stat().st_mode & 0o777 == 0o600
    assert base64.b64encode(b"PRIVATE KEY") not in gateway.output().encode()
