# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster model: what the API (or objects that somebody saved) tells, as typed records.

Made by `objects.read` from the fact C(calico_cluster) of M(netmedic.calico.cluster_info) or from a bundle's cluster/
files. Both API groups of Calico, and objects with missing, null or wrong-typed fields, end up in the same records:
what is absent or unreadable is '' or None or empty, and what was malformed is told in `Cluster.malformed`.

Times are Unix seconds (float) by the API server's clock; None where unknown. Durations are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Source:
    """One kind of object that was asked for. status: ok, absent (no such kind), forbidden, failed, partial."""

    source: str
    status: str
    detail: str = ""
    count: int = 0


@dataclass(frozen=True)
class Condition:
    """A condition of any object's status. status is 'True', 'False' or 'Unknown'."""

    type: str
    status: str
    reason: str = ""
    message: str = ""
    changed_at: float | None = None
    heartbeat_at: float | None = None


@dataclass(frozen=True)
class Owned:
    """Who made an object, as far as its metadata tells.

    managers: field manager names of managedFields, last writer first. owner: kind/name of the controlling owner.
    fields: the paths below spec that each manager owns, as far as they are told ("calicoNetwork", "mtu").
    """

    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    owner: str = ""
    managers: tuple[str, ...] = ()
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Taint:
    """A taint of a Node."""

    key: str
    value: str
    effect: str


