# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What kind of cluster this is: backend, kind, data plane, encapsulation, installer, releases, datastore.

Answers the first question of every diagnosis: is BGP used here at all? Processes on nodes are believed first, then what
the DaemonSet tells them, then the operator's Installation, then what the operator of the cluster says.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from . import effective, installers, programmers, versions
from .components import CALICO_NODE, CANAL, FLANNEL
from .model import Cluster

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._evidence.model import Node
    from .model import IPPool

BIRD, VXLAN, NONE, UNKNOWN = "bird", "vxlan", "none", "unknown"
CALICO, POLICY_ONLY, FLANNEL_ONLY = "calico", "policy-only", "flannel"
IPTABLES, NFTABLES, BPF = "iptables", "nftables", "bpf"
VARIABLE = "CALICO_NETWORKING_BACKEND"
_FLANNEL_MARK = "flannel.alpha.coreos.com/"
_MODES = {"Always": "", "CrossSubnet": "-cross-subnet"}
_OPERATOR_MODES = {
    "ipip": "ipip",
    "ipipcrosssubnet": "ipip-cross-subnet",
    "vxlan": "vxlan",
    "vxlancrosssubnet": "vxlan-cross-subnet",
    "none": "none",
    "": "ipip",
}


@dataclass(frozen=True)
class Flavour:
    """What kind of cluster this is. Words that are not known are 'unknown' (installer, backend …) or ''.

    backend: bird, vxlan, none. bgp_expected None: cannot be told. backends: what processes on nodes say, by node.
    kind: calico, canal, policy-only, flannel. dataplane: iptables, nftables, bpf. wireguard None: cannot be told.
    encapsulations: by pool ipip, vxlan, none, each of the first two also with -cross-subnet. programs_routes: by
    encapsulation (none, ipip, vxlan, wireguard) bird, felix, both, nobody, others. versions: by node, "v3.29.1".
    datastore: kdd, etcd. distribution: of Kubernetes. forbids: what a managed provider does not let anybody change.
    """

    backend: str = UNKNOWN
    backend_source: str = ""
    bgp_expected: bool | None = None
    why: str = ""
    backends: Mapping[str, str] = field(default_factory=dict)
    kind: str = UNKNOWN
    dataplane: str = UNKNOWN
    wireguard: bool | None = None
    encapsulations: Mapping[str, str] = field(default_factory=dict)
    programs_routes: Mapping[str, str] = field(default_factory=dict)
    routes_why: str = ""
    installer: str = UNKNOWN
    installer_evidence: tuple[str, ...] = ()
    helm_release: str = ""
    distribution: str = ""
    provider: str = ""
    provider_evidence: tuple[str, ...] = ()
    forbids: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    version: str = ""
    mixed_versions: bool = False
    datastore: str = UNKNOWN


def flavour(cluster: Cluster | None, nodes: Mapping[str, Node]) -> Flavour:
    """Return the flavour by what the API and what nodes told; either may be missing."""
    known = cluster if cluster is not None else Cluster(reached=False)
    kind = _kind(known)
    backends = {node.nodename or node.name: node.backend for node in nodes.values() if node.backend in _BACKENDS}
    backend, source = _backend(known, kind, backends, nodes)
    if kind == CALICO and backend == NONE:
        kind = POLICY_ONLY
    elif kind == UNKNOWN and backend in (BIRD, VXLAN):
        kind = CALICO
    releases = versions.read(known, nodes)
    routes = programmers.read(known, backend, versions.oldest(releases))
    installed, provider = installers.read(known), installers.provider(known)
    expected, why = _expected(backend, source, kind, backends)
    if not backends:  # else they were what was found on the nodes
        expected, why = _by_what_runs((expected, why), nodes)
    return Flavour(
        backend=backend,
        backend_source=source,
        bgp_expected=expected,
        why=why,
        backends=backends,
        kind=kind,
        dataplane=_dataplane(known, releases),
        wireguard=_wireguard(known),
        encapsulations=_encapsulations(known),
        programs_routes=routes.by_encapsulation,
        routes_why=routes.why,
        installer=installed.installer,
        installer_evidence=installed.evidence,
        helm_release=installed.release,
        distribution=installers.distribution(known),
        provider=provider.name,
        provider_evidence=provider.evidence,
        forbids=provider.forbids,
        versions=releases.nodes,
        version=releases.usual,
        mixed_versions=releases.mixed,
        datastore=_datastore(known),
    )


def told_backend(cluster: Cluster) -> tuple[str, str]:
    """The backend by the API's objects alone, 'unknown' where they do not tell it, and where it is said."""
    return _backend(cluster, _kind(cluster), {}, {})


_BACKENDS = (BIRD, VXLAN, NONE)


