# SPDX-License-Identifier: Apache-2.0
"""Policies to begin with, ways to spoil them, and which faults of `check` a schema can see."""

import base64
import copy
import re

PIN = base64.b64encode(bytes(32)).decode()
OTHER_PIN, THIRD_PIN = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))


def whole(certificate, key, seeds):
    """A policy in which every key stands at least once."""
    return {
        "agentport": 1,
        "listen": {
            "address": "127.0.0.1:18443",
            "tls": {"certificate": certificate, "key": key, "client_ca": certificate,
                    "client_certificate": "optional", "client_pins_sha256": [PIN]},
            "public_url": "https://claw.example.com:8443/", "portal_host": None,
            "plaintext_jwks": "private",
            "trusted_proxies": ["10.0.0.0/8", "192.0.2.1", "fd00::/8"],
            "limits": {"header_bytes": "32KiB", "header_fields": 100, "request_line": "8KiB",
                       "body": "2MiB", "connections": 20000, "connections_per_ip": 256,
                       "header_timeout": "10s", "body_timeout": "15s",
                       "keepalive_timeout": "1m"}},
        "admin": {"address": "127.0.0.1:19901", "token_file": key},
        "upstreams": [
            {"name": "openclaw", "endpoints": ["http://127.0.0.1:8080", "https://a.example",
                                               "unix:/run/a.sock", "http://[::1]:8080/"],
             "balance": "least_request", "connect_timeout": "5s", "first_byte_timeout": "60s",
             "max_connections": 1024, "max_pending": 0, "eject_after": 5,
             "health_check": {"path": "/healthz?a=b", "interval": "250ms", "unhealthy_after": 3},
             "tls": {"ca": certificate, "server_name": "claw.internal", "pins_sha256": [PIN]},
             "audience": "openclaw-prod", "shared_audience": False},
            {"name": "other", "endpoints": ["https://b.example:8443"], "health_check": None,
             "tls": {"ca": None, "server_name": None, "pins_sha256": []}, "audience": "other"}],
        "issuer": {"name": "agentport", "audience": "openclaw-prod", "algorithm": "ES256",
                   "lifetime": "60s", "reuse": True, "legacy_header": False,
                   "rotate_every": "720h"},
        "oauth": [{"issuer": "https://idp.example", "audience": "agentport",
                   "jwks_url": "https://idp.example/jwks?a", "agent_claim": "client_id",
                   "user_claim": "sub"},
                  {"issuer": "b", "audience": "b", "jwks_url": "http://127.0.0.1:99/jwks"}],
        "agents": [
            {"name": "weather-1", "user": "ops@example.com", "scopes": ["tools:read", "x"],
             "api_key_sha256": ["ab" * 32, "CD" * 32], "client_pins_sha256": [OTHER_PIN],
             "oauth": [{"issuer": "https://idp.example", "client": "weather-app"},
                       {"issuer": "b"}],
             "totp": {"seed_file": seeds[0], "algorithm": "SHA1", "digits": 6, "period": "30s"},
             "rate": {"requests": 100, "per": "1s", "burst": 200}},
            {"name": "w2", "oauth": [{"issuer": "https://idp.example", "client": "w2"}],
             "totp": {"seed_file": seeds[1]}},
            {"name": "w3", "client_pins_sha256": [THIRD_PIN], "totp": {"seed_file": seeds[2]}}],
        "totp": {"skew": 1, "one_time": True, "max_failures": 5, "lockout": "30s",
                 "disable_after": 100, "rotation_grace": "5m"},
        "sessions": {"enabled": True, "lifetime": "5m", "bind": ["agent", "client_address"]},
        "filters": [{"use": "tls_inspector"}, {"use": "client_pins"},
                    {"use": "ip_rate_limit", "requests": 1000, "per": "1s", "burst": 2000,
                     "mode": "enforce"},
                    {"use": "identity"}, {"use": "totp"},
                    {"use": "agent_rate_limit", "mode": "shadow"}, {"use": "jwt"}],
        "routes": [
            {"path": "/v1/", "methods": ["GET", "POST"], "upstream": "openclaw",
             "limits": {"body": "1GiB", "body_timeout": "1m", "header_bytes": "16KiB",
                        "header_fields": 50, "request_line": "4KiB"},
             "timeouts": {"first_byte": "2m", "idle": "30s"}},
            {"path": "/healthz", "public": True, "upstream": "other"}],
        "drain": {"grace": "0s", "deadline": "15s"}}


