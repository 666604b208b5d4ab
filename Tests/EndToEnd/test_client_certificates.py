# SPDX-License-Identifier: Apache-2.0
"""Certificates of clients, as curl, OpenSSL, GnuTLS and Python show them: who gets in by which."""

import datetime
import shutil
import ssl
import subprocess

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from support.certificates import DAY, NOW, ClientAuthority, client_pair
from support.gateway import CHAIN, command
from support.reloading import change, reload

FILTERS = [CHAIN[0], {"use": "client_pins"}, *CHAIN[1:]]
KEYS = {
    "P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "P-521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
    "RSA 2048": lambda: rsa.generate_private_key(65537, 2048),
    "RSA 3072": lambda: rsa.generate_private_key(65537, 3072),
}


@pytest.fixture(scope="module")
def clients():
    return ClientAuthority()


@pytest.fixture
def asking(start, tmp_path, clients):
    """Starts a gateway that asks for certificates: by `demand`, of an authority and pins."""
    def started(demand="required", authority=clients, pins=(), patch=None, **options):
        tls = {"client_certificate": demand, "client_pins_sha256": list(pins)}
        if authority:
            path = tmp_path / "clients.pem"
            path.write_bytes(authority.pem)
            tls["client_ca"] = str(path)
        return start({"listen": {"tls": tls}, "filters": FILTERS, **(patch or {})}, **options)
    return started


@pytest.fixture
def showing(tmp_path):
    """What a client needs to show this certificate, or none."""
    def made(gateway, pair=None):
        context = gateway.context()
        if pair:
            path = tmp_path / "client.pem"
            path.write_bytes(pair.key + pair.certificate)
            context.load_cert_chain(path)
        return context
    return made


def refusal(gateway, context):
    """The alert that the client reads once it has shown what it has."""
    with pytest.raises(ssl.SSLError) as caught, gateway.connect(context) as wire:
        wire.receive()
    return caught.value.reason.removeprefix("SSLV3_").removeprefix("TLSV13_") \
        .removeprefix("TLSV1_").removeprefix("ALERT_")


def served(gateway, context, session=None):
    with gateway.connect(context, session=session) as wire:
        assert wire.request("GET", "/public/").status == 200
        return wire.socket.session, wire.socket.session_reused


# Who gets in.

@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_one_that_an_authority_vouches_for(asking, showing, clients, key):
    gateway = asking()
    served(gateway, showing(gateway, clients.issue(key())))


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_one_that_vouches_for_itself_and_is_pinned(asking, showing, key):
    pair = client_pair(key())
    gateway = asking(authority=None, pins=[pair.pin])
    served(gateway, showing(gateway, pair))


def test_a_chain_over_others(asking, showing, clients):
    middle = ClientAuthority("middle", above=clients)
    low = ClientAuthority("low", above=middle)
    gateway = asking()
    served(gateway, showing(gateway, low.issue()))
    # The same without the middle of it.
    broken = low.issue()
    context = showing(gateway, type(broken)(broken.certificate.split(b"-----END")[0]
                                            + b"-----END CERTIFICATE-----\n", broken.key))
    assert refusal(gateway, context) == "UNKNOWN_CA"


def test_curl_and_openssl(asking, clients, tmp_path):
    gateway = asking()
    path = tmp_path / "pair.pem"
    pair = clients.issue()
    path.write_bytes(pair.key + pair.certificate)
    shown = gateway.curl("/public/", "--cert", str(path))
    assert shown.stdout.endswith("200"), shown.stderr
    bare = gateway.curl("/public/")
    assert bare.returncode != 0 and "certificate required" in bare.stderr
    talk = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{gateway.port}", "-cert", path, "-key",
         path, "-ign_eof"], capture_output=True, text=True, timeout=20,
        input="GET /public/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert "HTTP/1.1 200" in talk.stdout, talk.stdout[-2000:]
    # The authorities' names help a client that has several certificates.
    assert "AgentPort test clients" in talk.stdout.split("Acceptable client certificate CA names")[1]


