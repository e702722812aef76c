# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calico's settings objects as the API has them, and what the analysis tells of the API alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.ranking import Candidate, rank
from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.report import finding
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.evidence import Evidence

if TYPE_CHECKING:
    from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.kube import Kube
    from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.mesh import Mesh

PLURALS = {
    "BGPPeer": "bgppeers",
    "BGPConfiguration": "bgpconfigurations",
    "FelixConfiguration": "felixconfigurations",
    "GlobalNetworkPolicy": "globalnetworkpolicies",
    "HostEndpoint": "hostendpoints",
    "IPPool": "ippools",
    "Installation": "installations",
}


def put(kube: Kube, kind: str, name: str, labels: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    """Put an object of Calico's into the cluster, in place of one of the same name."""
    plural = PLURALS[kind]
    one: dict[str, Any] = {
        "apiVersion": "operator.tigera.io/v1" if kind == "Installation" else "crd.projectcalico.org/v1",
        "kind": kind,
        "metadata": {"name": name, "labels": labels or {}},
        "spec": spec,
    }
    kept = [other for other in kube.objects.get(plural, []) if other["metadata"]["name"] != name]
    kube.objects[plural] = [*kept, one]
    kube.status[plural] = "ok"
    return one


def note(kube: Kube, node: str, key: str, value: str | None) -> None:
    """Set one of Calico's annotations of a Node; None takes it away."""
    annotations = kube.node(node)["metadata"]["annotations"]
    if value is None:
        annotations.pop(f"projectcalico.org/{key}", None)
    else:
        annotations[f"projectcalico.org/{key}"] = value


def address(kube: Kube, node: str, stored: str, internal: str = "") -> None:
    """Register another address for a node; internal: what Kubernetes knows it by."""
    note(kube, node, "IPv4Address", stored)
    if internal:
        kube.node(node)["status"]["addresses"][0]["address"] = internal


def variable(kube: Kube, name: str, value: str) -> None:
    """Set a variable of calico-node."""
    kube.template()["containers"][0]["env"].append({"name": name, "value": value})


def alone(kube: Kube) -> dict[str, Candidate]:
    """The findings by fault of the API's objects alone, as in a bundle without nodes."""
    evidence = Evidence({}, cluster=kube.cluster())
    found = rank(evidence)
    for item in found:
        assert finding(evidence, item)["summary"].endswith("."), item.fault.id
    return {item.fault.id: item for item in found}


def apart(mesh: Mesh, name: str) -> None:
    """All sessions of a node are down, at both ends."""
    for peer in mesh.addresses:
        if peer != name:
            mesh.break_session(name, peer)


def held(mesh: Mesh, name: str, *entries: tuple[str, int, str, tuple[str, ...]]) -> None:
    """What a host's interfaces have: address, prefix length, interface and signs."""
    mesh.facts[name]["calico_node"]["addresses"] = [
        {"address": one, "prefix": length, "interface": interface, "position": number, "up": True, "signs": list(signs)}
        for number, (one, length, interface, signs) in enumerate(entries)
    ]
