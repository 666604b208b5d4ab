# SPDX-License-Identifier: Apache-2.0
"""Reloads and files: certificates, faults that change nothing, and files that are replaced."""

import json
import re

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from support.agents import Agent
from support.reloading import (
    Mount, change, counts, failures, reload, replace_file, text, warnings)
from support.tls13 import Client
from support.waiting import stays, wait_until

PUBLIC = {"path": "/extra/", "public": True, "upstream": "openclaw"}
NOTICED_SECONDS = 3.5


# Certificates.

def test_a_certificate_and_its_key_are_replaced(live, authority):
    gateway, wire = live()
    old = gateway.connect()
    first = old.socket.getpeercert(binary_form=True)
    gateway.secret("tls_cert", authority.rsa.certificate)
    gateway.secret("tls_key", authority.rsa.key)
    with gateway.connect() as other:
        assert other.socket.getpeercert(binary_form=True) == first, "nobody has said so yet"
    reload(gateway)
    with gateway.connect() as other:
        assert other.socket.getpeercert(binary_form=True) != first
        assert other.request("GET", "/public/").status == 200
    assert old.request("GET", "/public/").status == 200
    old.close()


def test_a_ticket_of_before_resumes_under_another_certificate(live, authority):
    gateway, _ = live()
    context = gateway.context()
    with gateway.connect(context) as wire:
        assert wire.request("GET", "/public/").status == 200
        session = wire.socket.session
    gateway.secret("tls_cert", authority.p384.certificate)
    gateway.secret("tls_key", authority.p384.key)
    reload(gateway)
    with gateway.connect(context, session=session) as wire:
        assert wire.socket.session_reused
        assert wire.request("GET", "/public/").status == 200
    with gateway.connect(context) as wire:
        assert not wire.socket.session_reused


def test_a_handshake_that_has_begun_ends_with_the_certificate_it_began_with(live, authority):
    gateway, _ = live()
    with Client(gateway.address) as client:
        client.start().server_hello()
        client.flight()
        gateway.secret("tls_cert", authority.rsa.certificate)
        gateway.secret("tls_key", authority.rsa.key)
        reload(gateway)
        client.finish()
        assert client.get() == 200


def test_a_signing_key_that_is_replaced_is_published_for_a_while(make, recorder):
    def pem():
        return ec.generate_private_key(ec.SECP256R1()).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def kids():
        keys = gateway.request("GET", "/.well-known/jwks.json").json()["keys"]
        return {key["kid"] for key in keys}

    gateway = make().from_policy(recorder.url, spare_agents=1)
    gateway.secret("signing_key", pem())
    gateway.start()
    before = kids()
    gateway.secret("signing_key", pem())
    reload(gateway)
    assert len(before) == 1 and before < kids()


def test_the_signing_key_stays(live, recorder):
    gateway, wire = live()
    before = gateway.request("GET", "/.well-known/jwks.json").json()
    reload(gateway)
    assert gateway.request("GET", "/.well-known/jwks.json").json() == before


# Faults.

def broken_policy(**members):
    def breaks(gateway, _):
        gateway.policy = gateway.policy | members
        gateway.policy["routes"] = [*gateway.policy["routes"], PUBLIC]
        gateway.write_policy()
    return breaks


def syntax(gateway, _):
    gateway.policy_file.write_text('{\n  "agentport": 1,\n  "listen" {}\n}\n')


def no_policy(gateway, _):
    gateway.policy_file.unlink()


