# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshes that are odd but sound: none of them may be called broken."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple

from lab import waiting
from lab.topology import TOPOLOGIES

from .rows import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from lab import Lab

_BGP = "/apis/crd.projectcalico.org/v1/bgpconfigurations"
_POOL = "/apis/crd.projectcalico.org/v1/ippools/default-ipv4-ippool"
_AGENTS = "/apis/apps/v1/namespaces/kube-system/daemonsets/calico-node"
_PORT = 1179
_SETTLED = 90  # seconds


class Oddity(NamedTuple):
    """A way to be odd: what makes it and takes it away again, on a topology, with a lab of `nodes` (0: the usual)."""

    name: str
    topology: str
    made: Callable[[Lab], AbstractContextManager[None]]
    nodes: int = 0


@contextlib.contextmanager
def _drained(lab: Lab) -> Iterator[None]:
    """A node that takes no more pods."""
    path = f"/api/v1/nodes/{lab.nodes[-1].name}"
    lab.api().patch(path, {"spec": {"unschedulable": True}})
    try:
        yield
    finally:
        lab.api().patch(path, {"spec": {"unschedulable": None}})


@contextlib.contextmanager
def _other_port(lab: Lab) -> Iterator[None]:
    """All nodes listen on another port than 179."""
    wanted = {
        "apiVersion": "crd.projectcalico.org/v1",
        "kind": "BGPConfiguration",
        "metadata": {"name": "default"},
        "spec": {"listenPort": _PORT},
    }
    lab.api().create(_BGP, wanted)
    try:
        _listen_anew(lab, _PORT)
        yield
    finally:
        lab.api().delete(f"{_BGP}/default")
        _listen_anew(lab, 179)


def _listen_anew(lab: Lab, port: int) -> None:
    """Restart calico-node, without which BIRD listens on; return once all nodes do so there and all sessions are up."""
    restarted = {"spec": {"template": {"metadata": {"annotations": {"restarted-for-port": str(port)}}}}}
    lab.api().patch(_AGENTS, restarted, "strategic-merge")

    def missing() -> str:
        agents = lab.api().get(_AGENTS)
        status, nodes = agents["status"], len(lab.nodes)
        seen = status.get("observedGeneration") == agents["metadata"]["generation"]
        if not seen or {status.get("updatedNumberScheduled"), status.get("numberReady")} != {nodes}:
            return "calico-node is being restarted"
        late = [node.name for node in lab.nodes if not lab.exec(node.name, ["ss", "-Hltn", f"sport = {port}"]).stdout]
        return f"no listener on port {port} on {', '.join(late)}" if late else ""

    waiting.until(missing, f"listeners on port {port}", _SETTLED)
    lab.wait_ready(_SETTLED)


@contextlib.contextmanager
def _no_encapsulation(lab: Lab) -> Iterator[None]:
    """No tunnel between nodes of one subnet."""
    was = lab.api().get(_POOL)["spec"]
    lab.api().patch(_POOL, {"spec": {"ipipMode": "Never", "vxlanMode": "Never"}})
    try:
        lab.wait_ready(_SETTLED)
        yield
    finally:
        lab.api().patch(_POOL, {"spec": {"ipipMode": was["ipipMode"], "vxlanMode": was.get("vxlanMode", "Never")}})
        lab.wait_ready(_SETTLED)


def _as_it_is(_lab: Lab) -> AbstractContextManager[None]:
    return contextlib.nullcontext()


ODDITIES: tuple[Oddity, ...] = (
    *(Oddity("", shape.name, _as_it_is) for shape in TOPOLOGIES),
    Oddity("single node", "one_subnet", _as_it_is, nodes=1),
    Oddity("fresh start", "one_subnet", _as_it_is, nodes=3),
    Oddity("drained node", "one_subnet", _drained),
    Oddity("port 1179", "one_subnet", _other_port),
    Oddity("no encapsulation", "one_subnet", _no_encapsulation),
)


def rows() -> list[Row]:
    """A row for each."""
    return [Row(each.topology, (), each.name) for each in ODDITIES]


def of(row: Row) -> Oddity:
    """The oddity of a row."""
    return next(each for each in ODDITIES if (each.topology, each.name) == (row.topology, row.oddity))
