# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who installed Calico, on which distribution of Kubernetes, and which managed provider has a say in it.

Each is told by traces that installers leave: labels and annotations of objects, words in the cluster's type, images,
labels and names of releases of Nodes. The first installer with a trace, in the order below, is it: RKE2 uses Helm,
Helm installs the operator, and the operator makes the DaemonSet, so the outermost comes first.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from . import effective, node_marks
from .components import CALICO_NODE, CANAL, FLANNEL, OPERATOR
from .node_marks import AKS, EKS, GKE, IKS, K3S, KOPS, MICROK8S, OPENSHIFT, RKE2, ROKS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .model import Cluster, KubeNode, Owned

KUBESPRAY, HELM, OPERATED, MANIFEST, UNKNOWN = "kubespray", "helm", "operator", "manifest", "unknown"
MANAGED_BY = "app.kubernetes.io/managed-by"
RELEASE = "meta.helm.sh/release-name"
_ENOUGH = 50
_ADDON_MANAGER = "addonmanager.kubernetes.io/mode"
# Words of the operator of the cluster that say who brought Calico; others are about Kubernetes only.
_BRINGING = frozenset((ROKS, IKS, RKE2, MICROK8S, KOPS, KUBESPRAY))


class Installed(NamedTuple):
    """installer: one of the words above; evidence: sentences that say so; release: Helm's, '' if it is not Helm's."""

    installer: str
    evidence: tuple[str, ...]
    release: str = ""


class Provider(NamedTuple):
    """A managed provider (iks, roks, aks, gke, eks, openshift; '' if none), what says so, and what it forbids."""

    name: str
    evidence: tuple[str, ...]
    forbids: tuple[str, ...]


def read(cluster: Cluster) -> Installed:
    """Return who installed Calico."""
    release = helm_release(cluster)
    said = cluster.environment.get("distribution", "").lower()
    for installer, signs in _INSTALLERS:
        if installer == MANIFEST and said in _BRINGING:
            return Installed(said, (f"The operator of the cluster says that it is {said}.",), release)
        evidence = tuple(signs(cluster))
        if evidence:
            return Installed(installer, evidence, release)
    return Installed(UNKNOWN, (), release)


def distribution(cluster: Cluster) -> str:
    """Return the distribution of Kubernetes by its nodes (rke2, k3s, microk8s, kops, iks, …), '' if none is told."""
    for name, signs in node_marks.DISTRIBUTIONS:
        if any(signs(node) for node in _some(cluster)):
            return name
    return cluster.environment.get("distribution", "").lower()


def provider(cluster: Cluster) -> Provider:
    """Return the managed provider and what it forbids."""
    own = _own_provider(cluster)
    if own == IKS and read(cluster).installer == ROKS:
        own = ROKS
    if not own:
        return Provider("", (), ())
    node = next((one for one in _some(cluster) if node_marks.has(one, own)), None)
    evidence = [f"Node {node.name} has the marks of {_TITLES[own]}."] if node else []
    told = effective.installed(cluster, "kubernetesProvider")
    if told:
        evidence.append(f"The Installation has kubernetesProvider: {told}.")
    if not evidence:
        evidence.append(f"The operator of the cluster says that it is {_TITLES[own]}.")
    return Provider(own, tuple(evidence), forbidden(own))


def forbidden(name: str) -> tuple[str, ...]:
    """Return what a managed provider does not let anybody change, in sentences."""
    return _FORBIDS.get(name, ())


def _own_provider(cluster: Cluster) -> str:
    told = str(effective.installed(cluster, "kubernetesProvider") or "").lower()
    by_nodes = next((name for name in _MANAGED if any(node_marks.has(one, name) for one in _some(cluster))), "")
    said = cluster.environment.get("distribution", "").lower()
    named = told if told in _TITLES else ""
    # IBM's OpenShift says OpenShift in its Installation; its nodes say whose it is.
    return by_nodes or named or (said if said in _TITLES else "")


def _some(cluster: Cluster) -> list[KubeNode]:
    """Nodes to look for marks on: a distribution leaves them on all of its nodes, so a part of them will do."""
    return list(islice(cluster.nodes.values(), _ENOUGH))


def helm_release(cluster: Cluster) -> str:
    """Return the Helm release that Calico came with, '' if Helm has no part in it."""
    for meta in _of_installation(cluster):
        if meta.annotations.get(RELEASE):
            return meta.annotations[RELEASE]
    return "calico" if any(meta.labels.get(MANAGED_BY) == "Helm" for meta in _of_installation(cluster)) else ""