def garbled_certificate(gateway, _):
    gateway.secret("tls_cert", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")


def key_of_another(gateway, authority):
    gateway.secret("tls_key", authority.p384.key)


def no_key(gateway, _):
    (gateway.secrets / "tls_key").unlink()


def no_seed(gateway, _):
    (gateway.secrets / "totp_agent-0").unlink()


def no_base32(gateway, _):
    gateway.secret("totp_agent-0", "this is no seed!\n")


def one_seed_for_two(gateway, _):
    gateway.secret("totp_agent-0", gateway.agents[1].seed)


FAULTS = {
    "syntax": (syntax, r"policy\.json:3:\d+: "),
    "unknown key": (broken_policy(routez=[]), r"policy\.json:\d+:\d+: /routez: "),
    "unknown upstream": (broken_policy(upstreams=[
        {"name": "next", "endpoints": ["http://127.0.0.1:1"]}]),
        r"policy\.json:\d+:\d+: /routes/0/upstream: unknown upstream `openclaw`"),
    "no policy": (no_policy, r"policy\.json: "),
    "garbled certificate": (garbled_certificate, r"secrets/tls_cert: "),
    "key of another": (key_of_another, r"secrets/tls_key: "),
    "no key": (no_key, r"secrets/tls_key"),
    "no seed": (no_seed, r"secrets/totp_agent-0"),
    "no base32": (no_base32, r"secrets/totp_agent-0: "),
    "one seed for two": (one_seed_for_two, r"secrets/totp_agent-\d: the same seed"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_changes_nothing_and_is_told(live, recorder, authority, name):
    """The fault is one of several changes; none of the others takes effect either."""
    breaks, reason = FAULTS[name]
    gateway, wire = live()
    agent, policy = gateway.take_agent(), gateway.policy
    files = {path: path.read_bytes() for path in gateway.secrets.iterdir()}
    certificate = gateway.connect().socket.getpeercert(binary_form=True)
    breaks(gateway, authority)
    reload(gateway, fails=True)
    assert wire.request("GET", "/", agent.bearer()).status == 200
    assert wire.request("GET", "/extra/").status == 401
    with gateway.connect() as other:
        assert other.socket.getpeercert(binary_form=True) == certificate
    told = wait_until(lambda: failures(gateway), what="the fault to be told")
    assert any(re.search(reason, line) for line in told), told
    shown = gateway.output()
    assert not any(a.seed in shown or a.key in shown for a in gateway.agents)
    # With the fault mended, all of it counts.
    for path, content in files.items():
        gateway.secret(path.name, content)
    gateway.policy = policy
    change(gateway, routes=[*policy["routes"], PUBLIC])
    assert counts(gateway) == (1, 1)
    assert wire.request("GET", "/extra/").status == 200
    assert wire.request("GET", "/", agent.bearer()).status == 200


def test_every_fault_of_a_policy_is_told(live):
    gateway, _ = live()
    change(gateway, fails=True, routez=[], toolz=[])
    told = wait_until(lambda: len(found := failures(gateway)) > 1 and found)
    assert {re.search(r"/(\w+): ", line)[1] for line in told} == {"routez", "toolz"}


def test_what_needs_a_start_is_named(live):
    gateway, wire = live()
    change(gateway, {"listen": {"address": "127.0.0.1:1", "limits": {"connections": 30000}},
                     "admin": {"address": "127.0.0.1:2"}})
    named = wait_until(lambda: len(found := [
        line["setting"] for line in warnings(gateway) if "setting" in line]) == 3 and found,
        what="the warnings")
    assert sorted(named) == ["admin.address", "listen.address", "listen.limits.connections"]
    assert gateway.request("GET", "/public/").status == 200
    assert wire.request("GET", "/public/").status == 200


# Files that are replaced.

def test_files_that_are_swapped_as_kubernetes_does_are_noticed(make, recorder, authority):
    """Policy, certificate, key and a seed change all at once, by one rename of a link."""
    gateway = make().from_policy(recorder.url, {"totp": {"one_time": False}}, spare_agents=2)
    agent, other = gateway.agents
    files = {"tls_cert": authority.ecdsa.certificate, "tls_key": authority.ecdsa.key,
             "seed": other.seed}
    folder = gateway.directory / "mount"
    policy = json.loads(text(gateway.policy).replace(str(gateway.secrets / "tls"), f"{folder}/tls"))
    policy["agents"][1]["totp"]["seed_file"] = str(folder / "seed")
    files["policy.json"] = text(policy)
    mount = Mount(folder, files)
    gateway.arguments = ["serve", "--policy", str(mount / "policy.json")]
    gateway.start()
    with gateway.connect() as wire:
        first = wire.socket.getpeercert(binary_form=True)
        assert wire.request("GET", "/", other.bearer()).status == 200
        for round_, pair in enumerate((authority.rsa, authority.p384), 1):
            other.seed = Agent("other").seed
            policy["routes"].append({**PUBLIC, "path": f"/extra-{round_}/"})
            mount.update({**files, "tls_cert": pair.certificate, "tls_key": pair.key,
                          "seed": other.seed, "policy.json": text(policy)})
            wait_until(lambda n=round_: counts(gateway)[0] == n, timeout=NOTICED_SECONDS,
                       what="the swap to be noticed")
            assert wire.request("GET", f"/extra-{round_}/").status == 200
            assert wire.request("GET", "/", other.bearer()).status == 200
            assert wire.request("GET", "/", agent.bearer()).status == 200
            with gateway.connect() as new:
                now = new.socket.getpeercert(binary_form=True)
                assert now != first
                first = now
    assert counts(gateway) == (2, 0)


def test_a_file_that_is_renamed_into_place_is_noticed(live):
    gateway, wire = live()
    gateway.policy["routes"].append(PUBLIC)
    replace_file(gateway.policy_file, text(gateway.policy))
    wait_until(lambda: counts(gateway) == (1, 0), timeout=NOTICED_SECONDS,
               what="the file to be noticed")
    assert wire.request("GET", "/extra/").status == 200


def test_files_that_are_renamed_one_after_the_other_are_read_together(live, authority):
    """The key comes half a second after its certificate: what does not fit is not tried."""
    gateway, _ = live()
    with gateway.connect() as wire:
        first = wire.socket.getpeercert(binary_form=True)
    replace_file(gateway.secrets / "tls_cert", authority.rsa.certificate)
    stays(lambda: counts(gateway) == (0, 0), seconds=0.5)
    replace_file(gateway.secrets / "tls_key", authority.rsa.key)
    wait_until(lambda: counts(gateway) == (1, 0), timeout=NOTICED_SECONDS,
               what="the files to be noticed")
    with gateway.connect() as wire:
        assert wire.socket.getpeercert(binary_form=True) != first


def test_a_bad_file_that_is_renamed_into_place_is_told_once(live):
    gateway, wire = live()
    replace_file(gateway.policy_file, "{")
    wait_until(lambda: counts(gateway) == (0, 1), timeout=NOTICED_SECONDS,
               what="the file to be noticed")
    stays(lambda: counts(gateway) == (0, 1), seconds=2.5)
    assert wire.request("GET", "/public/").status == 200
    replace_file(gateway.policy_file, text(gateway.policy))
    wait_until(lambda: counts(gateway) == (1, 1), timeout=NOTICED_SECONDS,
               what="the file to be noticed")


def test_a_file_that_is_written_in_place_waits_for_a_signal(live):
    gateway, wire = live()
    gateway.policy["routes"].append(PUBLIC)
    whole = text(gateway.policy)
    with gateway.policy_file.open("w") as file:
        file.write(whole[:len(whole) // 2])
        file.flush()
        stays(lambda: counts(gateway) == (0, 0), seconds=2.5)
        file.write(whole[len(whole) // 2:])
    stays(lambda: counts(gateway) == (0, 0), seconds=1.5)
    assert wire.request("GET", "/extra/").status == 401
    reload(gateway)
    assert wire.request("GET", "/extra/").status == 200


def test_without_a_policy_secrets_are_reloaded_too(start_bare, authority):
    gateway = start_bare()
    agent = gateway.agents[0]
    with gateway.connect() as wire:
        first = wire.socket.getpeercert(binary_form=True)
        assert wire.request("GET", "/", agent.bearer()).status == 200
        old, agent.key = agent.bearer(), Agent("other").key
        gateway.secret("api_key", agent.key)
        gateway.secret("tls_cert", authority.rsa.certificate)
        gateway.secret("tls_key", authority.rsa.key)
        reload(gateway)
        assert wire.request("GET", "/", old).verdict == (401, "credentials_invalid")
        assert wire.request("GET", "/", agent.bearer(agent.code(1))).status == 200
        with gateway.connect() as new:
            assert new.socket.getpeercert(binary_form=True) != first
