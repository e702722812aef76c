# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is registered as a member of the mesh."""

from __future__ import annotations

import time

from .. import birdc
from ..bird_config import mesh_name
from ..errors import LabError
from . import objects, pairs
from .model import Case, Fault, Variant

GHOST = "node-gone"
_HOST = 200
_REGISTERED, _NODE = "registered", "node-object"
_SILENT = 7200


def _address(case: Case) -> str:
    return case.lab.plan.topology.subnets[0].host(_HOST)


def _register(case: Case) -> None:
    if case.variant == _NODE:
        _leave_node(case)
        return
    length = case.lab.plan.topology.subnets[0].prefix_length
    ghost = {"address": _address(case), "prefix_length": length, "blocks": [], "as_number": None, "router_id": None}
    case.register({"nodes": {GHOST: ghost}})


def _leave_node(case: Case) -> None:
    """A Node of which Kubernetes has heard nothing for two hours, and what Calico has for it."""
    address, topology = _address(case), case.lab.plan.topology
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - _SILENT))
    ready = {"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown"}
    ready["message"] = "Kubelet stopped posting node status."
    node = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": GHOST,
            "labels": {"kubernetes.io/hostname": GHOST, "kubernetes.io/os": "linux"},
            "annotations": {f"{objects.PREFIX}IPv4Address": f"{address}/{topology.subnets[0].prefix_length}"},
        },
        "status": {
            "addresses": [{"type": "InternalIP", "address": address}],
            "conditions": [{**ready, "lastTransitionTime": since, "lastHeartbeatTime": since}],
        },
    }
    objects.create(case, "/api/v1/nodes", node)
    block = {"cidr": "10.244.200.0/26", "node": GHOST, "state": "confirmed", "deleted": "false"}
    affinity = objects.calico("BlockAffinity", f"{GHOST}-10-244-200-0-26", block)
    objects.create(case, f"{objects.CALICO}/blockaffinities", affinity)
    objects.follow(case.lab)


def _must_have_api(case: Case) -> None:
    if case.variant == _NODE:
        objects.must_have_api(case)


def _follow(case: Case) -> None:
    objects.restore(case)


def _missing(case: Case) -> str:
    name = mesh_name(_address(case))
    tried = False
    nodes = case.lab.nodes
    asked = [node for node in nodes if node.name not in case.disturbed]
    for node in asked:
        try:
            session = birdc.sessions(case.lab.machine(node.name)).get(name)
        except (birdc.BirdError, LabError) as error:
            return f"{node.name}: {error}"
        if session is None:
            return f"{node.name} does not peer with {GHOST} yet"
        tried = tried or pairs.tried(session, "Socket: No route to host")
    if asked and not tried:
        return f"no node has tried {GHOST} in vain yet"
    return pairs.not_up(case, [*pairs.between(nodes[0], nodes[1:]), *pairs.all_but(case.lab, nodes[0])])


STALE_NODE = Fault(
    id="stale_node_in_mesh",
    description="a node is registered whose machine does not exist; all nodes peer with it",
    inject=_register,
    heal=_follow,
    missing=_missing,
    default=None,
    ghost=GHOST,
    variants=(
        Variant(_REGISTERED, "an address of the first subnet where nobody answers"),
        Variant(_NODE, "a Node of Kubernetes with such an address is left"),
    ),
    check=_must_have_api,
    breaks_sessions=False,
)