def _of_installation(cluster: Cluster) -> Iterator[Owned]:
    """The metadata of what an installer makes itself: Installation, the operator, the DaemonSet, ConfigMaps."""
    for installation in cluster.installations:
        yield installation.meta
    for workload in cluster.workloads:
        if workload.component in (OPERATOR, CALICO_NODE, CANAL):
            yield workload.meta
    for config in cluster.config_maps:
        yield config.meta


# --- installers ---


def _ibm(cluster: Cluster) -> Iterator[str]:
    for node in _some(cluster):
        if node_marks.is_ibm(node):
            yield f"Node {node.name} is one of IBM Cloud's (its labels, provider ID or version say so)."
            break
    for image in _images(cluster):
        if "/armada-master" in image:
            yield f"Calico's image is IBM Cloud's own: {image}."
            break


def _roks(cluster: Cluster) -> Iterator[str]:
    signs = [*_ibm(cluster)]
    openshift = effective.installed(cluster, "kubernetesProvider") == "OpenShift"
    openshift = openshift or any(node_marks.is_openshift(node) for node in _some(cluster))
    if signs and openshift:
        yield from signs
        yield "It is OpenShift."


def _rke2(cluster: Cluster) -> Iterator[str]:
    release = helm_release(cluster)
    if release.startswith("rke2-"):
        yield f"Helm release {release} is RKE2's."
    for workload in cluster.node_agents:
        if workload.name.startswith("rke2-"):
            yield f"DaemonSet {workload.name} has RKE2's name."
    bundled = [image for image in _images(cluster) if "rancher/hardened-calico" in image or "mirrored-calico" in image]
    if bundled and distribution(cluster) == RKE2:
        yield f"Calico's image is Rancher's: {bundled[0]}."
    yield from _alone(cluster, RKE2)


def _microk8s(cluster: Cluster) -> Iterator[str]:
    for workload in cluster.node_agents:
        for container in workload.containers:
            if any("/var/snap/microk8s/" in value for value in container.env.values()):
                yield f"DaemonSet {workload.name} uses folders of the snap microk8s."
                return
    yield from _of_nodes(cluster, MICROK8S)


def _kops(cluster: Cluster) -> Iterator[str]:
    for meta in _of_installation(cluster):
        if meta.labels.get(MANAGED_BY) == "kops" or meta.labels.get("addon.kops.k8s.io/name"):
            yield "Calico's objects carry kops' labels."
            return
    yield from _words(cluster, "kops")
    yield from _alone(cluster, KOPS)


def _kubespray(cluster: Cluster) -> Iterator[str]:
    yield from _words(cluster, "kubespray")


def _k3s(cluster: Cluster) -> Iterator[str]:
    """k3s brings flannel, never Calico: that is installed by other means."""
    if not cluster.node_agents and not cluster.installations and not cluster.pods_of(CALICO_NODE, CANAL):
        yield from _of_nodes(cluster, K3S)


def _aks(cluster: Cluster) -> Iterator[str]:
    if distribution(cluster) == AKS and (cluster.installations or cluster.node_agents):
        yield from _added(cluster)
        if effective.installed(cluster, "kubernetesProvider") == "AKS" and not helm_release(cluster):
            yield "The Installation has kubernetesProvider: AKS."


def _gke(cluster: Cluster) -> Iterator[str]:
    if distribution(cluster) == GKE:
        yield from _added(cluster)


def _added(cluster: Cluster) -> Iterator[str]:
    """The addon manager of a managed control plane keeps what carries this label as it wants it."""
    for meta in _of_installation(cluster):
        if meta.labels.get(_ADDON_MANAGER):
            yield f"Calico's objects carry the label {_ADDON_MANAGER}: {meta.labels[_ADDON_MANAGER]}."
            return


def _helm(cluster: Cluster) -> Iterator[str]:
    for meta in _of_installation(cluster):
        if meta.labels.get(MANAGED_BY) == "Helm" or meta.annotations.get(RELEASE):
            release = meta.annotations.get(RELEASE)
            yield f"Calico's objects carry Helm's marks{f' of the release {release}' if release else ''}."
            return


def _operator(cluster: Cluster) -> Iterator[str]:
    for installation in cluster.installations:
        yield f"There is the Installation {installation.name}."
    for workload in cluster.workloads:
        if workload.component == OPERATOR:
            yield f"The operator runs as Deployment {workload.namespace}/{workload.name}."
        elif workload.meta.owner.startswith("Installation/"):
            yield f"DaemonSet {workload.namespace}/{workload.name} is owned by {workload.meta.owner}."
    if any(pod.namespace == "calico-system" for pod in cluster.pods_of(CALICO_NODE)):
        yield "calico-node's pods are in the namespace calico-system, which is the operator's."
    if cluster.tigera_statuses:
        yield "The operator writes its states (TigeraStatus)."


