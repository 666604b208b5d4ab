# SPDX-License-Identifier: Apache-2.0
"""Policies to begin with, ways to spoil them, and which faults of `check` a schema can see."""

import base64
import copy
import re

PIN = base64.b64encode(bytes(32)).decode()
OTHER_PIN = base64.b64encode(bytes([1]) * 32).decode()


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
             "totp": {"seed_file": seeds[1]}}],
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


# Values that are at the edge of something, or beyond it.

NUMBERS = [0, 1, 2, 4, 5, 6, 7, 8, 9, 16, 100, 127, 128, 129, 1000, 1001, 65535, 65536, 65537,
           1000000, 1000001, 10000000, 10000001, 20000000, 20000001, -1, 1.0, 6.0, 6.5, 1e2,
           1e300, 10 ** 30]
COUNTS = ["0", "1", "2", "4", "5", "6", "9", "10", "15", "16", "23", "24", "25", "31", "32", "33",
          "59", "60", "61", "63", "64", "65", "99", "100", "101", "127", "128", "199", "255",
          "256", "257", "300", "301", "366", "599", "600", "601", "900", "901", "999", "1000",
          "1001", "1439", "1440", "1441", "3600", "3601", "8783", "8784", "8785", "32767",
          "32768", "32769", "65536", "65537", "86400", "86401", "299999", "300000", "300001",
          "900000", "900001", "3599999", "3600000", "3600001", "86400000", "86400001",
          "31622400000", "31622400001", "68719476736", "68719476737", "007", "0000100",
          "9223372036854775807", "9223372036854775808", "99999999999999999999", "", "-1", "+1",
          "1.5", " 1", "1_0", "0x10", "١"]
UNITS = ["ms", "s", "m", "h", "B", "KiB", "MiB", "GiB", "", "d", "MS", "kb", "KB", "TiB", " s",
         "s ", "s\n", "µs", "ms\x00"]
HOSTS = ["a", "a.example", "localhost", "LocalHost", "127.0.0.1", "127.255.255.255", "128.0.0.1",
         "0.0.0.0", "255.255.255.255", "256.0.0.1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "a.1",
         "1.a", "1", "a-b", "-a", "a-", "a_b", "_", "a..b", "a.", ".a", "é", "a" * 63, "a" * 64,
         ".".join(["a" * 61] * 4), ".".join(["a" * 63] * 3 + ["a" * 61]),
         ".".join(["a" * 63] * 3 + ["a" * 62]), "", "[::1]", "[::]", "[0:0:0:0:0:0:0:1]",
         "[0::1]", "[::0:1]", "[1::1]", "[::10]", "[::0.0.0.1]", "[::ffff:127.0.0.1]",
         "[::ffff:7f00:1]", "[::FFFF:7fff:ffff]", "[0:0:0:0:0:ffff:7f00::]", "[0:ffff:7f00::]",
         "[::ffff:8000:1]", "[1:2:3:4:5:6:7:8]", "[1:2:3:4:5:6:7]", "[1:2:3:4:5:6:7:8:9]",
         "[1:2:3:4:5:6:1.2.3.4]", "[1:2:3:4:5:6:7:1.2.3.4]", "[::1.2.3.4]", "[1::1.2.3.256]",
         "[1.2.3.4::]", "[1:2:3:4:5:6:7::]", "[::2:3:4:5:6:7:8]", "[::1:2:3:4:5:6:7:8]", "[:::]",
         "[1::2::3]", "[:1]", "[1:]", "[12345::]", "[g::]", "[1.2.3.4]", "[a]", "[::1%lo]", "::1",
         "fd00::1", "fd00::", "[", "]", "[]", "user@a", "a b", "a\n", "%61"]
PORTS = ["", ":1", ":80", ":0080", ":65535", ":65536", ":0", ":", ":x", ":-1", ":+1", ":1:2",
         ":000000000000000000000000080", ":99999999999999999999999", ":80\n", ": 80"]
ENDS = ["", "/", "//", "/jwks", "/a/b?c=d", "?a", "/?a#b", "#", "/é", "/ ", "/\n", "/" + "a" * 2020,
        "/" + "a" * 2100, "/@"]
PREFIXES = ["", "/0", "/8", "/08", "/32", "/33", "/64", "/96", "/104", "/128", "/129", "/-1", "/",
            "/8/8", "/x"]