def specified(certificate, key, seeds):
    """The example of the specification, as far as it is built."""
    return {
        "agentport": 1,
        "listen": {"address": "0.0.0.0:8443",
                   "tls": {"certificate": certificate, "key": key, "client_ca": certificate,
                           "client_certificate": "none", "client_pins_sha256": []},
                   "public_url": "https://claw.example.com", "portal_host": None,
                   "plaintext_jwks": "private", "trusted_proxies": [],
                   "limits": {"header_bytes": "32KiB", "header_fields": 100,
                              "request_line": "8KiB", "body": "2MiB", "connections": 20000,
                              "connections_per_ip": 256, "header_timeout": "10s",
                              "body_timeout": "15s", "keepalive_timeout": "60s"}},
        "admin": {"address": "127.0.0.1:9901", "token_file": key},
        "upstreams": [{"name": "openclaw", "endpoints": ["http://127.0.0.1:8080"],
                       "balance": "least_request", "connect_timeout": "5s",
                       "first_byte_timeout": "60s", "max_connections": 1024,
                       "max_pending": 1024,
                       "health_check": {"path": "/healthz", "interval": "5s",
                                        "unhealthy_after": 3},
                       "tls": {"ca": None, "server_name": None, "pins_sha256": []},
                       "audience": "openclaw-prod"}],
        "issuer": {"name": "agentport", "audience": "openclaw-prod", "algorithm": "ES256",
                   "lifetime": "60s", "reuse": True, "legacy_header": False},
        "oauth": [{"issuer": "https://idp.example", "audience": "agentport",
                   "jwks_url": "https://idp.example/jwks", "agent_claim": "client_id",
                   "user_claim": "sub"}],
        "agents": [{"name": "weather-1", "user": "ops@example.com", "scopes": ["tools:read"],
                    "api_key_sha256": ["0123456789abcdef" * 4], "client_pins_sha256": [],
                    "oauth": [{"issuer": "https://idp.example", "client": "weather-app"}],
                    "totp": {"seed_file": seeds[0], "algorithm": "SHA1", "digits": 6,
                             "period": "30s"},
                    "rate": {"requests": 100, "per": "1s", "burst": 200}}],
        "totp": {"skew": 1, "one_time": True, "max_failures": 5, "lockout": "30s",
                 "disable_after": 100, "rotation_grace": "5m"},
        "sessions": {"enabled": True, "lifetime": "5m", "bind": ["agent", "client_address"]},
        "filters": [{"use": "tls_inspector"}, {"use": "client_pins"},
                    {"use": "ip_rate_limit", "requests": 1000, "per": "1s", "burst": 2000},
                    {"use": "identity"}, {"use": "totp"}, {"use": "agent_rate_limit"},
                    {"use": "jwt"}],
        "routes": [{"path": "/tools/invoke", "methods": ["POST"], "upstream": "openclaw"},
                   {"path": "/healthz", "public": True}, {"path": "/"}]}


# What only a whole configuration shows, or a disk; whatever else `check` says is grammar.
BEYOND = re.compile("|".join((
    "another agent's already", "(is|are) agent `.*`'s already", "of upstream .* already",
    "stands in the list already", "unknown upstream", "`oauth` has no issuer", "must come after",
    "must be the last filter", "is missing: every route", "can never apply",
    "must not be l(arg|ong)er than", "have one (upstream user|audience|address)",
    "is the admin address", "is the gateway's own listener", "has no effect", "can never be used",
    "that nobody vouches for", "without `client_ca`", "its path is that of",
    "bits beyond the prefix", "with TLS and without", "no such file", "not a regular file",
    "permission denied", "the file is empty", "larger than", "File name too long",
    "Not a directory")))


def grammar_faults(output, file, document):
    """Those lines of `check` that tell of a value no policy could have there."""
    found = []
    for line in output.splitlines():
        match = re.match(re.escape(str(file)) + r":\d+:\d+: (.*)", line)
        if not match or BEYOND.search(match[1]):
            continue
        # One thing can be written in two ways; a schema sees only what is written alike.
        if re.search(r" twice$", match[1]) and not _has_twins(document, match[1].split(": ")[0]):
            continue
        found.append(match[1])
    return found


def _has_twins(document, pointer):
    *names, last = pointer.split("/")[1:]
    items = document
    for name in names:
        items = items[int(name) if isinstance(items, list) else name]
    return not last.isdecimal() or items[int(last)] in items[:int(last)]
