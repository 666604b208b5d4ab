# SPDX-License-Identifier: Apache-2.0
"""`agentport policy schema`: others' validators accept what `check` accepts, and nothing else.

Policies are spoiled, at each place by all that is at an edge and at random, and shown to both.
What `check` says of single values must be what the schema says; what needs the whole
configuration is told apart by its words (`support/policies.py`).
"""

import json
import os
import random
from functools import cache
from itertools import islice

import jsonschema
import pytest
import regress

from support.certificates import Authority
from support.gateway import CHAIN, MANY_CLIENTS, Gateway, command, merged
from support.policies import grammar_faults, specified, whole
from support.policies_spoiled import Bounds, Spoiler, spoiled_everywhere

SEED = int(os.environ.get("AGENTPORT_SEED") or random.randrange(1 << 32))
SHORT, LONG_ITEMS, LONG_EACH = 300, 6, 1000


@cache
def schema():
    result = command("policy", "schema")
    assert result.returncode == 0 and result.stderr == ""
    return json.loads(result.stdout)


_compiled = cache(regress.Regex)


def _pattern(validator, pattern, instance, schema):
    """JSON Schema's patterns are ECMA-262's, whose `$` is not Python's."""
    if isinstance(instance, str) and not _compiled(pattern).find(instance):
        yield jsonschema.ValidationError(f"{instance!r} does not match {pattern!r}")


Validator = jsonschema.validators.extend(jsonschema.Draft202012Validator, {"pattern": _pattern})


@pytest.fixture(scope="module")
def validator():
    return Validator(schema())


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A gateway's directory with its secrets; no gateway runs in it."""
    directory = tmp_path_factory.mktemp("schema")
    gateway = Gateway(directory, Authority(tmp_path_factory.mktemp("authority")))
    gateway.from_policy("http://127.0.0.1:8080", spare_agents=3)
    return gateway


@pytest.fixture(scope="module")
def policies(place):
    arguments = (str(place.secrets / "tls_cert"), str(place.secrets / "tls_key"),
                 [agent["totp"]["seed_file"] for agent in place.policy["agents"]])
    return [whole(*arguments), whole(*arguments), whole(*arguments), specified(*arguments),
            place.policy, merged(place.policy, MANY_CLIENTS), {"agentport": 1}]


def check(place, document):
    place.policy_file.write_text(json.dumps(document))
    return command("check", "--policy", place.policy_file, env=place.env)


def compared(place, validator, seed, documents):
    """The two must agree on each."""
    print(f"AGENTPORT_SEED={seed}")
    differences, refused, count = [], 0, 0
    for number, document in enumerate(documents):
        result = check(place, document)
        assert result.returncode in (0, 1), result.stderr
        faults = grammar_faults(result.stderr, place.policy_file, document)
        error = jsonschema.exceptions.best_match(validator.iter_errors(document))
        refused, count = refused + bool(faults), count + 1
        if bool(faults) != bool(error):
            differences.append(f"number {number}: check: {faults}; schema: "
                               f"{error and (error.json_path, error.message[:300])}; "
                               f"{result.stderr[-600:]}")
    print(f"{count} policies, {refused} refused for their grammar, {len(differences)} differences")
    assert not differences, f"seed {seed}, {len(differences)}:\n" + "\n".join(differences[:20])
    assert count / 5 < refused < count * 19 / 20, f"seed {seed}: {refused} of {count} refused"


def at_random(policies, seed, count):
    spoiler = Spoiler(random.Random(seed))
    return (spoiler.spoiled(spoiler.chance.choice(policies)) for _ in range(count))


def test_it_is_a_schema_of_2020_12():
    jsonschema.Draft202012Validator.check_schema(schema())
    assert schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema()["$id"] == "https://agentport.dev/schemas/policy-1.json"
    assert schema()["title"] and "comments" in schema()["description"]


def test_every_key_is_described_and_every_object_is_closed():
    def look(part, where):
        if "properties" in part and part.get("type") == "object":
            assert part["additionalProperties"] is False, where
            for name, member in part["properties"].items():
                assert member["description"].endswith((".", "…")), f"{where}/{name}"
        for name, inner in part.items():
            if isinstance(inner, dict):
                look(inner, f"{where}/{name}")
            elif isinstance(inner, list):
                for index, each in enumerate(inner):
                    if isinstance(each, dict):
                        look(each, f"{where}/{name}/{index}")
    look(schema(), "")


def test_right_policies_are_right(place, validator, policies):
    for document in policies:
        validator.validate(document)
        result = check(place, document)
        assert result.returncode == 0, result.stderr


def test_the_spoiled_policy_has_every_key(policies):
    """So that a key which is added is spoiled too."""
    def keys(part, where):
        for variant in part.get("anyOf", []):
            yield from keys(variant, where)
        if isinstance(part.get("items"), dict):
            yield from keys(part["items"], where + "/*")
        if part.get("additionalProperties") is False:
            for name, member in part["properties"].items():
                yield f"{where}/{name}"
                yield from keys(member, f"{where}/{name}")

    def there(value, where):
        if isinstance(value, dict):
            for name, member in value.items():
                yield f"{where}/{name}"
                yield from there(member, f"{where}/{name}")
        elif isinstance(value, list):
            for item in value:
                yield from there(item, where + "/*")
    assert set(there(policies[0], "")) == set(keys(schema(), ""))


def test_what_is_not_built_yet_is_not_in_it(validator, policies):
    for change in ({"people": []}, {"tools": []}, {"tools_default": "deny"},
                   {"filters": [{"use": "inspect"}]}, {"listen": {"portal_host": "a"}}):
        assert not validator.is_valid(merged(policies[-1], change)), change


def test_they_agree_on_some_of_all_edges(place, validator, policies):
    edges = list(spoiled_everywhere(policies[0], Bounds(schema())))
    compared(place, validator, SEED, random.Random(SEED).sample(edges, SHORT))


def test_they_agree_on_policies_spoiled_at_random(place, validator, policies):
    compared(place, validator, SEED, at_random(policies, SEED, SHORT))


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("part", range(LONG_ITEMS))
def test_they_agree_on_all_edges(place, validator, policies, part):
    edges = spoiled_everywhere(policies[0], Bounds(schema()))
    compared(place, validator, SEED, islice(edges, part, None, LONG_ITEMS))


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("item", range(LONG_ITEMS))
def test_they_agree_at_random_at_length(place, validator, policies, item):
    seed = SEED + 1 + item
    compared(place, validator, seed, at_random(policies, seed, LONG_EACH))
