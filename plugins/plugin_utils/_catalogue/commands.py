# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command lines that several fixes print. What the operator has to fill in is written in CAPITALS."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .._evidence.evidence import Evidence

ANNOTATION = "projectcalico.org"


def kube_name(evidence: Evidence, name: str) -> str:
    """What Kubernetes calls a node; the inventory's name where the node told nothing else."""
    node = evidence.nodes.get(name)
    return node.nodename if node and node.nodename else name


def show_annotation(evidence: Evidence, name: str, key: str) -> str:
    """Show one of Calico's annotations on a Node."""
    return f"kubectl get node {kube_name(evidence, name)} -o yaml | grep {ANNOTATION}/{key}"


def set_address(evidence: Evidence, name: str, address: str = "ADDRESS/LENGTH") -> str:
    """Register another address for a node."""
    return f"kubectl annotate node {kube_name(evidence, name)} --overwrite {ANNOTATION}/IPv4Address={address}"


def pods_of(evidence: Evidence, name: str) -> str:
    """Show Calico's pods on a node, whatever namespace they are in."""
    where = f"--field-selector spec.nodeName={kube_name(evidence, name)}"
    return f"kubectl get pods -A -o wide -l 'k8s-app in (calico-node,canal)' {where}"


def in_pod(line: str) -> str:
    """Run a line in the calico-node container of the pod that was found."""
    return f"kubectl exec -n NAMESPACE POD -c calico-node -- {line}"
