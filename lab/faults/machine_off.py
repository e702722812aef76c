# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node's whole machine is off: its first process killed, its interface gone from the switch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .. import lifecycle, processes
from ..errors import LabError
from . import pairs
from .model import Case, Fault, Variant, listener

if TYPE_CHECKING:
    from ..lab import Lab
    from ..topology import Node


def off(lab: Lab, node: Node) -> None:
    """Switch a node's machine off. LabError if it cannot be."""
    if processes.end([lab.machine(node.name).process]):
        raise LabError(f"{node.name} cannot be switched off")
    # The kernel takes the interface away some time later, or when an open connection into the machine ends: not so
    # long.
    lab.fabric.exec(["ip", "link", "del", node.port], check=False)


def on(lab: Lab, node: Node) -> None:
    """Switch it on again, with a disk as it was at first."""
    if not lab.machine(node.name).running:
        lifecycle.start_nodes(lab.state, Path(lab.image), lab.plan, [node], lab.data())


def _off(case: Case) -> None:
    off(case.lab, case.node)
    pairs.forget_neighbour(case.lab, case.node.address)
    pairs.reset(case.lab, pairs.between(case.node, case.peers))


def _on(case: Case) -> None:
    on(case.lab, case.node)


def _missing(case: Case) -> str:
    """Nobody can ask the machine itself: its peers must be dialling it in vain, or waiting for it."""
    everyone = pairs.between(case.node, case.peers)
    dialled = [pair for pair in everyone if pair.listener == case.node]
    return pairs.not_failing(case, dialled, "Socket: No route to host") or pairs.not_down(case, everyone)


DOWN = Fault(
    id="peer_node_down",
    description="the node's machine is off",
    inject=_off,
    heal=_on,
    missing=_missing,
    default=listener,
    variants=(Variant("off", "power cut"),),
)