def is_operated(cluster: Cluster) -> bool:
    """Say whether the operator renders calico-node's DaemonSet: by its Installation, or by what it leaves behind."""
    agents = cluster.node_agents
    if effective.installation(cluster) is not None or any(
        agent.meta.owner.startswith("Installation/") for agent in agents
    ):
        return True
    # A cluster that moves to the operator has pods of both; the manifest's DaemonSet is the one to be changed then.
    spaces = {agent.namespace for agent in agents} | {pod.namespace for pod in cluster.pods_of(CALICO_NODE)}
    return "calico-system" in spaces and not any(agent.namespace == "kube-system" for agent in agents)


def _manifest(cluster: Cluster) -> Iterator[str]:
    for workload in cluster.node_agents:
        who = f", last written by {workload.meta.managers[0]}" if workload.meta.managers else ""
        yield f"DaemonSet {workload.namespace}/{workload.name} has no other owner{who}."
        return
    for workload in cluster.workloads:
        if workload.component == FLANNEL:
            yield f"DaemonSet {workload.namespace}/{workload.name} of flannel has no other owner."
            return


def _words(cluster: Cluster, word: str) -> Iterator[str]:
    """The installer's name in what it gives as the type of the cluster."""
    told = effective.variable(cluster, effective.agent(cluster), "CLUSTER_TYPE")
    places = [(told.value, told.place), (cluster.cluster_type, "ClusterInformation default")]
    places += [(config.data.get("cluster_type", ""), f"ConfigMap {config.name}") for config in cluster.config_maps]
    for written, place in places:
        if word in written.split(","):
            yield f'{place} gives "{written}" as the type of the cluster.'
            return


def _alone(cluster: Cluster, name: str) -> Iterator[str]:
    """Nodes tell the distribution; that it brought Calico follows only if nothing shows another installer."""
    if not cluster.workloads and not cluster.installations:
        yield from _of_nodes(cluster, name)


def _of_nodes(cluster: Cluster, name: str) -> Iterator[str]:
    for node in _some(cluster):
        if node_marks.has(node, name):
            yield f"Node {node.name} has the marks of {name}."
            return


def _images(cluster: Cluster) -> Iterable[str]:
    for workload in cluster.node_agents:
        yield from (container.image for container in workload.containers)
    for pod in cluster.pods_of(CALICO_NODE, CANAL)[:1]:
        yield from (container.image for container in pod.containers)
    registry = effective.installed(cluster, "registry")
    if isinstance(registry, str) and registry:
        yield registry if registry.endswith("/") else f"{registry}/"


_INSTALLERS: tuple[tuple[str, Callable[[Cluster], Iterator[str]]], ...] = (
    (ROKS, _roks),
    (IKS, _ibm),
    (RKE2, _rke2),
    (MICROK8S, _microk8s),
    (KOPS, _kops),
    (KUBESPRAY, _kubespray),
    (AKS, _aks),
    (GKE, _gke),
    (HELM, _helm),
    (OPERATED, _operator),
    (MANIFEST, _manifest),
    (K3S, _k3s),
)
_TITLES = {
    ROKS: "Red Hat OpenShift on IBM Cloud",
    IKS: "IBM Cloud Kubernetes Service",
    AKS: "Azure Kubernetes Service",
    GKE: "Google Kubernetes Engine",
    EKS: "Amazon EKS",
    OPENSHIFT: "OpenShift",
}
_MANAGED = (ROKS, IKS, AKS, GKE, EKS, OPENSHIFT)
_RELOADED = "Changes on worker nodes are lost when a worker is reloaded, updated or replaced."
_BY_IBM = "IBM installs and updates Calico:"
_FORBIDS = {
    ROKS: (
        f"{_BY_IBM} customers may change mtu and hostPorts in the Installation; edits of the DaemonSet are reverted.",
        _RELOADED,
    ),
    IKS: (
        f"{_BY_IBM} edits of the DaemonSet and of veth_mtu in calico-config are reverted when the master is refreshed.",
        _RELOADED,
    ),
    AKS: ("Where AKS installed Calico, it keeps the Installation and the operator as it wants them.",),
    GKE: ("Where GKE installed Calico, its addon manager keeps the DaemonSet as it wants it.",),
}