@dataclass(frozen=True)
class KubeNode:
    """A Kubernetes Node. addresses: (type, address) pairs in their order, such as ("InternalIP", "10.0.0.1").

    uid: told only of one whose kubelet is silent."""

    name: str
    addresses: tuple[tuple[str, str], ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()
    conditions: tuple[Condition, ...] = ()
    pod_cidrs: tuple[str, ...] = ()
    provider_id: str = ""
    operating_system: str = "linux"
    os_image: str = ""
    kernel: str = ""
    kubelet_version: str = ""
    architecture: str = ""
    unschedulable: bool = False
    created_at: float | None = None
    lease_renewed_at: float | None = None
    uid: str = ""

    def condition(self, kind: str) -> Condition | None:
        """The condition of this type, such as Ready or NetworkUnavailable."""
        return next((one for one in self.conditions if one.type == kind), None)

    @property
    def internal_addresses(self) -> tuple[str, ...]:
        """The InternalIP addresses, in their order."""
        return tuple(address for kind, address in self.addresses if kind == "InternalIP")

    @property
    def is_whole(self) -> bool:
        """Whether more is known than a table or part of a description, which tell nothing of annotations.

        Every kubelet labels its Node with more than roles (kubernetes.io/hostname and others), and no table tells when
        it was made."""
        labelled = any(not label.startswith("node-role.kubernetes.io/") for label in self.labels)
        return labelled and (self.created_at is not None or bool(self.annotations))


@dataclass(frozen=True)
class CalicoNode:
    """What Calico has on record about a node: annotations of the Kubernetes Node, or calicoctl's Node object.

    ipv4, ipv6: with prefix length as stored ("10.0.0.1/24"), '' if none. as_number None: the cluster's.
    labels are those that selectors match: the Kubernetes Node's, or those of calicoctl's object. internal_addresses:
    Kubernetes' own, which calicoctl's object repeats.
    """

    name: str
    ipv4: str = ""
    ipv6: str = ""
    as_number: int | None = None
    route_reflector_cluster_id: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    ipip_tunnel: str = ""
    vxlan_tunnel: str = ""
    wireguard_key: bool = False
    windows: bool = False
    kubernetes: bool = True
    internal_addresses: tuple[str, ...] = ()

    def address(self, family: str) -> str:
        """The address without prefix length for 'ipv4' or 'ipv6', '' if none."""
        return (self.ipv6 if family == "ipv6" else self.ipv4).partition("/")[0]


@dataclass(frozen=True)
class Container:
    """A container of a pod or of a pod template. env: plain values only; env_from tells where others come from.

    env_from: variable name -> "configmap NAME/KEY", "secret NAME/KEY" or "field PATH". probes are their argv joined
    by spaces, or "http PORT PATH" for httpGet. limits as written.
    """

    name: str
    image: str = ""
    init: bool = False
    env: Mapping[str, str] = field(default_factory=dict)
    env_from: Mapping[str, str] = field(default_factory=dict)
    readiness: str = ""
    liveness: str = ""
    limits: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ContainerState:
    """How a container of a pod is. state: running, waiting, terminated or ''. reason such as CrashLoopBackOff.

    image: that of the pod's specification, which names a release where the status may have a digest only. memory_limit:
    as the specification has it, '' for none.
    """

    name: str
    init: bool = False
    ready: bool = False
    restarts: int = 0
    state: str = ""
    reason: str = ""
    message: str = ""
    exit_code: int | None = None
    last_reason: str = ""
    last_message: str = ""
    last_exit_code: int | None = None
    started_at: float | None = None
    finished_at: float | None = None
    image: str = ""
    memory_limit: str = ""


@dataclass(frozen=True)
class Pod:
    """A pod of Calico's, Canal's or of what they depend on. component: see Workload.

    address '': it has none, or it is not told. addressless: it is told that it has none.
    """

    namespace: str
    name: str
    component: str
    node: str = ""
    address: str = ""
    addressless: bool = False
    phase: str = ""
    reason: str = ""
    message: str = ""
    ready: bool = False
    conditions: tuple[Condition, ...] = ()
    containers: tuple[ContainerState, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    owner: str = ""
    created_at: float | None = None
    started_at: float | None = None
    deleting: bool = False
    uid: str = ""

    def condition(self, kind: str) -> Condition | None:
        """The condition of this type, such as PodScheduled or Ready."""
        return next((one for one in self.conditions if one.type == kind), None)


@dataclass(frozen=True)
class Workload:
    """A DaemonSet or Deployment. component: calico-node, canal, typha, kube-controllers, operator, apiserver, flannel,
    kube-proxy or other; 'canal' is a calico-node container beside flannel's."""

    kind: str
    namespace: str
    name: str
    component: str
    meta: Owned = field(default_factory=Owned)
    containers: tuple[Container, ...] = ()
    node_selector: Mapping[str, str] = field(default_factory=dict)
    affinity: Mapping[str, Any] = field(default_factory=dict)
    tolerations: tuple[Mapping[str, Any], ...] = ()
    host_network: bool = False
    service_account: str = ""
    strategy: str = ""
    max_unavailable: str = ""
    desired: int | None = None
    current: int | None = None
    ready: int | None = None
    available: int | None = None
    updated: int | None = None
    misscheduled: int | None = None
    generation: int | None = None
    observed_generation: int | None = None
    created_at: float | None = None
    deleting: bool = False

    def container(self, name: str) -> Container | None:
        """The container of this name."""
        return next((one for one in self.containers if one.name == name), None)


@dataclass(frozen=True)
class IPPool:
    """An IPPool. Modes are Never, Always or CrossSubnet. modes_told: at least one of them was given."""

    name: str
    cidr: str
    ipip: str = "Never"
    vxlan: str = "Never"
    nat_outgoing: bool = False
    disabled: bool = False
    export_disabled: bool = False
    node_selector: str = "all()"
    block_size: int | None = None
    allowed_uses: tuple[str, ...] = ()
    meta: Owned = field(default_factory=Owned)
    modes_told: bool = True


@dataclass(frozen=True)
class SecretRef:
    """A reference to a key of a secret, never its value."""

    name: str
    key: str


@dataclass(frozen=True)
class BGPConfiguration:
    """A BGPConfiguration: 'default', or 'node.<name>'. None: not given there (the defaults apply)."""

    name: str
    mesh: bool | None = None
    as_number: int | None = None
    listen_port: int | None = None
    mesh_password: SecretRef | None = None
    mesh_max_restart_time: str = ""
    service_cluster_cidrs: tuple[str, ...] = ()
    service_external_cidrs: tuple[str, ...] = ()
    service_load_balancer_cidrs: tuple[str, ...] = ()
    bind_mode: str = ""
    ignored_interfaces: tuple[str, ...] = ()
    program_cluster_routes: str = ""
    meta: Owned = field(default_factory=Owned)


@dataclass(frozen=True)
class BGPPeer:
    """A BGPPeer as written. peer_ip may carry a port ("10.0.0.1:1790", "[fd00::1]:1790")."""

    name: str
    node: str = ""
    node_selector: str = ""
    peer_ip: str = ""
    peer_selector: str = ""
    as_number: int | None = None
    local_as_number: int | None = None
    password: SecretRef | None = None
    source_address: str = ""
    keep_next_hop: bool = False
    next_hop_mode: str = ""
    max_restart_time: str = ""
    keepalive_time: str = ""
    ttl_security: int | None = None
    reachable_by: str = ""
    filters: tuple[str, ...] = ()
    local_workload_selector: str = ""
    reverse_peering: str = ""
    meta: Owned = field(default_factory=Owned)


@dataclass(frozen=True)
class HostEndpoint:
    """A HostEndpoint."""

    name: str
    node: str = ""
    interface: str = ""
    expected_ips: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    profiles: tuple[str, ...] = ()


@dataclass(frozen=True)
class GlobalNetworkPolicy:
    """A GlobalNetworkPolicy. ingress and egress are its rules as written; enforced: not staged."""

    name: str
    selector: str = ""
    order: float | None = None
    tier: str = "default"
    types: tuple[str, ...] = ()
    ingress: tuple[Mapping[str, Any], ...] = ()
    egress: tuple[Mapping[str, Any], ...] = ()
    do_not_track: bool = False
    pre_dnat: bool = False
    apply_on_forward: bool = False
    enforced: bool = True


@dataclass(frozen=True)
class FelixConfiguration:
    """A FelixConfiguration: 'default' or 'node.<name>'. spec holds the fields as written."""

    name: str
    spec: Mapping[str, Any] = field(default_factory=dict)
    meta: Owned = field(default_factory=Owned)


@dataclass(frozen=True)
class Installation:
    """The operator's Installation. spec and computed (status.computed) as written."""

    name: str
    spec: Mapping[str, Any] = field(default_factory=dict)
    computed: Mapping[str, Any] = field(default_factory=dict)
    variant: str = ""
    conditions: tuple[Condition, ...] = ()
    meta: Owned = field(default_factory=Owned)


@dataclass(frozen=True)
class TigeraStatus:
    """One component as the operator sees it."""

    name: str
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class BlockAffinity:
    """An address block that a node holds. state: confirmed, pending, pendingDeletion."""

    node: str
    cidr: str
    state: str = ""
    deleted: bool = False


@dataclass(frozen=True)
class NodeStatus:
    """A CalicoNodeStatus: what calico-node last wrote about its BIRD. peers: (family, peer, type, state)."""

    name: str
    node: str
    updated_at: float | None = None
    bird: Mapping[str, str] = field(default_factory=dict)
    peers: tuple[tuple[str, str, str, str], ...] = ()


@dataclass(frozen=True)
class Webhook:
    """An admission webhook that is asked about Calico's pods. policy is Fail or Ignore."""

    configuration: str
    name: str
    kind: str
    policy: str = ""
    timeout: int | None = None
    service: str = ""
    url: bool = False
    endpoints_ready: int | None = None
    operations: tuple[str, ...] = ()


@dataclass(frozen=True)
class Secret:
    """A secret that Calico's settings name: that it is there and which keys it has; nothing else is ever read.

    exists, readable (by calico-node's service account) None: not known.
    """

    namespace: str
    name: str
    exists: bool | None = None
    keys: tuple[str, ...] = ()
    readable: bool | None = None
    why: str = ""


@dataclass(frozen=True)
class ConfigMap:
    """A ConfigMap that carries Calico's settings; data is cut to those."""

    namespace: str
    name: str
    data: Mapping[str, str] = field(default_factory=dict)
    meta: Owned = field(default_factory=Owned)


@dataclass(frozen=True)
class Event:
    """An event about a node, a pod of Calico's or its DaemonSet. about: "pod calico-node-abcde", "node n1"."""

    about: str
    namespace: str
    type: str
    reason: str
    message: str
    count: int = 1
    first_at: float | None = None
    last_at: float | None = None
    node: str = ""


@dataclass(frozen=True)
class Service:
    """A Service that Calico depends on (typha), with the addresses behind it. targets: (address, port, ready, node)."""

    namespace: str
    name: str
    cluster_ips: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    targets: tuple[tuple[str, int, bool, str], ...] = ()


@dataclass(frozen=True)
class Cluster:
    """Everything that was told about the cluster as a whole.

    reached: the API answered (or objects were given, via 'bundle'). group: the API group of Calico's objects that was
    read. workload_pods: pods other than Calico's by node; services: how many Services have an endpoint by node.
    ipam_used: addresses in use by block; pool_use: those in use, and all, by pool, as calicoctl prints them.
    malformed: sentences on objects or fields that could not be understood.
    environment: what the operator says and no object shows (environment.yml of a bundle): provider, distribution,
    calico_version, backend, encapsulation.
    """

    reached: bool
    via: str = ""
    why: str = ""
    taken_at: float | None = None
    kubernetes_version: str = ""
    group: str = ""
    native_v3: bool = False
    calico_version: str = ""
    cluster_type: str = ""
    datastore_ready: bool | None = None
    sources: tuple[Source, ...] = ()
    nodes: Mapping[str, KubeNode] = field(default_factory=dict)
    calico_nodes: Mapping[str, CalicoNode] = field(default_factory=dict)
    workloads: tuple[Workload, ...] = ()
    pods: tuple[Pod, ...] = ()
    pools: tuple[IPPool, ...] = ()
    bgp_configurations: Mapping[str, BGPConfiguration] = field(default_factory=dict)
    bgp_peers: tuple[BGPPeer, ...] = ()
    bgp_filters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    felix_configurations: Mapping[str, FelixConfiguration] = field(default_factory=dict)
    host_endpoints: tuple[HostEndpoint, ...] = ()
    policies: tuple[GlobalNetworkPolicy, ...] = ()
    installations: tuple[Installation, ...] = ()
    tigera_statuses: tuple[TigeraStatus, ...] = ()
    kube_controllers: Mapping[str, Any] = field(default_factory=dict)
    node_statuses: tuple[NodeStatus, ...] = ()
    blocks: tuple[BlockAffinity, ...] = ()
    ipam_used: Mapping[str, int] = field(default_factory=dict)
    pool_use: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    webhooks: tuple[Webhook, ...] = ()
    config_maps: tuple[ConfigMap, ...] = ()
    secrets: tuple[Secret, ...] = ()
    services: tuple[Service, ...] = ()
    events: tuple[Event, ...] = ()
    workload_pods: Mapping[str, int] = field(default_factory=dict)
    service_endpoints: Mapping[str, int] = field(default_factory=dict)
    malformed: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    def source(self, name: str) -> Source | None:
        """How asking for a kind went; None if it was not asked for."""
        return next((one for one in self.sources if one.source == name), None)

    def read(self, name: str) -> bool:
        """Objects of this kind were read, so that there being none means something."""
        found = self.source(name)
        return found is not None and found.status in ("ok", "absent")

    def pods_of(self, *components: str) -> tuple[Pod, ...]:
        """The pods of these components."""
        return tuple(pod for pod in self.pods if pod.component in components)

    @property
    def node_agents(self) -> tuple[Workload, ...]:
        """The DaemonSets that run calico-node: one, or two during a migration to the operator."""
        return tuple(one for one in self.workloads if one.component in ("calico-node", "canal"))
