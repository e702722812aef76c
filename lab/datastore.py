# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is registered about the cluster, as confd works with it. Pure data.

It comes from the objects of the lab's API (`controller.registered`), which keeps the file up to date while it runs.

Shape (JSON types):

    {"as_number": 64512, "mesh": true, "listen_port": null, "bind_node_ip": false, "mesh_password": null,
     "mesh_restart_time": null, "ignored_interfaces": [], "service_cidrs": [],
     "pools": ["10.244.0.0/16"], "pools_not_exported": [], "vxlan_pools": [],
     "not_programmed": [],
     "filters": {"<BGPFilter>": {…its spec…}},
     "peers": {"<BGPPeer>": {"spec": {…}, "password": null}},
     "nodes": {"node-1": {"address": "10.200.0.9", "prefix_length": 24, "blocks": ["10.244.1.0/26"],
                          "address6": "", "prefix_length6": 0, "blocks6": [], "as_number": null, "router_id": null,
                          "cluster_id": "", "listen_port": null, "backend": "bird", "labels": {…}}},
     "views": {"node-2": {…a part of the above…}}}

A node's `as_number` and `password` default to the cluster's. `router_id` stands for the variable CALICO_ROUTER_ID of
that node. `password` (only useful in a view) is the one used towards that node; "" means none. A view is what one node
sees otherwise than the rest: merged over the whole when that node's configuration is rendered; a node that is null
there is one it does not know of. An active fault does not edit the registered data, it lays a patch of the same shape
over it, so faults combine and are healed in any order.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .controller import cluster
from .controller.registered import AS_NUMBER, derive

if TYPE_CHECKING:
    from .topology import Plan

__all__ = ["AS_NUMBER", "Data", "merged", "registered", "seen_by"]

Data = dict[str, Any]


def registered(plan: Plan) -> Data:
    """The data of a cluster as it should be."""
    found: dict[str, list[dict[str, Any]]] = {}
    for each in cluster.objects(plan):
        kind = each["kind"].lower()
        plural = f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}s"
        found.setdefault(plural, []).append(each)
    environments = {node.name: cluster.environment(plan, node) for node in plan.nodes}
    return derive(found, environments).data


def merged(base: Mapping[str, Any], patches: Iterable[Mapping[str, Any]]) -> Data:
    """`base` with each patch laid over it in turn: mappings merge, all else replaces. Inputs stay as they are."""
    result: Data = copy.deepcopy(dict(base))
    for patch in patches:
        _lay_over(result, patch)
    return result


def seen_by(data: Mapping[str, Any], node: str) -> Data:
    """The data as that node sees them: its view laid over the whole, without views and without nodes that are null."""
    view = merged(data, [data.get("views", {}).get(node, {})])
    view.pop("views", None)
    view["nodes"] = {name: registered for name, registered in view["nodes"].items() if registered is not None}
    return view


def _lay_over(target: Data, patch: Mapping[str, Any]) -> None:
    for key, value in patch.items():
        if isinstance(value, Mapping) and isinstance(target.get(key), dict):
            _lay_over(target[key], value)
        else:
            target[key] = copy.deepcopy(value)
