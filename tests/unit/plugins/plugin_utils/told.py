# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the analysis tells of a mesh and of the API's objects, for tests of single faults of the catalogue."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.ranking import Candidate, rank
from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.report import finding

if TYPE_CHECKING:
    from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.evidence import Evidence
    from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.kube import Kube
    from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.mesh import Mesh


def evidence_of(mesh: Mesh, kube: Kube | None = None) -> Evidence:
    """The evidence of the nodes, with that of the API."""
    return replace(mesh.evidence(), cluster=kube.cluster() if kube else None)


def told(mesh: Mesh, kube: Kube | None = None) -> dict[str, Candidate]:
    """The findings by fault; each is written out once, so that its sentences and commands are exercised."""
    evidence = evidence_of(mesh, kube)
    found = rank(evidence)
    for item in found:
        assert finding(evidence, item)["summary"].endswith("."), item.fault.id
    return {item.fault.id: item for item in found}


def summary(mesh: Mesh, kube: Kube | None, fault: str) -> str:
    """The sentence of a finding."""
    evidence = evidence_of(mesh, kube)
    item = told(mesh, kube)[fault]
    return item.fault.summary(evidence, item.subject)


def commands(mesh: Mesh, kube: Kube | None, fault: str) -> str:
    """The commands of a finding, one per line."""
    item = told(mesh, kube)[fault]
    return "\n".join(item.fault.fix.commands(evidence_of(mesh, kube), item.subject))


def host(mesh: Mesh, name: str) -> dict[str, Any]:
    """One node's calico_node.host."""
    found: dict[str, Any] = mesh.facts[name]["calico_node"].setdefault("host", {})
    return found


def log(mesh: Mesh, name: str, component: str, kind: str, text: str) -> None:
    """A telling line of a log on a node."""
    line = {"at": "2026-01-01T00:00:00Z", "component": component, "kind": kind, "text": text}
    host(mesh, name).setdefault("log", []).append(line)
