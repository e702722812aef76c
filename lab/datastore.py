# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is registered about the cluster: the lab's stand-in for the objects that Calico keeps in its datastore. Pure
data.

Shape (JSON types):

    {"as_number": 64512, "mesh_password": null, "pools": ["10.244.0.0/16"],
     "nodes": {"node-1": {"address": "10.200.0.9", "prefix_length": 24, "blocks": ["10.244.1.0/26"],
                          "as_number": null, "router_id": null}},
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
from typing import Any

from .topology import POD_POOL, Plan

Data = dict[str, Any]
AS_NUMBER = 64512


def registered(plan: Plan) -> Data:
    """The data of a cluster as it should be."""
    return {
        "as_number": AS_NUMBER,
        "mesh_password": None,
        "pools": [POD_POOL],
        "nodes": {
            node.name: {
                "address": node.address,
                "prefix_length": node.subnet.prefix_length,
                "blocks": [node.block],
                "as_number": None,
                "router_id": None,
            }
            for node in plan.nodes
        },
        "views": {},
    }


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
