# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenes for the checks on hosts, from recorded facts."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.evidence import Evidence
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.facts import read_node
from ansible_collections.netmedic.calico.plugins.plugin_utils._preflight import intent
from ansible_collections.netmedic.calico.plugins.plugin_utils._preflight.model import Host, Scene

RECORDED = Path(__file__).with_name("recorded")
NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
ADDRESSES = {"node-1": "10.200.0.9", "node-2": "10.200.0.10", "node-3": "10.200.0.11"}


def recorded(name: str) -> dict[str, Any]:
    """The facts of all hosts of a recording, to be changed at will."""
    facts: dict[str, Any] = json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))
    return facts


def scene(facts: dict[str, Any], cluster: Any = None, addresses: dict[str, str] | None = None, **planned: Any) -> Scene:
    """What the checks look at."""
    known = {**ADDRESSES, **(addresses or {})}
    hosts = {
        name: Host(name, addresses=(known[name],) if name in known else (), facts=copy.deepcopy(told))
        for name, told in facts.items()
    }
    nodes = {name: read_node(name, told, known.get(name, "")) for name, told in facts.items()}
    return Scene(hosts, Evidence(nodes, cluster=cluster), intent.load(planned), NOW)


def shown(found: list[dict[str, Any]]) -> list[tuple[str, str, list[str]]]:
    """Fault, severity and hosts of findings."""
    return [(one["fault"], one["severity"], one["nodes"]) for one in found]


def only(found: list[dict[str, Any]], fault: str) -> dict[str, Any]:
    """The one finding of a fault."""
    (one,) = [item for item in found if item["fault"] == fault]
    return one
