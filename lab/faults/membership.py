# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is registered as a member of the mesh."""

from __future__ import annotations

from .. import birdc
from ..bird_config import mesh_name
from ..errors import LabError
from . import pairs
from .model import Case, Fault, Variant

GHOST = "node-gone"
_HOST = 200


def _address(case: Case) -> str:
    return case.lab.plan.topology.subnets[0].host(_HOST)


def _register(case: Case) -> None:
    length = case.lab.plan.topology.subnets[0].prefix_length
    ghost = {"address": _address(case), "prefix_length": length, "blocks": [], "as_number": None, "router_id": None}
    case.register({"nodes": {GHOST: ghost}})


def _follow(case: Case) -> None:
    case.lab.render_all()


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
    variants=(Variant("registered", "an address of the first subnet where nobody answers"),),
    breaks_sessions=False,
)
