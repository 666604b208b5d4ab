# SPDX-License-Identifier: Apache-2.0
"""Seeds that change, and whatever else may happen to a gateway meanwhile."""

import dataclasses

import pytest

from .agents import new_seed
from .operator import Operator
from .reloading import change, reload


def again(gateway, how):
    """What an operator, a power cut or a change of files has the gateway do."""
    match how:
        case "stopped":
            gateway.restart()
        case "killed":
            gateway.restart(kill=True)
        case "reloaded":
            reload(gateway)
        case "called":
            Operator(gateway).reload()
        case "other policy":
            change(gateway, {"issuer": {"lifetime": "50s"}})


HOW = pytest.mark.parametrize("how", ["stopped", "killed", "reloaded", "called", "other policy"])


def with_seed(agent, seed=None):
    return dataclasses.replace(agent, seed=seed or new_seed())


def write_seed(gateway, agent):
    """Puts this agent's seed into its file, in place, so that nothing happens yet."""
    gateway.secret(f"totp_{agent.name}", agent.seed + "\n")
