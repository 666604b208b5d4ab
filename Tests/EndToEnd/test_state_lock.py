# SPDX-License-Identifier: Apache-2.0
"""One state directory is one gateway's: of two, each would undo what the other acknowledged."""

from support.operator import Operator, passes

PAST = "2026-01-01T00:00:00Z"


def beside(make, recorder, gateway):
    """Another gateway with the same state."""
    other = make().from_policy(recorder.url, {"totp": {"one_time": False}}, spare_agents=1)
    other.env["AGENTPORT_STATE_DIR"] = gateway.env["AGENTPORT_STATE_DIR"]
    return other


def test_a_second_gateway_is_refused(make, recorder, start):
    gateway = start({"totp": {"one_time": False}})
    gateway.wait_told("started")
    before = {path.name: path.read_bytes() for path in gateway.state.iterdir()}
    second = beside(make, recorder, gateway)
    assert second.launch().wait() != 0
    assert len(second.errors) == 1 and str(gateway.state) in second.errors[0]
    assert {path.name: path.read_bytes() for path in gateway.state.iterdir()} == before
    assert passes(gateway, gateway.agents[0])


def test_it_is_free_again_after_a_kill(start):
    gateway = start({"totp": {"one_time": False}})
    operator, old = Operator(gateway), gateway.agents[0]
    new = operator.rotate(old, expires_at=PAST)
    gateway.restart(kill=True)
    assert passes(gateway, new) and not passes(gateway, old)


def test_it_keeps_no_command_away(start):
    gateway = start()
    operator = Operator(gateway)
    for words in (["check"], ["keys", "export"]):
        assert operator.command(*words).returncode == 0
