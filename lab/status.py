# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a lab does, as plain data and as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import api_process, birdc, peerings
from .errors import LabError
from .faults import active
from .readiness import clock_missing
from .services import SOCKETS

if TYPE_CHECKING:
    from .lab import Lab


def collect(lab: Lab) -> dict[str, Any]:
    """The lab as plain data; `pid` is None for a node that is off, `sessions` if its BIRD does not answer.

    {"directory", "topology", "complete", "inventory", "api": {"server", "kubeconfig"} or None, "fabric",
     "faults": [{"id", "node", "variant"}],
     "nodes": [{"name", "address", "pid", "sessions": {"established", "total"}, "bird", "clock"}]}
    """
    shape = lab.state.read("lab.json", {})
    api = api_process.described(lab.state)
    return {
        "directory": str(lab.state.directory),
        "topology": lab.plan.topology.name,
        "complete": bool(shape.get("complete")),
        "inventory": lab.inventory,
        "api": api,
        "fabric": lab.fabric.running,
        "faults": [{key: each[key] for key in ("id", "node", "variant")} for each in active.listed(lab.state)],
        "nodes": [_node(lab, node.name, node.address) for node in lab.nodes],
    }


def _node(lab: Lab, name: str, address: str) -> dict[str, Any]:
    machine = lab.machine(name)
    if not machine.running:
        return {"name": name, "address": address, "pid": None, "sessions": None, "bird": "off", "clock": "off"}
    try:
        families = (peerings.IPV4, peerings.IPV6) if lab.plan.topology.dual_stack else (peerings.IPV4,)
        sessions = [each for family in families for each in birdc.sessions(machine, SOCKETS[family]).values()]
        counts = {"established": sum(each.established for each in sessions), "total": len(sessions)}
        bird = "answers"
    except (birdc.BirdError, LabError) as error:
        counts, bird = None, str(error)
    clock = "not synchronised" if clock_missing(machine) else "synchronised"
    return {
        "name": name,
        "address": address,
        "pid": machine.process.pid,
        "sessions": counts,
        "bird": bird,
        "clock": clock,
    }


def text(status: dict[str, Any]) -> str:
    """The status for a person."""
    state = "up" if status["complete"] else "unfinished"
    lines = [f"lab {status['directory']}: {status['topology']}, {len(status['nodes'])} nodes, {state}"]
    for node in status["nodes"]:
        count = node["sessions"]
        bgp = f"{count['established']}/{count['total']} sessions" if count else node["bird"]
        lines.append(f"  {node['name']:<9} {node['address']:<15} {bgp:<20} clock {node['clock']}")
    faults = [f"{each['id']} on {each['node']} ({each['variant']})" for each in status["faults"]]
    lines.append("faults: " + ("; ".join(faults) if faults else "none"))
    lines.append(f"inventory: {status['inventory']}")
    api = status["api"]
    lines.append(f"kubeconfig: {api['kubeconfig']} (API at {api['server']})" if api else "API: not running")
    return "\n".join(lines)