@pytest.mark.skipif(not shutil.which("gnutls-cli"), reason="no GnuTLS")
@pytest.mark.parametrize("key", ["P-256", "Ed25519", "RSA 2048"])
def test_gnutls(asking, clients, tmp_path, key):
    gateway = asking()
    pair = clients.issue(KEYS[key]())
    (tmp_path / "c.pem").write_bytes(pair.certificate)
    (tmp_path / "k.pem").write_bytes(pair.key)
    talk = subprocess.run(
        ["gnutls-cli", f"--x509cafile={gateway.authority.path}", "--port", str(gateway.port),
         f"--x509certfile={tmp_path / 'c.pem'}", f"--x509keyfile={tmp_path / 'k.pem'}",
         "--alpn=http/1.1", "localhost"], capture_output=True, text=True, timeout=20,
        input="GET /public/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert "HTTP/1.1 200" in talk.stdout, talk.stdout[-2000:] + talk.stderr


# Who does not.

REFUSED = {
    "none": (lambda authority: None, "CERTIFICATE_REQUIRED"),
    "of itself": (lambda authority: client_pair(), "UNKNOWN_CA"),
    "of another authority": (lambda authority: ClientAuthority("other").issue(), "UNKNOWN_CA"),
    # It has the name, and not the key.
    "of an impostor": (lambda authority: ClientAuthority().issue(), "BAD_CERTIFICATE"),
    "expired": (lambda authority: authority.issue(ends=-DAY / 24), "CERTIFICATE_EXPIRED"),
    "of tomorrow": (lambda authority: authority.issue(begins=DAY), "BAD_CERTIFICATE"),
    "of a server": (lambda authority: authority.issue(usage=ExtendedKeyUsageOID.SERVER_AUTH),
                    "UNSUPPORTED_CERTIFICATE"),
    "under an authority that has expired": (
        lambda authority: ClientAuthority("old", authority, ends=-DAY / 24).issue(),
        "CERTIFICATE_EXPIRED"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_in_the_handshake(asking, showing, clients, recorder, name):
    make_pair, alert = REFUSED[name]
    gateway = asking()
    with recorder.untouched():
        assert refusal(gateway, showing(gateway, make_pair(clients))) == alert
    served(gateway, showing(gateway, clients.issue()))


@pytest.mark.parametrize("begins, ends, alert", [
    (-2 * DAY, -DAY, "CERTIFICATE_EXPIRED"), (DAY, 2 * DAY, "BAD_CERTIFICATE")])
def test_a_pin_does_not_outlive_its_certificate(asking, showing, begins, ends, alert):
    pair = client_pair(begins=begins, ends=ends)
    gateway = asking(authority=None, pins=[pair.pin])
    assert refusal(gateway, showing(gateway, pair)) == alert


def test_an_unpinned_one_is_told_so(asking, showing, clients, recorder):
    pinned, other = clients.issue(), clients.issue()
    gateway = asking(pins=[pinned.pin])
    agent = gateway.take_agent()
    code = agent.code()
    with recorder.untouched(), gateway.connect(showing(gateway, other)) as wire:
        response = wire.request("GET", "/", agent.bearer(code))
        assert (response.status, response.code) == (403, "certificate_not_pinned")
        wire.ends()
    gateway.wait_access(status=403, code="certificate_not_pinned", filter="client_pins")
    # On a public route, too; and the code was not used up.
    with gateway.connect(showing(gateway, other)) as wire:
        assert wire.request("GET", "/public/").status == 403
    with gateway.connect(showing(gateway, pinned)) as wire:
        assert wire.request("GET", "/", agent.bearer(code)).status == 200


def test_backup_pins_and_those_of_agents(asking, showing, clients):
    pairs = [clients.issue() for _ in range(4)]
    gateway = asking(pins=[pairs[0].pin, pairs[1].pin])
    gateway.policy["agents"][0]["client_pins_sha256"] = [pairs[2].pin]
    change(gateway)
    for pair in pairs[:3]:
        served(gateway, showing(gateway, pair))
    with gateway.connect(showing(gateway, pairs[3])) as wire:
        assert wire.request("GET", "/public/").code == "certificate_not_pinned"


@pytest.mark.parametrize("demand", ["optional", "none"])
def test_none_is_no_fault_where_it_is_not_required(asking, showing, clients, demand):
    pins = [client_pair().pin] if demand == "optional" else []
    gateway = asking(demand, authority=clients if demand == "optional" else None, pins=pins)
    served(gateway, showing(gateway))
    agent = gateway.take_agent()
    assert gateway.request("GET", "/", agent.bearer(agent.code())).status == 200


def test_optional_is_not_anything_at_all(asking, showing, clients):
    gateway = asking("optional")
    served(gateway, showing(gateway, clients.issue()))
    assert refusal(gateway, showing(gateway, client_pair())) == "UNKNOWN_CA"


# Tickets.

def test_a_resumed_session_keeps_its_pin(asking, showing, clients):
    pair, other = clients.issue(), clients.issue()
    gateway = asking(pins=[pair.pin])
    context = showing(gateway, pair)
    session, _ = served(gateway, context)
    session, is_reused = served(gateway, context, session)
    assert is_reused
    # The pin goes, and the ticket tells whose it was.
    change(gateway, {"listen": {"tls": {"client_pins_sha256": [other.pin]}}})
    with gateway.connect(context, session=session) as wire:
        assert wire.socket.session_reused
        assert wire.request("GET", "/public/").code == "certificate_not_pinned"


def test_openssl_resumes_without_showing_it_again(asking, clients, tmp_path):
    gateway = asking()
    path, ticket = tmp_path / "pair.pem", tmp_path / "ticket"
    pair = clients.issue()
    path.write_bytes(pair.key + pair.certificate)

    def talk(*arguments):
        return subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{gateway.port}", "-ign_eof",
             *arguments], capture_output=True, text=True, timeout=20,
            input="GET /public/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").stdout

    assert "HTTP/1.1 200" in talk("-cert", path, "-key", path, "-sess_out", ticket)
    again = talk("-sess_in", ticket)
    assert "Reused, TLSv1.3" in again and "HTTP/1.1 200" in again


def test_an_expired_one_does_not_resume(asking, showing, clients):
    """It is the client's business to have another one by then."""
    gateway = asking()
    since = datetime.datetime.now(datetime.timezone.utc) - NOW
    context = showing(gateway, clients.issue(ends=since + datetime.timedelta(seconds=3)))
    session, _ = served(gateway, context)
    session, is_reused = served(gateway, context, session)
    assert is_reused
    with pytest.raises(ssl.SSLError, match="EXPIRED"):
        while True:
            with gateway.connect(context, session=session) as wire:
                wire.receive() if not wire.socket.session_reused else wire.request("GET", "/public/")


# Reloads.

def test_another_authority(asking, showing, clients, tmp_path):
    gateway = asking()
    old = showing(gateway, clients.issue())
    session, _ = served(gateway, old)
    with gateway.connect(old) as wire:
        assert wire.request("GET", "/public/").get("connection") is None
        other = ClientAuthority("other")
        (tmp_path / "clients.pem").write_bytes(other.pem)
        reload(gateway)
        # Who was let in is answered once more, and has to prove itself anew then.
        last = wire.request("GET", "/public/")
        assert (last.status, last.get("connection")) == (200, "close")
        wire.ends()
    with pytest.raises(ssl.SSLError, match="UNKNOWN_CA"), \
            gateway.connect(old, session=session) as wire:
        assert not wire.socket.session_reused
        wire.receive()
    served(gateway, showing(gateway, other.issue()))


def test_a_demand_that_comes_later(asking, showing, clients):
    gateway = asking("optional")
    bare = showing(gateway)
    session, _ = served(gateway, bare)
    with gateway.connect(bare) as wire:
        assert wire.request("GET", "/public/").status == 200
        change(gateway, {"listen": {"tls": {"client_certificate": "required"}}})
        assert wire.request("GET", "/public/").code == "certificate_not_pinned"
        wire.ends()
    with pytest.raises(ssl.SSLError, match="REQUIRED"), \
            gateway.connect(bare, session=session) as wire:
        wire.receive()
    served(gateway, showing(gateway, clients.issue()))


def test_pins_change_under_a_connection(asking, showing, clients):
    pair, other = clients.issue(), clients.issue()
    gateway = asking(pins=[pair.pin])
    with gateway.connect(showing(gateway, pair)) as wire:
        assert wire.request("GET", "/public/").status == 200
        change(gateway, {"listen": {"tls": {"client_pins_sha256": [pair.pin, other.pin]}}})
        assert wire.request("GET", "/public/").status == 200
        change(gateway, {"listen": {"tls": {"client_pins_sha256": [other.pin]}}})
        assert wire.request("GET", "/public/").code == "certificate_not_pinned"


def test_the_file_is_watched(asking, showing, clients, tmp_path):
    gateway = asking()
    other = ClientAuthority("other")
    new = tmp_path / "clients.new"
    new.write_bytes(other.pem)
    new.rename(tmp_path / "clients.pem")
    gateway.wait_told("configuration reloaded", cause="files were replaced")
    served(gateway, showing(gateway, other.issue()))


@pytest.mark.parametrize("content", [b"", b"garbage", b"-----BEGIN CERTIFICATE-----\nAAAA\n"],
                         ids=["empty", "garbage", "cut"])
def test_a_file_that_is_no_authority(asking, showing, clients, tmp_path, content):
    gateway = asking()
    (tmp_path / "clients.pem").write_bytes(content)
    reload(gateway, fails=True)
    served(gateway, showing(gateway, clients.issue()))
    result = command("check", "--policy", gateway.policy_file, env=gateway.env)
    assert result.returncode == 1 and "clients.pem" in result.stderr
