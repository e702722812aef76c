# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who owns a setting: where a change has to go so that it stays.

A DaemonSet that the operator renders is put back within minutes, one that Helm or kubespray made at their next run. So
the change goes to what they read: the Installation, a chart's values, kubespray's variables, kops' cluster, the
manifest's DaemonSet, or the ConfigMap where one is really read. What the operator leaves alone is known field by field
(tigera/operator, pkg/controller/installation and pkg/controller/ippool).

Settings are named so: C(autodetection_ipv4), C(autodetection_ipv6), C(backend), C(mtu), C(pool/NAME), C(pools),
C(bgp_configuration), C(bgp_configuration/FIELD), C(bgp_peer/NAME), C(bgp_filter/NAME), C(felix/FIELD), C(env/NAME).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from . import effective, installers, node_marks, owned_by
from .owned_by import MANAGED_BY_OPERATOR, Place

if TYPE_CHECKING:
    from collections.abc import Callable

    from .model import Cluster, Container, IPPool, Owned, Workload

INSTALLATION, HELM_CHART_CONFIG, HELM, KUBESPRAY = "Installation", "HelmChartConfig", "Helm", "kubespray"
KOPS, MICROK8S, PROVIDER = "kops", "microk8s", "provider"
DAEMON_SET, CONFIG_MAP, UNKNOWN = "DaemonSet", "ConfigMap", "unknown"
AUTODETECTION = {"ipv4": "IP_AUTODETECTION_METHOD", "ipv6": "IP6_AUTODETECTION_METHOD"}
_MTUS = ("FELIX_IPINIPMTU", "FELIX_VXLANMTU", "FELIX_WIREGUARDMTU", "CNI_MTU")
_IGNORED = "unsupported.operator.tigera.io/ignore"
# Managers of fields that are people's tools, and so no owner that would put its own value back.
_PEOPLE = ("kubectl", "calicoctl", "k9s", "lens", "oc", "python-requests", "openapi-generator", "before-first-apply")
_PARTS = ("calico-node", "kube-controllers", "typha", "apiserver", "confd", "felix", "manager", "operator", "calico")


@dataclass(frozen=True)
class Owner:
    """Where a change of a setting goes.

    kind: Installation, HelmChartConfig, Helm, kubespray, kops, microk8s, provider, DaemonSet, ConfigMap, unknown, or
    the kind of the object itself (IPPool, BGPConfiguration, BGPPeer, FelixConfiguration …). name: the object's, the
    release's, or of what the installer reads. path: the field, variable or key in it. why: what says so. reverted: what
    becomes of an edit elsewhere, '' if nothing. allowed False: a provider forbids the change.
    """

    kind: str
    name: str
    path: str
    why: str
    namespace: str = ""
    reverted: str = ""
    allowed: bool = True


def owner_of(cluster: Cluster, setting: str) -> Owner:
    """Return the owner of a setting, named as above. A setting that is not known has the kind 'unknown'."""
    subject, _slash, name = setting.partition("/")
    of = _SETTINGS.get(subject)
    if of is None:
        return Owner(UNKNOWN, "", setting, f'"{setting}" names no setting.')
    return of(cluster, name)


def _environment(cluster: Cluster, name: str) -> Owner:
    """The owner of a variable of calico-node."""
    return _of_agent(cluster, name, Place(f"calicoNodeDaemonSet: env {name}"))


def _autodetection(family: str) -> Callable[[Cluster, str], Owner]:
    return lambda cluster, _name: _of_agent(cluster, AUTODETECTION[family], owned_by.AUTODETECTION[family])


def _backend(cluster: Cluster, _name: str) -> Owner:
    return _of_agent(cluster, "CALICO_NETWORKING_BACKEND", owned_by.BACKEND)


def _mtu(cluster: Cluster, _name: str) -> Owner:
    """The pods' and tunnels' MTU: variables go before FelixConfiguration, so where they are set is who decides."""
    agent = effective.agent(cluster)
    variable = next((name for name in _MTUS if _that_sets(agent, name) is not None), "")
    owner = _of_agent(cluster, variable or _MTUS[0], owned_by.MTU)
    if owner.kind == DAEMON_SET and not variable:
        why = "No variable of calico-node sets an MTU, so FelixConfiguration decides, and without it Felix itself."
        return Owner("FelixConfiguration", "default", "spec.ipipMTU, vxlanMTU, wireguardMTU", why)
    return owner


