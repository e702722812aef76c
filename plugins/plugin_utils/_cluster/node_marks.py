# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The marks that distributions of Kubernetes leave on their Nodes: labels, provider IDs, names of releases."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from .model import KubeNode

ROKS, IKS, RKE2, MICROK8S, KOPS, K3S = "roks", "iks", "rke2", "microk8s", "kops", "k3s"
AKS, GKE, EKS, OPENSHIFT = "aks", "gke", "eks", "openshift"
_OF_IBM = "ibm-cloud.kubernetes.io/"


def has(node: KubeNode, name: str) -> bool:
    """Say whether a Node has the marks of this distribution."""
    signs = dict(DISTRIBUTIONS).get(name)
    return signs is not None and signs(node)


def is_ibm(node: KubeNode) -> bool:
    """Say whether a Node is a worker of IBM Cloud's clusters."""
    return "+IKS" in node.kubelet_version or _has_label(node, _OF_IBM) or node.provider_id.startswith("ibm://")


def is_openshift(node: KubeNode) -> bool:
    """Say whether a Node is one of OpenShift."""
    return _has_label(node, "node.openshift.io/")


def _has_label(node: KubeNode, *beginnings: str) -> bool:
    return any(label.startswith(beginnings) for label in node.labels)


def _is_rke2(node: KubeNode) -> bool:
    return "+rke2" in node.kubelet_version or node.labels.get("node.kubernetes.io/instance-type") == "rke2"


def _is_k3s(node: KubeNode) -> bool:
    return "+k3s" in node.kubelet_version or node.labels.get("node.kubernetes.io/instance-type") == "k3s"


def _is_microk8s(node: KubeNode) -> bool:
    return _has_label(node, "microk8s.io/", "node.kubernetes.io/microk8s-")


def _is_kops(node: KubeNode) -> bool:
    return _has_label(node, "kops.k8s.io/")


def _is_aks(node: KubeNode) -> bool:
    return _has_label(node, "kubernetes.azure.com/")


def _is_gke(node: KubeNode) -> bool:
    return "-gke." in node.kubelet_version or _has_label(node, "cloud.google.com/gke-")


def _is_eks(node: KubeNode) -> bool:
    return "-eks-" in node.kubelet_version or _has_label(node, "eks.amazonaws.com/")


DISTRIBUTIONS: tuple[tuple[str, Callable[[KubeNode], bool]], ...] = (
    (ROKS, lambda node: is_ibm(node) and is_openshift(node)),
    (IKS, is_ibm),
    (RKE2, _is_rke2),
    (K3S, _is_k3s),
    (MICROK8S, _is_microk8s),
    (KOPS, _is_kops),
    (AKS, _is_aks),
    (GKE, _is_gke),
    (EKS, _is_eks),
    (OPENSHIFT, is_openshift),
)
