# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is planned of sessions as a whole: a mesh that is off, and route reflectors that do not serve everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import birdc
from ..errors import LabError
from ..topology import CLUSTER_ID
from . import objects, pairs
from .model import Case, Fault, Variant, listener

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..topology import Node, Plan

_ISOLATED, _CLIENTS, _APART = "cluster-id-only", "clients-left-out", "reflectors-apart"
_PEERS = f"{objects.PEERS}/peer-with-route-reflectors"


def _switch_off(case: Case) -> None:
    objects.configure(case, "BGPConfiguration", "default", {"nodeToNodeMeshEnabled": False})
    objects.follow(case.lab)


def _has_sessions(case: Case) -> str:
    return _with_sessions(case, [node for node in case.lab.nodes if node.name not in case.disturbed])


def _with_sessions(case: Case, nodes: Iterable[Node]) -> str:
    """Words if BIRD on one of the nodes has a BGP protocol, or cannot be asked."""
    for node in nodes:
        try:
            found = birdc.sessions(case.lab.machine(node.name))
        except (birdc.BirdError, LabError) as error:
            return f"{node.name}: {error}"
        if found:
            return f"{node.name} still has {next(iter(found))}"
    return ""


MESH_OFF = Fault(
    id="mesh_disabled_no_peers",
    description="the node-to-node mesh is switched off and no BGPPeer replaces it",
    inject=_switch_off,
    heal=objects.restore,
    missing=_has_sessions,
    default=listener,
    check=objects.must_have_api,
    variants=(Variant("switched-off", "nodeToNodeMeshEnabled is false in BGPConfiguration default", "one_subnet"),),
)


def _target(plan: Plan, variant: str) -> Node:
    """A reflector where reflectors are apart, else one that is to be a client or a reflector."""
    return plan.nodes[0] if variant == _APART else plan.nodes[-1]


def _misconfigure(case: Case) -> None:
    if case.variant == _ISOLATED:
        patch = {"metadata": {"annotations": {f"{objects.PREFIX}RouteReflectorClusterID": CLUSTER_ID}}}
        objects.edit(case, objects.node_path(case.node), patch)
    elif case.variant == _CLIENTS:
        wanted = f"kubernetes.io/hostname != '{case.target}'"
        objects.edit(case, _PEERS, {"spec": {"nodeSelector": wanted}})
    else:
        objects.edit(case, _PEERS, {"spec": {"nodeSelector": "!has(route-reflector)"}})
    objects.follow(case.lab)


def _not_misconfigured(case: Case) -> str:
    if case.variant == _APART:
        reflectors = [node for node in case.lab.nodes if case.lab.plan.cluster_id(node)]
        return _still_peers(case, reflectors)
    if case.variant == _ISOLATED:
        return _with_sessions(case, [case.node]) or pairs.not_up(case, pairs.all_but(case.lab, case.node))
    return _with_sessions(case, [case.node])


def _still_peers(case: Case, reflectors: list[Node]) -> str:
    addresses = [node.address.replace(".", "_") for node in reflectors]
    for node in reflectors:
        try:
            found = birdc.sessions(case.lab.machine(node.name))
        except (birdc.BirdError, LabError) as error:
            return f"{node.name}: {error}"
        if any(name.endswith(address) for name in found for address in addresses):
            return f"{node.name} still peers with a reflector"
    return ""


REFLECTORS = Fault(
    id="route_reflector_misconfigured",
    description="route reflectors do not serve all nodes",
    inject=_misconfigure,
    heal=objects.restore,
    missing=_not_misconfigured,
    default=_target,
    check=objects.must_have_api,
    variants=(
        Variant(_ISOLATED, "a node of the mesh gets a cluster ID, and no BGPPeer is made for it", "one_subnet"),
        Variant(_CLIENTS, "the BGPPeer for the reflectors does not select the node", "route_reflectors"),
        Variant(_APART, "the BGPPeer for the reflectors selects clients only", "route_reflectors"),
    ),
)