# --- what calico-node's DaemonSet carries ---


def _of_agent(cluster: Cluster, variable: str, place: Place) -> Owner:
    """The owner of what a variable of calico-node's DaemonSet says; `place`: what installers call it."""
    agent = effective.agent(cluster)
    installed = installers.read(cluster)
    if agent is not None and agent.meta.annotations.get(_IGNORED) == "true":
        why = f"The DaemonSet carries {_IGNORED}, so the operator leaves it alone for the time being."
        reverted = "When that annotation is taken away, the operator puts the DaemonSet back."
        return replace(_of_manifest(cluster, agent, variable), why=why, reverted=reverted)
    if installers.is_operated(cluster) and not (agent and agent.meta.annotations.get(_IGNORED)):
        return _of_installation(cluster, installed, place)
    if installed.installer in _READS:
        kind, name, note, column = _READS[installed.installer]
        return Owner(kind, name, getattr(place, column) or f"env {variable}", _because(installed), reverted=note)
    if installed.installer == node_marks.RKE2:
        release = installed.release or (agent.name if agent else "") or "rke2-canal"
        return _of_rke2(installed, release, place.rke2_canal or f"calico, for {variable}")
    if installed.installer in (node_marks.IKS, node_marks.ROKS, node_marks.AKS, node_marks.GKE):
        return _of_provider(cluster, installed, place)
    if installed.installer == installers.HELM:
        return Owner(HELM, installed.release, f"values: {variable}", _because(installed), reverted=owned_by.HELM_NOTE)
    return _of_manifest(cluster, agent, variable)


# By installer: kind of owner, what it reads, what it does with edits elsewhere, and the column of Place.
_READS = {
    installers.KUBESPRAY: (KUBESPRAY, "group_vars", owned_by.KUBESPRAY_NOTE, "kubespray"),
    node_marks.KOPS: (KOPS, "cluster", owned_by.KOPS_NOTE, "kops"),
    node_marks.MICROK8S: (MICROK8S, owned_by.MICROK8S_FILE, owned_by.MICROK8S_NOTE, "microk8s"),
}


def _of_rke2(installed: installers.Installed, release: str, value: str) -> Owner:
    path = f"spec.valuesContent: {value}"
    why = _because(installed)
    return Owner(HELM_CHART_CONFIG, release, path, why, namespace="kube-system", reverted=owned_by.RKE2_NOTE)


def _of_installation(cluster: Cluster, installed: installers.Installed, place: Place) -> Owner:
    """What the operator renders: its Installation decides, and who made the Installation decides about that."""
    installation = effective.installation(cluster)
    name = installation.name if installation else "default"
    field = f"spec.{place.installation}"
    reverted = "The operator puts the DaemonSet and its ConfigMaps back at its next reconciliation."
    if installed.installer == node_marks.RKE2 or installed.release.startswith("rke2-"):
        return _of_rke2(installed, installed.release or "rke2-calico", f"installation.{place.installation}")
    provider = installers.provider(cluster)
    if installed.installer in (node_marks.ROKS, node_marks.IKS):
        allowed = place.installation in owned_by.OF_IBM_CUSTOMERS
        return Owner(INSTALLATION, name, field, _because(installed), reverted=reverted, allowed=allowed)
    if installed.installer == node_marks.AKS:
        why = f"{_because(installed)} {provider.forbids[0] if provider.forbids else ''}".strip()
        return Owner(PROVIDER, node_marks.AKS, field, why, reverted=reverted, allowed=False)
    if installed.release:
        path = f"values: installation.{place.installation}"
        return Owner(HELM, installed.release, path, _because(installed), reverted=owned_by.HELM_NOTE)
    why = f"{_because(installed)} The operator renders calico-node from it."
    owner = Owner(INSTALLATION, name, field, why, reverted=reverted)
    return _with_writer(owner, installation.meta if installation else None)


