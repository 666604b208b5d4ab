# SPDX-License-Identifier: Apache-2.0
"""Access tokens that an attacker makes, changes or keeps: none of them counts."""

import base64
import json

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from support.agents import Agent
from support.certificates import client_pair
from support.forgeries import (ORDER, again, claim, der, flipped, header, later, mac, numbers, part,
                               raw_claims, raw_header, signature, signed_by, spare_bit, spelled)
from support.idp import Issuer, shown
from support.refusals import refused
from support.tokens import Key, by_jwcrypto

ATTACKER = Key()
CERTIFICATE = x509.load_pem_x509_certificate(client_pair(ATTACKER.private).certificate)
X5C = [base64.b64encode(CERTIFICATE.public_bytes(Encoding.DER)).decode()]
OUT_OF_RANGE = {"257 bytes": "a" * 257, "nothing": "", "a number": 7, "a list": ["a"],
                "an object": {}, "a line end": "a\nb", "a NUL": "a\0", "a tab": "a\tb",
                "a DEL": "a\x7f", "not ASCII": "ad\u00e9", "invisible": "ada\u202e",
                "a tag": "ada\U000e0041", "a space before": " ada", "a space behind": "ada "}

REFUSED = {
    # Its times, and whom it is from and for.
    "expired": later(exp=-3600), "expired just now": later(exp=-2), "of no end": claim(exp=None),
    "of the end of time 0": claim(exp=0), "of a negative end": claim(exp=-1),
    "of an end in text": claim(exp="4102444800"), "of a true end": claim(exp=True),
    "of an end that is null": raw_claims(lambda c: c.replace(b'"exp": 1', b'"exp": null, "x": 1')),
    "of an end beyond numbers": raw_claims(lambda c: c.replace(b'"exp": ', b'"exp": 1e999, "x":')),
    "not yet": later(nbf=3600), "not yet, in text": claim(nbf="0"),
    "of another issuer": claim(iss="https://evil.example"), "of no issuer": claim(iss=None),
    "of several issuers": lambda i, c: i.token(c, by=by_jwcrypto, iss=[i.name]),
    "of an issuer but for a slash": lambda i, c: i.token(c, iss=i.name + "/"),
    "of an issuer but for case": lambda i, c: i.token(c, iss=i.name.upper()),
    "of an issuer and a NUL": lambda i, c: i.token(c, iss=i.name + "\0"),
    "for another": claim(aud="https://other.example"), "for nobody": claim(aud=None),
    "for others": claim(aud=["https://other.example", "agentport2"]), "for none": claim(aud=[]),
    "for a list in a list": claim(aud=[["agentport"]]), "for a number": claim(aud=1),
    "for an object": claim(aud={"agentport": "agentport"}),
    "for case": claim(aud="AgentPort"), "for a part of it": claim(aud="agentpor"),
    "for more than it": claim(aud="agentport agentport"),
    "for one with a NUL": claim(aud="agentport\0"),
    # Whose it is.
    "without a client": claim(client_id=None), "without a user": claim(sub=None),
    **{f"of a user that is {name}": claim(sub=value) for name, value in OUT_OF_RANGE.items()},
    # Its algorithm.
    **{f"alg {alg!r}": header(alg=alg) for alg in (
        "none", "None", "NONE", "nOnE", "none ", "", "HS256", "RS256", "PS256", "ES384", "ES512",
        "ES256K", "EdDSA", "es256", "ES256 ", "ES256\0", "RSA1_5", "dir", None, 0, True, [],
        ["ES256"], {})},
    **{f"alg {alg}, unsigned": lambda i, c, alg=alg: header(alg=alg)(i, c).rpartition(".")[0] + "."
       for alg in ("none", "None", "NONE", "nOnE", "ES256")},
    "RS256 with the key of PS256": header(2, alg="RS256"),
    "PS256 with the key of RS256": header(1, alg="PS256"),
    "RS512 with the key of RS256": header(1, alg="RS512"),
    "EdDSA with the key of ES256": lambda i, c: header(3, kid=i.keys[0].kid)(i, c),
    "ES256 with the key of EdDSA": lambda i, c: header(0, kid=i.keys[3].kid)(i, c),
    **{f"{alg} with {name} of key {number}": mac(alg, number, secret)
       for alg in ("HS256", "HS512") for number in (0, 1) for name, secret in {
           "the PEM": lambda k: k.encoded("PEM"), "the DER": lambda k: k.encoded("DER"),
           "the PEM's text": lambda k: k.encoded("PEM").strip(),
           "the JWK": lambda k: json.dumps(k.public).encode(), "nothing": lambda k: b"",
           "the kid": lambda k: k.kid.encode()}.items()},
    # Its header.
    "a critical extension": header(crit=["x"], x=1), "critical nothing": header(crit=[]),
    "a critical word": header(crit="exp"), "critical exp": header(crit=["exp"], exp=1),
    "b64": header(crit=["b64"], b64=False), "b64, not critical": header(b64=False),
    "of another type": header(typ="logout+jwt"), "a type that is a number": header(typ=1),
    "a proof, and no token": header(typ="dpop+jwt"), "encryption": header(enc="A256GCM"),
    "compression": header(crit=["zip"], zip="DEF"),
    "a kid that is a number": header(kid=1), "a kid that is a list": header(kid=[]),
    "a kid that is a path": signed_by(ATTACKER, kid="../../../../dev/null"),
    "a kid that is SQL": signed_by(ATTACKER, kid="x' UNION SELECT 'k"),
    "another's key by its kid": lambda i, c: signed_by(ATTACKER, kid=i.key.kid)(i, c),
    "another's key without a kid": signed_by(ATTACKER, kid=None),
    "a key within": lambda i, c: signed_by(
        ATTACKER, jwk=json.loads(ATTACKER.jwk.export_public()), kid=i.key.kid)(i, c),
    "a key within, and no kid": signed_by(
        ATTACKER, jwk=json.loads(ATTACKER.jwk.export_public()), kid=None),
    "a certificate within": signed_by(ATTACKER, x5c=X5C),
    "a certificate within, and a kid": lambda i, c: signed_by(
        ATTACKER, x5c=X5C, kid=i.key.kid)(i, c),
    "a header that is a list": raw_header(lambda h: b"[" + h + b"]"),
    "a header that is no JSON": raw_header(lambda h: h[:-1]),
    "a header and more": raw_header(lambda h: h + b"{}"),
    "a header with a BOM": raw_header(lambda h: b"\xef\xbb\xbf" + h),
    "alg null": raw_header(lambda h: h.replace(b'"ES256"', b"null")),
    "alg twice": raw_header(lambda h: h[:-1] + b', "alg": "none"}'),
    "alg twice, none first": raw_header(lambda h: b'{"alg": "none", ' + h[1:]),
    "kid twice": raw_header(lambda h: b'{"kid": "x", ' + h[1:]),
    # Its claims.
    **{f"{name} twice": again(name, value) for name, value in {
        "iss": "https://evil.example", "aud": "agentport", "sub": "root", "client_id": "root",
        "exp": 4102444800, "nbf": 0, "scope": "admin", "jti": "x"}.items()},
    "sub twice, escaped": raw_claims(lambda c: c[:-1] + b', "\\u0073ub": "root"}'),
    "claims that are a list": raw_claims(lambda c: b"[" + c + b"]"),
    "claims that are no JSON": raw_claims(lambda c: c[:-1]),
    "claims and more": raw_claims(lambda c: c + b" {}"),
    "claims with a comma too many": raw_claims(lambda c: c[:-1] + b",}"),
    "claims with a comment": raw_claims(lambda c: b"/**/" + c),
    "claims with NaN": raw_claims(lambda c: c[:-1] + b', "x": NaN}'),
    "claims not in UTF-8": raw_claims(lambda c: c[:-1] + b', "x": "\xff"}'),
    "claims with half a surrogate": raw_claims(lambda c: c[:-1] + b', "x": "\\ud800"}'),
    "claims 1,000 deep": raw_claims(lambda c: c[:-1] + b', "x": ' + b"[" * 1000 + b"]" * 1000
                                    + b"}"),
    "no claims": raw_claims(lambda _: b""), "claims that are null": raw_claims(lambda _: b"null"),
    # Its signature.
    "without a signature": signature(lambda _: b""),
    **{f"{name} by key {number}": signature(change, number) for number in range(4)
       for name, change in {
           "a bit changed": flipped, "a byte less": lambda s: s[:-1],
           "a byte less in front": lambda s: s[1:], "a byte more": lambda s: s + b"\0",
           "a byte more in front": lambda s: b"\0" + s, "zeros": lambda s: bytes(len(s)),
           "ones": lambda s: b"\xff" * len(s), "twice": lambda s: s + s,
           "the halves changed about": lambda s: s[len(s) // 2:] + s[:len(s) // 2]}.items()},
    "in DER": signature(der), "r = 0": numbers(0, 1), "s = 0": numbers(1, 0),
    "r = s = 1": numbers(1, 1), "r = s = n": numbers(ORDER, ORDER), "r = n": numbers(ORDER, 1),
    "of other claims": lambda i, c: ".".join(
        [*i.token(c, sub="root").split(".")[:2], i.token(c).split(".")[2]]),
    # Its text.
    "two parts": spelled(lambda t: t.rpartition(".")[0]), "four parts": spelled(lambda t: t + ".A"),
    "five parts": spelled(lambda t: t + ".A.A"), "a dot before": spelled(lambda t: "." + t),
    "a dot behind": spelled(lambda t: t + "."), "two dots": spelled(lambda t: ".."),
    **{f"{name} of part {number}": part(number, change) for number in range(3)
       for name, change in {
           "padding": lambda p: p + "=" * (-len(p) % 4 or 1), "a space within": lambda p:
           p[:5] + " " + p[5:], "a tab within": lambda p: p[:5] + "\t" + p[5:],
           "the other alphabet": lambda p: p[:4] + "+" + p[5:], "a star": lambda p: "*" + p[1:],
           "a lone character": lambda p: p + "A" * ((1 - len(p)) % 4 or 4)}.items()},
    "a spare bit of the signature": part(2, spare_bit),
}


@pytest.fixture(scope="module")
def open_issuer(authority):
    """One whose tokens stand for an agent whatever their client is."""
    with Issuer(authority.server(authority.ecdsa)) as issuer:
        yield issuer


@pytest.fixture(scope="module")
def policy_patch(issuer, open_issuer):
    return {"totp": {"one_time": False}, "oauth": [issuer.policy(), open_issuer.policy()]}


@pytest.fixture(scope="module")
def policy_env(authority):
    return {"SSL_CERT_FILE": str(authority.path)}


@pytest.fixture(scope="module")
def policy_agents(issuer, open_issuer):
    return [Agent("app", oauth=(issuer.binding("app"),)),
            Agent("open", oauth=(open_issuer.binding(),))]


@pytest.fixture(scope="module")
def good(issuer):
    """A good token of each key, made once: what was verified costs no signature again, of which
    this address has so many a second."""
    return [issuer.token("app", key) for key in issuer.keys]


@pytest.fixture
def app(gateway, good):
    """The agent. Before and after each test, good tokens get in."""
    def check():
        for token in good:
            assert gateway.request("GET", "/", shown(gateway.agents[0], token)).status == 200
    check()
    yield gateway.agents[0]
    check()


@pytest.mark.parametrize("forge", [
    claim(), header(), header(3), raw_claims(lambda c: c), raw_header(lambda h: h), again("x", 1),
    *(signature(lambda s: s, number) for number in range(4)), spelled(lambda t: t),
    part(1, lambda p: p)])
def test_what_is_not_changed_gets_in(gateway, issuer, app, forge):
    """So that the rest is refused for what was changed."""
    assert gateway.request("GET", "/", shown(app, forge(issuer, "app"))).status == 200


@pytest.mark.parametrize("name", REFUSED, ids=ascii)
def test_refused(gateway, recorder, issuer, app, name):
    token = REFUSED[name](issuer, "app")
    with recorder.untouched():
        refused(gateway, "credentials_invalid", shown(app, token))


@pytest.mark.parametrize("member", ["jku", "x5u"])
def test_keys_elsewhere_are_not_fetched(gateway, recorder, issuer, app, member):
    with Issuer(keys=[ATTACKER]) as evil, recorder.untouched():
        for kid in (issuer.key.kid, ATTACKER.kid, None):
            token = issuer.token("app", ATTACKER, by_jwcrypto, {member: evil.url, "kid": kid})
            refused(gateway, "credentials_invalid", shown(app, token))
        assert evil.server.connections == 0


@pytest.mark.parametrize("members", [
    {"jku": "https://evil.example"}, {"x5u": "https://evil.example"}, {"x5c": X5C},
    {"jwk": json.loads(ATTACKER.jwk.export_public())}], ids=lambda members: next(iter(members)))
def test_a_good_one_that_brings_a_key_too(gateway, recorder, issuer, app, members):
    """Whatever the issuer meant by it: a token that says where its key is, is not trusted."""
    with recorder.untouched():
        refused(gateway, "credentials_invalid",
                shown(app, issuer.token("app", by=by_jwcrypto, header=members)))


@pytest.mark.parametrize("value", OUT_OF_RANGE.values(), ids=OUT_OF_RANGE)
def test_the_client_is_an_identity_too(gateway, recorder, open_issuer, value):
    agent = gateway.agents[1]
    token = open_issuer.token("x", by=by_jwcrypto, client_id=value)
    with recorder.untouched():
        refused(gateway, "credentials_invalid", shown(agent, token))
    assert gateway.request("GET", "/", shown(agent, open_issuer.token("x"))).status == 200


@pytest.mark.parametrize("user", ["a" * 256, 'ada "\\ lovelace', "a@b.example", "{}", "<ada>"],
                         ids=lambda user: user[:12])
def test_a_user_may_be_any_other_text(gateway, recorder, issuer, app, user):
    recorder.requests.clear()
    token = issuer.token("app", sub=user)
    assert gateway.request("GET", "/", shown(app, token)).status == 200
    part = recorder.only().get("x-agentport-jwt").split(".")[1]
    assert json.loads(base64.urlsafe_b64decode(part + "=="))["sub"] == user


def test_8_kib_is_the_most(gateway, recorder, issuer, app):
    sizes = {len(token): token for n in range(5500, 6200)
             if 8180 < len(token := issuer.token("app", pad="p" * n, jti="x")) < 8210}
    most, beyond = max(n for n in sizes if n <= 8192), min(n for n in sizes if n > 8192)
    assert gateway.request("GET", "/", shown(app, sizes[most])).status == 200
    with recorder.untouched():
        refused(gateway, "credentials_invalid", shown(app, sizes[beyond]))
        refused(gateway, "credentials_invalid",
                shown(app, issuer.token("app", pad="p" * 20000)))


@pytest.mark.parametrize("scope", ["a\nb", "a\r\nx-openclaw-scopes: admin", 'a" b', "\u00e9", 7,
                                   ["a b", "c"], {"a": 1}, "  a", "a" * 5000],
                         ids=lambda scope: ascii(scope)[:12])
def test_odd_scopes_become_no_others(gateway, recorder, issuer, app, scope):
    """They go on as they are or not at all."""
    recorder.requests.clear()
    token = issuer.token("app", by=by_jwcrypto, scope=scope)
    response = gateway.request("GET", "/", shown(app, token))
    if response.status != 200:
        assert response.verdict == (401, "credentials_invalid")
        assert recorder.requests == []
        return
    part = recorder.only().get("x-agentport-jwt").split(".")[1]
    told = json.loads(base64.urlsafe_b64decode(part + "=="))["scope"]
    assert told == (" ".join(scope) if isinstance(scope, list) else scope)