SOCKETS = ["unix:/run/a.sock", "unix:a", "unix:/", "unix:/a/", "unix:/a/.", "unix:/a/..",
           "unix:/./a", "unix://a", "unix:/a/.b", "unix:/.", "unix:", "unix:/" + "a" * 106,
           "unix:/" + "a" * 107, "unix:/a\x00b", "unix:/a\n", "unix:/a/\u0301", "unix:/\u0301a",
           "unix:\u0301/a", "off", "OFF", "off ", "unix:/a/.\u0301"]
TEXTS = ["", " ", "a", "a b", " a", "a ", "a" * 64, "a" * 65, "a" * 128, "a" * 129, "a" * 256,
         "a" * 257, "é", "\n", "a\n", "\x00", "a\x00", "~", "\x7f", '"', "\\", "a\"b", ".a", "a@b",
         "a.b-c_d", "-a", "a/b", "@", "/nowhere", "/tmp", "A\u030a", "\u212a", "😀"]
PATHS = ["/", "//", "/a", "/a/", "/a//b", "/./a", "/a/.", "/a/..", "/../a", "/.a", "/a/..b",
         "/a/...", "/a/.../b", "/a%20b", "/a?b", "/a#b", "/a b", "/é", "a", "", "/" + "a" * 1023,
         "/" + "a" * 1024, "/.well-known/jwks.json", "/.well-known/jwks.json/",
         "/.well-known/jwks", "/.agentport/", "/.agentport/x", "/.agentport", "/.agentportx/",
         "/a;b", "/a\\b", "/-._~!$&'()*+,;=:@", "/a\n", "/a/\u0301", "/[", "/{", "/^", "/\"",
         "/|", "/a/./b", "/a/../b"]
METHODS = ["GET", "POST", "get", "Get", "M-SEARCH", "A" * 32, "A" * 33, "", "G T", "É", "1", "!",
           "G(", "GET\n", "^_`|~"]
DIGITS = ["ab" * 32, "AB" * 32, "aB" * 32, "ab" * 31, "ab" * 33, "zz" * 32, PIN, PIN[:-1], "A" * 44,
          "A" * 42 + "B=", "A" * 42 + "E=", "A" * 42 + "==", "-" + PIN[1:], "_" + PIN[1:],
          "+/" + PIN[2:], PIN + "\n", " " + PIN, "ab" * 32 + "\n"]
WORDS = ["none", "optional", "required", "private", "off", "least_request", "round_robin", "ES256",
         "EdDSA", "RS256", "HS256", "es256", "SHA1", "SHA256", "SHA512", "sha1", "agent",
         "client_address", "enforce", "shadow", "tls_inspector", "client_pins", "ip_rate_limit",
         "identity", "totp", "agent_rate_limit", "inspect", "jwt", "JWT", "identity\n"]
KEYS = ["agentport", "name", "use", "mode", "path", "tls", "limits", "body", "issuer", "requests",
        "per", "burst", "people", "tools", "tools_default", "calls", "websocket", "profile",
        "set_headers", "buffered", "connections", "header_timeout", "keepalive_timeout",
        "client_ca", "upstream", "", "nonsense", "a/b~c", "$schema", "é", "Name", "\x00"]
OTHERS = [None, True, False, 0, 1, 1.5, "", "x", [], {}, [None], {"a": 1}, [[]], [{}]]