def summary(found: Flavour) -> dict[str, Any]:
    """Return a flavour as the report has it (see report.json): five fields that all reports have, and more."""
    return {
        "backend": found.backend,
        "installer": "" if found.installer == UNKNOWN else found.installer,
        "encapsulation": sorted(set(found.encapsulations.values()) - {UNKNOWN}),
        "version": found.version,
        "bgp_expected": found.bgp_expected,
        "why": found.why,
        "kind": found.kind,
        "dataplane": found.dataplane,
        "wireguard": found.wireguard,
        "programs_routes": dict(found.programs_routes),
        "installer_evidence": list(found.installer_evidence),
        "distribution": found.distribution,
        "provider": found.provider,
        "forbids": list(found.forbids),
        "mixed_versions": found.mixed_versions,
        "versions": dict(Counter(found.versions.values())),
        "datastore": found.datastore,
    }


# --- backend ---


def _kind(cluster: Cluster) -> str:
    components = {one.component for one in cluster.workloads} | {one.component for one in cluster.pods}
    if CANAL in components:
        return CANAL
    leased = any(key.startswith(_FLANNEL_MARK) for node in cluster.nodes.values() for key in node.annotations)
    flannel = leased or FLANNEL in components
    on_record = any(node.ipv4 or node.ipv6 for node in cluster.calico_nodes.values())
    if CALICO_NODE in components or cluster.installations or on_record:
        told = effective.variable(cluster, effective.agent(cluster), VARIABLE).value
        # Policy by Calico beside flannel as a DaemonSet of its own is what Canal is.
        return CANAL if flannel and told == NONE else CALICO
    if flannel:
        return FLANNEL_ONLY
    return CALICO if cluster.pools or cluster.bgp_configurations or cluster.bgp_peers else UNKNOWN


def _backend(cluster: Cluster, kind: str, backends: Mapping[str, str], nodes: Mapping[str, Node]) -> tuple[str, str]:
    """The backend, and where that is said."""
    counted = Counter(backends.values()).most_common()
    if counted:
        backend, count = counted[0]
        return backend, f"environment of calico-node's process on {_nodes(count)}"
    told = effective.variable(cluster, effective.agent(cluster), VARIABLE)
    if told.value:
        return told.value if told.value in (VXLAN, NONE) else BIRD, f"{told.place}, {VARIABLE}"
    if kind in (CANAL, FLANNEL_ONLY):
        return NONE, "flannel is there"
    by_operator = _by_operator(cluster)
    if by_operator:
        return by_operator
    running = [node.name for node in nodes.values() if any(daemon.running for daemon in node.daemons.values())]
    if running:
        return BIRD, f"BIRD runs on {_nodes(len(running))}"
    if told.place and told.known:
        return BIRD, f"{told.place} has no {VARIABLE}, and bird is the default"
    configured = effective.config_map(cluster, "calico-config", "")
    if told.place == "" and configured is not None and configured.data.get("calico_backend"):
        word = configured.data["calico_backend"]
        return word if word in (VXLAN, NONE) else BIRD, "ConfigMap calico-config, key calico_backend"
    said = cluster.environment.get("backend", "").lower()
    return (said, "the operator of the cluster says so") if said in _BACKENDS else (UNKNOWN, "")


def _by_operator(cluster: Cluster) -> tuple[str, str] | None:
    """What follows from the Installation: without BGP, Calico's own plugins use VXLAN and others need no backend."""
    if effective.installation(cluster) is None:
        return None
    plugin = effective.installed(cluster, "cni", "type") or "Calico"
    bgp = effective.installed(cluster, "calicoNetwork", "bgp")
    if bgp == "Enabled":
        return BIRD, "the Installation, calicoNetwork.bgp: Enabled"
    if plugin != "Calico":
        return NONE, f"the Installation, cni.type: {plugin}"
    if bgp == "Disabled":
        local = effective.installed(cluster, "cni", "ipam", "type") == "HostLocal"
        return NONE if local else VXLAN, "the Installation, calicoNetwork.bgp: Disabled"
    if effective.installed(cluster, "kubernetesProvider") == "EKS":
        return VXLAN, "the Installation has no calicoNetwork.bgp, and on EKS the default is Disabled"
    return BIRD, "the Installation has no calicoNetwork.bgp, and Enabled is the default"


