# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the ways between the nodes carry, what encapsulations add, and which sizes pods have."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .._cluster import effective, installers, node_marks
from . import packet_signals, words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .._evidence.evidence import Evidence
    from .._evidence.model import Node

NONE, IPIP, VXLAN, WIREGUARD = (
    packet_signals.NONE,
    packet_signals.IPIP,
    packet_signals.VXLAN,
    packet_signals.WIREGUARD,
)
# What each adds to a packet, around IPv4 and around IPv6 (felix/dataplane/linux/int_dataplane.go).
OVERHEAD = {NONE: (0, 0), IPIP: (20, 20), VXLAN: (50, 70), WIREGUARD: (60, 80)}
_OF_AKS_HOSTS = 100
_ARRIVED = ("ok", "smaller", "local")


class Carried(NamedTuple):
    """The largest packet that every way carries, None if that is not known; where the narrowest is, or what is not
    known."""

    size: int | None
    where: str


def carried(evidence: Evidence) -> Carried:
    """What the narrowest way between any two nodes carries, as measured; every node must have been measured."""
    found: list[tuple[int, str]] = []
    for node in evidence.nodes.values():
        paths = [one for one in (node.mtu.paths if node.mtu else ()) if one.result in _ARRIVED and one.carries]
        silent = [one for one in (node.mtu.paths if node.mtu else ()) if one.result not in _ARRIVED]
        if silent:
            return Carried(None, f"from {node.name} the way {silent[0].path_class} could not be measured")
        if not paths and len(evidence.nodes) > 1:
            return Carried(None, f"from {node.name} no way was measured")
        found += [(one.carries or 0, f"from {node.name} by {one.path_class}") for one in paths]
        if node.sizes.host:
            found.append((node.sizes.host, f"by {node.sizes.interface} of {node.name}"))
    return Carried(*min(found)) if found else Carried(None, "no interface is known")


def overhead(evidence: Evidence, kinds: Iterable[str]) -> int:
    """What the costliest of these encapsulations adds, and WireGuard if it is in use."""
    wide = any(":" in pool.cidr for pool in evidence.cluster.pools) if evidence.cluster else False
    used = {*kinds, *in_use(evidence, "wireguardEnabled", WIREGUARD), *in_use(evidence, "wireguardEnabledV6", "six")}
    sizes = [OVERHEAD[kind][kind == VXLAN and wide] for kind in used if kind in OVERHEAD]
    return max(sizes + _wireguard(evidence, used), default=0)


def in_use(evidence: Evidence, field: str, kind: str) -> list[str]:
    """The kind, if Felix' field is on."""
    cluster = evidence.cluster
    return [kind] if cluster is not None and effective.felix(cluster, field).value == "true" else []


def _wireguard(evidence: Evidence, used: set[str]) -> list[int]:
    cluster = evidence.cluster
    sizes = [OVERHEAD[WIREGUARD][1]] if "six" in used else []
    if cluster is None or WIREGUARD not in used:
        return sizes
    on_aks = installers.provider(cluster).name == node_marks.AKS
    among_hosts = effective.felix(cluster, "wireguardHostEncryptionEnabled").value == "true"
    return [*sizes, OVERHEAD[WIREGUARD][0] + (_OF_AKS_HOSTS if on_aks and among_hosts else 0)]


def larger_pods(node: Node, size: int) -> dict[int, int]:
    """How many of a node's pods have which MTU that is larger than this."""
    return {mtu: number for mtu, number in node.sizes.workloads.items() if mtu > size}


def keeping(evidence: Evidence, size: int) -> list[str]:
    """Lines on pods whose interfaces are larger than this, by node."""
    found = []
    for node in evidence.nodes.values():
        larger = larger_pods(node, size)
        if larger:
            told = words.listed(f"{words.plural(number, 'pod')} {mtu}" for mtu, number in sorted(larger.items()))
            found.append(f"{node.name}: {told} keep that MTU until they are made anew ({size} is right)")
    return found
