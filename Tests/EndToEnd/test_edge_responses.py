# SPDX-License-Identifier: Apache-2.0
"""Answers, judged as strictly as requests: nothing that a client and the gateway could read in
two ways reaches the client, and nothing of one answer reaches another client.

The rows are in `support/edge_answers.py`; the upstream sends each whole, byte by byte, and in two
pieces. Below them is what depends on when an answer comes.
"""

import pytest

from support import edge_answers
from support.agents import Agent
from support.edge_answer_driver import AnswerEdge
from support.gateway import MANY_CLIENTS, Gateway, merged

CASES = {f"{group}: {row.name}": row for group, rows in edge_answers.ROWS.items()
         for row in rows}
OFTEN = {"requests": 1000000, "per": "1s", "burst": 1000000}
POLICY = {"totp": {"one_time": False}, "listen": {"limits": {"body": "64MiB"}}}


@pytest.fixture(scope="module")
def module_gateway(tmp_path_factory, authority, module_recorder):
    gateway = Gateway(tmp_path_factory.mktemp("gateway"), authority)
    gateway.from_policy(module_recorder.url, merged(MANY_CLIENTS, POLICY),
                        agents=[Agent("a", key="k", rate=OFTEN)]).start()
    yield gateway
    status = gateway.stop()
    assert status == 0, f"the gateway ended with {status}:\n{gateway.output()[-4000:]}"


@pytest.fixture(scope="module")
def module_edge(module_gateway, module_recorder):
    edge = AnswerEdge(module_gateway, module_gateway.agents[0], module_recorder)
    yield edge
    edge.close()


@pytest.fixture
def edge(module_edge, gateway):
    return module_edge


def rows():
    for name, row in CASES.items():
        marks = [pytest.mark.xfail(strict=True, reason=row.fault)] if row.fault else []
        yield pytest.param(row, id=name.encode("unicode_escape").decode(), marks=marks)


@pytest.mark.parametrize("row", list(rows()))
def test_relayed_in_one_way(edge, row):
    edge.check(row)


@pytest.mark.long
@pytest.mark.parametrize("row", list(rows()))
def test_relayed_in_one_way_wherever_it_is_cut(edge, row):
    edge.check(row, everywhere=True)