class Spoiler:
    """Takes policies and makes of each another one, at random and reproducibly."""

    def __init__(self, chance):
        self.chance = chance

    def spoiled(self, policy):
        document = copy.deepcopy(policy)
        for _ in range(self.chance.choice((1, 1, 1, 1, 2, 3))):
            document = self._once(document)
        return document

    def _once(self, document):
        places = list(_places(document))
        holder, key = self.chance.choice(places)
        if holder is None:
            return self._root(document)
        value = holder[key]
        how = self.chance.random()
        if how < 0.10:
            del holder[key]
        elif how < 0.17:
            holder[key] = copy.deepcopy(self.chance.choice(OTHERS))
        elif how < 0.22:
            # What is right in one place may be wrong in another.
            other, name = self.chance.choice(places[1:])
            holder[key] = copy.deepcopy(other[name])
        elif isinstance(value, dict) or how < 0.27 and isinstance(holder, dict):
            self._members(value if isinstance(value, dict) else holder)
        elif isinstance(value, list):
            self._items(value)
        elif isinstance(value, str):
            holder[key] = self._text(value)
        elif isinstance(value, bool) or value is None:
            holder[key] = self.chance.choice((True, False, None, 0, "true"))
        else:
            holder[key] = self.chance.choice((*NUMBERS, value + 1, -value, str(value)))
        return document

    def _root(self, document):
        if self.chance.random() < 0.2:
            return copy.deepcopy(self.chance.choice(OTHERS))
        self._members(document) if isinstance(document, dict) else None
        return document

    def _members(self, members):
        name = self.chance.choice((*KEYS, *members))
        how = self.chance.random()
        if how < 0.5 or not members:
            members[name] = copy.deepcopy(self.chance.choice((*OTHERS, *members.values())))
        else:
            old = self.chance.choice(list(members))
            new = self.chance.choice((old[:-1], old + "s", old.upper(), old[::-1], name))
            members[new] = members.pop(old)

    def _items(self, items):
        how = self.chance.random()
        if how < 0.25 or not items:
            items.clear()
        elif how < 0.5:
            items.insert(self.chance.randrange(len(items) + 1),
                         copy.deepcopy(self.chance.choice(items)))
        elif how < 0.65:
            items.append(copy.deepcopy(self.chance.choice(OTHERS)))
        elif how < 0.8:
            self.chance.shuffle(items)
        else:
            # Up to a bound that some list has, and one beyond it.
            count = self.chance.choice((2, 3, 16, 17, 32, 33, 64, 65, 256, 257, 1000, 1001))
            while len(items) < count:
                items.append(_varied(items[0], len(items)))

    def _text(self, value):
        chance = self.chance
        if chance.random() < 0.25:
            at = chance.randrange(len(value) + 1)
            piece = chance.choice("\0\n \t/.:-_@[]%?#0159azAZé\u0301\u200b\"\\~=+")
            return value[:at] + piece + value[at + chance.choice((0, 1)):]
        if chance.random() < 0.1:
            return chance.choice(TEXTS)
        if re.match("https?://|unix:", value):
            return self._address(("http://", "https://", "https://", "http://", "HTTP://", "ftp://",
                                  "https:/", "", "http://\u0301"), ENDS)
        if re.match(r"\d+\w+$", value):
            return chance.choice(COUNTS) + chance.choice((value.lstrip("0123456789"), *UNITS))
        if re.match(r"[\d.:a-f]+:\d+$|off$", value):
            return self._address(("",), ("",))
        if re.match(r"[\da-f.:]+(/\d+)?$", value):
            host = chance.choice([host.strip("[]") for host in HOSTS] + HOSTS)
            return host + chance.choice(PREFIXES)
        if value.startswith("/"):
            return chance.choice(PATHS)
        pool = (DIGITS if len(value) > 40 else METHODS if value.isupper()
                else chance.choice((WORDS, TEXTS, HOSTS)))
        return chance.choice(pool)

    def _address(self, beginnings, ends):
        chance = self.chance
        if chance.random() < 0.3:
            return chance.choice(SOCKETS)
        return (chance.choice(beginnings) + chance.choice(HOSTS) + chance.choice(PORTS)
                + chance.choice(ends))


def _places(value, holder=None, key=None):
    yield holder, key
    if isinstance(value, dict):
        for name in list(value):
            yield from _places(value[name], value, name)
    elif isinstance(value, list):
        for index in range(len(value)):
            yield from _places(value[index], value, index)


def _varied(item, number):
    """Another item of the same kind."""
    if isinstance(item, dict):
        return {name: _varied(value, number) if name in ("name", "path", "issuer", "client")
                else copy.deepcopy(value) for name, value in item.items()}
    if not isinstance(item, str):
        return number
    if len(item) == 64:
        return f"{number:064x}"
    if len(item) == 44:
        return base64.b64encode(number.to_bytes(32, "big")).decode()
    if item.startswith("http"):
        return f"http://varied-{number}:1"
    if re.match(r"[\da-f.:]+(/\d+)?$", item):
        return f"192.0.{number // 256}.{number % 256}"
    return item[:40] + f"{number}" if not item.isupper() else "A" * (number % 32) + "BCDE"[
        number // 32 % 4]
