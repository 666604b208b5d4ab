# SPDX-License-Identifier: Apache-2.0
"""Policies that are spoiled: at one place each, by all that is at an edge, or at random."""

import base64
import copy
import re

from .policies import PIN

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
         "[1:2:3:4:5:6:1.2.3.4]", "[1:2:3:4:5:6:7:1.2.3.4]", "[::1.2.3.4]", "[1::1.2.3.256]", "[0::0.0.0.01]",
         "[1.2.3.4::]", "[1:2:3:4:5:6:7::]", "[::2:3:4:5:6:7:8]", "[::1:2:3:4:5:6:7:8]", "[:::]",
         "[1::2::3]", "[:1]", "[1:]", "[12345::]", "[g::]", "[1.2.3.4]", "[a]", "[::1%lo]", "::1",
         "fd00::1", "fd00::", "[", "]", "[]", "user@a", "a b", "a\n", "%61"]
PORTS = ["", ":1", ":80", ":0080", ":65535", ":65536", ":0", ":", ":x", ":-1", ":+1", ":1:2",
         ":000000000000000000000000080", ":99999999999999999999999", ":80\n", ": 80"]
SCHEMES = ["http://", "https://", "HTTP://", "ftp://", "https:/", "", "http://\u0301"]
ENDS = ["", "/", "//", "/jwks", "/a/b?c=d", "?a", "/?a#b", "#", "/é", "/ ", "/\n",
        "/" + "a" * 2020, "/" + "a" * 2100, "/@"]
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


class Bounds:
    """What a schema says of numbers and counts, by the names of keys."""

    def __init__(self, schema):
        self.numbers, self.counts = {}, {}
        self._look(schema, None)

    def _look(self, part, name):
        if "minimum" in part:
            self.numbers.setdefault(name, set()).update(
                {part["minimum"] - 1, part["minimum"], part["maximum"], part["maximum"] + 1})
        if part.get("maxItems", 10000) < 10000:
            self.counts.setdefault(name, set()).update({part["maxItems"], part["maxItems"] + 1})
        for key, inner in part.items():
            if key == "properties":
                for each, member in inner.items():
                    self._look(member, each)
            elif key == "items":
                self._look(inner, name)
            elif key == "anyOf":
                for each in inner:
                    self._look(each, name)


def spoiled_everywhere(policy, bounds):
    """Each place of a policy with each value that is at an edge there, one at a time."""
    for path in _paths(policy):
        value = _at(policy, path)
        if path:
            yield _changed(policy, path, lambda holder, key: holder.pop(key))
        for other in (*OTHERS, *_edges(value, path, bounds)):
            if other != value or type(other) is not type(value):
                yield _changed(policy, path, lambda holder, key: holder.__setitem__(key, other))


def _edges(value, path, bounds):
    name = next((each for each in reversed(path) if isinstance(each, str)), None)
    if isinstance(value, dict):
        yield {**value, "nonsense": 1}
        for key in value:
            yield {(each if each != key else each + "s"): inner for each, inner in value.items()}
    elif isinstance(value, list):
        for item in value:
            yield [*value, item]
        for count in bounds.counts.get(name, ()) if value else ():
            yield [*value, *(_varied(value[0], n) for n in range(len(value), count))]
    elif isinstance(value, str):
        yield from texts_like(value)
    elif not isinstance(value, bool) and value is not None:
        yield from bounds.numbers.get(name, ())
        yield from (float(value), value + 0.5, str(value), -value)


def texts_like(value):
    """Texts of the same kind, right and wrong."""
    address = re.fullmatch(r"(https?://)?(.*?)(:\d+)?(/.*)?", value)
    if re.match("https?://|unix:", value) or re.fullmatch(r".*:\d+", value):
        scheme, host, port, end = (part or "" for part in address.groups())
        if value.startswith("unix:"):
            scheme, host, port, end = "http://", "a", "", ""
        schemes = (scheme, "http://") if scheme else (scheme,)
        yield from (each + other + port + end for each in schemes for other in HOSTS)
        yield from (scheme + host + other + end for other in PORTS)
        yield from (scheme + host + port + other for other in ENDS)
        yield from (other + host + port + end for other in SCHEMES)
        yield from SOCKETS
    elif re.fullmatch(r"\d+[A-Za-z]+", value):
        units = ("B", "KiB", "MiB", "GiB") if "B" in value else ("ms", "s", "m", "h")
        yield from (count + unit for count in COUNTS for unit in units)
        yield from ("1" + unit for unit in UNITS)
    elif re.fullmatch(r"[\da-f.:]+(/\d+)?", value) and len(value) < 40:
        host = value.split("/")[0]
        yield from (each.strip("[]") for each in HOSTS)
        yield from (host + each for each in PREFIXES)
        yield from ("::ffff:10.0.0.0" + each for each in PREFIXES)
    elif len(value) in (44, 64):
        yield from DIGITS
    elif value.isupper():
        yield from (*METHODS, *WORDS)
    else:
        yield from (*TEXTS, *(PATHS if value.startswith("/") else (*WORDS, *HOSTS)))
        if "." in value:
            yield from (each.strip("[]") for each in HOSTS)


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
        return chance.choice(list(texts_like(value)))


def _places(value, holder=None, key=None):
    yield holder, key
    if isinstance(value, dict):
        for name in list(value):
            yield from _places(value[name], value, name)
    elif isinstance(value, list):
        for index in range(len(value)):
            yield from _places(value[index], value, index)


def _paths(value, path=()):
    yield path
    for key in (value if isinstance(value, dict) else range(len(value))
                if isinstance(value, list) else ()):
        yield from _paths(value[key], (*path, key))


def _at(value, path):
    for key in path:
        value = value[key]
    return value


def _changed(policy, path, change):
    """A copy in which the value at the path's end is another."""
    whole = {"": copy.deepcopy(policy)}
    path = ("", *path)
    change(_at(whole, path[:-1]), path[-1])
    return whole[""]


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
