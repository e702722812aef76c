# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what is amiss in an overlay (devices, ways, filters, echoes) to what no longer reaches what."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .._gate import names
from .._overlay.compare import overlays
from .impact import blocks_of, sum_of, summary_of
from .model import Impact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.evidence import Evidence
    from .._overlay.model import Overlay


def overlay_impact(evidence: Evidence) -> Impact | None:
    """What the overlays' trouble cuts off; None where nothing is amiss with any of them."""
    alone: set[str] = set()
    cut: dict[str, set[str]] = {}
    ends: set[str] = set()
    devices = []
    for overlay in overlays(evidence):
        apart = set(_alone(evidence, overlay))
        pairs = set(_pairs(evidence, overlay))
        ends |= set(overlay.ends) | apart
        devices += [overlay.device] if apart or pairs else []
        alone |= apart
        for one, other in pairs:
            cut.setdefault(one, set()).add(other)
            cut.setdefault(other, set()).add(one)
    if not devices:
        return None
    # Who is cut from all others is what is cut off; that each of them is cut from one need not be told, too.
    alone |= {name for name, others in cut.items() if len(ends) > 2 and others >= ends - {name}}
    left = {name: others - alone for name, others in cut.items() if name not in alone}
    return _made(evidence, alone, {name: others for name, others in left.items() if others}, ends, devices)


def _alone(evidence: Evidence, overlay: Overlay) -> Iterator[str]:
    """The nodes whose device is in trouble, or whose filters stop all of its packets."""
    yield from overlay.odd
    for node in evidence.nodes.values():
        troubled = any(one.name == overlay.device and one.problem for one in node.overlay.troubles)
        if troubled or any(not block.packed for block in node.packets.blocked(overlay.flow)):
            yield node.name


def _pairs(evidence: Evidence, overlay: Overlay) -> Iterator[tuple[str, str]]:
    """The pairs of nodes of which one has no way to the other, gets no answer, or stops what comes from it."""
    for lack in overlay.lacks:
        yield lack.at, lack.to
    for silence in overlay.silent:
        yield silence.at, silence.to
    owners = {address: end.name for end in overlay.ends.values() for address in end.ends}
    for node in evidence.nodes.values():
        for block in node.packets.blocked(overlay.flow):
            for peer in block.peers if block.packed else ():
                if owners.get(peer, node.name) != node.name:
                    yield node.name, owners[peer]


def _made(evidence: Evidence, alone: set[str], cut: dict[str, set[str]], ends: set[str], devices: list[str]) -> Impact:
    cluster = evidence.cluster
    kubernetes = {name: kube for kube, name in names.inventory_names(evidence).items()}
    touched = [*alone, *cut]
    pods = cluster.workload_pods if cluster else {}
    found = Impact(
        bgp_matters=True,
        isolated=tuple(sorted(alone)),
        cut={name: frozenset(others) for name, others in sorted(cut.items())},
        blocks=blocks_of(cluster, {kubernetes.get(name, name): name for name in touched}, ()) if cluster else {},
        everyone=frozenset(ends),
        pods_cut_off=sum_of(pods, alone, kubernetes),
        pods_partly=sum_of(pods, cut, kubernetes),
        services=sum_of(cluster.service_endpoints if cluster else {}, touched, kubernetes),
        counted=bool(pods),
    )
    keeps = f"Pods on the same node reach each other, and nodes reach nodes: neither goes through {', '.join(devices)}."
    return replace(found, keeps=(keeps,), summary=summary_of(found))
