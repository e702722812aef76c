# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is left to do where Calico's own MTU fits through the network already: pods keep the one they were made with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import commands, path_sizes, words
from .model import Remainder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .._evidence.evidence import Evidence
    from .._evidence.model import MtuPath, Node

_NODES_TOLD = 3


def remainder(evidence: Evidence, paths: Mapping[tuple[str, str], MtuPath]) -> Remainder | None:
    """What is left; None if pods would still be made too large for one of these paths, or it is not known."""
    carried = min((path.carries for path in paths.values() if path.carries), default=0)
    # All nodes: of the ways between them few are measured, one for each class.
    nodes = [evidence.nodes[name] for name in sorted(evidence.nodes) if evidence.nodes[name].has_calico]
    sizes = [_of_new_pods(node) for node in nodes]
    if not nodes or not all(0 < size <= carried for size in sizes):
        return None
    old = {node.name: sum(path_sizes.larger_pods(node, carried - node.sizes.overhead).values()) for node in nodes}
    too_large = {name: number for name, number in old.items() if number}
    return _renewal(evidence, too_large, carried) if too_large else _nothing_of_calicos(paths, carried)


def _of_new_pods(node: Node) -> int:
    """The largest packet of a pod that is made now, with its encapsulation; 0 if it is not known."""
    size = node.sizes.cni or node.sizes.written or 0
    return size + node.sizes.overhead if size else 0


def _renewal(evidence: Evidence, too_large: Mapping[str, int], carried: int) -> Remainder:
    told = words.listed(f"{words.plural(number, 'pod')} on {name}" for name, number in too_large.items())
    return Remainder(
        action="renew_pods",
        text=(
            f"Calico's MTU fits through these {carried} bytes already, for pods made from now on. Make those anew that "
            f"are older, whose interfaces keep what they were made with: {told}."
        ),
        risk="medium",
        disrupts="the pods that are made anew",
        commands=_commands(evidence, too_large),
    )


def _commands(evidence: Evidence, names: Iterable[str]) -> list[str]:
    shown = [f"kubectl get pods -A -o wide {commands.on_this(evidence, name)}" for name in list(names)[:_NODES_TOLD]]
    return [*shown, "kubectl rollout restart -n NAMESPACE deployment NAME   # each one's owner, one after the other"]


def _nothing_of_calicos(paths: Iterable[tuple[str, str]], carried: int) -> Remainder:
    return Remainder(
        action="widen_path",
        text=(
            f"All that pods send fits through these {carried} bytes. Give the link the MTU of the others if the hosts "
            "themselves are to send larger packets."
        ),
        risk="medium",
        disrupts="traffic for a moment where a link changes",
        commands=[commands.on_node(min(paths)[0], "ip link show")],
    )
