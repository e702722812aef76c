# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The router outside the cluster and the nodes do not agree: AS numbers, neighbours, limits."""

from __future__ import annotations

import re

from .. import birdc
from ..errors import LabError
from ..services import SOCKET
from ..topology import ROUTER_AS
from . import objects, pairs
from .model import Case, Fault, Variant, listener

ROUTER_TOPOLOGY = "external_router"
_UNKNOWN, _LIMIT = "unknown-neighbour", "prefix-limit"
CONFIGURATION = "/etc/bird/bird.conf"
CONTROL = "/run/bird/bird.ctl"
BGP_PEER = f"{objects.PEERS}/top-of-rack"
WRONG_AS = ROUTER_AS + 1


def _reconfigure(case: Case) -> None:
    file = case.lab.fabric.file(CONFIGURATION)
    before = file.read_text(encoding="utf-8")
    case.undo["configuration"] = before
    change = without_neighbour if case.variant == _UNKNOWN else with_limit
    file.write_text(change(before, case.node.number), encoding="utf-8")
    case.run(["birdc", "-s", CONTROL, "configure"], case.lab.fabric)
    if case.variant == _LIMIT:
        case.run(["birdc", "-s", CONTROL, "restart", f"node{case.node.number}"], case.lab.fabric)


def without_neighbour(text: str, number: int) -> str:
    """The router's configuration without a node."""
    return re.sub(rf"^protocol bgp node{number} .*?^}}\n", "", text, flags=re.MULTILINE | re.DOTALL)


def with_limit(text: str, number: int) -> str:
    """The router's configuration with a limit that the node's routes exceed."""
    return re.sub(
        rf"^(protocol bgp node{number} .*?)^}}\n",
        r"\1  receive limit 1 action disable;\n}\n",
        text,
        flags=re.MULTILINE | re.DOTALL,
    )


def _configure_back(case: Case) -> None:
    if case.undo.get("configuration"):
        case.lab.fabric.file(CONFIGURATION).write_text(case.undo["configuration"], encoding="utf-8")
        case.try_run(["birdc", "-s", CONTROL, "configure"], case.lab.fabric)
        case.try_run(["birdc", "-s", CONTROL, "enable", f"node{case.node.number}"], case.lab.fabric)


def protocol(case: Case) -> str:
    """What a node's BIRD calls its session with the router."""
    return "Global_" + case.lab.plan.topology.subnets[0].gateway.replace(".", "_")


def nudge(case: Case, name: str) -> None:
    """Let a node's BIRD start its end anew: after an error it waits for a minute."""
    machine = case.lab.machine(name)
    if machine.running:
        machine.exec(["birdc", "-s", SOCKET, "restart", protocol(case)], check=False)


def forget_refusals(case: Case) -> None:
    """Let the router start its end of every session anew: after a refusal it waits up to half a minute."""
    case.try_run(["birdc", "-s", CONTROL, "restart", '"node*"'], case.lab.fabric)


def session(case: Case, name: str) -> birdc.Session | None:
    """A node's end of the session with the router, None if BIRD there has none or does not answer."""
    try:
        return birdc.sessions(case.lab.machine(name)).get(protocol(case))
    except (birdc.BirdError, LabError):
        return None


def mesh_disturbed(case: Case) -> str:
    """Words unless the mesh is as it was."""
    return pairs.not_up(case, [*pairs.between(case.node, case.peers), *pairs.all_but(case.lab, case.node)])


def _not_turned_away(case: Case) -> str:
    return _without_error(case, [case.target], "Maximum number" if case.variant == _LIMIT else "Socket: Connection")


def _without_error(case: Case, names: list[str], error: str) -> str:
    for name in names:
        found = session(case, name)
        if found is None or found.established or error not in found.last_error:
            return f'{name} does not show "{error}" yet'
    return mesh_disturbed(case)


ROUTER = Fault(
    id="external_router_config",
    description="the router outside the cluster does not accept the node",
    inject=_reconfigure,
    heal=_configure_back,
    missing=_not_turned_away,
    default=listener,
    variants=(
        Variant(_UNKNOWN, "the router does not know the node", ROUTER_TOPOLOGY),
        Variant(_LIMIT, "the router takes one prefix of the node and ends the session at the next", ROUTER_TOPOLOGY),
    ),
    breaks_sessions=False,
)


def expect_another_as(case: Case) -> None:
    """Let the BGPPeer name an AS number that is not the router's."""
    objects.edit(case, BGP_PEER, {"spec": {"asNumber": WRONG_AS}})
    objects.follow(case.lab)
    forget_refusals(case)


def become_another_as(case: Case, number: int) -> None:
    """Give the node an AS number of its own: the mesh follows, the router does not."""
    patch = {"metadata": {"annotations": {f"{objects.PREFIX}ASNumber": str(number)}}}
    objects.edit(case, objects.node_path(case.node), patch)
    objects.follow(case.lab)


def not_refused(case: Case, names: list[str]) -> str:
    """Words unless these nodes and the router refuse each other for their AS numbers."""
    return _without_error(case, names, "Bad peer AS")
