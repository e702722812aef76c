# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was examined of the overlays, as the report tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .compare import overlays

if TYPE_CHECKING:
    from .._evidence.evidence import Evidence
    from .model import Overlay

MOST = 100


def told(evidence: Evidence) -> list[dict[str, Any]]:
    """One entry for each device that carries pods' packets; [] where none does."""
    return [_entry(evidence, one) for one in overlays(evidence)]


def _entry(evidence: Evidence, one: Overlay) -> dict[str, Any]:
    nodes = [evidence.nodes[name] for name in one.ends if name in evidence.nodes]
    evaluated = [node for node in nodes if node.packets.evaluated]
    blocking = [node.name for node in evaluated if node.packets.blocked(one.flow)]
    troubled = {
        node.name: trouble.problem
        for node in evidence.nodes.values()
        for trouble in node.overlay.troubles
        if trouble.name == one.device and trouble.problem
    }
    entry: dict[str, Any] = {
        "device": one.device,
        "vni": one.vni,
        "port": one.port,
        "nodes": {"expected": len(one.ends), "told": len(one.readers)},
        "mtus": sorted({end.device.mtu for end in one.ends.values() if end.device and end.device.mtu}),
        "devices_in_trouble": [{"node": name, "problem": problem} for name, problem in troubled.items()],
        "made_otherwise": [{"node": name, "detail": detail} for name, detail in one.odd.items()],
        "ways": {
            "expected": one.ways,
            "examined": one.examined,
            "lacking": len({(lack.at, lack.to) for lack in one.lacks}),
            "missing": [
                {"at": lack.at, "to": lack.to, "what": lack.what, "wrong": lack.wrong, "detail": lack.detail}
                for lack in one.lacks[:MOST]
            ],
        },
        "firewalls": {"evaluated": len(evaluated), "blocking": blocking},
        "echoes": {
            "answered": one.answered,
            "silent": [[silence.at, silence.to] for silence in one.silent[:MOST]],
            "silent_count": len(one.silent),
        },
    }
    entry["says"] = says(entry)
    return entry


def says(entry: dict[str, Any]) -> str:
    """What was examined and how it is, in one sentence."""
    ways, echoes, walls = entry["ways"], entry["echoes"], entry["firewalls"]
    nodes = entry["nodes"]
    device = f"{entry['device']} (VNI {entry['vni']}, UDP {entry['port']})" if entry["vni"] else entry["device"]
    parts = [f"{device} on {nodes['told']} of {nodes['expected']} nodes"]
    trouble = [*entry["devices_in_trouble"], *entry["made_otherwise"]]
    if trouble:
        parts.append(f"in trouble on {len({one['node'] for one in trouble})}")
    whole = ways["examined"] - ways["lacking"]
    parts.append(f"{whole} of {ways['expected']} ways there (routes, neighbour and forwarding entries)")
    if walls["evaluated"]:
        blocked = f"stopped on {len(walls['blocking'])}" if walls["blocking"] else "let pass"
        parts.append(f"UDP {entry['port']} {blocked} by {walls['evaluated']} host firewalls")
    else:
        parts.append("no host firewall could be evaluated")
    if echoes["answered"] or echoes["silent_count"]:
        parts.append(
            f"{echoes['answered']} of {echoes['answered'] + echoes['silent_count']} echoes through it answered"
        )
    return "; ".join(parts)