def _expected(backend: str, source: str, kind: str, backends: Mapping[str, str]) -> tuple[bool | None, str]:
    """Whether BIRD and BGP are expected, and why, in one sentence."""
    different = sorted(set(backends.values()))
    if len(different) > 1:
        counts = ", ".join(f"{name} on {_nodes(count)}" for name, count in sorted(Counter(backends.values()).items()))
        return BIRD in different, f"Nodes differ in their backend ({counts}): BGP is expected where it is bird."
    if backend == UNKNOWN:
        return None, "Nothing tells which backend calico-node was given, so whether BGP is used is not known."
    if backend == BIRD:
        return True, f"The backend is bird ({source}): BIRD runs on every node and BGP carries routes."
    if backend == VXLAN:
        return False, f"The backend is vxlan ({source}): no BIRD runs, and Felix programs VXLAN routes by itself."
    carrier = {CANAL: "flannel carries the traffic", FLANNEL_ONLY: "flannel carries the traffic"}
    who = carrier.get(kind, "another network carries the traffic and Calico enforces policy only")
    return False, f"The backend is none ({source}): no BIRD runs, {who}."


def _by_what_runs(concluded: tuple[bool | None, str], nodes: Mapping[str, Node]) -> tuple[bool | None, str]:
    """What was concluded of backends, unless what was found on the nodes themselves tells otherwise."""
    told = [node for node in nodes.values() if node.bird_expected is not None]
    expected = any(node.bird_expected for node in told)
    if not told or expected is concluded[0]:
        return concluded
    first = next((node for node in told if node.bird_expected is expected), told[0])
    word = "is" if expected else "is not"
    return expected, f"BIRD {word} expected on {first.name}: {first.bird_expected_why or 'so it is told there'}."


def _nodes(count: int) -> str:
    return "1 node" if count == 1 else f"{count} nodes"


# --- data plane and encapsulation ---


def _dataplane(cluster: Cluster, releases: versions.Versions) -> str:
    told = str(effective.installed(cluster, "calicoNetwork", "linuxDataplane") or "").lower()
    if effective.felix(cluster, "bpfEnabled").value.lower() == "true" or told == "bpf":
        return BPF
    mode = effective.felix(cluster, "nftablesMode").value.lower()
    if mode == "enabled" or told == NFTABLES:
        return NFTABLES
    if mode == "disabled" or told == IPTABLES:
        return IPTABLES
    oldest = versions.oldest(releases)
    # Since 3.32 Felix follows kube-proxy unless it is told; before, and without a word, it uses iptables.
    if oldest is not None and oldest >= (3, 32, 0):
        proxy = cluster.environment.get("kube_proxy_mode", "").lower()
        return NFTABLES if proxy == NFTABLES else IPTABLES if proxy in (IPTABLES, "ipvs") else UNKNOWN
    return IPTABLES if oldest is not None else UNKNOWN


def _wireguard(cluster: Cluster) -> bool | None:
    told = [effective.felix(cluster, name) for name in ("wireguardEnabled", "wireguardEnabledV6")]
    if any(one.value.lower() == "true" for one in told):
        return True
    if any(node.wireguard_key for node in cluster.calico_nodes.values()):
        return True
    return False if all(one.known for one in told) else None


def _encapsulations(cluster: Cluster) -> dict[str, str]:
    """The encapsulation of each pool; where no pool was read, of those that the Installation wants."""
    found = {pool.name: encapsulation(pool) for pool in cluster.pools}
    if found:
        return found
    wanted = effective.installed(cluster, "calicoNetwork", "ipPools")
    for number, pool in enumerate(wanted if isinstance(wanted, list) else ()):
        if isinstance(pool, dict):
            name = str(pool.get("name") or pool.get("cidr") or number)
            found[name] = _OPERATOR_MODES.get(str(pool.get("encapsulation") or "").lower(), UNKNOWN)
    said = cluster.environment.get("encapsulation", "").lower()
    return found or ({"": said} if said else {})


def encapsulation(pool: IPPool) -> str:
    """Return ipip, vxlan (each also with -cross-subnet), none, or unknown where the pool does not tell its modes."""
    if pool.vxlan in _MODES:
        return f"{VXLAN}{_MODES[pool.vxlan]}"
    if pool.ipip in _MODES:
        return f"ipip{_MODES[pool.ipip]}"
    return NONE if pool.modes_told else UNKNOWN


def _datastore(cluster: Cluster) -> str:
    agent = effective.agent(cluster)
    told = effective.variable(cluster, agent, "DATASTORE_TYPE").value.lower()
    container = effective.container(agent)
    if told == "etcdv3" or (container and {"ETCD_ENDPOINTS"} & {*container.env, *container.env_from} and not told):
        return "etcd"
    # calicoctl shows objects of projectcalico.org/v3 whatever the datastore; the API has them only if it is the one.
    served = cluster.group.startswith("crd.") or (cluster.group and cluster.via != "bundle")
    if told == "kubernetes" or served or cluster.installations:
        return "kdd"
    said = cluster.environment.get("datastore", "").lower()
    return {"kdd": "kdd", "kubernetes": "kdd", "etcd": "etcd", "etcdv3": "etcd"}.get(said, UNKNOWN)
