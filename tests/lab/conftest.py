# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Labs for the tests: one per topology and test run, healed between tests, and the diagnosis as a user runs it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from lab import Lab
from matrix.diagnosis import diagnose as playbook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from matrix.diagnosis import Run

# Three ends show all that an overlay has.
NODES = {"vxlan": 3, "canal": 3}
LONGEST = "test_remediate.py"
# Of tests that run side by side each process has labs of its own.
STATE = os.environ.get("NETMEDIC_LAB", "/run/netmedic-lab-tests") + os.environ.get("PYTEST_XDIST_WORKER", "")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest one begins first, lest all wait for it in the end."""
    items.sort(key=lambda item: item.path.name != LONGEST)


@pytest.fixture(scope="session")
def labs() -> Iterator[Callable[[str], Lab]]:
    """A lab of four nodes by topology, started when first asked for."""
    running: dict[str, Lab] = {}

    def of(topology: str) -> Lab:
        if topology not in running:
            running[topology] = Lab.up(nodes=NODES.get(topology, 4), topology=topology, state=f"{STATE}-{topology}")
        return running[topology]

    yield of
    for lab in running.values():
        lab.down()


@pytest.fixture
def lab(labs: Callable[[str], Lab], request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A healthy lab of one subnet, or of the topology in the test's parameter `topology`; healed afterwards."""
    callspec = getattr(request.node, "callspec", None)
    topology = callspec.params.get("topology", "one_subnet") if callspec else "one_subnet"
    chosen = labs(topology)
    yield chosen
    chosen.heal()


@pytest.fixture
def diagnose(lab: Lab, tmp_path: Path) -> Callable[..., Run]:
    """Diagnose the lab; arguments are passed to ansible-playbook."""

    def run(*arguments: str, inventory: str = "") -> Run:
        return playbook(inventory or lab.inventory, tmp_path, *arguments)

    return run