def _of_provider(cluster: Cluster, installed: installers.Installed, place: Place) -> Owner:
    provider = installers.provider(cluster)
    name = provider.name or installed.installer
    forbids = provider.forbids or installers.forbidden(installed.installer)
    reverted = forbids[0] if forbids else ""
    if name == node_marks.IKS and place.iks and effective.config_map(cluster, "calico-config", "") is not None:
        return Owner(
            CONFIG_MAP,
            "calico-config",
            f"data.{place.iks}",
            f"{_because(installed)} IBM reads the MTU from this key when the master is refreshed.",
            namespace="kube-system",
            reverted=reverted,
        )
    return Owner(PROVIDER, name, place.installation, _because(installed), reverted=reverted, allowed=False)


def _of_manifest(cluster: Cluster, agent: Workload | None, variable: str) -> Owner:
    """A DaemonSet that nobody puts back: it, or the ConfigMap that the variable is read from, is the place."""
    if agent is None:
        return Owner(UNKNOWN, "", f"env {variable}", "The DaemonSet of calico-node was not read.")
    container = _that_sets(agent, variable) or effective.container(agent)
    origin = container.env_from.get(variable, "") if container else ""
    reverted = "The next apply of the manifest puts it back unless the manifest is changed, too."
    if origin.startswith("configmap "):
        name, _slash, key = origin.partition(" ")[2].partition("/")
        why = f"DaemonSet {agent.name} reads {variable} from this ConfigMap; pods take it up when they are restarted."
        found = effective.config_map(cluster, name, agent.namespace)
        owner = Owner(CONFIG_MAP, name, f"data.{key}", why, namespace=agent.namespace, reverted=reverted)
        return _with_writer(owner, found.meta if found else None)
    if origin:
        why = f"DaemonSet {agent.name} takes {variable} from {origin}; to give it a value, that reference is replaced."
    else:
        why = f"DaemonSet {agent.name} came from a manifest and carries calico-node's environment itself."
    place = "initContainers" if container and container.init else "containers"
    path = f"spec.template.spec.{place}[{container.name if container else effective.AGENT}].env[{variable}]"
    return _with_writer(
        Owner(DAEMON_SET, agent.name, path, why, namespace=agent.namespace, reverted=reverted), agent.meta
    )


def _that_sets(agent: Workload | None, variable: str) -> Container | None:
    """The container that has this variable; calico-node's own comes first, install-cni has some, too."""
    containers = sorted(agent.containers, key=lambda one: one.init) if agent is not None else []
    return next((one for one in containers if variable in one.env or variable in one.env_from), None)


# --- Calico's own objects ---


def _pool(cluster: Cluster, name: str) -> Owner:
    """A pool: the operator's if it carries the operator's label or stands in the Installation, else its own."""
    pool = next((one for one in cluster.pools if one.name == name), None)
    installed = installers.read(cluster)
    if effective.installation(cluster) is not None and (pool is None or _is_the_operators(cluster, pool)):
        owner = _of_installation(cluster, installed, owned_by.POOLS)
        note = "The operator puts back pools that it owns, and deletes those that are removed from the Installation."
        return replace(owner, reverted=note)
    if installed.installer == installers.KUBESPRAY and (pool is None or name.startswith(owned_by.KUBESPRAY_POOL)):
        return _of_kubespray(installed, owned_by.POOLS.kubespray)
    why = "A pool is changed by itself: variables of calico-node are read only when no pool is there."
    return _with_writer(Owner("IPPool", name, "spec", why), pool.meta if pool else None)


def _is_the_operators(cluster: Cluster, pool: IPPool) -> bool:
    if pool.meta.labels.get(installers.MANAGED_BY) == MANAGED_BY_OPERATOR:
        return True
    wanted = effective.installed(cluster, "calicoNetwork", "ipPools")
    named = [one for one in wanted if isinstance(one, dict)] if isinstance(wanted, list) else []
    return any(one.get("name") == pool.name or one.get("cidr") == pool.cidr for one in named)


