# SPDX-License-Identifier: Apache-2.0
"""The command line: help, mistakes, and the commands that run and end."""

import hashlib
import re
import time
import urllib.parse

import pyotp
import pytest

from support.agents import new_seed
from support.gateway import command

COMMANDS = [(), ("serve",), ("check",), ("dev",), ("totp",), ("totp", "new"), ("totp", "code"),
            ("totp", "uri"), ("totp", "verify"), ("hash-key",), ("policy",), ("policy", "schema"),
            ("version",)]


@pytest.fixture
def seed_file(tmp_path):
    path = tmp_path / "seed"
    path.write_text(new_seed() + "\n")
    path.chmod(0o600)
    return path


def totp_of(seed_file):
    return pyotp.TOTP(seed_file.read_text().strip())


# Help and mistakes.

@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_help(words):
    result = command(*words, "--help")
    assert result.returncode == 0 and result.stderr == ""
    assert "usage" in result.stdout.lower()
    assert " ".join(("agentport", *words)) in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 100


def test_help_names_every_command():
    shown = command("--help").stdout
    for word in ("serve", "check", "dev", "totp", "hash-key", "admin", "health", "keys",
                 "policy schema", "version"):
        assert word in shown


def test_help_of_serve_is_up_to_date():
    shown = command("serve", "--help").stdout
    assert "Reloading by SIGHUP" not in shown
    for secret in ("tls_cert", "totp_seed", "api_key", "signing_key", "admin_token", "state_key"):
        assert secret in shown


def test_version():
    result = command("version")
    assert result.returncode == 0
    assert re.search(r"\d+\.\d+", result.stdout) and "OpenSSL" in result.stdout


@pytest.mark.parametrize("words, nearest", [
    (("serv",), "serve"), (("chekc",), "check"), (("totp", "cod"), "code"),
    (("totp", "verfy"), "verify"), (("hashkey",), "hash-key"), (("versoin",), "version"),
    (("policy", "shcema"), "schema"), (("polcy", "schema"), "policy"),
    (("serve", "--polcy", "x"), "--policy"), (("check", "--policies", "x"), "--policy"),
    (("dev", "--prot", "1"), "--port"), (("dev", "--upsteam", "x"), "--upstream"),
    (("totp", "code", "--seedfile", "x"), "--seed-file")], ids=lambda value: str(value))
def test_a_mistake_names_the_nearest(words, nearest):
    result = command(*words)
    assert result.returncode == 2
    assert nearest in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("words", [("serve", "--policy"), ("serve", "extra"), ("version", "x"),
                                   ("dev", "--port", "none"), ("dev", "--port", "70000"),
                                   ("totp",), ("totp", "code", "--seed-file")],
                         ids=" ".join)
def test_other_misuse_is_exit_2(words):
    result = command(*words)
    assert result.returncode == 2 and result.stderr


@pytest.mark.parametrize("words", [("doctor",), ("explain", "x.http"), ("schema", "test", "x"),
                                   ("policy", "test", "x.json")], ids=" ".join)
def test_what_is_not_built_yet_is_refused_by_name(words):
    result = command(*words)
    assert result.returncode == 2
    assert words[0] in result.stderr and "not built yet" in result.stderr


# totp.

def test_totp_new_makes_a_seed_of_160_bits():
    seeds = set()
    for _ in range(5):
        result = command("totp", "new")
        assert result.returncode == 0
        found = re.findall(r"(?<![A-Z2-7])[A-Z2-7]{32}(?![A-Z2-7])", result.stdout)
        assert found, result.stdout
        seeds.add(found[0])
    assert len(seeds) == 5


def test_totp_code_is_pyotp_s(seed_file):
    before = time.time()
    result = command("totp", "code", "--seed-file", seed_file)
    assert result.returncode == 0 and result.stderr == ""
    assert re.fullmatch(r"\d{6}\n", result.stdout)
    assert result.stdout.strip() in {totp_of(seed_file).at(t) for t in (before, time.time())}


def test_totp_uri_is_read_by_pyotp(seed_file):
    result = command("totp", "uri", "--seed-file", seed_file)
    assert result.returncode == 0
    uri = re.search(r"otpauth://totp/\S+", result.stdout)[0]
    parsed = pyotp.parse_uri(uri)
    assert parsed.secret == totp_of(seed_file).secret
    assert (parsed.digits, parsed.interval, parsed.digest) == (6, 30, hashlib.sha1)
    assert "issuer" in urllib.parse.parse_qs(urllib.parse.urlsplit(uri).query)


def test_totp_verify(seed_file):
    right = totp_of(seed_file).now()
    assert command("totp", "verify", "--seed-file", seed_file, right).returncode == 0
    near = {totp_of(seed_file).at(time.time() + 30 * n) for n in range(-3, 4)}
    wrong = next(f"{n:06d}" for n in range(1000) if f"{n:06d}" not in near)
    for code in (wrong, "12345", "abcdef"):
        assert command("totp", "verify", "--seed-file", seed_file, code).returncode == 1


@pytest.mark.parametrize("content", [None, "", "not!base32", "ABC"])
def test_a_bad_seed_file(tmp_path, content):
    path = tmp_path / "seed"
    if content is not None:
        path.write_text(content)
    result = command("totp", "code", "--seed-file", path)
    assert result.returncode == 1 and str(path) in result.stderr
    told = result.stderr.replace(str(path), "")  # a test's folder is named for its content
    assert result.stdout == "" and (not content or content not in told)


# hash-key.

def test_hash_key_makes_a_key():
    result = command("hash-key")
    assert result.returncode == 0
    digest = re.search(r"\b[0-9a-f]{64}\b", result.stdout)[0]
    words = re.split(r"[\s\"',:=]+", result.stdout)
    keys = [word for word in words if hashlib.sha256(word.encode()).hexdigest() == digest]
    assert len(keys) == 1 and len(keys[0]) >= 22, result.stdout
    assert command("hash-key").stdout != result.stdout


def test_hash_key_hashes_what_it_reads():
    result = command("hash-key", input="a key of my own\n")
    assert result.returncode == 0
    assert hashlib.sha256(b"a key of my own").hexdigest() in result.stdout
    assert "a key of my own" not in result.stdout + result.stderr
