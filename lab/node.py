# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The specification of a cluster node: a Linux host with calico-node's processes and files. Pure data."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from . import overlay, services
from .bird_config import CONFIG_DIRECTORY
from .controller import cluster
from .controller.cluster.nodes import machine_id
from .machine import Batch, File, Specification

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .topology import Node, Plan

# From the first poll on every second, so that a node is synchronised within seconds of its start.
_CHRONY = """\
server {server} iburst minpoll 0 maxpoll 4
driftfile /var/lib/chrony/chrony.drift
"""
_POD = "pod"
KNOWN_NEIGHBOURS_FROM = 400


def specification(plan: Plan, node: Node, bird: Mapping[str, str], authorised_key: str, host_key: str) -> Specification:
    """`bird`: the rendered configuration files, name -> text."""
    environment = cluster.environment(plan, node)
    if plan.topology.overlay:
        bird, agent = {}, services.felix(environment)
    else:
        agent = services.bird(environment, ipv6=plan.topology.dual_stack)
    files = [
        *_identity(node),
        *_calico(plan, node),
        *(File(f"{services.CONTAINER_ROOT}{CONFIG_DIRECTORY}/{name}", 0o644, text) for name, text in bird.items()),
        *services.ssh(authorised_key, host_key),
        *services.chrony(_CHRONY.format(server=node.subnet.gateway)),
        *agent,
    ]
    return Specification(
        name=node.name,
        hostname=node.name,
        files=files,
        links=[],
        sysctls=[
            ("net/ipv4/ip_forward", "1"),
            ("-net/ipv6/conf/all/forwarding", "1"),
            ("net/ipv4/conf/all/rp_filter", "0"),
            (f"net/ipv4/conf/{node.workload}/proxy_arp", "1"),
            (f"net/ipv4/neigh/{node.workload}/proxy_delay", "0"),
        ],
        network=[*_network(plan, node), Batch([], neighbours(plan, node))],
        wires=["eth0"],
    )


def _identity(node: Node) -> list[File]:
    return [
        File("/etc/hostname", 0o644, node.name + "\n"),
        File("/etc/hosts", 0o644, f"127.0.0.1 localhost\n{node.address} {node.name}\n"),
        File("/etc/resolv.conf", 0o644, "# the lab has no name server\n"),
        File("/etc/machine-id", 0o444, machine_id(node) + "\n"),
    ]


def _calico(plan: Plan, node: Node) -> list[File]:
    canal = plan.topology.overlay == "canal"
    flannel = [File(overlay.SUBNET_ENV, 0o644, overlay.subnet_env(node))] if canal else []
    return [
        *flannel,
        File("/var/lib/calico/nodename", 0o644, node.name),
        File("/var/lib/calico/mtu", 0o644, str(plan.topology.pod_mtu)),
        File(
            f"/etc/cni/net.d/10-{'canal' if canal else 'calico'}.conflist",
            0o644,
            json.dumps(_conflist(node.name, canal=canal), indent=2) + "\n",
        ),
        File(KUBECONFIG, 0o600, KUBECONFIG_TEXT),
        *([] if plan.topology.overlay else [File(f"{services.CONFD_LOG}/current", 0o644, "")]),
    ]


def _conflist(name: str, *, canal: bool) -> dict[str, object]:
    calico = {
        "type": "calico",
        "log_level": "info",
        "log_file_path": "/var/log/calico/cni/cni.log",
        "datastore_type": "kubernetes",
        "nodename": name,
        "mtu": 0,
        "ipam": {"type": "host-local", "subnet": "usePodCidr"} if canal else {"type": "calico-ipam"},
        "policy": {"type": "k8s"},
        "kubernetes": {"kubeconfig": KUBECONFIG},
    }
    plugins = [calico, {"type": "portmap", "snat": True, "capabilities": {"portMappings": True}}]
    return {"name": "k8s-pod-network", "cniVersion": "0.3.1", "plugins": plugins}


# The CNI plugin's, which each new calico-node writes.
KUBECONFIG = "/etc/cni/net.d/calico-kubeconfig"
KUBECONFIG_TEXT = """\
# Kubeconfig of the lab: there is no API server behind it and the token is not one.
apiVersion: v1
kind: Config
clusters:
- name: local
  cluster:
    server: https://10.96.0.1:443
    insecure-skip-tls-verify: true
users:
- name: calico
  user:
    token: lab-dummy-token-of-no-value
contexts:
- name: calico-context
  context:
    cluster: local
    user: calico
current-context: calico-context
"""


def _network(plan: Plan, node: Node) -> list[Batch]:
    """The host's network, then one pod behind a `cali…` interface as Calico's CNI plugin sets it up."""
    mtu = plan.topology.pod_mtu
    ipv6 = f"""\
address add {node.address6}/{node.subnet.prefix_length6} dev eth0 nodad
route add default via {node.subnet.gateway6} dev eth0
"""
    host = f"""\
link set lo up
link set eth0 up
address add {node.address}/{node.subnet.prefix_length} brd + dev eth0
route add default via {node.subnet.gateway} dev eth0
{ipv6 if node.address6 else ""}\
netns add {_POD}
link add {node.workload} mtu {mtu} address ee:ee:ee:ee:ee:ee type veth peer name eth0 mtu {mtu} netns {_POD}
link set {node.workload} up
route add {node.pod_address} dev {node.workload} scope link
"""
    pod = f"""\
link set lo up
link set eth0 up
address add {node.pod_address}/32 dev eth0
route add 169.254.1.1 dev eth0 scope link
route add default via 169.254.1.1 dev eth0
"""
    return [Batch([], host), Batch(["-n", _POD], pod)]


def neighbours(plan: Plan, node: Node | None = None) -> str:
    """Lines for `ip -batch` that make the neighbour entries of a big lab known beforehand; "" for a small one.

    The kernel's neighbour table is one for all namespaces of the host and takes 1,024 entries; a full mesh of 50 has
    2,450. Entries marked `extern_learn` do not count. They start stale, so the kernel still asks the neighbour at the
    first use and finds out when it is gone. Without `node`: the fabric's entries.
    """
    if len(plan.nodes) ** 2 < KNOWN_NEIGHBOURS_FROM:
        return ""
    lines = []
    for other in plan.nodes:
        if node is None or (other.subnet == node.subnet and other != node):
            device = "eth0" if node else other.subnet.name
            lines.append(f"neighbour replace {other.address} lladdr {other.mac} dev {device} nud stale extern_learn")
    return "\n".join(lines) + "\n"
