# SPDX-License-Identifier: Apache-2.0
"""Everything about a request that two parsers could read in two ways, refused or read in the one
right way, however the bytes are cut; and beside each what is legal, which must pass.

The rows are in `support/edge_*.py`. Each is sent whole, byte by byte, and in two pieces: cut at
some positions in every run, at all of them in those that are marked long.
"""

import pytest

from support import edge_bodies, edge_families, edge_fields, edge_framing, edge_targets
from support.agents import terse
from support.edge import parameters
from support.edge_driver import Edge
from support.gateway import MANY_CLIENTS, merged

TABLES = [edge_framing, edge_fields, edge_targets, edge_bodies, edge_families]
CASES = {f"{group}: {case.name}": case for table in TABLES
         for group, cases in table.ROWS.items() for case in cases}


@pytest.fixture(scope="module")
def policy_patch():
    return merged(MANY_CLIENTS, {"totp": {"one_time": False}})


@pytest.fixture(scope="module")
def policy_agents():
    return [terse()]


@pytest.fixture(scope="module")
def module_edge(module_gateway, module_recorder):
    edge = Edge(module_gateway, module_gateway.agents[0], module_recorder)
    yield edge
    edge.close()


@pytest.fixture
def edge(module_edge, gateway):
    return module_edge


@pytest.mark.parametrize("case", list(parameters(CASES)))
def test_read_in_one_way(edge, case):
    edge.check(case)


@pytest.mark.long
@pytest.mark.parametrize("case", list(parameters(CASES)))
def test_read_in_one_way_wherever_it_is_cut(edge, case):
    edge.check(case, everywhere=True)


def test_the_tables_have_both_sides():
    """A gateway that refuses everything fails, and so does one that takes everything."""
    for table in TABLES:
        allowed = [{outcome.status == 200 for outcome in case.allowed}
                   for cases in table.ROWS.values() for case in cases]
        assert {True} in allowed and {False} in allowed, table.__name__