def _bgp_configuration(cluster: Cluster, field: str) -> Owner:
    """A field of BGPConfiguration default: installers set few of them and leave the others alone."""
    path = f"spec.{field}" if field else "spec"
    installed = installers.read(cluster)
    if field == "programClusterRoutes" and effective.installed(cluster, "calicoNetwork", "clusterRoutingMode"):
        return _of_installation(cluster, installed, owned_by.ROUTING)
    if installed.installer == installers.KUBESPRAY and field in owned_by.KUBESPRAY_BGP:
        return _of_kubespray(installed, owned_by.KUBESPRAY_BGP[field])
    found = cluster.bgp_configurations.get("default")
    why = "No installer touches this field of BGPConfiguration."
    return _with_writer(Owner("BGPConfiguration", "default", path, why), found.meta if found else None)


def _bgp_peer(cluster: Cluster, name: str) -> Owner:
    found = next((one for one in cluster.bgp_peers if one.name == name), None)
    installed = installers.read(cluster)
    if installed.installer == installers.KUBESPRAY and owned_by.is_kubesprays(name, found.node if found else ""):
        return _of_kubespray(installed, "peers, peer_with_router, peer_with_calico_rr")
    owner = Owner("BGPPeer", name, "spec", "The installer never touches this BGPPeer.")
    return _with_writer(owner, found.meta if found else None)


def _of_kubespray(installed: installers.Installed, variables: str) -> Owner:
    return Owner(KUBESPRAY, "group_vars", variables, _because(installed), reverted=owned_by.KUBESPRAY_NOTE)


def _bgp_filter(_cluster: Cluster, name: str) -> Owner:
    return Owner("BGPFilter", name, "spec", "Installers never touch BGPFilters.")


def _felix(cluster: Cluster, field: str) -> Owner:
    """A field of Felix: a variable goes before the object, and the operator patches some fields of the object."""
    found = effective.container(effective.agent(cluster))
    variable = effective.felix_variable(field)
    if found is not None and (variable in found.env or variable in found.env_from):
        owner = _of_agent(cluster, variable, owned_by.FELIX.get(field) or Place(f"calicoNodeDaemonSet: env {variable}"))
        return replace(owner, why=f"{owner.why} The variable {variable} goes before FelixConfiguration.")
    default = cluster.felix_configurations.get("default")
    place = owned_by.FELIX.get(field)
    if place is not None and place.installation and effective.installation(cluster) is not None:
        return _of_installation(cluster, installers.read(cluster), place)
    installed = installers.read(cluster)
    if installed.installer == installers.KUBESPRAY and field in owned_by.KUBESPRAY_FELIX:
        return _of_kubespray(installed, owned_by.KUBESPRAY_FELIX[field])
    owner = Owner("FelixConfiguration", "default", f"spec.{field}", "No variable and no installer sets this field.")
    return _with_writer(owner, default.meta if default else None)


# --- words ---


def _because(installed: installers.Installed) -> str:
    return installed.evidence[0] if installed.evidence else "Nothing else claims it."


def _with_writer(owner: Owner, meta: Owned | None) -> Owner:
    """Add who wrote the object last if that is a program which may do so again (Argo CD, Flux, a Helm controller)."""
    if meta is None:
        return owner
    by_helm = meta.labels.get(installers.MANAGED_BY) == "Helm"
    if by_helm and owner.kind not in (HELM, HELM_CHART_CONFIG):
        release = meta.annotations.get(installers.RELEASE, "")
        why = f"{owner.why} It carries Helm's marks."
        return replace(owner, kind=HELM, name=release, why=why, reverted=owned_by.HELM_NOTE)
    writer = next((one for one in meta.managers if not is_harmless(one)), "")
    if not writer:
        return owner
    again = f"It was written by {writer}, which may write it again."
    return replace(owner, why=f"{owner.why} {again}")


def is_harmless(word: str) -> bool:
    """Say whether a field manager is a person's tool, or Calico itself, which writes no settings back."""
    return word.lower().startswith(_PEOPLE) or any(part in word.lower() for part in _PARTS)


_SETTINGS: dict[str, Callable[[Cluster, str], Owner]] = {
    "autodetection_ipv4": _autodetection("ipv4"),
    "autodetection_ipv6": _autodetection("ipv6"),
    "backend": _backend,
    "mtu": _mtu,
    "pool": _pool,
    "pools": _pool,
    "bgp_configuration": _bgp_configuration,
    "bgp_peer": _bgp_peer,
    "bgp_filter": _bgp_filter,
    "felix": _felix,
    "env": _environment,
}
